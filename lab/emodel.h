/*
 * The E-model of ITU-T G.107 (06/2015): delay and loss in one figure, the transmission rating R
 * (0 to 93.2 here), and the mean opinion score that goes with it (Annex B).
 *
 *     struct vox_emodel e;
 *     struct vox_emodel_rating rating;
 *     vox_emodel_init(&e);
 *     e.delay_ms = 140;
 *     e.loss_pct = 0.8;
 *     if (vox_emodel_rate(&e, &rating) == 0)
 *         printf("R %.1f, MOS %.2f\n", rating.r, rating.mos);
 *
 * What is assumed, and should be told wherever the figures are shown:
 *   - A telephone conversation of two people with handsets: all default values of G.107
 *     (loudness, noise, sidetone: its Table 2) except for the fields below. Ro - Is is then
 *     93.36, and R without delay and loss is 93.2. R says nothing of music, nor of one-way
 *     listening, for which delay is no impairment: leave delay_ms at 0 there.
 *   - Delay is one way, mouth to ear, the same in both directions, and none of the echo's path is
 *     shorter: Ta = T = Tr / 2.
 *   - The far end returns an echo, 65 dB down (TELR, G.107's default). It is what makes R fall
 *     below 100 ms, by some 0.024 per ms, the well-known slope of Cole and Rosenbluth ("Voice over
 *     IP performance monitoring", ACM CCR 31, 2001). With telr_db = INFINITY there is no talker's
 *     echo; only Idd is left, 0 up to 100 ms, and the listener's echo (at most 1.4).
 *   - The scale is that of narrowband telephony: a lossless wideband or fullband call, which people
 *     prefer to it, has the same 93.2 (G.107.1 and G.107.2 go to 129 and 148, but know no Opus).
 *   - Opus has no Ie and Bpl in G.113. By default it counts as G.711 with concealment does there
 *     (Appendix I): Ie = 0, Bpl = 25.1, as tools for SIP and RTP do that put a figure on Opus. That
 *     is 3.8 R per 1 % of small loss, as much as 158 ms of delay. The alternatives below are
 *     harsher; 20 is 4.7 R per 1 %, as much as 198 ms.
 *   - Loss is what is left to conceal after all repair, not what the network lost: feed the share
 * of the output that was concealed.
 *
 * Thread rule: value; rate and mos are pure and RT-safe.
 */
#ifndef VOX_LAB_EMODEL_H
#define VOX_LAB_EMODEL_H

/* Packet-loss robustness factors Bpl. */
#define VOX_EMODEL_BPL_CONCEALED                                                                   \
    25.1                             /* G.113 Appendix I: G.711 with its Appendix I, random loss   \
                                      */
#define VOX_EMODEL_BPL_OPUS_FEC 20.0 /* Opus with in-band FEC, as taken by rtcscore (WebRTC) */
#define VOX_EMODEL_BPL_OPUS 10.0     /* Opus without, by the same */
#define VOX_EMODEL_BPL_SILENCE 4.3   /* G.113 Appendix I: G.711 without concealment */

struct vox_emodel {
    double delay_ms;    /* Ta: one way, mouth to ear; 0 or more */
    double loss_pct;    /* Ppl: 0 to 100 */
    double burst_ratio; /* BurstR: mean burst / mean burst if loss were random: 1 or more */
    double ie;          /* Ie of the codec without loss: 0 to 95 */
    double bpl;         /* Bpl of the codec and its concealment: above 0 */
    double telr_db;     /* talker echo loudness rating: 5 or more, or INFINITY */
};

struct vox_emodel_rating {
    double r;                    /* 0 to 100; below 50 nearly all users are dissatisfied */
    double mos;                  /* 1 to 4.5, conversational (MOS-CQE) */
    double delay_impairment;     /* Id = Idte + Idle + Idd */
    double absolute_delay;       /* Idd, the part of Id that no echo control removes */
    double equipment_impairment; /* Ie,eff: codec and loss */
};

/* No delay, no loss (BurstR 1), Ie 0, Bpl 25.1, TELR 65 dB. */
void vox_emodel_init(struct vox_emodel *e);

/* Errors: VOX_EINVAL (a field outside of its range, NaN; `out` stays as it was). */
int vox_emodel_rate(const struct vox_emodel *e, struct vox_emodel_rating *out);

/*
 * Annex B. 1 up to R = 6.5 (the formula alone falls a little below it there), 4.5 from R = 100. NaN
 * gives NaN.
 */
double vox_emodel_mos(double r);

#endif
