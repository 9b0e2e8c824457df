/* voxgram-recv: see receiver/cli.c for what it can do, receiver/host.h for how. */
#include "receiver/cli.h"
#include "receiver/host.h"

#include "audio/device.h"
#include "cli/message.h"
#include "cli/output.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

static int list_devices(bool verbose)
{
    static struct vox_device_entry list[VOX_DEVICE_MAX_LISTED];
    struct vox_audio_error error;
    int count = vox_device_list(verbose, list, VOX_DEVICE_MAX_LISTED, &error);
    if (count < 0) {
        vox_message_error("%s", error.text);
        return VOX_EXIT_FAILED;
    }
    int shown = 0;
    for (int i = 0; i < count; i++) {
        if (list[i].out_channels == 0)
            continue;
        printf("%s %s:%s (%d channels, %d Hz)\n", list[i].is_default_out ? "*" : " ",
               list[i].host_api, list[i].name, list[i].out_channels, list[i].default_hz);
        shown++;
    }
    if (shown == 0)
        vox_message_info("no loudspeaker found; plug one in or start JACK");
    return VOX_EXIT_DONE;
}

static void say_quietly(const struct vox_recv_options *options)
{
    vox_message_set_level(options->quiet     ? VOX_MESSAGE_QUIET
                          : options->verbose ? VOX_MESSAGE_VERBOSE
                                             : VOX_MESSAGE_NORMAL);
}

static int run(int argc, char **argv)
{
    struct vox_recv_options options;
    switch (vox_recv_parse(argc, argv, &options)) {
    case VOX_OPTIONS_DONE:
        return VOX_EXIT_DONE;
    case VOX_OPTIONS_WRONG:
        return VOX_EXIT_USAGE;
    case VOX_OPTIONS_RUN:
        break;
    }
    say_quietly(&options);
    if (options.list_devices)
        return list_devices(options.verbose);
    return vox_recv_find_listen(&options) ? vox_recv_host_run(&options) : VOX_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    vox_output_prepare();
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a reader of stdout that goes away is an error, not our end */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that has grown to its limit */
    vox_message_init("voxgram-recv", stderr);
    return vox_output_close(run(argc, argv));
}
