/* REDUCE_PROD on int8 and int16 over any axes.
 *
 * Every multiplication is rescaled at once, by the input's scale and a root of the output's, so that
 * the factors stay near the values; the result once more. Each factor is minus the zero point; each
 * rescaling rounds once, halves up, with a multiplier of 15 bits (tg_wide.h).
 */
#ifndef TG_REDUCE_PROD_H
#define TG_REDUCE_PROD_H

#include "tg_reduce.h"
#include "tg_wide.h"

typedef tg_reduce_shape tg_reduce_prod_shape;

typedef struct {
    int32_t zero_point;
    int32_t multiplier; /* of 15 bits */
    int32_t shift;      /* to the right */
    int32_t output_zero_point;
} tg_reduce_prod_params;

TG_INLINE int32_t tg_reduce_prod_step(const tg_reduce_prod_params *p, int32_t total, int32_t factor)
{
    return tg_requant_wide((int64_t)total * factor, p->multiplier, p->shift);
}

#define TG_REDUCE_PROD(suffix, element, low, high)                                                 \
    TG_REDUCE(tg_reduce_prod_##suffix, tg_reduce_prod_params, element, int32_t, element, 0,        \
              (r0 | r1) == 0 ? value - p.zero_point                                                \
                             : tg_reduce_prod_step(&p, total, value - p.zero_point),               \
              tg_clamp(tg_reduce_prod_step(&p, total, 1) + p.output_zero_point, low, high))

TG_REDUCE_PROD(s8, int8_t, INT8_MIN, INT8_MAX)
TG_REDUCE_PROD(s16, int16_t, INT16_MIN, INT16_MAX)

#endif
