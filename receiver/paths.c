#include "receiver/paths.h"

static bool is_it(const struct vox_path *path, const struct vox_address *address, int socket)
{
    return path->socket == socket && vox_address_equal(&path->address, address);
}

static uint32_t find(const struct vox_paths *paths, const struct vox_address *address, int socket)
{
    if (paths->count > 0 && is_it(&paths->items[paths->latest], address, socket))
        return paths->latest;
    uint32_t i = 0;
    while (i < paths->count && !is_it(&paths->items[i], address, socket))
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

uint32_t vox_paths_number(struct vox_paths *paths, const struct vox_address *address, int socket)
{
    uint32_t number = find(paths, address, socket);
    if (number == paths->count) {
        if (paths->count < VOX_RECEIVER_MAX_PATHS)
            paths->count++;
        else
            number = oldest(paths);
        paths->items[number] = (struct vox_path){
            .address = *address, .socket = socket, .local = vox_address_is_local(address)};
    }
    paths->items[number].used = ++paths->clock;
    paths->latest = number;
    return number;
}
