/* CUMSUM: the sum of the elements up to each one along an axis, which lies between `outer` and
 * `inner` others. Sums of integers wrap. int8 is requantized as tg_running_sum_s8.h tells.
 */
#ifndef TG_CUMSUM_H
#define TG_CUMSUM_H

#include "tg_running_sum_s8.h"

typedef struct {
    int32_t outer, count, inner;
    int32_t exclusive; /* an element is not in its own sum */
    int32_t reverse;   /* the last element comes first */
} tg_cumsum_shape;

typedef struct {
    int32_t unused;
} tg_cumsum_params;

typedef tg_cumsum_shape tg_cumsum_s8_shape;
typedef tg_running_sum_params tg_cumsum_s8_params;

/* `step` is the sum with `value`; `finish` makes an element of the output of the sum `total`. */
#define TG_CUMSUM(name, param, element, number, step, finish)                                      \
    TG_INLINE void name(const tg_cumsum_shape *shape, const param *params, const element *x,       \
                        element *y)                                                                \
    {                                                                                              \
        const param p = *params;                                                                   \
        const int32_t first = shape->reverse ? (shape->count - 1) * shape->inner : 0;              \
        const int32_t next = shape->reverse ? -shape->inner : shape->inner;                        \
        (void)p;                                                                                   \
        for (int32_t o = 0; o < shape->outer; ++o) {                                               \
            for (int32_t i = 0; i < shape->inner; ++i) {                                           \
                number sum = 0;                                                                    \
                int32_t at = first + i;                                                            \
                for (int32_t k = 0; k < shape->count; ++k) {                                       \
                    const element value = x[at];                                                   \
                    const number with = (step);                                                    \
                    const number total = shape->exclusive ? sum : with;                            \
                    y[at] = (finish);                                                              \
                    sum = with;                                                                    \
                    at += next;                                                                    \
                }                                                                                  \
            }                                                                                      \
            x += shape->count * shape->inner;                                                      \
            y += shape->count * shape->inner;                                                      \
        }                                                                                          \
    }

TG_CUMSUM(tg_cumsum_s8, tg_cumsum_s8_params, int8_t, int32_t, sum + value - p.zero_point,
          tg_running_sum_output(&p, total))
TG_CUMSUM(tg_cumsum_s32, tg_cumsum_params, int32_t, int32_t,
          (int32_t)((uint32_t)sum + (uint32_t)value), total)
TG_CUMSUM(tg_cumsum_s64, tg_cumsum_params, int64_t, int64_t,
          (int64_t)((uint64_t)sum + (uint64_t)value), total)
TG_CUMSUM(tg_cumsum_f32, tg_cumsum_params, float, float, sum + value, total)

#endif
