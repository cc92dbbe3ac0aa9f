/* Dot products of int8 whose weights stay bytes, for the Arm DSP extension.
 *
 * SMLAD multiplies two pairs of int16 and adds both products; int8 has to be widened first. A
 * word of four weights is stored as two halves
 *
 *     W = (256 * w1 + w0, 256 * w3 + w2)
 *
 * that is, as four bytes of which an odd one is less by one where the even one before is negative.
 * So W itself is a pair, and SXTB16 of it is (w0, w2). A word of four activations becomes the pairs
 *
 *     P = (x1 - 127, x3 - 127) and Q = (256 * x0 - P0, 256 * x2 - P1),
 *
 * by three instructions: SXTAB16, and REV16 after flipping bits, as 127 - x1 is x1 ^ 0x7f. The 127
 * keeps Q within 16 bits for every x. SMLAD of W with P gives 256 w1 P0 + w0 P0 and so on, SMLAD of
 * SXTB16(W) with Q adds 256 w0 x0 - w0 P0: what is unwanted cancels, and the sum is
 * 256 * (w0 x0 + w1 x1 + ...) but for -256 * 127 * (w1 + w3), which is constant and part of where
 * the sum starts.
 *
 * This is tg_twist.h's arithmetic with the sides changed: there the activations stay bytes and
 * flash holds pairs of weights, four bytes for each; here flash holds a byte for each, and pairs of
 * activations are made once for all channels. The sums and their requantization are the same.
 */
#ifndef TG_COMPACT_H
#define TG_COMPACT_H

#include "tg_twist.h"

#define TG_COMPACT_LESS 0xff81ff81u /* -127 in either half */
#define TG_COMPACT_FLIP 0x7f007f00u

TG_INLINE uint32_t tg_compact_p(uint32_t word)
{
    return tg_sxtab16_odd(TG_COMPACT_LESS, word);
}

TG_INLINE uint32_t tg_compact_q(uint32_t word)
{
    return tg_rev16(word ^ TG_COMPACT_FLIP);
}

/* acc and a word of weights times a word of activations. */
TG_INLINE int32_t tg_compact_add(int32_t acc, uint32_t w, uint32_t p, uint32_t q)
{
    return tg_smlad(tg_sxtb16(w), q, tg_smlad(w, p, acc));
}

/* Copies bytes by words, of which a last one overlaps the one before. */
TG_INLINE void tg_copy_s8(int8_t *to, const int8_t *from, int32_t bytes)
{
    int32_t i = 0;
    TG_UNROLL(1)
    for (; i <= bytes - 4; i += 4) {
        /* Hidden, or compilers make a call to memmove of these few words. */
        tg_store_4xs8(to + i, (uint32_t)tg_hidden((int32_t)tg_load_4xs8(from + i)));
    }
    if (bytes >= 4) {
        tg_store_4xs8(to + bytes - 4, tg_load_4xs8(from + bytes - 4));
        return;
    }
    TG_UNROLL(1)
    for (; i < bytes; ++i) {
        to[i] = from[i];
    }
}

TG_INLINE void tg_fill_s8(int8_t *to, int32_t value, int32_t bytes)
{
    TG_UNROLL(1)
    for (int32_t i = 0; i < bytes; ++i) {
        to[i] = (int8_t)value;
    }
}

/* What the kernels' inner loops have to know of a layer at run time. The weights are packed in the
 * order of use, so that one pointer walks through them: for each group of channels
 *
 *     the start of each sum,
 *     for each step of four activations a word of each channel,
 *     the constants of each requantization,
 *
 * and the same for each single channel of those that are left. */
typedef struct {
    const void *x;   /* the activations */
    int32_t steps;
    int32_t loops;   /* of TG_COMPACT_UNROLLED steps */
    int32_t skipped; /* bytes of code to skip at first, where the steps are no whole loops */
    int32_t shift;   /* see tg_twist.h */
    int32_t flags;   /* bit 0: channels have a step; bit 1: they have shifts of their own */
    int8_t *y, *next; /* results, and those of a second patch */
    const int32_t *groups_end, *end; /* of the weights */
} tg_compact_work;

#define TG_COMPACT_UNROLLED 4

/* Words of so many channels. */
TG_INLINE int32_t tg_compact_words(const tg_twist_output *output, int32_t steps, int32_t channels)
{
    return channels * (1 + steps + tg_twist_constants(output));
}

/* The work of a layer; a step takes step_bytes of code. */
TG_INLINE tg_compact_work tg_compact_start(const tg_twist_output *output, int32_t steps,
                                           int32_t channels, int32_t group, int32_t step_bytes,
                                           const int32_t *weights)
{
    const int32_t unrolled = TG_COMPACT_UNROLLED;
    const int32_t loops = (steps + unrolled - 1) / unrolled;
    const tg_compact_work work = {
        .steps = steps,
        .loops = loops,
        .skipped = (unrolled * loops - steps) * step_bytes,
        .shift = output->shift,
        .flags = (output->has_step ? 1 : 0) | (output->shift == 0 ? 2 : 0),
        .groups_end = weights + tg_compact_words(output, steps, channels - channels % group),
        .end = weights + tg_compact_words(output, steps, channels),
    };
    return work;
}

/* Clamps what the kernels' assembly has stored; they saturate to int8. */
TG_INLINE void tg_compact_clamp(const tg_twist_output *output, int8_t *y, int32_t bytes)
{
    if (output->low > INT8_MIN || output->high < INT8_MAX) {
        TG_UNROLL(1)
        for (int32_t i = 0; i < bytes; ++i) {
            y[i] = (int8_t)tg_clamp(y[i], output->low, output->high);
        }
    }
}

#if defined(TG_TWIST_ASSEMBLY)
/* The fields of the work by name, for assembly. */
#define TG_COMPACT_WORK                                                                            \
    [x] "n"(offsetof(tg_compact_work, x)), [steps] "n"(offsetof(tg_compact_work, steps)),          \
        [loops] "n"(offsetof(tg_compact_work, loops)),                                             \
        [skipped] "n"(offsetof(tg_compact_work, skipped)),                                         \
        [shift] "n"(offsetof(tg_compact_work, shift)),                                             \
        [flags] "n"(offsetof(tg_compact_work, flags)), [y] "n"(offsetof(tg_compact_work, y)),      \
        [next] "n"(offsetof(tg_compact_work, next)),                                               \
        [groups_end] "n"(offsetof(tg_compact_work, groups_end)),                                   \
        [end] "n"(offsetof(tg_compact_work, end)), [unrolled] "n"(TG_COMPACT_UNROLLED)

/* What the macros below have to provide for; what all layers agree on costs no instructions. */
#define TG_COMPACT_OPERANDS(output)                                                                \
    TG_COMPACT_WORK,                                                                               \
        [has_step] "n"(__builtin_constant_p((output)->has_step) ? (output)->has_step : 1),         \
        [own_shift] "n"(__builtin_constant_p((output)->shift) ? (output)->shift == 0 : 1)

/* Takes the flags to the processor's N (steps) and C (shifts of their own), and clears d. */
#define TG_COMPACT_FLAGS(work, d)                                                                  \
    ".if %c[has_step] || %c[own_shift]\n\t"                                                        \
    "ldr " d ", [" work ", %[flags]]\n\t"                                                          \
    "lsls " d ", " d ", #31\n\t"                                                                   \
    "mov " d ", #0\n\t"                                                                            \
    ".endif\n\t"

/* Loads a channel's constants: m (multiplier), c, d (step), n (shift), the last two where they
 * are. */
#define TG_COMPACT_CONSTANTS(from, m, c, d, n)                                                     \
    "ldr " m ", [" from "], #4\n\t"                                                                \
    "ldr " c ", [" from "], #4\n\t"                                                                \
    ".if %c[has_step]\n\t"                                                                         \
    "it mi\n\t"                                                                                    \
    "ldrmi " d ", [" from "], #4\n\t"                                                              \
    ".endif\n\t"                                                                                   \
    ".if %c[own_shift]\n\t"                                                                        \
    "it cs\n\t"                                                                                    \
    "ldrcs " n ", [" from "], #4\n\t"                                                              \
    ".endif\n\t"

/* tg_twist_s8 on register a in place, but for the clamp; t is free. Leaves the flags alone. */
#define TG_COMPACT_REQUANT(a, m, c, d, n, t)                                                       \
    TG_TWIST_SCALE(a, m, c, d, t)                                                                  \
    "asr " a ", " a ", " n "\n\t"                                                                  \
    "ssat " a ", #8, " a "\n\t"
#endif

#endif
