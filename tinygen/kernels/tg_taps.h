/* Which taps of a sliding window lie inside the image, along one axis. */
#ifndef TG_TAPS_H
#define TG_TAPS_H

#include "tg_types.h"

/* The first tap inside, and the one past the last. */
typedef struct {
    int32_t first, end;
} tg_taps;

/* Tap 0 is at `start`, each next one `dilation` further, in an axis of `size`. */
TG_INLINE tg_taps tg_taps_inside(int32_t start, int32_t dilation, int32_t taps, int32_t size)
{
    tg_taps inside = {0, taps};
    while (inside.first < taps && start + inside.first * dilation < 0) {
        ++inside.first;
    }
    while (inside.end > inside.first && start + (inside.end - 1) * dilation >= size) {
        --inside.end;
    }
    return inside;
}

#endif
