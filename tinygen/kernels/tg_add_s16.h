/* ADD and SUB on int16, zero points 0: both operands are moved up by 15 bits and scaled to half the
 * larger of their scales, added, and scaled to the output's: three roundings.
 *
 * A sign goes with each operand. x and y may be the same.
 */
#ifndef TG_ADD_S16_H
#define TG_ADD_S16_H

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_add_s16_shape;

typedef struct {
    int32_t x_sign, x_multiplier, x_shift; /* signs are 1 or -1; positive shifts are to the left */
    int32_t w_sign, w_multiplier, w_shift;
    int32_t multiplier, shift;
    int32_t output_min;
    int32_t output_max;
} tg_add_s16_params;

TG_INLINE void tg_add_s16(const tg_add_s16_shape *shape, const tg_add_s16_params *params,
                          const int16_t *x, const int16_t *w, int16_t *y)
{
    const tg_add_s16_params p = *params;

    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int16_t *xr = x + r.x;
        const int16_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            /* Each is at most 2^29: an input multiplier is at most one half. */
            const int32_t a = p.x_sign * tg_requant(xr[i] * (1 << 15), p.x_multiplier, p.x_shift);
            const int32_t b = p.w_sign * tg_requant(*wr * (1 << 15), p.w_multiplier, p.w_shift);
            const int32_t scaled = tg_requant(a + b, p.multiplier, p.shift);
            y[i] = (int16_t)tg_clamp(scaled, p.output_min, p.output_max);
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

#endif
