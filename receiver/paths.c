#include "receiver/paths.h"

/* Connections have numbers that are used once; without one, the address tells peers apart. */
static bool is_it(const struct vox_path *path, const struct vox_peer *peer, int socket)
{
    return path->socket == socket && path->peer.connection == peer->connection &&
           (peer->connection != 0 || vox_address_equal(&path->peer.address, &peer->address));
}

static uint32_t find(const struct vox_paths *paths, const struct vox_peer *peer, int socket)
{
    if (paths->count > 0 && is_it(&paths->items[paths->latest], peer, socket))
        return paths->latest;
    uint32_t i = 0;
    while (i < paths->count && !is_it(&paths->items[i], peer, socket))
        i++;
    return i;
}

static uint32_t oldest(const struct vox_paths *paths)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < paths->count; i++)
        best = paths->items[i].used < paths->items[best].used ? i : best;
    return best;
}

uint32_t vox_paths_number(struct vox_paths *paths, const struct vox_peer *peer, int socket)
{
    uint32_t number = find(paths, peer, socket);
    if (number == paths->count) {
        if (paths->count < VOX_RECEIVER_MAX_PATHS)
            paths->count++;
        else
            number = oldest(paths);
        /* Who has no address is a Unix socket. */
        bool local = peer->address.len == 0 || vox_address_is_local(&peer->address);
        paths->items[number] = (struct vox_path){.peer = *peer, .socket = socket, .local = local};
    }
    paths->items[number].used = ++paths->clock;
    paths->latest = number;
    return number;
}
