/* voxgram-send: see sender/cli.c for what it can do, sender/host.h for how. */
#include "sender/cli.h"
#include "sender/host.h"

#include "audio/device.h"
#include "cli/message.h"
#include "cli/output.h"

#include <locale.h>
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
    for (int i = 0; i < count && i < VOX_DEVICE_MAX_LISTED; i++) {
        if (list[i].in_channels == 0)
            continue;
        printf("%s %s:%s (%d channels, %d Hz)\n", list[i].is_default_in ? "*" : " ",
               list[i].host_api, list[i].name, list[i].in_channels, list[i].default_hz);
        shown++;
    }
    if (shown == 0)
        vox_message_info("no microphone found; plug one in or start JACK");
    return VOX_EXIT_DONE;
}

static int send_all(const struct vox_send_options *options)
{
    struct vox_host *host = NULL;
    int status = vox_host_create(options, &host);
    if (status == VOX_EXIT_DONE)
        status = vox_host_run(host);
    vox_host_destroy(host);
    return status;
}

static int run(int argc, char **argv)
{
    struct vox_send_options options;
    switch (vox_send_options_parse(argc, argv, &options)) {
    case VOX_OPTIONS_DONE:
        return VOX_EXIT_DONE;
    case VOX_OPTIONS_WRONG:
        return VOX_EXIT_USAGE;
    case VOX_OPTIONS_RUN:
        break;
    }
    if (options.quiet)
        vox_message_set_level(VOX_MESSAGE_QUIET);
    else if (options.verbose)
        vox_message_set_level(VOX_MESSAGE_VERBOSE);
    return options.list_devices ? list_devices(options.verbose) : send_all(&options);
}

int main(int argc, char **argv)
{
    vox_output_prepare();
    setlocale(LC_CTYPE, "");
    vox_message_init("voxgram-send", stderr);
    return vox_output_close(run(argc, argv));
}
