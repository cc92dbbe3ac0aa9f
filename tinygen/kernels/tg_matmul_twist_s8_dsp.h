/* Rows of int8 activations times a matrix of int8 weights, for few rows: each weight is used but
 * once or twice, so it is worth no packing that makes it longer.
 *
 * The arithmetic is that of tg_twist.h with the sides changed: a word of weights is stored mixed,
 * w0 + 128, w1, w2 + 128, w3, and a word of activations is made into the pairs
 *
 *     P = (x1 - 127, x3 - 127) and Q = (256 x0 - P0, 256 x2 - P1),
 *
 * once per row, into scratch. SMLAD of the raw word with P and of its UXTB16 with Q add up
 * 256 (w0 x0 + w1 x1 + ...) and two terms more: -256 * 127 * (w1 + w3), which is constant and part
 * of each sum's start, and 2^15 * (x0 + x2), the same for all channels and known after making the
 * pairs. (The 127 keeps Q within 16 bits for every x.)
 *
 * Four channels at a time: per step of four activations 4 words of weights and 2 of pairs are
 * loaded, 4 words widened, and 8 SMLAD do 16 multiplications. One pointer walks through the
 * weights, which are packed in the order of use: for each four channels the starts of the sums, for
 * each step a word of each channel, and the constants of each requantization.
 */
#ifndef TG_MATMUL_TWIST_S8_DSP_H
#define TG_MATMUL_TWIST_S8_DSP_H

#include "tg_require_dsp.h"
#include "tg_twist.h"

typedef struct {
    int32_t rows;
    int32_t depth;    /* bytes of a row of x */
    int32_t out_c;    /* bytes of a row of y, at least 4 */
    int32_t unrolled; /* steps that are written out */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_matmul_twist_s8_shape;

typedef struct {
    const int32_t *weights; /* as above; a last group of fewer channels begins among those before */
} tg_matmul_twist_s8_params;

TG_INLINE int32_t tg_matmul_twist_steps(const tg_matmul_twist_s8_shape *shape)
{
    return (shape->depth + 3) / 4;
}

/* Words of four channels. */
TG_INLINE int32_t tg_matmul_twist_words(const tg_matmul_twist_s8_shape *shape)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    return 4 + 4 * tg_matmul_twist_steps(shape) + 4 * tg_twist_constants(&output);
}

/* Makes a row's pairs; returns 2^15 times the sum of its even activations. */
TG_INLINE int32_t tg_matmul_twist_pairs(const tg_matmul_twist_s8_shape *shape, const int8_t *x,
                                        uint32_t *pairs)
{
    int32_t sum = 0;
    for (int32_t k = 0; k + 4 <= shape->depth; k += 4) {
        const uint32_t word = tg_load_4xs8(x + k);
        const uint32_t p = tg_ssub16(tg_sxtb16_odd(word), 0x007f007fu);
        *pairs++ = p;
        *pairs++ = tg_ssub16((word << 8) & 0xff00ff00u, p);
        sum = tg_smlad(tg_sxtb16(word), 0x00010001u, sum);
    }
    const int32_t rest = shape->depth % 4;
    if (rest > 0) {
        /* Beyond the row P and Q are zero, as if x were 0 where even and 127 where odd. */
        const int32_t k = shape->depth - rest;
        const int32_t x1 = rest > 1 ? x[k + 1] : 127;
        const int32_t x2 = rest > 2 ? x[k + 2] : 0;
        const uint32_t p = ((uint32_t)(x1 - 127)) & 0xffffu;
        *pairs++ = p;
        *pairs++ = tg_ssub16((((uint32_t)x[k] & 0xffu) << 8) | (uint32_t)x2 << 24, p);
        sum += x[k] + x2;
    }
    return (int32_t)((uint32_t)sum << 15);
}

#if defined(TG_TWIST_ASSEMBLY)
/* r0: pairs. r1: weights. r2: results. lr: counts steps. r3: P. r4: Q. r5, r6, r7, r12: a word of
 * each channel's weights. r8 to r11: the sums. */
#define TG_MATMUL_TWIST_STEP                                                                       \
    "ldr r4, [r0, #4]\n\t"                                                                         \
    "ldr r3, [r0], #8\n\t"                                                                         \
    "ldr r6, [r1, #4]\n\t"                                                                         \
    "ldr r7, [r1, #8]\n\t"                                                                         \
    "ldr r12, [r1, #12]\n\t"                                                                       \
    "ldr r5, [r1], #16\n\t"                                                                        \
    "smlad r9, r6, r3, r9\n\t"                                                                     \
    "smlad r8, r5, r3, r8\n\t"                                                                     \
    "uxtb16 r6, r6\n\t"                                                                            \
    "smlad r10, r7, r3, r10\n\t"                                                                   \
    "uxtb16 r5, r5\n\t"                                                                            \
    "smlad r11, r12, r3, r11\n\t"                                                                  \
    "uxtb16 r7, r7\n\t"                                                                            \
    "smlad r9, r6, r4, r9\n\t"                                                                     \
    "uxtb16 r12, r12\n\t"                                                                          \
    "smlad r8, r5, r4, r8\n\t"                                                                     \
    "smlad r10, r7, r4, r10\n\t"                                                                   \
    "smlad r11, r12, r4, r11\n\t"

#define TG_MATMUL_TWIST_OUTPUT(a)                                                                  \
    TG_TWIST_CONSTANTS("r1", "r3", "r4", "r5", "r6")                                               \
    TG_TWIST_REQUANT(a, "r3", "r4", "r5", "r6", "r7")                                              \
    "strb " a ", [r2], #1\n\t"

TG_INLINE void tg_matmul_twist_assembly(const tg_matmul_twist_s8_shape *shape,
                                        const uint32_t *pairs, int32_t offset,
                                        const int32_t *weights, int8_t *y, int32_t fours)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t steps = tg_matmul_twist_steps(shape);
    const int32_t loops = steps > shape->unrolled ? steps / shape->unrolled : 0;
    const int32_t rest = steps - loops * shape->unrolled;
    register const uint32_t *r0 __asm__("r0") = pairs;
    register const int32_t *r1 __asm__("r1") = weights;
    register int8_t *r2 __asm__("r2") = y;
    register const int32_t *r3 __asm__("r3") = weights + fours * tg_matmul_twist_words(shape);
    register int32_t r4 __asm__("r4") = offset;
    __asm__ volatile(
        "push {r3, r4}\n"
        "1:\n\t" /* four channels */
        "ldr r7, [sp, #4]\n\t"
        "ldr r8, [r1], #4\n\t"
        "ldr r9, [r1], #4\n\t"
        "ldr r10, [r1], #4\n\t"
        "ldr r11, [r1], #4\n\t"
        "sub r8, r8, r7\n\t"
        "sub r9, r9, r7\n\t"
        "sub r10, r10, r7\n\t"
        "sub r11, r11, r7\n\t"
        ".if %c[loops]\n\t"
        "mov lr, #%c[loops]\n"
        "2:\n\t"
        ".rept %c[unrolled]\n\t" TG_MATMUL_TWIST_STEP ".endr\n\t"
        "subs lr, lr, #1\n\t"
        "bne 2b\n\t"
        ".endif\n\t"
        ".rept %c[rest]\n\t" TG_MATMUL_TWIST_STEP ".endr\n\t"
        TG_MATMUL_TWIST_OUTPUT("r8")
        TG_MATMUL_TWIST_OUTPUT("r9")
        TG_MATMUL_TWIST_OUTPUT("r10")
        TG_MATMUL_TWIST_OUTPUT("r11")
        "ldr r3, [sp]\n\t"
        "sub r0, r0, #8 * %c[steps]\n\t"
        "cmp r1, r3\n\t"
        "bne 1b\n\t"
        "add sp, sp, #8"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4)
        : [loops] "n"(loops), [rest] "n"(rest), [unrolled] "n"(shape->unrolled), [steps] "n"(steps),
          TG_TWIST_OPERANDS(&output)
        : "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* One row times groups of four channels. */
TG_INLINE void tg_matmul_twist_fours(const tg_matmul_twist_s8_shape *shape, const uint32_t *pairs,
                                     int32_t offset, const int32_t *weights, int8_t *y,
                                     int32_t fours)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(shape->depth) && __builtin_constant_p(shape->shift)) {
        tg_matmul_twist_assembly(shape, pairs, offset, weights, y, fours);
        return;
    }
#endif
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t constants = tg_twist_constants(&output);
    const int32_t steps = tg_matmul_twist_steps(shape);
    const int32_t words = tg_matmul_twist_words(shape);
    for (int32_t four = 0; four < fours; ++four, weights += words) {
        for (int32_t i = 0; i < 4; ++i) {
            int32_t acc = (int32_t)((uint32_t)weights[i] - (uint32_t)offset);
            for (int32_t step = 0; step < steps; ++step) {
                const uint32_t w = (uint32_t)weights[4 + 4 * step + i];
                acc = tg_smlad(w, pairs[2 * step], acc);
                acc = tg_smlad(w & 0x00ff00ffu, pairs[2 * step + 1], acc);
            }
            *y++ = tg_twist_s8(&output, acc, weights + words - (4 - i) * constants);
        }
    }
}

TG_INLINE void tg_matmul_twist_s8_dsp(const tg_matmul_twist_s8_shape *shape,
                                      const tg_matmul_twist_s8_params *params,
                                      const int8_t *restrict x, int8_t *restrict y,
                                      int8_t *restrict scratch)
{
    uint32_t *const pairs = (uint32_t *)(void *)scratch;
    const int32_t fours = shape->out_c / 4;
    for (int32_t row = 0; row < shape->rows; ++row) {
        const int32_t offset = tg_matmul_twist_pairs(shape, x, pairs);
        tg_matmul_twist_fours(shape, pairs, offset, params->weights, y, fours);
        x += shape->depth;
        y += shape->out_c;
        if (shape->out_c % 4) {
            tg_matmul_twist_fours(shape, pairs, offset,
                                  params->weights + fours * tg_matmul_twist_words(shape), y - 4, 1);
        }
    }
}

#endif
