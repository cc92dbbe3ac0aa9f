/* Sigmoid and tanh in fixed point of 16 bits. A value with k integer bits is an int16 with 15 - k
 * fractional bits, here in an int32.
 *
 * exp(x) of x <= 0: x is the sum of a rest in [-1/4, 0), whose exp is a Taylor polynomial around
 * -1/8, and of powers of two from -1/4 to -16, for each of which the result is multiplied by a
 * constant. 2 / (1 + e) follows by three steps of Newton's method, and then
 *     sigmoid(x) = 1 / (1 + e) with e = exp(-x),  tanh(x) = 2 / (1 + e) - 1 with e = exp(-2x)
 * for x > 0; the rest is symmetry. tinygen/ops/fixedpoint.py is the numpy twin.
 */
#ifndef TG_FIXED_S16_H
#define TG_FIXED_S16_H

#include "tg_requant.h"

/* a * b, halves up; the integer bits of both add up. */
TG_INLINE int32_t tg_fixed_mul(int32_t a, int32_t b)
{
    return tg_min((a * b + (1 << 14)) >> 15, INT16_MAX);
}

/* x * 2^shift, saturated. */
TG_INLINE int32_t tg_fixed_shift(int32_t x, int32_t shift)
{
    return tg_clamp(x * (1 << shift), INT16_MIN, INT16_MAX);
}

/* exp(x) without integer bits, for x <= 0 with integer_bits of 1 to 7. */
TG_INLINE int32_t tg_fixed_exp(int32_t x, int32_t integer_bits)
{
    /* exp(-1/4), exp(-1/2), ... exp(-16) */
    static const int16_t powers[7] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t fraction = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction - 2);
    const int32_t rest = (x & (quarter - 1)) - quarter;
    const int32_t whole = rest - x;
    const int32_t u = rest * (1 << integer_bits) + (1 << 12);
    const int32_t u2 = tg_fixed_mul(u, u);
    const int32_t u3 = tg_fixed_mul(u2, u);
    const int32_t u4 = tg_fixed_mul(u2, u2);
    const int32_t cubic = tg_fixed_mul(tg_rounding_shift_right(u4, 2) + u3, 10923) + u2;
    int32_t result = 28918 + tg_fixed_mul(u + tg_rounding_shift_right(cubic, 1), 28918);
    if (x == 0) {
        return INT16_MAX;
    }
    if (x < -32 * (1 << fraction)) {
        return 0;
    }
    for (int32_t i = 0; i < tg_min(integer_bits + 2, 7); ++i) {
        if (whole & (quarter << i)) {
            result = tg_fixed_mul(result, powers[i]);
        }
    }
    return result;
}

/* 2 / (1 + e) with two integer bits, for e in [0, 1) without. */
TG_INLINE int32_t tg_fixed_two_over_one_plus(int32_t e)
{
    const int32_t half = (e + INT16_MAX + 1) >> 1;
    int32_t x = 23130 + tg_fixed_mul(half, -15420); /* 48/17 - 32/17 * (1 + e) / 2 */
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = (1 << 13) - tg_fixed_mul(half, x);
        x += tg_fixed_shift(tg_fixed_mul(x, error), 2);
    }
    return x;
}

TG_INLINE int32_t tg_fixed_sigmoid(int32_t x, int32_t integer_bits)
{
    const int32_t e = tg_fixed_exp(x < 0 ? x : -x, integer_bits);
    const int32_t positive = tg_fixed_shift(tg_fixed_two_over_one_plus(e), 1);
    return x == 0 ? 1 << 14 : x > 0 ? positive : INT16_MAX - positive;
}

TG_INLINE int32_t tg_fixed_tanh(int32_t x, int32_t integer_bits)
{
    /* Doubling x only moves the binary point. */
    const int32_t e = tg_fixed_exp(x < 0 ? x : -x, integer_bits + 1);
    const int32_t magnitude = tg_fixed_shift(tg_fixed_two_over_one_plus(e) - (1 << 13), 2);
    return x == 0 ? 0 : x > 0 ? magnitude : -magnitude;
}

#endif
