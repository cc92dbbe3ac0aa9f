/* DIV on int8 and int16: the dividend times the divisor's reciprocal.
 *
 * The reciprocal of a divisor d = 2^n * (1 + f), 0 <= f < 1, is 1 / (1 + f) in Q0.31, by Newton's
 * method, and 2^-n. The dividend is moved as far to the left as its sign allows, so that the product
 * keeps all bits; both shifts are made up for in the one to the right that ends a requantization.
 * tinygen/ops/div.py is the numpy twin, and says what of this the reference leaves undefined.
 *
 * x and y may be the same.
 */
#ifndef TG_DIV_H
#define TG_DIV_H

#include "tg_binary.h"
#include "tg_reciprocal.h"

typedef tg_binary_shape tg_div_shape;

typedef struct {
    int32_t a_zero_point; /* of the dividend */
    int32_t b_zero_point; /* of the divisor */
    int32_t multiplier;
    int32_t shift; /* positive is left */
    int32_t output_zero_point;
    int32_t swapped; /* whether x is the divisor, and w the dividend */
    int32_t output_min;
    int32_t output_max;
} tg_div_params;

/* a / b * multiplier / 2^31 * 2^shift, of which 32 bits and more to the right leave nothing. */
TG_INLINE int32_t tg_div_scaled(int32_t a, int32_t b, int32_t multiplier, int32_t shift)
{
    if (b == 0) {
        return 0;
    }
    const int32_t above = b < 0 ? -a : a;
    const uint32_t below = (uint32_t)(b < 0 ? -b : b);
    const int32_t zeros = tg_leading_zeros(below);
    const int32_t inverse = tg_inverse_one_plus((int32_t)((below << zeros) - ((uint32_t)1 << 31)));
    const uint32_t magnitude = (uint32_t)(above < 0 ? ~above : above);
    const int32_t headroom = magnitude ? tg_leading_zeros(magnitude) - 1 : 31;
    const int32_t moved = (int32_t)((uint32_t)above << headroom);
    const int32_t right = headroom + 31 - zeros - shift;
    if (right > 31) {
        return 0;
    }
    const int32_t quotient = tg_doubling_high_mul(moved, inverse);
    return tg_rounding_shift_right(tg_doubling_high_mul(quotient, multiplier), right);
}

#define TG_DIV(name, type)                                                                         \
    TG_INLINE void name(const tg_div_shape *shape, const tg_div_params *params, const type *x,     \
                        const type *w, type *y)                                                    \
    {                                                                                              \
        const tg_div_params p = *params;                                                           \
        for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {   \
            const type *xr = x + r.x;                                                              \
            const type *wr = w + r.w;                                                              \
            for (int32_t i = 0; i < shape->size; ++i) {                                            \
                const int32_t a = (p.swapped ? *wr : xr[i]) - p.a_zero_point;                      \
                const int32_t b = (p.swapped ? xr[i] : *wr) - p.b_zero_point;                      \
                const int32_t scaled = tg_div_scaled(a, b, p.multiplier, p.shift);                 \
                const int32_t result = scaled + p.output_zero_point;                               \
                y[i] = (type)tg_clamp(result, p.output_min, p.output_max);                         \
                wr += shape->w_step;                                                               \
            }                                                                                      \
            y += shape->size;                                                                      \
        }                                                                                          \
    }

TG_DIV(tg_div_s8, int8_t)
TG_DIV(tg_div_s16, int16_t)

#endif
