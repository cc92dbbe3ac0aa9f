/* MUL on int16, zero points 0: the product of both, requantized once.
 *
 * x and y may be the same.
 */
#ifndef TG_MUL_S16_H
#define TG_MUL_S16_H

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_mul_s16_shape;

typedef struct {
    int32_t multiplier;
    int32_t shift; /* positive is left */
    int32_t output_min;
    int32_t output_max;
} tg_mul_s16_params;

TG_INLINE void tg_mul_s16(const tg_mul_s16_shape *shape, const tg_mul_s16_params *params,
                          const int16_t *x, const int16_t *w, int16_t *y)
{
    const tg_mul_s16_params p = *params;

    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int16_t *xr = x + r.x;
        const int16_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            const int32_t scaled = tg_requant(xr[i] * *wr, p.multiplier, p.shift);
            y[i] = (int16_t)tg_clamp(scaled, p.output_min, p.output_max);
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

#endif
