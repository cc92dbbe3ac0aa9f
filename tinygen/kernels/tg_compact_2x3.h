/* Two patches of activations times a matrix of weights that stay bytes, three channels at a time.
 *
 * The six sums of a block stay in registers while the patches stream by: per step of four
 * activations 4 words of pairs and 3 words of weights are loaded, 3 widened, and 12 SMLAD do 24
 * multiplications (see tg_compact.h for the arithmetic): one cycle for each on a Cortex-M4. All
 * that is particular to a layer is handed over at run time, so one function serves all layers.
 *
 * Pairs are stored by steps: P of either patch, then Q of either. The one or two channels that are
 * left come one at a time.
 */
#ifndef TG_COMPACT_2X3_H
#define TG_COMPACT_2X3_H

#include "tg_compact.h"

#define TG_COMPACT_2X3_STEP_BYTES 88 /* 22 instructions of 4 bytes */

#if defined(TG_TWIST_ASSEMBLY)
/* r0: pairs, or the results of the second patch. r1: weights. r2: counts steps, or the results of
 * the first patch. r3, r4: a pair of either patch. r5, r6, r7: a word of each channel. Sums of both
 * patches in r8 and r9 for the first channel, r10 and r11 for the second, r12 and lr for the third.
 * Loads next to each other take a cycle less. Each instruction takes 4 bytes: the first loop is
 * entered where only as many steps are left as there have to be. */
#define TG_COMPACT_2X3_STEP                                                                        \
    "ldr.w r4, [r0, #4]\n\t"                                                                       \
    "ldr.w r6, [r1, #4]\n\t"                                                                       \
    "ldr.w r7, [r1, #8]\n\t"                                                                       \
    "ldr.w r3, [r0], #8\n\t"                                                                       \
    "ldr.w r5, [r1], #12\n\t"                                                                      \
    "smlad r10, r6, r3, r10\n\t"                                                                   \
    "smlad r11, r6, r4, r11\n\t"                                                                   \
    "smlad r12, r7, r3, r12\n\t"                                                                   \
    "sxtb16 r6, r6\n\t"                                                                            \
    "smlad lr, r7, r4, lr\n\t"                                                                     \
    "smlad r8, r5, r3, r8\n\t"                                                                     \
    "sxtb16 r7, r7\n\t"                                                                            \
    "smlad r9, r5, r4, r9\n\t"                                                                     \
    "ldr.w r4, [r0, #4]\n\t"                                                                       \
    "ldr.w r3, [r0], #8\n\t"                                                                       \
    "sxtb16 r5, r5\n\t"                                                                            \
    "smlad r11, r6, r4, r11\n\t"                                                                   \
    "smlad lr, r7, r4, lr\n\t"                                                                     \
    "smlad r10, r6, r3, r10\n\t"                                                                   \
    "smlad r12, r7, r3, r12\n\t"                                                                   \
    "smlad r8, r5, r3, r8\n\t"                                                                     \
    "smlad r9, r5, r4, r9\n\t"

#define TG_COMPACT_2X3_OUTPUT(a, b)                                                                \
    TG_COMPACT_CONSTANTS("r1", "r3", "r4", "r5", "r6")                                             \
    TG_COMPACT_REQUANT(a, "r3", "r4", "r5", "r6", "r7")                                            \
    TG_COMPACT_REQUANT(b, "r3", "r4", "r5", "r6", "r7")                                            \
    "strb " a ", [r2], #1\n\t"                                                                     \
    "strb " b ", [r0], #1\n\t"

#define TG_COMPACT_2X3_OUTPUTS                                                                     \
    "ldr r7, [sp]\n\t"                                                                             \
    "ldr r6, [r7, %[shift]]\n\t"                                                                   \
    "ldr r2, [r7, %[y]]\n\t"                                                                       \
    "ldr r0, [r7, %[next]]\n\t" TG_COMPACT_FLAGS("r7", "r5")

/* One pass over all channels; work is given back with the results behind the last. */
TG_INLINE void tg_compact_2x3_assembly(tg_compact_work *work, const tg_twist_output *output,
                                       const int32_t *weights)
{
    register const int32_t *r1 __asm__("r1") = weights;
    register tg_compact_work *r2 __asm__("r2") = work;
    __asm__ volatile(
        "push {r2, r7}\n\t" /* r7 may be the frame pointer, which no clobber list saves */
        "mov r7, r2\n\t"
        "ldr r5, [r7, %[groups_end]]\n\t"
        "cmp r1, r5\n\t"
        "beq 3f\n"
        "1:\n\t" /* three channels */
        "ldr r0, [r7, %[x]]\n\t"
        "ldr r2, [r7, %[loops]]\n\t"
        "ldr r5, [r7, %[skipped]]\n\t"
        "ldr r8, [r1], #4\n\t"
        "ldr r10, [r1], #4\n\t"
        "ldr r12, [r1], #4\n\t"
        "mov r9, r8\n\t"
        "mov r11, r10\n\t"
        "mov lr, r12\n\t"
        "add pc, r5\n\t" /* pc is what follows after two bytes more */
        "nop\n"
        "2:\n\t"
        ".rept %c[unrolled]\n\t" TG_COMPACT_2X3_STEP ".endr\n\t"
        "subs r2, r2, #1\n\t"
        "bne 2b\n\t" TG_COMPACT_2X3_OUTPUTS
        TG_COMPACT_2X3_OUTPUT("r8", "r9")
        TG_COMPACT_2X3_OUTPUT("r10", "r11")
        TG_COMPACT_2X3_OUTPUT("r12", "lr")
        "ldr r7, [sp]\n\t"
        "ldr r5, [r7, %[groups_end]]\n\t"
        "str r2, [r7, %[y]]\n\t"
        "str r0, [r7, %[next]]\n\t"
        "cmp r1, r5\n\t"
        "bne 1b\n"
        "3:\n\t"
        "ldr r5, [r7, %[end]]\n\t"
        "cmp r1, r5\n\t"
        "beq 5f\n\t" /* a single channel */
        "ldr r0, [r7, %[x]]\n\t"
        "ldr r2, [r7, %[steps]]\n\t"
        "ldr r8, [r1], #4\n\t"
        "mov r9, r8\n"
        "4:\n\t"
        "ldr r4, [r0, #4]\n\t"
        "ldr r6, [r0, #8]\n\t"
        "ldr r7, [r0, #12]\n\t"
        "ldr r3, [r0], #16\n\t"
        "ldr r5, [r1], #4\n\t"
        "smlad r9, r5, r4, r9\n\t"
        "smlad r8, r5, r3, r8\n\t"
        "sxtb16 r5, r5\n\t"
        "smlad r8, r5, r6, r8\n\t"
        "smlad r9, r5, r7, r9\n\t"
        "subs r2, r2, #1\n\t"
        "bne 4b\n\t" TG_COMPACT_2X3_OUTPUTS
        TG_COMPACT_2X3_OUTPUT("r8", "r9")
        "ldr r7, [sp]\n\t"
        "str r2, [r7, %[y]]\n\t"
        "str r0, [r7, %[next]]\n\t"
        "b 3b\n"
        "5:\n\t"
        "pop {r2, r7}"
        : "+r"(r1), "+r"(r2)
        : TG_COMPACT_OPERANDS(output)
        : "r0", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
          "memory");
}
#else
/* So many channels of both patches, whose weights lie together. */
TG_INLINE void tg_compact_2x3_group(const tg_compact_work *work, const tg_twist_output *output,
                                    const int32_t *weights, int32_t channels, int32_t at)
{
    const uint32_t *const pairs = work->x;
    const int32_t *const words = weights + channels;
    const int32_t *const constants = words + channels * work->steps;
    for (int32_t i = 0; i < 2 * channels; ++i) {
        const int32_t channel = i / 2, patch = i % 2;
        int32_t acc = weights[channel];
        for (int32_t step = 0; step < work->steps; ++step) {
            const uint32_t w = (uint32_t)words[step * channels + channel];
            const uint32_t *const pair = pairs + 4 * step + patch;
            acc = tg_compact_add(acc, w, pair[0], pair[2]);
        }
        const int32_t *const own = constants + channel * tg_twist_constants(output);
        (patch ? work->next : work->y)[at + channel] = tg_twist_s8(output, acc, own);
    }
}
#endif

/* All channels of the two patches whose pairs work has, to y and next. */
TG_INLINE void tg_compact_2x3(tg_compact_work *work, const tg_twist_output *output,
                              const int32_t *weights, int8_t *y, int8_t *next, int32_t channels)
{
    work->y = y;
    work->next = next;
#if defined(TG_TWIST_ASSEMBLY)
    tg_compact_2x3_assembly(work, output, weights);
    tg_compact_clamp(output, y, channels);
    tg_compact_clamp(output, next, channels);
#else
    for (int32_t at = 0; at < channels;) {
        const int32_t count = at + 3 <= channels ? 3 : 1;
        tg_compact_2x3_group(work, output, weights, count, at);
        weights += tg_compact_words(output, work->steps, count);
        at += count;
    }
#endif
}

#endif
