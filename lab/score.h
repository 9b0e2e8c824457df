/*
 * A program of the user's that judges a recording: PESQ, ViSQOL, POLQA, a script around one.
 *
 * Thread rule: one owner. Runs a process and waits for it.
 */
#ifndef VOX_LAB_SCORE_H
#define VOX_LAB_SCORE_H

#include <stddef.h>

/* The last number in a text: "MOS-LQO: 4.12 (16000 Hz)" -> 16000. NaN: there is none. */
double vox_score_last_number(const char *text, size_t len);

/*
 * Runs `command REFERENCE HEARD` by the shell, and reads the last number of its standard output.
 * Errors: VOX_EIO (it did not run or ended with another status than 0; *status says which),
 * VOX_EFORMAT (it printed no number).
 */
int vox_score_run(const char *command, const char *reference, const char *heard, double *score,
                  int *status);

#endif
