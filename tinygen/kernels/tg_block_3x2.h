/* Three patches of activations times a matrix of weights, by blocks of 3 patches and 2 channels.
 *
 * The six sums of a block stay in registers while the patches stream by: per step of four
 * activations 3 words of patches and 4 words of weights are loaded, 3 widened, and 12 SMLAD do 24
 * multiplications (see tg_twist.h for the arithmetic): one cycle for each on a Cortex-M4. The
 * weights were packed in the order of use, so that one pointer walks through them: for each pair of
 * channels
 *
 *     the start of either sum,
 *     for each step (w1, w3) of either channel, then (256 w0 - w1, 256 w2 - w3) of either,
 *     the constants of either requantization.
 */
#ifndef TG_BLOCK_3X2_H
#define TG_BLOCK_3X2_H

#include "tg_twist.h"

/* All are constants of the shape. */
typedef struct {
    int32_t depth; /* bytes of a patch, a multiple of 4 */
    int32_t out_c; /* bytes from a pixel's outputs to the next one's */
    int32_t unrolled; /* steps beyond the first that are written out at most */
    int32_t together; /* pairs of channels that are written out, where all steps are */
    tg_twist_output output;
} tg_block_3x2_shape;

/* Channels from which on copying patches to the stack pays. */
#define TG_BLOCK_3X2_MANY 32

/* Words of a pair of channels. */
TG_INLINE int32_t tg_block_3x2_words(const tg_block_3x2_shape *shape)
{
    return 2 + shape->depth + 2 * tg_twist_constants(&shape->output);
}

#if defined(TG_TWIST_ASSEMBLY)
/* r0: patches. r1: weights. r2: counts steps, or points to the results. r3, r4, r5: a word of each
 * patch. r6, r7: weights of either channel. Sums of the first channel in r8, r9, r10, of the second
 * in r11, r12, lr, each made from what the macro's parameter of its number names. The order
 * matters: loads next to each other take a cycle less, and the Cortex-M7 starts neighbours of
 * different kinds together.
 *
 * Where all steps are written out, r0 stays where it is. If there are many channels besides, the
 * patches are copied to the stack first. The stack pointer then leads to them, r0 and r2 are free
 * for weights, and a step's loads all stand next to each other. */
#define TG_BLOCK_3X2_STEP(s8, s9, s10, s11, s12, s14)                                              \
    ".if %c[copied]\n\t"                                                                           \
    "ldr r4, [sp, #.Ltg_offset + %c[depth]]\n\t"                                                   \
    "ldr r5, [sp, #.Ltg_offset + 2 * %c[depth]]\n\t"                                               \
    "ldr r3, [sp, #.Ltg_offset]\n\t"                                                               \
    "ldr r7, [r1, #4]\n\t"                                                                         \
    "ldr r0, [r1, #8]\n\t"                                                                         \
    "ldr r2, [r1, #12]\n\t"                                                                        \
    "ldr r6, [r1], #16\n\t"                                                                        \
    ".else\n\t"                                                                                    \
    ".if %c[loops]\n\t"                                                                            \
    "ldr r4, [r0, #%c[depth]]\n\t"                                                                 \
    "ldr r5, [r0, #2 * %c[depth]]\n\t"                                                             \
    "ldr r3, [r0], #4\n\t"                                                                         \
    ".else\n\t"                                                                                    \
    "ldr r4, [r0, #.Ltg_offset + %c[depth]]\n\t"                                                   \
    "ldr r5, [r0, #.Ltg_offset + 2 * %c[depth]]\n\t"                                               \
    "ldr r3, [r0, #.Ltg_offset]\n\t"                                                               \
    ".endif\n\t"                                                                                   \
    "ldr r7, [r1, #4]\n\t"                                                                         \
    "ldr r6, [r1], #8\n\t"                                                                         \
    ".endif\n\t"                                                                                   \
    ".set .Ltg_offset, .Ltg_offset + 4\n\t"                                                        \
    "smlad r11, r3, r7, " s11 "\n\t"                                                               \
    "smlad r8, r3, r6, " s8 "\n\t"                                                                 \
    "smlad r12, r4, r7, " s12 "\n\t"                                                               \
    "uxtb16 r3, r3\n\t"                                                                            \
    "smlad r9, r4, r6, " s9 "\n\t"                                                                 \
    "smlad lr, r5, r7, " s14 "\n\t"                                                                \
    "uxtb16 r4, r4\n\t"                                                                            \
    "smlad r10, r5, r6, " s10 "\n\t"                                                               \
    ".if %c[copied]\n\t"                                                                           \
    "uxtb16 r5, r5\n\t"                                                                            \
    "smlad r11, r3, r2, r11\n\t"                                                                   \
    "smlad r8, r3, r0, r8\n\t"                                                                     \
    "smlad r12, r4, r2, r12\n\t"                                                                   \
    "smlad r9, r4, r0, r9\n\t"                                                                     \
    "smlad lr, r5, r2, lr\n\t"                                                                     \
    "smlad r10, r5, r0, r10\n\t"                                                                   \
    ".else\n\t"                                                                                    \
    "ldr r7, [r1, #4]\n\t"                                                                         \
    "ldr r6, [r1], #8\n\t"                                                                         \
    "uxtb16 r5, r5\n\t"                                                                            \
    "smlad r11, r3, r7, r11\n\t"                                                                   \
    "smlad r8, r3, r6, r8\n\t"                                                                     \
    "smlad r12, r4, r7, r12\n\t"                                                                   \
    "smlad r9, r4, r6, r9\n\t"                                                                     \
    "smlad lr, r5, r7, lr\n\t"                                                                     \
    "smlad r10, r5, r6, r10\n\t"                                                                   \
    ".endif\n\t"

#define TG_BLOCK_3X2_NEXT TG_BLOCK_3X2_STEP("r8", "r9", "r10", "r11", "r12", "lr")

TG_INLINE void tg_block_3x2_assembly(const tg_block_3x2_shape *shape, const int8_t *x,
                                     const int32_t *weights, int8_t *y, int32_t pairs)
{
    const int32_t more = shape->depth / 4 - 1;
    const int32_t loops = more > shape->unrolled ? more / shape->unrolled : 0;
    const int32_t rest = more - loops * shape->unrolled;
    const int32_t copied = loops == 0 && shape->out_c >= TG_BLOCK_3X2_MANY;
    const int32_t together = loops == 0 && pairs % shape->together == 0 ? shape->together : 1;
    register const int8_t *r0 __asm__("r0") = x;
    register const int32_t *r1 __asm__("r1") = weights;
    register int8_t *r2 __asm__("r2") = y;
    register const int32_t *r3 __asm__("r3") = weights + pairs * tg_block_3x2_words(shape);
    __asm__ volatile(
        "push {r2, r3}\n\t"
        ".if %c[copied]\n\t"
        "sub sp, sp, #3 * %c[depth]\n\t"
        "mov r2, sp\n\t"
        ".rept %c[depth] / 4\n\t"
        "ldm r0!, {r3, r4, r5}\n\t"
        "stm r2!, {r3, r4, r5}\n\t"
        ".endr\n\t"
        ".endif\n"
        "1:\n\t"
        ".rept %c[together]\n\t" /* a pair of channels */
        ".set .Ltg_offset, 0\n\t"
        "ldr r10, [r1], #4\n\t"
        "ldr lr, [r1], #4\n\t" TG_BLOCK_3X2_STEP("r10", "r10", "r10", "lr", "lr", "lr")
        ".if %c[loops]\n\t"
        "mov r2, #%c[loops]\n"
        "2:\n\t"
        ".rept %c[unrolled]\n\t" TG_BLOCK_3X2_NEXT ".endr\n\t"
        "subs r2, r2, #1\n\t"
        "bne 2b\n\t"
        ".endif\n\t"
        ".rept %c[rest]\n\t" TG_BLOCK_3X2_NEXT ".endr\n\t"
        ".if %c[has_step] || %c[shift] == 0\n\t"
        ".if %c[loops] || %c[copied]\n\t"
        "ldr r2, [sp, #%c[kept]]\n\t"
        ".endif\n\t" TG_TWIST_CONSTANTS("r1", "r3", "r4", "r5", "r6")
        TG_TWIST_REQUANT("r8", "r3", "r4", "r5", "r6", "r7")
        TG_TWIST_REQUANT("r9", "r3", "r4", "r5", "r6", "r7")
        TG_TWIST_REQUANT("r10", "r3", "r4", "r5", "r6", "r7")
        TG_TWIST_CONSTANTS("r1", "r3", "r4", "r5", "r6")
        TG_TWIST_REQUANT("r11", "r3", "r4", "r5", "r6", "r7")
        TG_TWIST_REQUANT("r12", "r3", "r4", "r5", "r6", "r7")
        TG_TWIST_REQUANT("lr", "r3", "r4", "r5", "r6", "r7")
        ".else\n\t" /* two constants a channel: all loads at once */
        ".if %c[loops] || %c[copied]\n\t"
        "ldr r2, [sp, #%c[kept]]\n\t"
        ".endif\n\t" TG_TWIST_CONSTANTS("r1", "r3", "r4", "", "")
        TG_TWIST_CONSTANTS("r1", "r5", "r6", "", "")
        ".if %c[together] == 1\n\t"
        "ldr r7, [sp, #%c[kept] + 4]\n\t"
        ".endif\n\t"
        TG_TWIST_REQUANT("r8", "r3", "r4", "", "", "")
        TG_TWIST_REQUANT("r9", "r3", "r4", "", "", "")
        TG_TWIST_REQUANT("r10", "r3", "r4", "", "", "")
        TG_TWIST_REQUANT("r11", "r5", "r6", "", "", "")
        TG_TWIST_REQUANT("r12", "r5", "r6", "", "", "")
        TG_TWIST_REQUANT("lr", "r5", "r6", "", "", "")
        ".endif\n\t"
        "strb r9, [r2, #%c[out_c]]\n\t"
        "strb r10, [r2, #2 * %c[out_c]]\n\t"
        "strb r11, [r2, #1]\n\t"
        "strb r12, [r2, #1 + %c[out_c]]\n\t"
        "strb lr, [r2, #1 + 2 * %c[out_c]]\n\t"
        "strb r8, [r2], #2\n\t"
        ".if %c[loops] || %c[copied]\n\t"
        "str r2, [sp, #%c[kept]]\n\t"
        ".endif\n\t"
        ".if %c[loops]\n\t"
        "sub r0, r0, #%c[depth]\n\t"
        ".endif\n\t"
        ".endr\n\t"
        ".if %c[together] > 1 || %c[has_step] || %c[shift] == 0\n\t"
        "ldr r7, [sp, #%c[kept] + 4]\n\t"
        ".endif\n\t"
        "cmp r1, r7\n\t"
        "bne 1b\n\t"
        "add sp, sp, #8 + %c[kept]"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [depth] "n"(shape->depth), [out_c] "n"(shape->out_c), [loops] "n"(loops),
          [rest] "n"(rest), [unrolled] "n"(shape->unrolled), [copied] "n"(copied),
          [together] "n"(together), [kept] "n"(copied ? 3 * shape->depth : 0),
          TG_TWIST_OPERANDS(&shape->output)
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* One patch and channel, number 0 or 1 of its pair. */
TG_INLINE int32_t tg_block_3x2_sum(const tg_block_3x2_shape *shape, const int8_t *x,
                                   const int32_t *weights, int32_t channel)
{
    const int32_t *w = weights + 2 + channel;
    int32_t acc = weights[channel];
    for (int32_t k = 0; k < shape->depth; k += 4, w += 4) {
        const uint32_t word = tg_load_4xs8(x + k);
        acc = tg_smlad(word, (uint32_t)w[0], acc);
        acc = tg_smlad(word & 0x00ff00ffu, (uint32_t)w[2], acc);
    }
    return acc;
}

/* Three mixed patches at x, depth bytes apart and aligned to words, times pairs of channels. */
TG_INLINE void tg_block_3x2(const tg_block_3x2_shape *shape, const int8_t *x,
                            const int32_t *weights, int8_t *y, int32_t pairs)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(shape->depth) && __builtin_constant_p(shape->output.shift)) {
        tg_block_3x2_assembly(shape, x, weights, y, pairs);
        return;
    }
#endif
    const int32_t words = tg_block_3x2_words(shape);
    const int32_t constants = tg_twist_constants(&shape->output);
    for (int32_t pair = 0; pair < pairs; ++pair, weights += words, y += 2) {
        for (int32_t channel = 0; channel < 2; ++channel) {
            const int32_t *const own = weights + words - (2 - channel) * constants;
            for (int32_t i = 0; i < 3; ++i) {
                const int8_t *const patch = x + i * shape->depth;
                const int32_t acc = tg_block_3x2_sum(shape, patch, weights, channel);
                y[i * shape->out_c + channel] = tg_twist_s8(&shape->output, acc, own);
            }
        }
    }
}

#endif
