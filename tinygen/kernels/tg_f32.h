/* What float32 kernels share: the fused clamp, and sums of products.
 *
 * Float addition is not associative, so every sum runs over its products in the order of the
 * reference kernels and has one accumulator: the result is theirs, but for what a compiler does that
 * contracts a product and a sum into one instruction. Speed comes from several sums at once, which
 * share what they load and wait for one another less.
 */
#ifndef TG_F32_H
#define TG_F32_H

#include "tg_types.h"

#define TG_LANES_F32 4 /* sums at once */

/* NaN stays NaN. */
TG_INLINE float tg_clamp_f32(float value, float low, float high)
{
    const float raised = value < low ? low : value;
    return high < raised ? high : raised;
}

TG_INLINE float tg_dot_f32(float sum, int32_t depth, const float *x, const float *w)
{
    for (int32_t k = 0; k < depth; ++k) {
        sum += x[k] * w[k];
    }
    return sum;
}

/* TG_LANES_F32 sums of one x with weights that lie `step` apart. */
TG_INLINE void tg_dots_f32(float *sums, int32_t depth, const float *x, const float *w, int32_t step)
{
    const float *const w1 = w + step, *const w2 = w1 + step, *const w3 = w2 + step;
    float s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    for (int32_t k = 0; k < depth; ++k) {
        const float value = x[k];
        s0 += value * w[k];
        s1 += value * w1[k];
        s2 += value * w2[k];
        s3 += value * w3[k];
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#endif
