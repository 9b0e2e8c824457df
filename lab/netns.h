/*
 * Network namespaces: an empty network stack for this process and all that it starts from then on
 * (network_namespaces(7)), as root or, where the system allows user namespaces, as anybody.
 *
 *     struct vox_net_error error;
 *     if (vox_netns_enter(&error) < 0)
 *         vox_message_error("%s", error.text);
 *     if (vox_veth_plug(&veth, &(struct vox_veth_config){.ipv4 = "10.77.0.1", ...}, &error) < 0)
 *         ...
 *
 * A user stays who he is (user_namespaces(7), the same uid inside), so files, ~ and programs that
 * refuse to run as root are no different.
 *
 * Thread rule: a process with one thread.
 */
#ifndef VOX_LAB_NETNS_H
#define VOX_LAB_NETNS_H

#include "net/error.h"

#include <stdbool.h>

/*
 * Into a new namespace; one may be left for another again and again. Where that takes a user
 * namespace, the first call makes it. Errors: VOX_EPERMISSION, VOX_EUNSUPPORTED, VOX_ELIMIT,
 * VOX_EIO.
 */
int vox_netns_enter(struct vox_net_error *error);

/*
 * In a child, before exec: lets the program have what root has over this network: raw sockets for
 * ping, addresses, low ports. Without it a user's programs would lose that at exec
 * (capabilities(7), "Ambient"). What the system refuses is left out.
 */
void vox_netns_keep_rights(void);

/* Whether a TCP or UDP socket is bound in the namespace that this process is in. */
bool vox_netns_has_sockets(void);

#endif
