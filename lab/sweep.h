/*
 * voxgram-lab sweep: files x encoders x networks x receivers x seeds in virtual time, a row of a
 * table each. docs/lab.md tells how to use it, on one machine and on many.
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_LAB_SWEEP_H
#define VOX_LAB_SWEEP_H

/* Returns the exit status. */
int vox_sweep_main(int argc, char **argv);

#endif
