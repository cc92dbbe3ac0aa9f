/* Dot products of int8 rows: the inner loops of every dense layer.
 *
 * A block computes several products at once, so that each byte that is loaded and widened serves
 * two or more of them: 2 rows of activations by 2 rows of weights, or 1 by 4. Sums wrap in 32 bits:
 * a bias that holds a folded offset may pass the limit on the way to a sum within it.
 *
 * dsp is a constant at every call and chooses the instructions: SXTB16 widens two bytes of a word
 * of four, and SMLAD multiplies and adds two pairs; the order of the terms does not matter.
 */
#ifndef TG_DOT_S8_H
#define TG_DOT_S8_H

#include "tg_simd.h"

TG_INLINE int32_t tg_mac(int32_t acc, int32_t x, int32_t w)
{
    return (int32_t)((uint32_t)acc + (uint32_t)(x * w));
}

/* Four terms of one product by the DSP extension; x's word is widened by the caller. */
TG_INLINE int32_t tg_dot_word(uint32_t x_even, uint32_t x_odd, uint32_t w, int32_t acc)
{
    return tg_smlad(x_odd, tg_sxtb16_odd(w), tg_smlad(x_even, tg_sxtb16(w), acc));
}

/* acc += x . w */
TG_INLINE int32_t tg_dot_1x1(int32_t dsp, int32_t depth, const int8_t *x, const int8_t *w,
                             int32_t acc)
{
    const int32_t words = dsp ? depth & ~3 : 0;
    for (int32_t k = 0; k < words; k += 4) {
        const uint32_t word = tg_load_4xs8(x + k);
        acc = tg_dot_word(tg_sxtb16(word), tg_sxtb16_odd(word), tg_load_4xs8(w + k), acc);
    }
    for (int32_t k = words; k < depth; ++k) {
        acc = tg_mac(acc, x[k], w[k]);
    }
    return acc;
}

/* acc[2 * c + r] += x[r] . w[c]; rows of x are x_step bytes apart, rows of w w_step bytes. */
TG_INLINE void tg_dot_2x2(int32_t dsp, int32_t depth, const int8_t *x, int32_t x_step,
                          const int8_t *w, int32_t w_step, int32_t acc[4])
{
    const int8_t *const x1 = x + x_step;
    const int8_t *const w1 = w + w_step;
    int32_t a00 = acc[0], a01 = acc[1], a10 = acc[2], a11 = acc[3];
    const int32_t words = dsp ? depth & ~3 : 0;
    for (int32_t k = 0; k < words; k += 4) {
        const uint32_t word0 = tg_load_4xs8(x + k);
        const uint32_t word1 = tg_load_4xs8(x1 + k);
        const uint32_t v0 = tg_load_4xs8(w + k);
        const uint32_t v1 = tg_load_4xs8(w1 + k);
        const uint32_t even0 = tg_sxtb16(word0), odd0 = tg_sxtb16_odd(word0);
        const uint32_t even1 = tg_sxtb16(word1), odd1 = tg_sxtb16_odd(word1);
        uint32_t even = tg_sxtb16(v0), odd = tg_sxtb16_odd(v0);
        a00 = tg_smlad(odd0, odd, tg_smlad(even0, even, a00));
        a01 = tg_smlad(odd1, odd, tg_smlad(even1, even, a01));
        even = tg_sxtb16(v1), odd = tg_sxtb16_odd(v1);
        a10 = tg_smlad(odd0, odd, tg_smlad(even0, even, a10));
        a11 = tg_smlad(odd1, odd, tg_smlad(even1, even, a11));
    }
    TG_UNROLL(4)
    for (int32_t k = words; k < depth; ++k) {
        const int32_t v0 = w[k], v1 = w1[k], u0 = x[k], u1 = x1[k];
        a00 = tg_mac(a00, u0, v0);
        a01 = tg_mac(a01, u1, v0);
        a10 = tg_mac(a10, u0, v1);
        a11 = tg_mac(a11, u1, v1);
    }
    acc[0] = a00, acc[1] = a01, acc[2] = a10, acc[3] = a11;
}

/* acc[c] += x . w[c]; rows of w are w_step bytes apart. */
TG_INLINE void tg_dot_1x4(int32_t dsp, int32_t depth, const int8_t *x, const int8_t *w,
                          int32_t w_step, int32_t acc[4])
{
    const int8_t *const w1 = w + w_step;
    const int8_t *const w2 = w1 + w_step;
    const int8_t *const w3 = w2 + w_step;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    const int32_t words = dsp ? depth & ~3 : 0;
    for (int32_t k = 0; k < words; k += 4) {
        const uint32_t word = tg_load_4xs8(x + k);
        const uint32_t even = tg_sxtb16(word), odd = tg_sxtb16_odd(word);
        a0 = tg_dot_word(even, odd, tg_load_4xs8(w + k), a0);
        a1 = tg_dot_word(even, odd, tg_load_4xs8(w1 + k), a1);
        a2 = tg_dot_word(even, odd, tg_load_4xs8(w2 + k), a2);
        a3 = tg_dot_word(even, odd, tg_load_4xs8(w3 + k), a3);
    }
    TG_UNROLL(4)
    for (int32_t k = words; k < depth; ++k) {
        const int32_t u = x[k];
        a0 = tg_mac(a0, u, w[k]);
        a1 = tg_mac(a1, u, w1[k]);
        a2 = tg_mac(a2, u, w2[k]);
        a3 = tg_mac(a3, u, w3[k]);
    }
    acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3;
}

#endif
