/* LEAKY_RELU on int16, zero points 0: values from zero up are scaled by one factor, those below by
 * another, whose sign is kept apart.
 *
 * x and y may be the same.
 */
#ifndef TG_LEAKY_RELU_S16_H
#define TG_LEAKY_RELU_S16_H

#include "tg_requant.h"

typedef struct {
    int32_t size; /* elements */
} tg_leaky_relu_s16_shape;

typedef struct {
    int32_t multiplier;
    int32_t shift; /* positive is left */
    int32_t alpha_multiplier;
    int32_t alpha_shift;
    int32_t alpha_sign; /* 1 or -1 */
} tg_leaky_relu_s16_params;

TG_INLINE void tg_leaky_relu_s16(const tg_leaky_relu_s16_shape *shape,
                                 const tg_leaky_relu_s16_params *params, const int16_t *x,
                                 int16_t *y)
{
    const tg_leaky_relu_s16_params p = *params;

    for (int32_t i = 0; i < shape->size; ++i) {
        const int32_t scaled =
            x[i] >= 0 ? tg_requant(x[i], p.multiplier, p.shift)
                      : p.alpha_sign * tg_requant(x[i], p.alpha_multiplier, p.alpha_shift);
        y[i] = (int16_t)tg_clamp(scaled, INT16_MIN, INT16_MAX);
    }
}

#endif
