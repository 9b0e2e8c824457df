/*
 * What a report says in words and tables.
 *
 * Thread rule: pure but for the FILE.
 */
#ifndef VOX_LAB_REPORT_WORDS_H
#define VOX_LAB_REPORT_WORDS_H

#include "lab/report_facts.h"

#include <stdio.h>

/* The outcome in some sentences, and as figures. */
void vox_lab_words_lead(const struct vox_lab_facts *facts, FILE *page);
void vox_lab_words_tiles(const struct vox_lab_facts *facts, FILE *page);
void vox_lab_words_settings(const struct vox_lab_facts *facts, FILE *page);
/* Quantiles of the delays. */
void vox_lab_words_delays(const struct vox_lab_facts *facts, FILE *page);
/* Why and by how much audio was stretched. */
void vox_lab_words_stretches(const struct vox_lab_facts *facts, FILE *page);
/* What other delays would have cost, at two of them. */
void vox_lab_words_choice(const struct vox_lab_facts *facts, FILE *page);
/* All glitches, the many folded; then the damage found in the sound, if that was looked for. */
void vox_lab_words_glitches(const struct vox_lab_facts *facts, FILE *page);
/* "0:12.340" */
void vox_lab_words_time(int64_t frame, FILE *page);
/* "3 packets were lost" */
void vox_lab_words_cause(const struct vox_lab_glitch *glitch, FILE *page);

#endif
