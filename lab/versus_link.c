#include "lab/versus_link.h"

#include <stdio.h>
#include <string.h>

enum { KNOWN_BYTES = 512 };

static const struct {
    const char *name;
    const char *congestion; /* "": UDP */
} links[VOX_VERSUS_LINKS] = {
    [VOX_VERSUS_LINK_UDP] = {"udp", ""},          [VOX_VERSUS_LINK_FEC] = {"fec", ""},
    [VOX_VERSUS_LINK_RED] = {"red", ""},          [VOX_VERSUS_LINK_RTX] = {"retransmission", ""},
    [VOX_VERSUS_LINK_CUBIC] = {"cubic", "cubic"}, [VOX_VERSUS_LINK_BBR] = {"bbr", "bbr"},
};

enum vox_versus_link vox_versus_link_of(enum vox_versus_arm arm)
{
    switch (arm) {
    case VOX_VERSUS_FEC:
        return VOX_VERSUS_LINK_FEC;
    case VOX_VERSUS_RED:
        return VOX_VERSUS_LINK_RED;
    case VOX_VERSUS_RTX:
        return VOX_VERSUS_LINK_RTX;
    case VOX_VERSUS_CUBIC:
        return VOX_VERSUS_LINK_CUBIC;
    case VOX_VERSUS_BBR:
        return VOX_VERSUS_LINK_BBR;
    case VOX_VERSUS_PLAIN:
    case VOX_VERSUS_CONCEAL:
    case VOX_VERSUS_ARMS:
        break;
    }
    return VOX_VERSUS_LINK_UDP;
}

const char *vox_versus_link_name(enum vox_versus_link link)
{
    return links[link].name;
}

bool vox_versus_link_is_wanted(enum vox_versus_link link, const bool has[VOX_VERSUS_ARMS])
{
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (has[arm] && vox_versus_link_of((enum vox_versus_arm)arm) == link)
            return true;
    return false;
}

const char *vox_versus_congestion(enum vox_versus_link link)
{
    return links[link].congestion;
}

bool vox_versus_kernel_has(const char *congestion)
{
    char known[KNOWN_BYTES] = "";
    bool found = false;
    FILE *file = fopen("/proc/sys/net/ipv4/tcp_available_congestion_control", "re");
    if (!file)
        return false;
    size_t len = fread(known, 1, sizeof known - 1, file);
    fclose(file);
    known[len] = '\0';
    char *rest = NULL;
    for (char *word = strtok_r(known, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
        found |= strcmp(word, congestion) == 0;
    return found;
}
