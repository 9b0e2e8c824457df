/*
 * Writes tests/data/wifi.trace: one minute of 20 ms packets over a made-up Wi-Fi link. Contention
 * of up to 4 ms, a stall of 20..120 ms every four seconds or so, behind which packets pile up and
 * then drain, 1 % loss in short bursts, a few duplicates, a few packets that arrive out of order.
 * Integer arithmetic only, so that it is the same file everywhere.
 */
#include "base/rng.h"

#include <stdbool.h>
#include <stdio.h>

enum { PACKETS = 3000, INTERVAL_US = 20000, BASE_US = 2500, DRAIN_US = 300 };

static bool happens(struct vox_rng *rng, uint32_t in_ten_thousand)
{
    return vox_rng_u32(rng) % 10000 < in_ten_thousand;
}

static void print_ms(int64_t us)
{
    printf(" %lld.%03lld", (long long)(us / 1000), (long long)(us % 1000));
}

int main(void)
{
    struct vox_rng rng;
    vox_rng_init(&rng, 20, 0);
    printf("# interval_ms 20\n# kind wifi, made by tests/channel/make_wifi_trace.c (CC0)\n"
           "# columns seq send_ms recv_ms|lost (one true clock)\n");
    int64_t free_us = 0;
    bool burst = false;
    for (int seq = 0; seq < PACKETS; seq++) {
        int64_t send_us = 1000000 + (int64_t)seq * INTERVAL_US;
        if (happens(&rng, 50) && free_us < send_us)
            free_us = send_us + 20000 + vox_rng_u32(&rng) % 100000;
        burst = happens(&rng, burst ? 5000 : 50);
        int64_t contention_us =
            (int64_t)(vox_rng_u32(&rng) % 2000) * (vox_rng_u32(&rng) % 2000) / 1000;
        int64_t recv_us = send_us + BASE_US + contention_us;
        recv_us = recv_us > free_us ? recv_us : free_us + DRAIN_US;
        bool overtaken = happens(&rng, 30);
        free_us = overtaken ? free_us : recv_us;
        recv_us += overtaken ? 25000 : 0;
        printf("%d", seq);
        print_ms(send_us);
        if (burst)
            printf(" lost");
        else
            print_ms(recv_us);
        printf("\n");
        if (!burst && happens(&rng, 20)) {
            printf("%d", seq);
            print_ms(send_us);
            print_ms(recv_us + 3000);
            printf("\n");
        }
    }
    return 0;
}
