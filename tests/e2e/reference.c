/*
 * What must come out of a lossless stream, by libopus and libsndfile alone:
 *
 *     reference FILE OUT.wav PROFILE FRAME_MS
 *
 * Encodes the 16-bit file (48 kHz, one or two channels) by opus_encode with the settings that are
 * documented for the profile and writes what int16 opus_decode makes of it, in as many channels as
 * the first packet is coded in: at low rates libopus codes stereo as mono. Shares no line with the
 * engines, so that it can disagree with them.
 */
#include <opus.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_HZ = 48000, MAX_FRAME = 2880, MAX_PACKET = 1424 };

static const struct {
    const char *name;
    int application;
    int complexity;
    int bps[2];
} profiles[] = {
    {"voice", OPUS_APPLICATION_VOIP, 9, {32000, 48000}},
    {"music", OPUS_APPLICATION_AUDIO, 10, {96000, 128000}},
    {"lowdelay", OPUS_APPLICATION_RESTRICTED_LOWDELAY, 9, {96000, 160000}},
};

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "reference: %s\n", what);
    exit(2);
}

static OpusEncoder *open_encoder(const char *profile, int channels)
{
    size_t p = 0;
    while (p < sizeof profiles / sizeof profiles[0] && strcmp(profiles[p].name, profile) != 0)
        p++;
    check(p < sizeof profiles / sizeof profiles[0], "no such profile");
    int err;
    OpusEncoder *encoder = opus_encoder_create(RATE_HZ, channels, profiles[p].application, &err);
    check(err == OPUS_OK, "no encoder");
    check(opus_encoder_ctl(encoder, OPUS_SET_BITRATE(profiles[p].bps[channels - 1])) == OPUS_OK,
          "bitrate");
    check(opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(profiles[p].complexity)) == OPUS_OK,
          "complexity");
    return encoder;
}

static SNDFILE *create_wav(const char *path, int channels)
{
    SF_INFO wav = {
        .samplerate = RATE_HZ, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *out = sf_open(path, SFM_WRITE, &wav);
    check(out != NULL, "cannot write OUT.wav");
    return out;
}

static OpusDecoder *open_decoder(int channels)
{
    int err;
    OpusDecoder *decoder = opus_decoder_create(RATE_HZ, channels, &err);
    check(err == OPUS_OK, "no decoder");
    return decoder;
}

static void recode(SNDFILE *in, const char *out_path, OpusEncoder *encoder, int frame, int channels)
{
    short pcm[MAX_FRAME * 2];
    short decoded[MAX_FRAME * 2];
    unsigned char packet[MAX_PACKET];
    OpusDecoder *decoder = NULL;
    SNDFILE *out = NULL;
    sf_count_t n;
    while ((n = sf_readf_short(in, pcm, frame)) > 0) {
        memset(pcm + n * channels, 0, (size_t)((frame - n) * channels) * sizeof *pcm);
        int bytes = opus_encode(encoder, pcm, frame, packet, sizeof packet);
        check(bytes > 0, "encoding");
        if (!decoder) {
            decoder = open_decoder(opus_packet_get_nb_channels(packet));
            out = create_wav(out_path, opus_packet_get_nb_channels(packet));
        }
        check(opus_decode(decoder, packet, bytes, decoded, MAX_FRAME, 0) == frame, "decoding");
        check(sf_writef_short(out, decoded, frame) == frame, "writing");
    }
    check(out && sf_close(out) == 0, "nothing to read, or no room to write");
    opus_decoder_destroy(decoder);
}

int main(int argc, char **argv)
{
    check(argc >= 5, "usage: reference FILE OUT.wav PROFILE FRAME_MS");
    SF_INFO info = {0};
    SNDFILE *in = sf_open(argv[1], SFM_READ, &info);
    check(in && info.samplerate == RATE_HZ && info.channels <= 2, "FILE is not at 48 kHz");
    int frame = (int)(strtod(argv[4], NULL) * RATE_HZ / 1000);
    check(frame >= 120 && frame <= MAX_FRAME, "FRAME_MS is not of Opus");
    OpusEncoder *encoder = open_encoder(argv[3], info.channels);
    recode(in, argv[2], encoder, frame, info.channels);
    opus_encoder_destroy(encoder);
    sf_close(in);
    return 0;
}
