/* Three sums in two words: multiply-accumulate for cores that multiply 32 by 32 bits to 32.
 *
 * Where the DSP extension is missing, a multiplication yields one product of bytes, unless bytes
 * share a word. Here three values x0, x1, x2 that meet one weight w are packed into two words
 *
 *     a = x0 + 2^21 x1        b = x2 + 2^10 x1
 *
 * so that two multiplications do the work of three. The products are added up, and may wrap in 32
 * bits. With Si the sum of w xi, the totals are A = S0 + 2^21 S1 and B = S2 + 2^10 S1 modulo 2^32.
 * If S0 and S2 fit 21 bits and S1 22, signed, they come back exactly:
 *
 *     S0 is the lower 21 bits of A; what remains are the lower 11 bits of S1;
 *     these leave S2 as the lower 21 bits of B, and there the other bits of S1 remain.
 *
 * So nothing has to be taken out of the words on the way, for as many weights as the compiler has
 * proven not to leave 21 bits: 128 * sum(|w|) < 2^20, which nearly all layers keep to as a whole.
 * Which operand is threefold is free: three pixels and a channel's weight, or three channels'
 * weights and an activation.
 *
 * Six values are four words, "a step". A block multiplies steps with one or two rows of bytes.
 */
#ifndef TG_TRIO_H
#define TG_TRIO_H

#include "tg_trio_arm.h"
#include "tg_trio_xtensa.h"

enum { TG_TRIO_LANES = 6, TG_TRIO_WORDS = 4 }; /* of a step */

/* Three values to two words. */
TG_INLINE void tg_trio_pack(int32_t x0, int32_t x1, int32_t x2, uint32_t words[2])
{
    words[0] = (uint32_t)x0 + ((uint32_t)x1 << 21);
    words[1] = (uint32_t)x2 + ((uint32_t)x1 << 10);
}

/* The lower 21 bits, signed. */
TG_INLINE int32_t tg_trio_low(uint32_t word)
{
    return (int32_t)(word << 11) >> 11;
}

/* Adds, modulo 2^32: a bias may pass the limit on the way to a sum within it. */
TG_INLINE int32_t tg_trio_add(int32_t sum, int32_t more)
{
    return (int32_t)((uint32_t)sum + (uint32_t)more);
}

/* Adds the three sums that a and b hold. */
TG_INLINE void tg_trio_take(uint32_t a, uint32_t b, int32_t sums[3])
{
    const int32_t s0 = tg_trio_low(a);
    const uint32_t a1 = a - (uint32_t)s0;
    const uint32_t b1 = b - (a1 >> 11);
    const int32_t s2 = tg_trio_low(b1);
    const uint32_t b2 = b1 - (uint32_t)s2;
    sums[0] = tg_trio_add(sums[0], s0);
    sums[1] = tg_trio_add(sums[1], (int32_t)(a1 >> 21) + ((int32_t)b2 >> 10));
    sums[2] = tg_trio_add(sums[2], s2);
}

/* acc[i] = sum of w[k] * words[4 k + i] */
TG_INLINE void tg_trio_1x4_plain(int32_t steps, const uint32_t *words, const int8_t *w,
                                 uint32_t acc[4])
{
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
    TG_UNROLL(4)
    for (int32_t k = 0; k < steps; ++k, words += TG_TRIO_WORDS) {
        const uint32_t v = (uint32_t)(int32_t)w[k];
        a0 += v * words[0];
        a1 += v * words[1];
        a2 += v * words[2];
        a3 += v * words[3];
    }
    acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3;
}

/* The same with two rows of bytes, w_step bytes apart; the second's sums are acc[4] to acc[7]. */
TG_INLINE void tg_trio_2x4_plain(int32_t steps, const uint32_t *words, const int8_t *w,
                                 int32_t w_step, uint32_t acc[8])
{
    const int8_t *const w1 = w + w_step;
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    TG_UNROLL(4)
    for (int32_t k = 0; k < steps; ++k, words += TG_TRIO_WORDS) {
        const uint32_t u = (uint32_t)(int32_t)w[k], v = (uint32_t)(int32_t)w1[k];
        a0 += u * words[0];
        b0 += v * words[0];
        a1 += u * words[1];
        b1 += v * words[1];
        a2 += u * words[2];
        b2 += v * words[2];
        a3 += u * words[3];
        b3 += v * words[3];
    }
    acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3;
    acc[4] = b0, acc[5] = b1, acc[6] = b2, acc[7] = b3;
}

/* The same where steps is a constant that is not zero: by assembly where there is some. */
TG_INLINE void tg_trio_1x4(int32_t steps, const uint32_t *words, const int8_t *w, uint32_t acc[4])
{
#if defined(TG_TRIO_ASSEMBLY)
    if (__builtin_constant_p(steps)) {
        tg_trio_1x4_assembly(steps, words, w, acc);
        return;
    }
#endif
    tg_trio_1x4_plain(steps, words, w, acc);
}

TG_INLINE void tg_trio_2x4(int32_t steps, const uint32_t *words, const int8_t *w, int32_t w_step,
                           uint32_t acc[8])
{
#if defined(TG_TRIO_ASSEMBLY)
#if defined(TG_TRIO_2X4_ASSEMBLY)
    if (__builtin_constant_p(steps) && __builtin_constant_p(w_step) &&
        w_step <= TG_TRIO_MOST_STEP) {
        tg_trio_2x4_assembly(steps, words, w, w_step, acc);
        return;
    }
#else
    if (__builtin_constant_p(steps)) {
        /* One row after the other: eight sums would leave no register for a byte of the second. */
        tg_trio_1x4_assembly(steps, words, w, acc);
        tg_trio_1x4_assembly(steps, words, w + w_step, acc + 4);
        return;
    }
#endif
#endif
    tg_trio_2x4_plain(steps, words, w, w_step, acc);
}

#endif
