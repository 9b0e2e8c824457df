/*
 * voxgram-lab playout: the score of the receiver's playout on traces, beside what hindsight would
 * have done (lab/trial.h, lab/bound.h).
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_LAB_PLAYOUT_H
#define VOX_LAB_PLAYOUT_H

int vox_playout_main(int argc, char **argv);

#endif
