/* L2_NORMALIZATION on int8: each row times the inverse square root of the sum of its squares.
 *
 * x and y may be the same.
 */
#ifndef TG_L2_NORMALIZATION_S8_H
#define TG_L2_NORMALIZATION_S8_H

#include "tg_inverse_root.h"

typedef struct {
    int32_t rows;
    int32_t depth;      /* elements of a row */
    int32_t early_bits; /* of the output's 7 bits of fraction, those that come before the product */
} tg_l2_normalization_s8_shape;

typedef struct {
    int32_t zero_point;
} tg_l2_normalization_s8_params;

TG_INLINE void tg_l2_normalization_s8(const tg_l2_normalization_s8_shape *shape,
                                      const tg_l2_normalization_s8_params *params, const int8_t *x,
                                      int8_t *y)
{
    for (int32_t r = 0; r < shape->rows; ++r) {
        int32_t sum = 0;
        for (int32_t i = 0; i < shape->depth; ++i) {
            const int32_t value = x[i] - params->zero_point;
            sum += value * value;
        }
        const tg_inverse_root root = tg_inverse_square_root(sum);
        for (int32_t i = 0; i < shape->depth; ++i) {
            const int32_t value = x[i] - params->zero_point;
            const int32_t scaled = tg_requant(value * (1 << shape->early_bits), root.multiplier,
                                              7 - shape->early_bits - root.right);
            y[i] = (int8_t)tg_clamp(scaled, INT8_MIN, INT8_MAX);
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
