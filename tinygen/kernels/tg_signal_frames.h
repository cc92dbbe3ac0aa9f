/* Streams in an audio front end: what an invocation brings is joined with what was kept of those
 * before it. `before` and `after` may be one buffer everywhere.
 *
 * A framer cuts overlapping frames out of the stream: it keeps what the next frame needs of the
 * samples so far. Adding overlaps puts frames together again: it keeps the sums that later frames
 * are still to be added to. A delay keeps the last samples, and a stacker the last frames, which it
 * gives out side by side once every few invocations.
 *
 * The reference writes no output where there is not enough yet; here that output is what zeros would
 * give, or the first frame repeated.
 */
#ifndef TG_SIGNAL_FRAMES_H
#define TG_SIGNAL_FRAMES_H

#include <stdbool.h>

#include "tg_types.h"

typedef struct {
    int32_t streams, frames;
    int32_t size, step; /* of a frame, and from one to the next */
    int32_t kept;       /* samples of a stream */
    int32_t missing;    /* frames that the first invocations lack */
} tg_signal_framer_shape;

typedef struct {
    int32_t unused;
} tg_signal_framer_params;

/* `seen_before` counts frames, up to those that are missing at first. */
TG_INLINE void tg_signal_framer(const tg_signal_framer_shape *shape,
                                const tg_signal_framer_params *params, const int16_t *x,
                                const int16_t *before, const int32_t *seen_before, int16_t *y,
                                bool *valid, int16_t *after, int32_t *seen_after)
{
    (void)params;
    const size_t kept = (size_t)shape->kept, step = (size_t)shape->step;
    const size_t size = (size_t)shape->size;
    const size_t from_kept = kept < size ? kept : size;
    const size_t moved = kept > step ? kept - step : 0;
    const size_t fresh = kept - moved;
    const int32_t seen = *seen_before;
    if (after != before) {
        memcpy(after, before, (size_t)shape->streams * kept * sizeof(int16_t));
    }
    for (int32_t s = 0; s < shape->streams; ++s) {
        for (int32_t frame = 0; frame < shape->frames; ++frame) {
            memcpy(y, after, from_kept * sizeof(int16_t));
            memcpy(y + from_kept, x, (size - from_kept) * sizeof(int16_t));
            memmove(after, after + (kept - moved), moved * sizeof(int16_t));
            memcpy(after + moved, x + (step - fresh), fresh * sizeof(int16_t));
            x += step;
            y += size;
        }
        after += kept;
    }
    *valid = seen >= shape->missing;
    *seen_after = tg_min(seen + shape->frames, shape->missing);
}

typedef struct {
    int32_t streams, frames;
    int32_t size, step;
} tg_signal_overlap_shape;

typedef struct {
    int32_t unused;
} tg_signal_overlap_params;

typedef tg_signal_overlap_shape tg_signal_overlap_add_s16_shape;
typedef tg_signal_overlap_shape tg_signal_overlap_add_f32_shape;
typedef tg_signal_overlap_params tg_signal_overlap_add_s16_params;
typedef tg_signal_overlap_params tg_signal_overlap_add_f32_params;

TG_INLINE int16_t tg_overlap_sum_s16(int16_t a, int16_t b)
{
    return (int16_t)tg_clamp(a + b, INT16_MIN, INT16_MAX);
}

TG_INLINE float tg_overlap_sum_f32(float a, float b)
{
    return a + b;
}

#define TG_SIGNAL_OVERLAP_ADD(name, type, sum)                                                    \
    TG_INLINE void name(const tg_signal_overlap_shape *shape,                                     \
                        const tg_signal_overlap_params *params, const type *x,                    \
                        const type *before, type *y, type *after)                                 \
    {                                                                                             \
        const size_t size = (size_t)shape->size, step = (size_t)shape->step;                      \
        (void)params;                                                                             \
        if (after != before) {                                                                    \
            memcpy(after, before, (size_t)shape->streams * size * sizeof(type));                  \
        }                                                                                         \
        for (int32_t s = 0; s < shape->streams; ++s) {                                            \
            for (int32_t frame = 0; frame < shape->frames; ++frame) {                             \
                for (size_t i = 0; i < size; ++i) {                                               \
                    after[i] = sum(x[i], after[i]);                                               \
                }                                                                                 \
                memcpy(y, after, step * sizeof(type));                                            \
                memmove(after, after + step, (size - step) * sizeof(type));                       \
                memset(after + (size - step), 0, step * sizeof(type));                            \
                x += size;                                                                        \
                y += step;                                                                        \
            }                                                                                     \
            after += size;                                                                        \
        }                                                                                         \
    }

TG_SIGNAL_OVERLAP_ADD(tg_signal_overlap_add_s16, int16_t, tg_overlap_sum_s16)
TG_SIGNAL_OVERLAP_ADD(tg_signal_overlap_add_f32, float, tg_overlap_sum_f32)

typedef struct {
    int32_t streams, size, delay;
} tg_signal_delay_shape;

typedef struct {
    int32_t unused;
} tg_signal_delay_params;

TG_INLINE void tg_signal_delay(const tg_signal_delay_shape *shape,
                               const tg_signal_delay_params *params, const int16_t *x,
                               const int16_t *before, int16_t *y, int16_t *after)
{
    const size_t size = (size_t)shape->size, delay = (size_t)shape->delay;
    const size_t old = delay < size ? delay : size;
    (void)params;
    if (after != before) {
        memcpy(after, before, (size_t)shape->streams * delay * sizeof(int16_t));
    }
    for (int32_t s = 0; s < shape->streams; ++s) {
        memcpy(y, after, old * sizeof(int16_t));
        memcpy(y + old, x, (size - old) * sizeof(int16_t));
        memmove(after, after + old, (delay - old) * sizeof(int16_t));
        memcpy(after + (delay - old), x + (size - old), old * sizeof(int16_t));
        x += size;
        y += size;
        after += delay;
    }
}

typedef struct {
    int32_t channels;
    int32_t left, right; /* frames before and after the one that counts */
    int32_t step;        /* from one output to the next */
} tg_signal_stacker_shape;

typedef struct {
    int32_t unused;
} tg_signal_stacker_params;

/* `count_before` has the frames since those that were given out, and whether there was a first one,
 * which counts for those left of it, too. */
TG_INLINE void tg_signal_stacker(const tg_signal_stacker_shape *shape,
                                 const tg_signal_stacker_params *params, const int16_t *x,
                                 const int16_t *before, const int32_t *count_before, int16_t *y,
                                 bool *valid, int16_t *after, int32_t *count_after)
{
    const size_t channels = (size_t)shape->channels;
    const int32_t others = shape->left + shape->right;
    int32_t count = count_before[0] + 1;
    (void)params;
    if (count_before[1] == 0) {
        count += shape->left;
        for (int32_t frame = 0; frame < others; ++frame) {
            memcpy(y + (size_t)frame * channels, x, channels * sizeof(int16_t));
        }
    } else {
        memcpy(y, before, (size_t)others * channels * sizeof(int16_t));
    }
    memcpy(y + (size_t)others * channels, x, channels * sizeof(int16_t));
    memcpy(after, y + channels, (size_t)others * channels * sizeof(int16_t));
    *valid = count > others;
    count_after[0] = count > others ? count - shape->step : count;
    count_after[1] = 1;
}

#endif
