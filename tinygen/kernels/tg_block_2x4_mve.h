/* Products of rows of int8 by blocks of two rows and four output channels, for Helium.
 *
 * VMLADAVA multiplies 16 pairs of int8 and adds all products to one register, so a block of two
 * rows (pixels) and four channels takes, for each 16 values of depth, six loads and eight such
 * instructions: 128 products in 14 instructions. The accumulators are the eight even registers,
 * the only ones that it takes.
 *
 * The weights lie in the order in which they are read: for each four channels, for each 16 values
 * of depth, the 16 (at the end of the depth fewer) of each channel; at the very end there are 15
 * bytes that are read and not used. Where the depth is no multiple of 16 the last load of a row
 * takes what is left and fills up with zeros, whatever the weights' load has read beyond its own.
 *
 * The last group may have fewer channels than four: the missing ones have weights of zero and are
 * not stored.
 */
#ifndef TG_BLOCK_2X4_MVE_H
#define TG_BLOCK_2X4_MVE_H

#include "tg_lanes_mve.h"

typedef struct {
    int32_t depth; /* of a row */
    int32_t out_c;
    tg_lane_output output;
} tg_block_2x4_shape;

#if defined(TG_MVE_ASSEMBLY)
/* Assembly, as compilers do not keep eight accumulators in even registers; below is the same in C.
 *
 * A step takes 16 values of each row, at r1 and r3, and as many weights of each channel, at r5.
 * Loads and products take turns as far as they can, so that they overlap. */
#define TG_BLOCK_STEP_1(dot, weights)                                                              \
    weights("q2") dot ".s8 r0, q0, q2\n\t"                                                         \
    weights("q3") dot ".s8 r2, q0, q3\n\t"                                                         \
    weights("q2") dot ".s8 r4, q0, q2\n\t"                                                         \
    weights("q3") dot ".s8 r6, q0, q3\n\t"
#define TG_BLOCK_STEP_2(dot, weights)                                                              \
    weights("q2") dot ".s8 r0, q0, q2\n\t"                                                         \
    weights("q3") dot ".s8 r8, q1, q2\n\t" dot ".s8 r2, q0, q3\n\t"                                \
    weights("q2") dot ".s8 r10, q1, q3\n\t" dot ".s8 r4, q0, q2\n\t"                               \
    weights("q3") dot ".s8 r12, q1, q2\n\t" dot ".s8 r6, q0, q3\n\t" dot ".s8 lr, q1, q3\n\t"
#define TG_BLOCK_16_WEIGHTS(q) "vldrb.8 " q ", [r5], #16\n\t"
#define TG_BLOCK_LAST_WEIGHTS(q) "vldrb.8 " q ", [r5], %[tail]\n\t"
#define TG_BLOCK_ROWS_1 "vldrb.8 q0, [r1], #16\n\t"
#define TG_BLOCK_ROWS_2 TG_BLOCK_ROWS_1 "vldrb.8 q1, [r3], #16\n\t"
#define TG_BLOCK_LAST_ROWS_1 "vpst\n\tvldrbt.8 q0, [r1]\n\t"
#define TG_BLOCK_LAST_ROWS_2 "vpstt\n\tvldrbt.8 q0, [r1]\n\tvldrbt.8 q1, [r3]\n\t"

/* The whole depth: `whole` steps, the first of which starts the sums, `more` are written out, and
 * the rest are `loops` times four; then one of `tail` values. */
#define TG_BLOCK_DEPTH(n)                                                                          \
    ".if %c[whole]\n\t"                                                                            \
    TG_BLOCK_ROWS_##n TG_BLOCK_STEP_##n("vmladav", TG_BLOCK_16_WEIGHTS)                            \
    ".rept %c[more]\n\t"                                                                           \
    TG_BLOCK_ROWS_##n TG_BLOCK_STEP_##n("vmladava", TG_BLOCK_16_WEIGHTS)                           \
    ".endr\n\t"                                                                                    \
    ".if %c[loops]\n\t"                                                                            \
    "mov r9, %[loops]\n"                                                                           \
    "0:\n\t"                                                                                       \
    ".rept 4\n\t"                                                                                  \
    TG_BLOCK_ROWS_##n TG_BLOCK_STEP_##n("vmladava", TG_BLOCK_16_WEIGHTS)                           \
    ".endr\n\t"                                                                                    \
    "subs r9, #1\n\t"                                                                              \
    "bne 0b\n\t"                                                                                   \
    ".endif\n\t"                                                                                   \
    ".endif\n\t"                                                                                   \
    ".if %c[tail]\n\t"                                                                             \
    "mov r9, %[tail]\n\t"                                                                          \
    "vctp.8 r9\n\t"                                                                                \
    TG_BLOCK_LAST_ROWS_##n                                                                         \
    ".if %c[whole]\n\t"                                                                            \
    TG_BLOCK_STEP_##n("vmladava", TG_BLOCK_LAST_WEIGHTS)                                           \
    ".else\n\t"                                                                                    \
    TG_BLOCK_STEP_##n("vmladav", TG_BLOCK_LAST_WEIGHTS)                                            \
    ".endif\n\t"                                                                                   \
    ".endif\n\t"                                                                                   \
    "vmov %q[s0][2], %q[s0][0], r0, r4\n\t"                                                        \
    "vmov %q[s0][3], %q[s0][1], r2, r6\n\t"

#define TG_BLOCK_UNROLLED 8
/* After the first step: where there are too many to write out, loops of four. */
#define TG_BLOCK_LOOPS(depth)                                                                      \
    ((depth) / 16 - 1 > TG_BLOCK_UNROLLED ? ((depth) / 16 - 1) / 4 : 0)
#define TG_BLOCK_CONSTANTS(depth)                                                                  \
    [whole] "n"((depth) / 16), [loops] "n"(TG_BLOCK_LOOPS(depth)), [tail] "n"((depth) % 16),       \
        [more] "n"((depth) / 16 ? (depth) / 16 - 1 - 4 * TG_BLOCK_LOOPS(depth) : 0)

/* The same for any depth: r9 is the number of whole steps, r11 the values of the last one. */
#define TG_BLOCK_ANY_WEIGHTS(q) "vldrb.8 " q ", [r5]\n\tadd r5, r11\n\t"
#define TG_BLOCK_ANY_DEPTH(n)                                                                      \
    "mov r0, #0\n\t"                                                                               \
    "mov r2, #0\n\t"                                                                               \
    "mov r4, #0\n\t"                                                                               \
    "mov r6, #0\n\t"                                                                               \
    "cmp r9, #0\n\t"                                                                               \
    "beq 1f\n"                                                                                     \
    "0:\n\t"                                                                                       \
    TG_BLOCK_ROWS_##n TG_BLOCK_STEP_##n("vmladava", TG_BLOCK_16_WEIGHTS)                           \
    "subs r9, #1\n\t"                                                                              \
    "bne 0b\n"                                                                                     \
    "1:\n\t"                                                                                       \
    "cmp r11, #0\n\t"                                                                              \
    "beq 2f\n\t"                                                                                   \
    "vctp.8 r11\n\t"                                                                               \
    TG_BLOCK_LAST_ROWS_##n TG_BLOCK_STEP_##n("vmladava", TG_BLOCK_ANY_WEIGHTS)                     \
    "2:\n\t"                                                                                       \
    "vmov %q[s0][2], %q[s0][0], r0, r4\n\t"                                                        \
    "vmov %q[s0][3], %q[s0][1], r2, r6\n\t"

TG_INLINE const int8_t *tg_block_1x4_any(int32_t depth, const int8_t *x, const int8_t *weights,
                                         tg_s32x4 *sums)
{
    register const int8_t *row __asm__("r1") = x;
    register const int8_t *w __asm__("r5") = weights;
    register int32_t whole __asm__("r9") = depth / 16;
    register int32_t tail __asm__("r11") = depth % 16;
    tg_s32x4 s0;
    __asm__ volatile(TG_BLOCK_ANY_DEPTH(1)
                     : [s0] "=w"(s0), "+r"(row), "+r"(w), "+r"(whole)
                     : "r"(tail)
                     : "r0", "r2", "r4", "r6", "q0", "q2", "q3", "cc", "p0", "memory");
    sums[0] = s0;
    return w;
}

TG_INLINE const int8_t *tg_block_2x4_any(int32_t depth, const int8_t *x0, const int8_t *x1,
                                         const int8_t *weights, tg_s32x4 *sums)
{
    register const int8_t *row0 __asm__("r1") = x0;
    register const int8_t *row1 __asm__("r3") = x1;
    register const int8_t *w __asm__("r5") = weights;
    register int32_t whole __asm__("r9") = depth / 16;
    register int32_t tail __asm__("r11") = depth % 16;
    tg_s32x4 s0, s1;
    __asm__ volatile("mov r8, #0\n\t"
                     "mov r10, #0\n\t"
                     "mov r12, #0\n\t"
                     "mov lr, #0\n\t" TG_BLOCK_ANY_DEPTH(2)
                     "vmov %q[s1][2], %q[s1][0], r8, r12\n\t"
                     "vmov %q[s1][3], %q[s1][1], r10, lr\n\t"
                     : [s0] "=&w"(s0), [s1] "=w"(s1), "+r"(row0), "+r"(row1), "+r"(w),
                       "+r"(whole)
                     : "r"(tail)
                     : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "q0", "q1", "q2", "q3",
                       "cc", "p0", "memory");
    sums[0] = s0;
    sums[1] = s1;
    return w;
}

/* The sums of one row and four channels; returns the weights of the next four. */
TG_INLINE const int8_t *tg_block_1x4(int32_t depth, const int8_t *x, const int8_t *weights,
                                     tg_s32x4 *sums)
{
    if (!__builtin_constant_p(depth)) {
        return tg_block_1x4_any(depth, x, weights, sums);
    }
    register const int8_t *row __asm__("r1") = x;
    register const int8_t *w __asm__("r5") = weights;
    tg_s32x4 s0;
    __asm__ volatile(TG_BLOCK_DEPTH(1)
                     : [s0] "=&w"(s0), "+r"(row), "+r"(w)
                     : TG_BLOCK_CONSTANTS(depth)
                     : "r0", "r2", "r4", "r6", "r9", "q0", "q2", "q3", "cc", "p0", "memory");
    sums[0] = s0;
    return w;
}

/* The same for two rows. */
TG_INLINE const int8_t *tg_block_2x4(int32_t depth, const int8_t *x0, const int8_t *x1,
                                     const int8_t *weights, tg_s32x4 *sums)
{
    if (!__builtin_constant_p(depth)) {
        return tg_block_2x4_any(depth, x0, x1, weights, sums);
    }
    register const int8_t *row0 __asm__("r1") = x0;
    register const int8_t *row1 __asm__("r3") = x1;
    register const int8_t *w __asm__("r5") = weights;
    tg_s32x4 s0, s1;
    __asm__ volatile(TG_BLOCK_DEPTH(2) "vmov %q[s1][2], %q[s1][0], r8, r12\n\t"
                                       "vmov %q[s1][3], %q[s1][1], r10, lr\n\t"
                     : [s0] "=&w"(s0), [s1] "=w"(s1), "+r"(row0), "+r"(row1), "+r"(w)
                     : TG_BLOCK_CONSTANTS(depth)
                     : "r0", "r2", "r4", "r6", "r8", "r9", "r10", "r12", "lr", "q0", "q1", "q2",
                       "q3", "cc", "p0", "memory");
    sums[0] = s0;
    sums[1] = s1;
    return w;
}
#else
/* The sums of rows (1 or 2) at x and four channels; returns the weights of the next four. */
TG_INLINE const int8_t *tg_block_sums(int32_t rows, int32_t depth, const int8_t *const *x,
                                      const int8_t *w, tg_s32x4 *sums)
{
    int32_t acc[8] = {0};
    for (int32_t k = 0; k < depth; k += 16) {
        const int32_t taken = tg_min(depth - k, 16);
        for (int32_t c = 0; c < 4; ++c, w += taken) {
            const tg_s8x16 weights = tg_load_s8x16(w);
            for (int32_t row = 0; row < rows; ++row) {
                const tg_s8x16 values = tg_load_first_s8x16(x[row] + k, taken);
                acc[4 * row + c] = tg_add_dot_s8x16(acc[4 * row + c], values, weights);
            }
        }
    }
    for (int32_t row = 0; row < rows; ++row) {
        const int32_t *const of_row = acc + 4 * row;
        sums[row] = tg_lanes_s32x4(of_row[0], of_row[1], of_row[2], of_row[3]);
    }
    return w;
}

TG_INLINE const int8_t *tg_block_1x4(int32_t depth, const int8_t *x, const int8_t *weights,
                                     tg_s32x4 *sums)
{
    return tg_block_sums(1, depth, &x, weights, sums);
}

TG_INLINE const int8_t *tg_block_2x4(int32_t depth, const int8_t *x0, const int8_t *x1,
                                     const int8_t *weights, tg_s32x4 *sums)
{
    const int8_t *const rows[] = {x0, x1};
    return tg_block_sums(2, depth, rows, weights, sums);
}
#endif

/* All output channels of the row at x. */
TG_INLINE void tg_row_of_blocks(const tg_block_2x4_shape *shape, const int8_t *x,
                                const int8_t *weights, const int32_t *constants, int8_t *y)
{
    TG_UNROLL(1)
    for (int32_t c = 0; c < shape->out_c; c += 4, constants += TG_LANE_WORDS) {
        const int32_t count = shape->out_c % 4 ? shape->out_c - c : 4;
        tg_s32x4 sums[1];
        weights = tg_block_1x4(shape->depth, x, weights, sums);
        const tg_lane_constants own = tg_load_lane_constants(constants);
        tg_store_bytes_s32x4(y + c, tg_requant_lanes(&shape->output, &own, sums[0]), count);
    }
}

/* All output channels of the rows at x0 and x1, to y and, out_c later, to the next row. */
TG_INLINE void tg_rows_of_blocks(const tg_block_2x4_shape *shape, const int8_t *x0,
                                 const int8_t *x1, const int8_t *weights, const int32_t *constants,
                                 int8_t *y)
{
    TG_UNROLL(1)
    for (int32_t c = 0; c < shape->out_c; c += 4, constants += TG_LANE_WORDS, y += 4) {
        const int32_t count = shape->out_c % 4 ? shape->out_c - c : 4;
        tg_s32x4 sums[2];
        weights = tg_block_2x4(shape->depth, x0, x1, weights, sums);
        const tg_lane_constants own = tg_load_lane_constants(constants);
        tg_store_bytes_s32x4(y, tg_requant_lanes(&shape->output, &own, sums[0]), count);
        tg_store_bytes_s32x4(y + shape->out_c, tg_requant_lanes(&shape->output, &own, sums[1]),
                             count);
    }
}

#endif
