/* Fixed-point requantization, bit for bit as the TFLite reference kernels (double rounding).
 *
 * tinygen/quant.py is the numpy twin; both are tested against each other around every tie and
 * saturation. Right shifts of negative values are arithmetic on every supported compiler.
 */
#ifndef TG_REQUANT_H
#define TG_REQUANT_H

#include "tg_simd.h"

/* Armv6-M and Armv8-M Baseline multiply 32 by 32 bits to 32 only: a 64-bit product is a call of the
 * compiler's library there, three times as long as four 16-bit products. (Tests on the host define
 * the macro themselves.) */
#if !defined(TG_MULTIPLY_BY_HALVES) && defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1
#define TG_MULTIPLY_BY_HALVES
#endif

#if defined(TG_MULTIPLY_BY_HALVES)
/* The high word of a * b, and through middle the next 16 bits below it in its low half; b >= 0.
 *
 * With a = ah * 2^16 + al, 0 <= al < 2^16, and b likewise, no sum leaves its 32 bits: bh < 2^15
 * bounds al * bh by 2^31 - 2^16, and |ah| <= 2^15 bounds ah * bl by 2^31 - 2^15. */
TG_INLINE int32_t tg_high_word_by_halves(int32_t a, int32_t b, uint32_t *middle)
{
    const int32_t ah = a >> 16;
    const int32_t bh = b >> 16;
    const uint32_t al = (uint32_t)a & 0xffffu;
    const uint32_t bl = (uint32_t)b & 0xffffu;
    const uint32_t first = al * (uint32_t)bh + ((al * bl) >> 16);
    const int32_t second = ah * (int32_t)bl + (int32_t)(first & 0xffffu);
    *middle = (uint32_t)second;
    return ah * bh + (int32_t)(first >> 16) + (second >> 16);
}
#endif

/* round(a * b / 2^32) for b >= 0, halves up. */
TG_INLINE int32_t tg_high_mul(int32_t a, int32_t b)
{
#if defined(TG_MULTIPLY_BY_HALVES)
    uint32_t middle;
    const int32_t high = tg_high_word_by_halves(a, b, &middle);
    return high + (int32_t)((middle >> 15) & 1u);
#else
    const int64_t product = (int64_t)a * b;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
#endif
}

/* round(a * b / 2^31) for b >= 0, halves up, as gemmlowp's signed nudge with truncation does. Only
 * INT32_MIN * INT32_MIN would overflow, and no multiplier is negative. */
TG_INLINE int32_t tg_doubling_high_mul(int32_t a, int32_t b)
{
#if defined(TG_MULTIPLY_BY_HALVES)
    uint32_t middle;
    const int32_t high = tg_high_word_by_halves(a, b, &middle);
    const uint32_t floor = ((uint32_t)high << 1) | ((middle >> 15) & 1u);
    return (int32_t)(floor + ((middle >> 14) & 1u));
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
#endif
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

/* How a layer's accumulators become int8: requantize, add the zero point, clamp. */
typedef struct {
    int32_t right_only; /* constant of the shape, see tg_output_s8 */
    int32_t full_range; /* constant of the shape: the clamp is int8's own */
    int32_t offset;
    int32_t low, high;
} tg_output;

TG_INLINE tg_output tg_make_output(int32_t right_only, int32_t full_range, int32_t zero_point,
                                   int32_t low, int32_t high)
{
    const tg_output output = {
        .right_only = right_only,
        .full_range = full_range,
        .offset = right_only ? 2 * zero_point + 1 : zero_point,
        .low = full_range ? INT8_MIN : low,
        .high = full_range ? INT8_MAX : high,
    };
    return output;
}

/* One output value. Adding the zero point wraps in 32 bits, as in the reference.
 *
 * right_only says that the compiler has proved every accumulator of the layer below 2^30 in
 * magnitude, and that every channel shifts right by at least 1; shift then holds the bits beyond
 * the first. The two roundings shrink to a few instructions: 2x fits 32 bits, so the doubling
 * product is the high word of one multiplication; and the rounding shift of h by r, halves away
 * from zero, is
 *     floor((h + 2^(r-1) - (h < 0)) / 2^r) = (((h - (h < 0)) >> (r - 1)) + 1) >> 1,
 * whose + 1 takes up the zero point. Nothing overflows, as |h| <= 2^30. */
TG_INLINE int8_t tg_output_s8(const tg_output *output, int32_t x, int32_t multiplier, int32_t shift)
{
    if (output->right_only) {
        const int32_t high = tg_high_mul((int32_t)((uint32_t)x << 1), multiplier);
        const int32_t twice = ((high + (high >> 31)) >> shift) + output->offset;
        return output->full_range ? tg_saturated_half(twice)
                                  : (int8_t)tg_clamp(twice >> 1, output->low, output->high);
    }
    const uint32_t y = (uint32_t)tg_requant(x, multiplier, shift) + (uint32_t)output->offset;
    return (int8_t)tg_clamp((int32_t)y, output->low, output->high);
}

#endif
