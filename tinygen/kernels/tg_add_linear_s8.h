/* ADD and SUB on int8 as (a * x + b * w + c) >> shift: two multiplies and no rounding steps.
 *
 * The compiler found a, b, c and shift and has compared the form with the reference arithmetic for
 * all 65536 pairs of inputs; nothing overflows 32 bits. x and y may be the same.
 */
#ifndef TG_ADD_LINEAR_S8_H
#define TG_ADD_LINEAR_S8_H

#include "tg_binary.h"
#include "tg_simd.h"

typedef tg_binary_shape tg_add_linear_s8_shape;

typedef struct {
    int32_t a;
    int32_t b;
    int32_t c;
    int32_t shift; /* but for the last bit */
    int32_t output_min;
    int32_t output_max;
} tg_add_linear_s8_params;

/* floor(sum / 2^(shift + 1)), clamped: one instruction saturates and shifts by the last bit. */
TG_INLINE int8_t tg_add_linear_value(int32_t sum, int32_t shift, int32_t full_range, int32_t low,
                                     int32_t high)
{
    const int32_t twice = sum >> shift;
    return full_range ? tg_saturated_half(twice) : (int8_t)tg_clamp(twice >> 1, low, high);
}

TG_INLINE void tg_add_linear_s8(const tg_add_linear_s8_shape *shape,
                                const tg_add_linear_s8_params *params, const int8_t *x,
                                const int8_t *w, int8_t *y)
{
    /* A store to y might change what params points to, as far as the compiler knows. */
    const int32_t a = params->a;
    const int32_t b = params->b;
    const int32_t c = params->c;
    const int32_t shift = params->shift;
    const int32_t low = params->output_min;
    const int32_t high = params->output_max;
    const int32_t full = shape->full_range;

    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int8_t *xr = x + r.x;
        const int8_t *wr = w + r.w;
        if (shape->w_step == 0) {
            const int32_t constant = b * wr[0] + c;
            TG_UNROLL(4)
            for (int32_t i = 0; i < shape->size; ++i) {
                y[i] = tg_add_linear_value(a * xr[i] + constant, shift, full, low, high);
            }
        } else {
            TG_UNROLL(4)
            for (int32_t i = 0; i < shape->size; ++i) {
                const int32_t sum = a * xr[i] + (b * wr[i] + c);
                y[i] = tg_add_linear_value(sum, shift, full, low, high);
            }
        }
        y += shape->size;
    }
}

#endif
