/* ARG_MAX and ARG_MIN: the index of the first of the largest or smallest values along one axis, which
 * lies between `outer` and `inner` others.
 *
 * Of floats, a comparison with NaN is false: where NaN comes first it stays.
 */
#ifndef TG_ARG_H
#define TG_ARG_H

#include <stdbool.h>

#include "tg_types.h"

typedef struct {
    int32_t outer, count, inner;
} tg_arg_shape;

typedef struct {
    int32_t unused;
} tg_arg_params;

/* `beats` is whether `value` comes before `best`, the best so far. */
#define TG_ARG(name, element, number, beats)                                                       \
    TG_INLINE void name(const tg_arg_shape *shape, const tg_arg_params *params, const element *x,  \
                        number *y)                                                                 \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t o = 0; o < shape->outer; ++o) {                                               \
            for (int32_t i = 0; i < shape->inner; ++i) {                                           \
                element best = x[i];                                                               \
                int32_t place = 0;                                                                 \
                for (int32_t k = 1; k < shape->count; ++k) {                                       \
                    const element value = x[k * shape->inner + i];                                 \
                    if (beats) {                                                                   \
                        best = value;                                                              \
                        place = k;                                                                 \
                    }                                                                              \
                }                                                                                  \
                *y++ = place;                                                                      \
            }                                                                                      \
            x += shape->count * shape->inner;                                                      \
        }                                                                                          \
    }

/* Results of int32 and of int64. */
#define TG_ARG_EITHER(name, element, beats)                                                        \
    TG_ARG(name##_s32, element, int32_t, beats)                                                    \
    TG_ARG(name##_s64, element, int64_t, beats)

#define TG_ARG_PLAIN(suffix, element)                                                              \
    TG_ARG_EITHER(tg_arg_max_##suffix, element, value > best)                                      \
    TG_ARG_EITHER(tg_arg_min_##suffix, element, value < best)

TG_ARG_PLAIN(s8, int8_t)
TG_ARG_PLAIN(u8, uint8_t)
TG_ARG_PLAIN(s32, int32_t)
TG_ARG_PLAIN(f32, float)
TG_ARG_PLAIN(bool, bool)

#endif
