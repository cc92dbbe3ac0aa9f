/* Fixed-point requantization, bit for bit as the TFLite reference kernels (double rounding).
 *
 * tinygen/quant.py is the numpy twin; both are tested against each other around every tie and
 * saturation. Right shifts of negative values are arithmetic on every supported compiler.
 */
#ifndef TG_REQUANT_H
#define TG_REQUANT_H

#include "tg_types.h"

/* round(a * b / 2^31). Adding the nudge 2^30 and flooring equals gemmlowp's signed nudge with
 * truncation: both round halves up. Only INT32_MIN * INT32_MIN would overflow, and no multiplier
 * is negative. */
TG_INLINE int32_t tg_doubling_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^exponent, halves away from zero. Adding half and shifting would be off by one for
 * negative ties. */
TG_INLINE int32_t tg_rounding_shift_right(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/* x * multiplier / 2^31 * 2^shift; a left shift wraps in 32 bits, as in the reference. */
TG_INLINE int32_t tg_requant(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int32_t shifted = (int32_t)((uint32_t)x << left);
    return tg_rounding_shift_right(tg_doubling_high_mul(shifted, multiplier), right);
}

#endif
