/*
 * Standard output at the end of a program: what is written there waits in a buffer, and whether it
 * can go where it leads shows only when that is emptied. A full disk must not look like success.
 *
 *     int main(int argc, char **argv)
 *     {
 *         vox_output_prepare();
 *         return vox_output_close(run(argc, argv));
 *     }
 *
 * Thread rule: the main thread, first and last.
 */
#ifndef VOX_CLI_OUTPUT_H
#define VOX_CLI_OUTPUT_H

/*
 * A program may be started without some of its standard descriptors (>&-). The next file or socket
 * would take such a number, and get what was meant for the terminal; libuv ends a program for it.
 * Their places are taken, by what can be neither read nor written.
 */
void vox_output_prepare(void);

/*
 * Empties and closes it. Returns status (cli/options.h), or VOX_EXIT_FAILED instead of
 * VOX_EXIT_DONE, with a message, where not all could be written. Who fails has said why.
 */
int vox_output_close(int status);

#endif
