#include "channel/impair.h"
#include "channel/trace.h"
#include "fuzz.h"

/* Any trace that parses keeps what the header promises, and can be played. */
static void check_packets(const struct vox_trace *trace)
{
    FUZZ_CHECK(vox_trace_count(trace) > 0);
    FUZZ_CHECK(vox_trace_interval_ns(trace) > 0);
    for (size_t i = 0; i < vox_trace_count(trace); i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        FUZZ_CHECK(p->copies >= 0 && p->copies <= 2);
        FUZZ_CHECK(p->copies < 1 || p->recv_ns[0] >= p->send_ns);
        FUZZ_CHECK(p->copies < 2 || p->recv_ns[1] >= p->recv_ns[0]);
        if (i > 0) {
            FUZZ_CHECK(p->seq > p[-1].seq && p->send_ns >= p[-1].send_ns);
        }
    }
}

static void play(const struct vox_trace *trace)
{
    struct vox_impair_config config;
    struct vox_impair *impair = NULL;
    vox_impair_config_init(&config);
    config.trace = trace;
    FUZZ_CHECK(vox_impair_create(&config, &impair) == 0);
    for (int64_t i = 0; i < 64; i++) {
        struct vox_fate fate;
        vox_impair_packet(impair, i * config.packet_ns, 100, &fate);
        FUZZ_CHECK((fate.copies == 0) == (fate.cause == VOX_FATE_TRACE_LOST));
    }
    vox_impair_destroy(impair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {.line = -1};
    if (vox_trace_parse((const char *)data, size, &trace, &error) < 0) {
        FUZZ_CHECK(!trace && error.line >= 0 && error.reason[0] != '\0');
        return 0;
    }
    check_packets(trace);
    play(trace);
    vox_trace_destroy(trace);
    return 0;
}
