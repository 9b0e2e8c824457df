/*
 * `voxgram-lab versus`: one sound over one network, by TCP and by UDP with each kind of protection,
 * and what each way costs and brings.
 *
 *     voxgram-lab versus --delay 50 --loss 5 --report versus.html
 *
 * Each way is a link of its own (`voxgram-lab link`, lab/link.h) with the same network and seed,
 * between a voxgram-send and a voxgram-recv that writes down every packet as it came. All run at
 * the same time, in real time, over the kernel's own TCP and UDP. Two ways that differ only in
 * what the listener does with the packets share a run.
 *
 *     versus_options.h     the command line
 *     versus_link.h        what runs, by the ways that were asked for
 *     versus_commands.h    as one would type it
 *     versus_run.h         in real time
 *     versus_virtual.h     in virtual time, with a model of TCP
 *     versus_shot.h        what one link has shown: every packet as it came
 *     versus_result.h      all links with all seeds: shots become figures
 *     versus_figures.h     which figures
 *     versus_verdict.h     which way to choose by them
 *     versus_output.h      the table, the statistics, the sounds
 *     versus_report.h      the page, with versus_plots.h and versus_players.h
 *
 * Thread rule: once, from main.
 */
#ifndef VOX_LAB_VERSUS_H
#define VOX_LAB_VERSUS_H

/* argv[0] is "versus". Returns the exit status. */
int vox_versus_main(int argc, char **argv);

#endif
