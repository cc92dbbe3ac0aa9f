/* SOFTMAX over rows of int8: exp(x - max) / sum, in the reference's fixed point.
 *
 * x - max takes 256 values at most, so the compiler tabulated exp, with the reference's polynomial.
 * What remains: the sum of a row, its reciprocal by three Newton steps, one product per element.
 * For an int8 result, x and y may be the same.
 */
#ifndef TG_SOFTMAX_S8_H
#define TG_SOFTMAX_S8_H

#include "tg_reciprocal.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* elements of a row */
} tg_softmax_s8_shape;

typedef struct {
    const int32_t *exponentials; /* exp of minus the index, Q0.31 */
    int32_t count;               /* beyond the table's end, exp is 0 */
} tg_softmax_s8_params;

typedef struct {
    int32_t max;
    int32_t reciprocal; /* of the row's sum, Q0.31, over 2^(exponent - 31 + bits of the output) */
    int32_t exponent;   /* of the final shift to the right */
} tg_softmax_s8_row;

TG_INLINE int32_t tg_softmax_exp(const tg_softmax_s8_params *params, int32_t difference)
{
    return difference < params->count ? params->exponentials[difference] : 0;
}

/* What all elements of a row share, for results of output_bits. */
TG_INLINE tg_softmax_s8_row tg_softmax_begin(const tg_softmax_s8_shape *shape,
                                             const tg_softmax_s8_params *params, const int8_t *x,
                                             int32_t output_bits)
{
    int32_t max = x[0];
    for (int32_t i = 1; i < shape->depth; ++i) {
        max = tg_max(max, x[i]);
    }
    uint32_t sum = 0; /* Q12.20 */
    for (int32_t i = 0; i < shape->depth; ++i) {
        sum += ((uint32_t)tg_softmax_exp(params, max - x[i]) + (1u << 11)) >> 12;
    }
    const int32_t headroom = tg_leading_zeros(sum);
    const int32_t fraction = (int32_t)((sum << headroom) - ((uint32_t)1 << 31));
    const tg_softmax_s8_row row = {max, tg_inverse_one_plus(fraction),
                                   12 - headroom + 31 - output_bits};
    return row;
}

/* The share of x in its row, as an unsigned number of output_bits, or one more than its largest. */
TG_INLINE int32_t tg_softmax_share(const tg_softmax_s8_params *params,
                                   const tg_softmax_s8_row *row, int32_t x)
{
    if (row->exponent > 31) {
        return 0; /* 512 or more equal elements: each share is below one half */
    }
    const int32_t share = tg_doubling_high_mul(tg_softmax_exp(params, row->max - x),
                                               row->reciprocal);
    return tg_rounding_shift_right(share, row->exponent);
}

TG_INLINE void tg_softmax_s8(const tg_softmax_s8_shape *shape, const tg_softmax_s8_params *params,
                             const int8_t *x, int8_t *y)
{
    for (int32_t r = 0; r < shape->rows; ++r) {
        const tg_softmax_s8_row row = tg_softmax_begin(shape, params, x, 8);
        for (int32_t i = 0; i < shape->depth; ++i) {
            y[i] = (int8_t)tg_min(tg_softmax_share(params, &row, x[i]) + INT8_MIN, INT8_MAX);
        }
        x += shape->depth;
        y += shape->depth;
    }
}

TG_INLINE void tg_softmax_s8_s16(const tg_softmax_s8_shape *shape,
                                 const tg_softmax_s8_params *params, const int8_t *x, int16_t *y)
{
    for (int32_t r = 0; r < shape->rows; ++r) {
        const tg_softmax_s8_row row = tg_softmax_begin(shape, params, x, 16);
        for (int32_t i = 0; i < shape->depth; ++i) {
            y[i] = (int16_t)tg_min(tg_softmax_share(params, &row, x[i]) + INT16_MIN, INT16_MAX);
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
