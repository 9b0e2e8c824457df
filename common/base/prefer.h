/*
 * How much delay a listener gives to be spared glitches: what one per cent of concealed audio is
 * worth, in ms of delay. Balanced is as ITU-T G.107 weighs both (158..198). Receiver's playout and
 * sender's protection go by the same number.
 */
#ifndef VOX_BASE_PREFER_H
#define VOX_BASE_PREFER_H

#define VOX_PREFER_LATENCY_MS 60.0
#define VOX_PREFER_BALANCED_MS 190.0
#define VOX_PREFER_SMOOTH_MS 600.0
#define VOX_PREFER_LEAST_MS 1.0
#define VOX_PREFER_MOST_MS 10000.0

#endif
