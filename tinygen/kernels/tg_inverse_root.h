/* The inverse square root of a whole number, as the reference computes it: five steps of Newton's
 * method in fixed point, from the guess 1, on the number brought between 1/4 and 1 by an even shift.
 *
 * tinygen/ops/fixedpoint.py is the numpy twin.
 */
#ifndef TG_INVERSE_ROOT_H
#define TG_INVERSE_ROOT_H

#include "tg_requant.h"

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

#endif
