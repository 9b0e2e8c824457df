/*
 * `voxgram-lab link`: two commands in networks of their own, joined by a link whose loss, delay and
 * rate are those of the model (channel/impair.h). The kernel's TCP, UDP and ICMP run across it.
 *
 *     voxgram-lab link --delay 20 --loss 1 -- ping -c 3 10.77.0.2 -- sleep 60
 *
 *      A: 10.77.0.1, fd77::1                              B: 10.77.0.2, fd77::2
 *     command A - kernel - vox0 = vox-a - this program - vox-b = vox0 - kernel - command B
 *                          (veth)      link_path.h, both ways  (veth)
 *
 * Processes: the guard (family.h) waits; the work makes three namespaces, one for our ends (veth.h)
 * and one for each command, starts the commands, B first, and carries packets until both have
 * ended.
 *
 *     link_options.h    the command line
 *     link_run.h        from the namespaces to the end of the last process
 *     link_report.h     what became of it
 *
 * Thread rule: once, from main.
 */
#ifndef VOX_LAB_LINK_H
#define VOX_LAB_LINK_H

/* argv[0] is "link". Returns the exit status. */
int vox_link_main(int argc, char **argv);

#endif
