/* A row of int8 activations times a matrix of weights that stay bytes, four channels at a time,
 * without any scratch, for the Arm DSP extension.
 *
 * Per step of four activations a word of them is loaded and made into pairs by three instructions
 * (see tg_compact.h for the arithmetic), 4 words of weights are loaded and widened, and 8 SMLAD do
 * 16 multiplications: four cycles for three of them on a Cortex-M4. The one to three channels that
 * are left come one at a time. tg_compact_2x3.h is quicker by a quarter, for scratch to hold pairs.
 */
#ifndef TG_COMPACT_1X4_H
#define TG_COMPACT_1X4_H

#include "tg_compact.h"

#define TG_COMPACT_1X4_STEP_BYTES 80 /* 20 instructions of 4 bytes */

#if defined(TG_TWIST_ASSEMBLY)
/* r0: activations. r1: weights. r2: counts steps, or points to the results. r3: P. r4: a word of
 * activations, then Q. r5, r6, r7, r12: a word of each channel's weights. r8 to r11: the sums. lr:
 * -127 in either half. Each instruction takes 4 bytes, see tg_compact_2x3.h. */
#define TG_COMPACT_1X4_STEP                                                                     \
    "ldr.w r6, [r1, #4]\n\t"                                                                       \
    "ldr.w r7, [r1, #8]\n\t"                                                                       \
    "ldr.w r12, [r1, #12]\n\t"                                                                     \
    "ldr.w r4, [r0], #4\n\t"                                                                       \
    "ldr.w r5, [r1], #16\n\t"                                                                      \
    "sxtab16 r3, lr, r4, ror #8\n\t"                                                               \
    "eor.w r4, r4, %[flip]\n\t"                                                                    \
    "smlad r9, r6, r3, r9\n\t"                                                                     \
    "sxtb16 r6, r6\n\t"                                                                            \
    "smlad r10, r7, r3, r10\n\t"                                                                   \
    "sxtb16 r7, r7\n\t"                                                                            \
    "smlad r11, r12, r3, r11\n\t"                                                                  \
    "rev16.w r4, r4\n\t"                                                                           \
    "smlad r8, r5, r3, r8\n\t"                                                                     \
    "sxtb16 r12, r12\n\t"                                                                          \
    "smlad r9, r6, r4, r9\n\t"                                                                     \
    "sxtb16 r5, r5\n\t"                                                                            \
    "smlad r10, r7, r4, r10\n\t"                                                                   \
    "smlad r11, r12, r4, r11\n\t"                                                                  \
    "smlad r8, r5, r4, r8\n\t"

#define TG_COMPACT_1X4_OUTPUT(a)                                                                \
    TG_COMPACT_CONSTANTS("r1", "r3", "r4", "r5", "r6")                                             \
    TG_COMPACT_REQUANT(a, "r3", "r4", "r5", "r6", "r7")                                            \
    "strb " a ", [r2], #1\n\t"

#define TG_COMPACT_1X4_OUTPUTS                                                                  \
    "ldr r7, [sp]\n\t"                                                                             \
    "ldr r6, [r7, %[shift]]\n\t"                                                                   \
    "ldr r2, [r7, %[y]]\n\t" TG_COMPACT_FLAGS("r7", "r5")

/* One row; work is given back with its results behind the last. */
TG_INLINE void tg_compact_1x4_assembly(tg_compact_work *work, const tg_twist_output *output,
                                       const int32_t *weights, int32_t channels)
{
    /* Code for channels that no layer has is left out. */
    const int32_t has_fours = __builtin_constant_p(channels) ? channels >= 4 : 1;
    const int32_t has_rest = __builtin_constant_p(channels) ? channels % 4 != 0 : 1;
    register const int32_t *r1 __asm__("r1") = weights;
    register tg_compact_work *r2 __asm__("r2") = work;
    __asm__ volatile(
        "push {r2, r7}\n\t" /* r7 may be the frame pointer, which no clobber list saves */
        "mov r7, r2\n\t"
        "mvn lr, #0x007e007e\n\t" /* TG_COMPACT_LESS */
        ".if %c[has_fours]\n\t"
        "ldr r5, [r7, %[groups_end]]\n\t"
        "cmp r1, r5\n\t"
        "beq 3f\n"
        "1:\n\t" /* four channels */
        "ldr r0, [r7, %[x]]\n\t"
        "ldr r2, [r7, %[loops]]\n\t"
        "ldr r5, [r7, %[skipped]]\n\t"
        "ldr r8, [r1], #4\n\t"
        "ldr r9, [r1], #4\n\t"
        "ldr r10, [r1], #4\n\t"
        "ldr r11, [r1], #4\n\t"
        "add pc, r5\n\t" /* pc is what follows after two bytes more */
        "nop\n"
        "2:\n\t"
        ".rept %c[unrolled]\n\t" TG_COMPACT_1X4_STEP ".endr\n\t"
        "subs r2, r2, #1\n\t"
        "bne 2b\n\t" TG_COMPACT_1X4_OUTPUTS
        TG_COMPACT_1X4_OUTPUT("r8")
        TG_COMPACT_1X4_OUTPUT("r9")
        TG_COMPACT_1X4_OUTPUT("r10")
        TG_COMPACT_1X4_OUTPUT("r11")
        "ldr r7, [sp]\n\t"
        "ldr r5, [r7, %[groups_end]]\n\t"
        "str r2, [r7, %[y]]\n\t"
        "cmp r1, r5\n\t"
        "bne 1b\n"
        "3:\n\t"
        ".endif\n\t"
        ".if %c[has_rest]\n"
        "6:\n\t"
        "ldr r5, [r7, %[end]]\n\t"
        "cmp r1, r5\n\t"
        "beq 5f\n\t" /* a single channel */
        "ldr r0, [r7, %[x]]\n\t"
        "ldr r2, [r7, %[steps]]\n\t"
        "ldr r8, [r1], #4\n"
        "4:\n\t"
        "ldr r4, [r0], #4\n\t"
        "ldr r5, [r1], #4\n\t"
        "sxtab16 r3, lr, r4, ror #8\n\t"
        "eor r4, r4, %[flip]\n\t"
        "smlad r8, r5, r3, r8\n\t"
        "rev16 r4, r4\n\t"
        "sxtb16 r5, r5\n\t"
        "smlad r8, r5, r4, r8\n\t"
        "subs r2, r2, #1\n\t"
        "bne 4b\n\t" TG_COMPACT_1X4_OUTPUTS
        TG_COMPACT_1X4_OUTPUT("r8")
        "ldr r7, [sp]\n\t"
        "str r2, [r7, %[y]]\n\t"
        "b 6b\n"
        "5:\n\t"
        ".endif\n\t"
        "pop {r2, r7}"
        : "+r"(r1), "+r"(r2)
        : TG_COMPACT_OPERANDS(output), [flip] "n"(TG_COMPACT_FLIP), [has_fours] "n"(has_fours),
          [has_rest] "n"(has_rest)
        : "r0", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
          "memory");
}
#else
/* So many channels, whose weights lie together. */
TG_INLINE void tg_compact_1x4_group(const tg_compact_work *work, const tg_twist_output *output,
                                    const int32_t *weights, int32_t channels, int8_t *y)
{
    const int8_t *const x = work->x;
    const int32_t *const words = weights + channels;
    const int32_t *const constants = words + channels * work->steps;
    for (int32_t channel = 0; channel < channels; ++channel) {
        int32_t acc = weights[channel];
        for (int32_t step = 0; step < work->steps; ++step) {
            const uint32_t word = tg_load_4xs8(x + 4 * step);
            const uint32_t w = (uint32_t)words[step * channels + channel];
            acc = tg_compact_add(acc, w, tg_compact_p(word), tg_compact_q(word));
        }
        y[channel] = tg_twist_s8(output, acc, constants + channel * tg_twist_constants(output));
    }
}
#endif

/* The row of activations at work's x, a whole number of words, times all channels. */
TG_INLINE void tg_compact_1x4(tg_compact_work *work, const tg_twist_output *output,
                              const int32_t *weights, int8_t *y, int32_t channels)
{
    work->y = y;
#if defined(TG_TWIST_ASSEMBLY)
    tg_compact_1x4_assembly(work, output, weights, channels);
    tg_compact_clamp(output, y, channels);
#else
    for (int32_t at = 0; at < channels;) {
        const int32_t count = at + 4 <= channels ? 4 : 1;
        tg_compact_1x4_group(work, output, weights, count, y + at);
        weights += tg_compact_words(output, work->steps, count);
        at += count;
    }
#endif
}

#endif
