/*
 * voxgram-lab COMMAND: the table of commands, each a file of its own with its own table of options.
 *
 *     int vox_link_main(int argc, char **argv);          // argv[0] is the command's name
 *     {"link", "what it does", vox_link_main},           // a row in cli.c
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_LAB_CLI_H
#define VOX_LAB_CLI_H

/* Returns the exit status: 0 done, 1 failed while running, 2 wrong use, or the command's own. */
int vox_lab_main(int argc, char **argv);

#endif
