/* PRELU on int8 and int16: values from zero up are requantized; those below are multiplied by alpha
 * first, and requantized by another factor, which holds alpha's scale. Alpha is int8, beside int16 too.
 *
 * x and y may be the same where they are of one type. Where alpha is the operand that advances (see
 * tg_binary.h), the two are swapped, and the parameters say so.
 */
#ifndef TG_PRELU_H
#define TG_PRELU_H

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_prelu_shape;

typedef struct {
    int32_t a_zero_point; /* of the input */
    int32_t b_zero_point; /* of alpha */
    int32_t multiplier;
    int32_t shift; /* positive is left */
    int32_t alpha_multiplier;
    int32_t alpha_shift;
    int32_t output_zero_point;
    int32_t swapped; /* whether x is alpha, and w the input */
    int32_t output_min;
    int32_t output_max;
} tg_prelu_params;

#define TG_PRELU(name, x_type, w_type, y_type)                                                     \
    TG_INLINE void name(const tg_prelu_shape *shape, const tg_prelu_params *params,                \
                        const x_type *x, const w_type *w, y_type *y)                               \
    {                                                                                              \
        const tg_prelu_params p = *params;                                                         \
        for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {   \
            const x_type *xr = x + r.x;                                                            \
            const w_type *wr = w + r.w;                                                            \
            for (int32_t i = 0; i < shape->size; ++i) {                                            \
                const int32_t value = (p.swapped ? *wr : xr[i]) - p.a_zero_point;                  \
                const int32_t alpha = (p.swapped ? xr[i] : *wr) - p.b_zero_point;                  \
                const int32_t scaled =                                                             \
                    value >= 0 ? tg_requant(value, p.multiplier, p.shift)                          \
                               : tg_requant(value * alpha, p.alpha_multiplier, p.alpha_shift);     \
                const int32_t result = scaled + p.output_zero_point;                               \
                y[i] = (y_type)tg_clamp(result, p.output_min, p.output_max);                       \
                wr += shape->w_step;                                                               \
            }                                                                                      \
            y += shape->size;                                                                      \
        }                                                                                          \
    }

TG_PRELU(tg_prelu_s8, int8_t, int8_t, int8_t)
TG_PRELU(tg_prelu_s16, int16_t, int8_t, int16_t)
TG_PRELU(tg_prelu_swapped_s16, int8_t, int16_t, int16_t)

#endif
