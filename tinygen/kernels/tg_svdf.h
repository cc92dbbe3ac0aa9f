/* SVDF: a dense layer whose weights are products of two vectors, one over the features of a frame
 * and one over the last `memory` frames; int8 in and out, the state of int8 or int16.
 *
 * For each filter, the state holds its answers to the last frames, oldest first. A new frame shifts
 * all of them by one place, and its own answer, x . feature weights requantized, takes the last
 * place. A unit of the output is the sum, over its `rank` filters, of answers times time weights.
 *
 * The shift moves the whole state at once: what slides over from one filter to the next lands where
 * the new answer goes. `before` and `after` may be one buffer. The state's zero point is added
 * after the clamp, and the sum cut to the state's type, as the reference does.
 */
#ifndef TG_SVDF_H
#define TG_SVDF_H

#include "tg_dot_s8.h"
#include "tg_requant.h"

typedef struct {
    int32_t batches, features, units, rank, memory;
} tg_svdf_shape;

#define TG_SVDF(name, state_t, state_min, state_max)                                              \
    typedef tg_svdf_shape name##_shape;                                                           \
                                                                                                  \
    typedef struct {                                                                              \
        const int8_t *feature;   /* units * rank filters, by features */                          \
        const int32_t *offset;   /* per filter; -input_zero_point * sum(feature weights) */       \
        const state_t *time;     /* units * rank filters, by memory */                            \
        const int32_t *bias;     /* per unit */                                                   \
        int32_t state_multiplier, state_shift, state_zero_point;                                  \
        int32_t output_multiplier, output_shift, output_zero_point;                               \
    } name##_params;                                                                              \
                                                                                                  \
    TG_INLINE void name(const name##_shape *shape, const name##_params *params, const int8_t *x,  \
                        const state_t *before, int8_t *y, state_t *after)                         \
    {                                                                                             \
        const name##_params p = *params;                                                          \
        const int32_t filters = shape->units * shape->rank;                                       \
        const size_t answers = (size_t)(shape->batches * filters * shape->memory);                \
        const tg_output output =                                                                  \
            tg_make_output(0, 1, p.output_zero_point, INT8_MIN, INT8_MAX);                        \
        state_t *state = after;                                                                   \
        memmove(state, before + 1, (answers - 1u) * sizeof(state_t));                             \
        for (int32_t b = 0; b < shape->batches; ++b, x += shape->features) {                      \
            const state_t *time = p.time;                                                         \
            for (int32_t unit = 0; unit < shape->units; ++unit) {                                 \
                uint32_t sum = (uint32_t)p.bias[unit];                                            \
                for (int32_t r = 0; r < shape->rank; ++r) {                                       \
                    const int32_t f = unit * shape->rank + r;                                     \
                    const int8_t *const w = p.feature + f * shape->features;                      \
                    const int32_t dot = tg_dot_1x1(0, shape->features, x, w, p.offset[f]);        \
                    const int32_t q = tg_requant(dot, p.state_multiplier, p.state_shift);         \
                    state[shape->memory - 1] =                                                    \
                        (state_t)(tg_clamp(q, state_min, state_max) + p.state_zero_point);        \
                    for (int32_t k = 0; k < shape->memory; ++k) {                                 \
                        const int32_t centred = state[k] - p.state_zero_point;                    \
                        sum += (uint32_t)time[k] * (uint32_t)centred;                             \
                    }                                                                             \
                    state += shape->memory;                                                       \
                    time += shape->memory;                                                        \
                }                                                                                 \
                *y++ = tg_output_s8(&output, (int32_t)sum, p.output_multiplier, p.output_shift);  \
            }                                                                                     \
        }                                                                                         \
    }

TG_SVDF(tg_svdf_s8, int8_t, INT8_MIN, INT8_MAX)
TG_SVDF(tg_svdf_s16, int16_t, INT16_MIN, INT16_MAX)

#endif
