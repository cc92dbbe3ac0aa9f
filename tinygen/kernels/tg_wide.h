/* From 64-bit sums to int16, bit for bit as the TFLite reference kernels.
 *
 * Products of int16 activations and int8 weights leave 32 bits when many are added up. The reference
 * sums them in 64 bits and requantizes with the upper 15 bits of the multiplier, so that the product
 * still fits, rounding once, halves up. Only sums with an int32 bias wrap in 32 bits, and are
 * requantized as int8's are, by 31 bits, rounding twice; these are called narrow. Zero points are 0.
 *
 * tinygen/quant.py has the numpy twin (multiply_wide).
 */
#ifndef TG_WIDE_H
#define TG_WIDE_H

#include "tg_requant.h"

/* How a layer's sums become int16. All arrays have one element per output channel. */
typedef struct {
    int32_t narrow;            /* constant of the shape */
    const int64_t *bias;       /* within int32 if narrow */
    const int32_t *multiplier; /* narrow: of 31 bits; else of 15 */
    const int8_t *shift;       /* narrow: positive is left; else to the right, 8 to 46 */
    int32_t low, high;
} tg_wide_output;

/* x * multiplier / 2^shift, rounded to the nearest, halves up; |x| < 2^47, multiplier < 2^15. What
 * does not fit 32 bits is cut off. */
TG_INLINE int32_t tg_requant_wide(int64_t x, int32_t multiplier, int32_t shift)
{
    return (int32_t)((x * multiplier + ((int64_t)1 << (shift - 1))) >> shift);
}

/* One output value of channel c, from the sum of its products. */
TG_INLINE int16_t tg_output_s16(const tg_wide_output *output, int32_t c, int64_t products)
{
    const int64_t sum = products + output->bias[c];
    const int32_t multiplier = output->multiplier[c];
    const int32_t shift = output->shift[c];
    const int32_t scaled = output->narrow ? tg_requant((int32_t)sum, multiplier, shift)
                                          : tg_requant_wide(sum, multiplier, shift);
    return (int16_t)tg_clamp(scaled, output->low, output->high);
}

/* The sum of length products. */
TG_INLINE int64_t tg_dot_s16(int32_t length, const int16_t *x, const int8_t *w)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < length; ++i) {
        sum += x[i] * w[i];
    }
    return sum;
}

#endif
