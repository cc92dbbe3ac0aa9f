/* RELU and its kin on int8 where input and output have one scale: only the range is limited.
 *
 * x and y may be the same.
 */
#ifndef TG_CLAMP_S8_H
#define TG_CLAMP_S8_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_clamp_s8_shape;

typedef struct {
    int32_t output_min;
    int32_t output_max;
} tg_clamp_s8_params;

TG_INLINE void tg_clamp_s8(const tg_clamp_s8_shape *shape, const tg_clamp_s8_params *params,
                           const int8_t *x, int8_t *y)
{
    const int32_t low = params->output_min;
    const int32_t high = params->output_max;
    TG_UNROLL(4)
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = (int8_t)tg_clamp(x[i], low, high);
    }
}

#endif
