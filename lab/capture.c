#include "lab/capture.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

struct vox_capture {
    uint8_t *file;
    size_t len;
    struct vox_capture_packet *packets;
    size_t count;
};

/* ---- the file ---- */

static int grow(struct vox_capture *c, size_t *capacity)
{
    if (*capacity > VOX_CAPTURE_MAX_BYTES)
        return VOX_ELIMIT;
    *capacity = *capacity ? 2 * *capacity : 64 * 1024;
    uint8_t *larger = realloc(c->file, *capacity);
    if (!larger)
        return VOX_ENOMEM;
    c->file = larger;
    return 0;
}

/* Pipes have no length to ask for. */
static int read_file(struct vox_capture *c, FILE *file)
{
    size_t capacity = 0;
    do {
        int err = c->len == capacity ? grow(c, &capacity) : 0;
        if (err < 0)
            return err;
        c->len += fread(c->file + c->len, 1, capacity - c->len, file);
        if (ferror(file))
            return VOX_EIO;
    } while (!feof(file));
    return c->len > VOX_CAPTURE_MAX_BYTES ? VOX_ELIMIT : 0;
}

static int load(struct vox_capture *c, const char *path)
{
    FILE *file = fopen(path, "rb");
    int err = file ? read_file(c, file) : VOX_EIO;
    if (file)
        fclose(file);
    return err;
}

/* ---- its packets ---- */

/* Returns how many there are; those for which there is room are noted. */
static int scan(struct vox_capture *c, size_t room, size_t *count)
{
    struct vox_pcap_reader reader;
    struct vox_pcap_packet packet;
    int err = vox_pcap_open(c->file, c->len, &reader);
    for (*count = 0; err >= 0 && (err = vox_pcap_next(&reader, &packet)) > 0; (*count)++) {
        if (*count < room)
            c->packets[*count] = (struct vox_capture_packet){
                .arrival_unix_ns = packet.unix_ns,
                .bytes = packet.payload,
                .len = packet.payload_bytes,
                .ipv6 = packet.ipv6,
                .from = packet.from,
            };
    }
    bool headed = c->len >= VOX_PCAP_HEADER_BYTES;
    return err == VOX_ETRUNCATED && headed ? 0 : err; /* its last record is cut */
}

static int list_packets(struct vox_capture *c)
{
    size_t count;
    int err = scan(c, 0, &count);
    if (err < 0 || count == 0)
        return err;
    c->packets = calloc(count, sizeof *c->packets);
    return c->packets ? scan(c, count, &c->count) : VOX_ENOMEM;
}

int vox_capture_read(const char *path, struct vox_capture **out)
{
    struct vox_capture *c = calloc(1, sizeof *c);
    if (!c)
        return VOX_ENOMEM;
    int err = load(c, path);
    if (err >= 0)
        err = list_packets(c);
    if (err < 0)
        vox_capture_destroy(c);
    else
        *out = c;
    return err;
}

void vox_capture_destroy(struct vox_capture *capture)
{
    if (!capture)
        return;
    free(capture->packets);
    free(capture->file);
    free(capture);
}

size_t vox_capture_count(const struct vox_capture *capture)
{
    return capture->count;
}

const struct vox_capture_packet *vox_capture_at(const struct vox_capture *capture, size_t i)
{
    return &capture->packets[i];
}
