#include "audio/device.h"

#include "audio/device_driver.h"
#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- finding ---- */

/* In the order in which they are asked. Whoever runs a JACK server wants to be connected to it. */
static const struct vox_device_driver *const drivers[] = {&vox_device_jack, &vox_device_portaudio};

enum { DRIVER_COUNT = sizeof drivers / sizeof drivers[0] };

/* One default for each direction: the first. */
static void keep_first_defaults(struct vox_device_entry *list, size_t count)
{
    bool has_in = false, has_out = false;
    for (size_t i = 0; i < count; i++) {
        list[i].is_default_in = list[i].is_default_in && !has_in;
        list[i].is_default_out = list[i].is_default_out && !has_out;
        has_in = has_in || list[i].is_default_in;
        has_out = has_out || list[i].is_default_out;
    }
}

int vox_device_list(bool verbose, struct vox_device_entry *out, size_t capacity,
                    struct vox_audio_error *error)
{
    int count = 0;
    for (int i = 0; i < DRIVER_COUNT && count >= 0; i++)
        count = drivers[i]->list(verbose, out, (size_t)count, capacity, error);
    if (count > 0)
        keep_first_defaults(out, (size_t)count);
    return count;
}

static bool is_usable(const struct vox_device_entry *entry, bool capture)
{
    return (capture ? entry->in_channels : entry->out_channels) > 0;
}

static bool is_named(const struct vox_device_entry *entry, const char *name)
{
    size_t api = strlen(entry->host_api);
    return strcmp(entry->name, name) == 0 ||
           (strncmp(entry->host_api, name, api) == 0 && name[api] == ':' &&
            strcmp(entry->name, name + api + 1) == 0);
}

/* The usable devices whose names hold `part` ("" for all), as 'A', 'B', ... Returns how many. */
static int name_candidates(const struct vox_device_entry *list, size_t count, const char *part,
                           bool capture, char *out, size_t size)
{
    size_t used = 0;
    int found = 0;
    for (size_t i = 0; i < count && used < size; i++) {
        if (!is_usable(&list[i], capture) || !strcasestr(list[i].name, part))
            continue;
        used +=
            (size_t)snprintf(out + used, size - used, "%s'%s'", used > 0 ? ", " : "", list[i].name);
        found++;
    }
    if (found == 0)
        snprintf(out, size, "none");
    return found;
}

static int find_default(const struct vox_device_entry *list, size_t count, bool capture,
                        struct vox_audio_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (is_usable(&list[i], capture) &&
            (capture ? list[i].is_default_in : list[i].is_default_out))
            return (int)i;
    const char *what = capture ? "capture" : "play";
    char names[256];
    if (name_candidates(list, count, "", capture, names, sizeof names) == 0)
        return vox_audio_fail(error, VOX_ENOTFOUND,
                              "there is no sound device that can %s; plug one in or start JACK",
                              what);
    return vox_audio_fail(error, VOX_ENOTFOUND, "no default device can %s; name one of these: %s",
                          what, names);
}

int vox_device_find(const struct vox_device_entry *list, size_t count, const char *name,
                    bool capture, struct vox_audio_error *error)
{
    if (!name || name[0] == '\0')
        return find_default(list, count, capture, error);
    int found = -1;
    int matches = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_usable(&list[i], capture))
            continue;
        if (is_named(&list[i], name))
            return (int)i;
        if (strcasestr(list[i].name, name)) {
            found = (int)i;
            matches++;
        }
    }
    if (matches == 1)
        return found;
    char names[256];
    name_candidates(list, count, matches > 0 ? name : "", capture, names, sizeof names);
    if (matches > 1)
        return vox_audio_fail(error, VOX_EINVAL, "several devices are called '%s': %s; say more",
                              name, names);
    return vox_audio_fail(error, VOX_ENOTFOUND,
                          "no device called '%s' can %s; there are: %s; see --list-devices", name,
                          capture ? "capture" : "play", names);
}

/* ---- opening ---- */

void vox_device_config_init(struct vox_device_config *config)
{
    *config = (struct vox_device_config){.rate_hz = VOX_RTP_HZ, .client_name = "voxgram"};
}

static int choose(const struct vox_device *device, const struct vox_device_entry *list, int count,
                  const struct vox_device_entry **in, const struct vox_device_entry **out,
                  struct vox_audio_error *error)
{
    const struct vox_device_config *config = &device->config;
    int found = 0;
    *in = *out = NULL;
    if (config->in_channels > 0) {
        found = vox_device_find(list, (size_t)count, config->in_name, true, error);
        if (found < 0)
            return found;
        *in = &list[found];
    }
    if (config->out_channels > 0) {
        found = vox_device_find(list, (size_t)count, config->out_name, false, error);
        if (found < 0)
            return found;
        *out = &list[found];
    }
    if (*in && *out && strcmp((*in)->host_api, (*out)->host_api) != 0)
        return vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "cannot capture by %s and play by %s at once; name devices of one",
                              (*in)->host_api, (*out)->host_api);
    return 0;
}

/*
 * Asks one driver after the other, so that the sound cards stay untouched where JACK has what is
 * wanted. A name is looked up among all devices seen so far.
 */
static int open_first(struct vox_device *device, struct vox_device_entry *list,
                      struct vox_audio_error *error)
{
    int count = 0;
    int err = VOX_ENOTFOUND;
    for (int i = 0; i < DRIVER_COUNT; i++) {
        count = drivers[i]->list(device->config.verbose, list, (size_t)count, VOX_DEVICE_MAX_LISTED,
                                 error);
        if (count < 0)
            return count;
        keep_first_defaults(list, (size_t)count);
        const struct vox_device_entry *in, *out;
        err = choose(device, list, count, &in, &out, error);
        if (err < 0)
            continue;
        /* Both directions are on one sound system: this one, or the lookup had ended before. */
        device->driver = drivers[i];
        return drivers[i]->open(device, in, out, error);
    }
    return err;
}

static int open_stream(struct vox_device *device, struct vox_audio_error *error)
{
    struct vox_device_entry *list = calloc(VOX_DEVICE_MAX_LISTED, sizeof *list);
    if (!list)
        return vox_audio_fail(error, VOX_ENOMEM, "cannot open an audio device: out of memory");
    struct vox_audio_error why = {""}; /* of the last driver asked, should all fail */
    struct vox_device_info before = device->info;
    atomic_store(&device->lost, false);
    int err = open_first(device, list, &why);
    free(list);
    if (err == 0)
        return 0;
    device->info = before; /* a driver may have got half way; the owner still counts in its rate */
    atomic_store(&device->lost, true);
    return vox_audio_fail(error, err, "%s", why.text);
}

static bool is_valid(const struct vox_device_config *config)
{
    int in = config->in_channels, out = config->out_channels;
    return config->on_audio && in >= 0 && in <= VOX_DEVICE_MAX_CHANNELS && out >= 0 &&
           out <= VOX_DEVICE_MAX_CHANNELS && in + out > 0 && config->rate_hz >= 1000 &&
           config->rate_hz <= 768000 && config->buffer_ms >= 0 && config->buffer_ms <= 10000;
}

static void copy_text(const char *text, char *out, size_t size)
{
    snprintf(out, size, "%s", text ? text : "");
}

int vox_device_open(const struct vox_device_config *config, struct vox_device **out,
                    struct vox_audio_error *error)
{
    if (!is_valid(config))
        return vox_audio_fail(error, VOX_EINVAL, "cannot open an audio device with these settings");
    struct vox_device *device = calloc(1, sizeof *device);
    if (!device)
        return vox_audio_fail(error, VOX_ENOMEM, "cannot open an audio device: out of memory");
    device->config = *config;
    copy_text(config->in_name, device->in_name, sizeof device->in_name);
    copy_text(config->out_name, device->out_name, sizeof device->out_name);
    copy_text(config->client_name, device->client_name, sizeof device->client_name);
    device->config.in_name = device->in_name;
    device->config.out_name = device->out_name;
    device->config.client_name = device->client_name;
    int err = open_stream(device, error);
    if (err < 0) {
        vox_device_close(device);
        return err;
    }
    *out = device;
    return 0;
}

static void close_stream(struct vox_device *device)
{
    if (device->stream)
        device->driver->close(device);
    device->stream = NULL;
}

void vox_device_close(struct vox_device *device)
{
    if (!device)
        return;
    close_stream(device);
    free(device);
}

int vox_device_reopen(struct vox_device *device, struct vox_audio_error *error)
{
    close_stream(device);
    return open_stream(device, error);
}

int vox_device_start(struct vox_device *device, struct vox_audio_error *error)
{
    if (!device->stream)
        return vox_audio_fail(error, VOX_EDEVICE, "the audio device is gone");
    return device->driver->start(device, error);
}

/* ---- running ---- */

int64_t vox_device_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * VOX_NS_PER_S + now.tv_nsec;
}

/* After an underrun a driver may correct its clock backwards by some ms; time must not go back. */
static int64_t increase(int64_t *last_ns, int64_t next_ns)
{
    *last_ns = next_ns > *last_ns ? next_ns : *last_ns + 1;
    return *last_ns;
}

void vox_device_block(struct vox_device *device, const float *in, float *out, size_t frames,
                      int64_t in_ns, int64_t out_ns, unsigned flags)
{
    vox_rt_enter();
    atomic_store_explicit(&device->last_block_ns, vox_device_now_ns(), memory_order_relaxed);
    atomic_fetch_add_explicit(&device->blocks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&device->frames, frames, memory_order_relaxed);
    if (flags & VOX_DEVICE_UNDERRUN)
        atomic_fetch_add_explicit(&device->underruns, 1, memory_order_relaxed);
    if (flags & VOX_DEVICE_OVERRUN)
        atomic_fetch_add_explicit(&device->overruns, 1, memory_order_relaxed);
    in_ns = in ? increase(&device->last_in_ns, in_ns) : 0;
    out_ns = out ? increase(&device->last_out_ns, out_ns) : 0;
    device->config.on_audio(device->config.ctx, in, out, frames, in_ns, out_ns, flags);
    vox_rt_leave();
}

const struct vox_device_info *vox_device_info(const struct vox_device *device)
{
    return &device->info;
}

bool vox_device_is_lost(const struct vox_device *device)
{
    return atomic_load(&device->lost);
}

void vox_device_read_stats(const struct vox_device *device, struct vox_device_stats *out)
{
    *out = (struct vox_device_stats){
        .blocks = atomic_load_explicit(&device->blocks, memory_order_relaxed),
        .frames = atomic_load_explicit(&device->frames, memory_order_relaxed),
        .underruns = atomic_load_explicit(&device->underruns, memory_order_relaxed),
        .overruns = atomic_load_explicit(&device->overruns, memory_order_relaxed),
        .last_block_ns = atomic_load_explicit(&device->last_block_ns, memory_order_relaxed),
    };
}
