/* L2_NORMALIZATION on int8: each row times the inverse square root of the sum of its squares.
 *
 * The root is the reference's: five steps of Newton's method in fixed point, from the guess 1, on
 * the sum brought between 1/4 and 1 by an even shift. tinygen/ops/fixedpoint.py is the numpy twin.
 * x and y may be the same.
 */
#ifndef TG_L2_NORMALIZATION_S8_H
#define TG_L2_NORMALIZATION_S8_H

#include "tg_requant.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* elements of a row */
} tg_l2_normalization_s8_shape;

typedef struct {
    int32_t zero_point;
} tg_l2_normalization_s8_params;

/* 1 / sqrt(value) = multiplier / 2^31 / 2^right. */
typedef struct {
    int32_t multiplier;
    int32_t right;
} tg_inverse_root;

/* x * 2^bits, saturated. */
TG_INLINE int32_t tg_saturating_left(int32_t x, int32_t bits)
{
    const int32_t limit = INT32_MAX >> bits;
    if (x > limit) {
        return INT32_MAX;
    }
    return x < -limit ? INT32_MIN : (int32_t)((uint32_t)x << bits);
}

/* Every factor is positive, as tg_doubling_high_mul asks of the second. The cube has nine integer
 * bits, both products of a step six, the root three. */
TG_INLINE tg_inverse_root tg_inverse_square_root(int32_t value)
{
    tg_inverse_root root = {INT32_MAX, 0};
    if (value <= 1) {
        return root;
    }
    root.right = 11;
    for (; value >= (1 << 29); value /= 4) {
        ++root.right;
    }
    for (; value < (1 << 27); value *= 4) {
        --root.right;
    }
    const int32_t half = tg_rounding_shift_right(value >> 1, 1);
    const int32_t three_halves = (1 << 28) + (1 << 27);
    int32_t x = 1 << 28;
    for (int32_t i = 0; i < 5; ++i) {
        const int32_t square = tg_doubling_high_mul(x, x);
        const int32_t cube = tg_saturating_left(tg_doubling_high_mul(square, x), 6);
        const int32_t rest = tg_doubling_high_mul(three_halves, x) -
                             tg_doubling_high_mul(half, cube);
        x = tg_saturating_left(rest, 3);
    }
    root.multiplier = tg_doubling_high_mul(x, 1518500250); /* sqrt(1/2) */
    if (root.right < 0) {
        root.multiplier = (int32_t)((uint32_t)root.multiplier << -root.right);
        root.right = 0;
    }
    return root;
}

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
            const int32_t scaled = tg_requant(value, root.multiplier, 7 - root.right);
            y[i] = (int8_t)tg_clamp(scaled, INT8_MIN, INT8_MAX);
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
