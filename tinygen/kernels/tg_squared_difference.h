/* SQUARED_DIFFERENCE on int8 and int16: both values in a common scale, their difference squared,
 * requantized.
 *
 * The common scale is that of the coarser operand over 2^6, or twice it with int16 (zero points 0),
 * so that the square is at most 2^30.
 * x and y may be the same.
 */
#ifndef TG_SQUARED_DIFFERENCE_H
#define TG_SQUARED_DIFFERENCE_H

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_squared_difference_s8_shape;
typedef tg_binary_shape tg_squared_difference_s16_shape;

typedef struct {
    int32_t x_zero_point, x_multiplier, x_shift;
    int32_t w_zero_point, w_multiplier, w_shift;
    int32_t multiplier;
    int32_t shift; /* see tg_output_s8 */
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_squared_difference_s8_params;

typedef struct {
    int32_t x_multiplier, x_shift;
    int32_t w_multiplier, w_shift;
    int32_t multiplier, shift; /* positive is left */
    int32_t output_min;
    int32_t output_max;
} tg_squared_difference_s16_params;

TG_INLINE void tg_squared_difference_s8(const tg_squared_difference_s8_shape *shape,
                                        const tg_squared_difference_s8_params *params,
                                        const int8_t *x, const int8_t *w, int8_t *y)
{
    const tg_squared_difference_s8_params p = *params;
    const tg_output output = tg_make_output(shape->right_only, shape->full_range,
                                            p.output_zero_point, p.output_min, p.output_max);

    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int8_t *xr = x + r.x;
        const int8_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            const int32_t difference =
                tg_requant((xr[i] - p.x_zero_point) * 128, p.x_multiplier, p.x_shift) -
                tg_requant((*wr - p.w_zero_point) * 128, p.w_multiplier, p.w_shift);
            y[i] = tg_output_s8(&output, difference * difference, p.multiplier, p.shift);
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

TG_INLINE void tg_squared_difference_s16(const tg_squared_difference_s16_shape *shape,
                                         const tg_squared_difference_s16_params *params,
                                         const int16_t *x, const int16_t *w, int16_t *y)
{
    const tg_squared_difference_s16_params p = *params;

    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int16_t *xr = x + r.x;
        const int16_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            const int32_t difference = tg_requant(xr[i], p.x_multiplier, p.x_shift) -
                                       tg_requant(*wr, p.w_multiplier, p.w_shift);
            const int32_t scaled = tg_requant(difference * difference, p.multiplier, p.shift);
            y[i] = (int16_t)tg_clamp(scaled, p.output_min, p.output_max);
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

#endif
