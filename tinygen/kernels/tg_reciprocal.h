/* Reciprocals in fixed point, bit for bit as the reference kernels compute them.
 *
 * With d = 2^n * (1 + f), 0 <= f < 1, the reciprocal of d is 2^-n * 1 / (1 + f): leading zeros give n
 * and f, Newton's method the rest. tinygen/ops/fixedpoint.py is the numpy twin.
 */
#ifndef TG_RECIPROCAL_H
#define TG_RECIPROCAL_H

#include "tg_requant.h"

/* Leading zeros of x > 0, by halving: for cores without a CLZ instruction too. */
TG_INLINE int32_t tg_leading_zeros(uint32_t x)
{
    int32_t count = 0;
    for (int32_t bits = 16; bits > 0; bits >>= 1) {
        if (x < ((uint32_t)1 << (32 - bits))) {
            x <<= bits;
            count += bits;
        }
    }
    return count;
}

/* x * 2^2, saturated. */
TG_INLINE int32_t tg_times_four(int32_t x)
{
    if (x > (INT32_MAX >> 2)) {
        return INT32_MAX;
    }
    return x < (INT32_MIN >> 2) ? INT32_MIN : x * 4;
}

/* 1 / (1 + x) for x in [0, 1) as Q0.31: Newton's method on half the denominator, in Q2.29, from the
 * estimate 48/17 - 32/17 * d. The second factor of each product is positive. */
TG_INLINE int32_t tg_inverse_one_plus(int32_t x)
{
    const int32_t half_denominator = (int32_t)(((uint32_t)x + (uint32_t)INT32_MAX + 1u) >> 1);
    int32_t estimate = 1515870810 + tg_doubling_high_mul(-1010580540, half_denominator);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = ((int32_t)1 << 29) - tg_doubling_high_mul(half_denominator, estimate);
        estimate += tg_times_four(tg_doubling_high_mul(error, estimate));
    }
    return estimate > (INT32_MAX >> 1) ? INT32_MAX : estimate * 2;
}

#endif
