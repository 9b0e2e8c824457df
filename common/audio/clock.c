#include "audio/clock.h"

#include <math.h>

/* Settles within seconds and leaves a twelfth of the jitter (deviation) of 10 ms blocks. */
static const double bandwidth_hz = 0.2;
static const double gap_ns = 20e6;
static const double pi = 3.14159265358979323846;

void vox_audio_clock_init(struct vox_audio_clock *clock, int rate_hz)
{
    *clock = (struct vox_audio_clock){
        .bandwidth_hz = bandwidth_hz,
        .nominal_frame_ns = 1e9 / rate_hz,
        .frame_ns = 1e9 / rate_hz,
    };
}

static void predict(struct vox_audio_clock *clock, double step_ns)
{
    double step = clock->next_frac + step_ns;
    double whole = floor(step);
    clock->next_ns += (int64_t)whole;
    clock->next_frac = step - whole;
}

int64_t vox_audio_clock_block(struct vox_audio_clock *clock, int64_t measured_ns, size_t frames,
                              bool gap)
{
    double block_ns = (double)frames * clock->frame_ns;
    double off_ns = (double)(measured_ns - clock->next_ns) - clock->next_frac;
    if (!clock->running || gap || fabs(off_ns) > fmax(gap_ns, 2 * block_ns)) {
        clock->running = true;
        clock->frame_ns = clock->nominal_frame_ns;
        clock->next_ns = measured_ns;
        clock->next_frac = 0;
        predict(clock, (double)frames * clock->frame_ns);
        return measured_ns;
    }
    int64_t start_ns = clock->next_ns;
    double omega = 2 * pi * clock->bandwidth_hz * block_ns * 1e-9;
    predict(clock, block_ns + sqrt(2.0) * omega * off_ns);
    if (frames > 0)
        clock->frame_ns += omega * omega * off_ns / (double)frames;
    return start_ns;
}
