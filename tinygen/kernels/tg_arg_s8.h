/* ARG_MAX and ARG_MIN on int8: the index of the first of the largest or smallest values along one
 * axis, which lies between `outer` and `inner` others.
 */
#ifndef TG_ARG_S8_H
#define TG_ARG_S8_H

#include "tg_types.h"

typedef struct {
    int32_t outer, count, inner;
} tg_arg_s8_shape;

typedef struct {
    int32_t unused;
} tg_arg_s8_params;

/* `sign` is 1 for the largest value, -1 for the smallest. */
TG_INLINE void tg_arg_s8(const tg_arg_s8_shape *shape, int32_t sign, const int8_t *x, int32_t *y)
{
    for (int32_t o = 0; o < shape->outer; ++o) {
        for (int32_t i = 0; i < shape->inner; ++i) {
            int32_t best = 0;
            for (int32_t k = 1; k < shape->count; ++k) {
                if (sign * x[k * shape->inner + i] > sign * x[best * shape->inner + i]) {
                    best = k;
                }
            }
            *y++ = best;
        }
        x += shape->count * shape->inner;
    }
}

TG_INLINE void tg_arg_max_s8(const tg_arg_s8_shape *shape, const tg_arg_s8_params *params,
                             const int8_t *x, int32_t *y)
{
    (void)params;
    tg_arg_s8(shape, 1, x, y);
}

TG_INLINE void tg_arg_min_s8(const tg_arg_s8_shape *shape, const tg_arg_s8_params *params,
                             const int8_t *x, int32_t *y)
{
    (void)params;
    tg_arg_s8(shape, -1, x, y);
}

#endif
