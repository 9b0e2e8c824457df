#include "fuzz.h"
#include "wire/opus_toc.h"

#include <opus.h>

/* libopus is the reference: it accepts the same packets and sees the same durations in them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_opus_info info;
    opus_int16 sizes[VOX_OPUS_MAX_FRAMES];
    unsigned char toc;
    int err = vox_opus_parse(data, size, &info);
    int frames = opus_packet_parse(data, (opus_int32)size, &toc, NULL, sizes, NULL);
    FUZZ_CHECK((err < 0) == (frames < 0));
    if (err < 0)
        return 0;
    FUZZ_CHECK(info.frame_count == frames);
    FUZZ_CHECK(info.channels == opus_packet_get_nb_channels(data));
    FUZZ_CHECK(info.frame_ticks == opus_packet_get_samples_per_frame(data, 48000));
    FUZZ_CHECK(info.duration_ticks == opus_packet_get_nb_samples(data, (opus_int32)size, 48000));
    int largest = 0;
    for (int i = 0; i < frames; i++)
        largest = sizes[i] > largest ? sizes[i] : largest;
    FUZZ_CHECK(info.is_dtx == (largest <= 1));
    FUZZ_CHECK(!info.has_lbrr || (info.mode != VOX_OPUS_CELT && sizes[0] > 1));
    return 0;
}
