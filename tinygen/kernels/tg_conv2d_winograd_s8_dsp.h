/* CONV_2D by 3x3 with stride 1 on int8, NHWC: Winograd's F(2x2, 3x3), exact in integers, for the
 * Arm DSP extension.
 *
 * A tile of 2x2 results needs 36 multiplications per channel by the definition and 16 here. With d
 * a tile's 4x4 values of an input channel and g the channel's 3x3 weights, the results are
 *
 *     A^T ((G g G^T) * (B^T d B)) A,  * element by element, summed over input channels, where
 *
 *           1  0 -1  0           1   0   0          A^T = 1  1  1  0
 *     B^T = 0  1  1  0      G = 1/2 1/2 1/2               0  1 -1 -1
 *           0 -1  1  0          1/2-1/2 1/2
 *           0  1  0 -1           0   0   1
 *
 * B^T d B of int8 stays within 9 bits and a sign. The weights' part is made when compiling, with
 * 2 G for G and times 16, so it is whole, and of at most 15 bits and a sign: sums are exactly 64
 * times the convolution's. (What wraps on the way does not matter, as the results fit.)
 *
 * Four tiles at a time: their inputs are transformed into scratch, two channels to a word. Then,
 * for each pair of output channels and each of the 16 places, eight sums run over all input
 * channels, two products per SMLAD; and each tile's 16 sums are transformed back and requantized.
 * At the border a tile's input is first gathered, with the input's zero point around the image. A
 * last group of fewer tiles begins among those already done.
 */
#ifndef TG_CONV2D_WINOGRAD_S8_DSP_H
#define TG_CONV2D_WINOGRAD_S8_DSP_H

#include "tg_require_dsp.h"
#include "tg_twist.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w, in_c; /* in_c is a multiple of 4 */
    int32_t out_h, out_w, out_c; /* at least 4 tiles; out_c is even */
    int32_t pad_top, pad_left;
    int32_t unrolled; /* steps of two input channels beyond the first written out at most */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_conv2d_winograd_s8_shape;

typedef struct {
    const int32_t *weights; /* per pair of output channels: the starts of both; for each of 16
                               places and each two input channels the weights of both; the constants
                               of both */
    int32_t input_zero_point;
} tg_conv2d_winograd_s8_params;

#if defined(TG_TWIST_ASSEMBLY)
/* One row of a tile into a, b, c, d, widened. */
#define TG_WINOGRAD_ROW(i, a, b, c, d)                                                             \
    "ldr " a ", [r0, #" i " * %c[pitch]]\n\t"                                                      \
    "ldr " b ", [r0, #" i " * %c[pitch] + %c[in_c]]\n\t"                                           \
    "ldr " c ", [r0, #" i " * %c[pitch] + 2 * %c[in_c]]\n\t"                                       \
    "ldr " d ", [r0, #" i " * %c[pitch] + 3 * %c[in_c]]\n\t"                                       \
    "sxtb16 " a ", " a ", ror #%c[ror]\n\t"                                                        \
    "sxtb16 " b ", " b ", ror #%c[ror]\n\t"                                                        \
    "sxtb16 " c ", " c ", ror #%c[ror]\n\t"                                                        \
    "sxtb16 " d ", " d ", ror #%c[ror]\n\t"

/* (a, b, c, d) = (a - c, b + c, c - b, b - d); t is free. */
#define TG_WINOGRAD_DIFFERENCES(a, b, c, d, t)                                                     \
    "ssub16 " a ", " a ", " c "\n\t"                                                               \
    "ssub16 " d ", " b ", " d "\n\t"                                                               \
    "sadd16 " t ", " b ", " c "\n\t"                                                               \
    "ssub16 " c ", " c ", " b "\n\t"                                                               \
    "mov " b ", " t "\n\t"

/* The place in column j of the current row of places becomes a op b, by way of t. */
#define TG_WINOGRAD_PLACE(j, op, a, b, t)                                                          \
    op " " t ", " a ", " b "\n\t"                                                                  \
    "str " t ", [r1, #" j " * %c[place]]\n\t"

/* tg_winograd_two_channels, rows before columns. Rows 1 and 2 stay in registers for all four
 * results' rows; row 0 needs the last register as it comes, so its first place goes first. */
TG_INLINE void tg_winograd_two_channels_assembly(const int8_t *x, int32_t in_c, int32_t pitch,
                                                 int32_t odd, int32_t place, uint32_t *v)
{
    register const int8_t *r0 __asm__("r0") = x;
    register uint32_t *r1 __asm__("r1") = v;
    __asm__ volatile(
        TG_WINOGRAD_ROW("1", "r2", "r3", "r4", "r5")
        TG_WINOGRAD_DIFFERENCES("r2", "r3", "r4", "r5", "r10")
        TG_WINOGRAD_ROW("2", "r6", "r7", "r8", "r9")
        TG_WINOGRAD_DIFFERENCES("r6", "r7", "r8", "r9", "r10")
        "add r1, r1, #4 * %c[place]\n\t"
        TG_WINOGRAD_PLACE("0", "sadd16", "r2", "r6", "r10")
        TG_WINOGRAD_PLACE("1", "sadd16", "r3", "r7", "r11")
        TG_WINOGRAD_PLACE("2", "sadd16", "r4", "r8", "r12")
        TG_WINOGRAD_PLACE("3", "sadd16", "r5", "r9", "lr")
        "add r1, r1, #4 * %c[place]\n\t"
        TG_WINOGRAD_PLACE("0", "ssub16", "r6", "r2", "r10")
        TG_WINOGRAD_PLACE("1", "ssub16", "r7", "r3", "r11")
        TG_WINOGRAD_PLACE("2", "ssub16", "r8", "r4", "r12")
        TG_WINOGRAD_PLACE("3", "ssub16", "r9", "r5", "lr")
        "sub r1, r1, #8 * %c[place]\n\t"
        TG_WINOGRAD_ROW("0", "r10", "r11", "r12", "lr")
        "ssub16 r10, r10, r12\n\t"
        TG_WINOGRAD_PLACE("0", "ssub16", "r10", "r6", "r10")
        TG_WINOGRAD_DIFFERENCES("r6", "r11", "r12", "lr", "r10") /* r6 is spent; the rest counts */
        TG_WINOGRAD_PLACE("1", "ssub16", "r11", "r7", "r11")
        TG_WINOGRAD_PLACE("2", "ssub16", "r12", "r8", "r12")
        TG_WINOGRAD_PLACE("3", "ssub16", "lr", "r9", "lr")
        "add r1, r1, #12 * %c[place]\n\t"
        TG_WINOGRAD_ROW("3", "r6", "r7", "r8", "r9")
        TG_WINOGRAD_DIFFERENCES("r6", "r7", "r8", "r9", "r10")
        TG_WINOGRAD_PLACE("0", "ssub16", "r2", "r6", "r6")
        TG_WINOGRAD_PLACE("1", "ssub16", "r3", "r7", "r7")
        TG_WINOGRAD_PLACE("2", "ssub16", "r4", "r8", "r8")
        TG_WINOGRAD_PLACE("3", "ssub16", "r5", "r9", "r9")
        : "+r"(r0), "+r"(r1)
        : [pitch] "n"(pitch), [in_c] "n"(in_c), [ror] "n"(8 * odd), [place] "n"(4 * place)
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "memory");
}
#endif

/* B^T d B of two channels of a tile whose pixels are in_c bytes apart and its rows pitch bytes; odd
 * chooses channels 1 and 3 of the words at x instead of 0 and 2. The 16 results are place words
 * apart. */
TG_INLINE void tg_winograd_two_channels(const int8_t *x, int32_t in_c, int32_t pitch, int32_t odd,
                                        int32_t place, uint32_t *v)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(pitch) && 3 * (pitch + in_c) < 4096) {
        tg_winograd_two_channels_assembly(x, in_c, pitch, odd, place, v);
        return;
    }
#endif
    uint32_t t[16];
    TG_UNROLL(4)
    for (int32_t j = 0; j < 4; ++j) {
        uint32_t d[4];
        TG_UNROLL(4)
        for (int32_t i = 0; i < 4; ++i) {
            const uint32_t word = tg_load_4xs8(x + i * pitch + j * in_c);
            d[i] = odd ? tg_sxtb16_odd(word) : tg_sxtb16(word);
        }
        t[j] = tg_ssub16(d[0], d[2]);
        t[4 + j] = tg_sadd16(d[1], d[2]);
        t[8 + j] = tg_ssub16(d[2], d[1]);
        t[12 + j] = tg_ssub16(d[1], d[3]);
    }
    TG_UNROLL(4)
    for (int32_t i = 0; i < 16; i += 4) {
        v[i * place] = tg_ssub16(t[i], t[i + 2]);
        v[(i + 1) * place] = tg_sadd16(t[i + 1], t[i + 2]);
        v[(i + 2) * place] = tg_ssub16(t[i + 2], t[i + 1]);
        v[(i + 3) * place] = tg_ssub16(t[i + 1], t[i + 3]);
    }
}

/* All channels of a tile, to every fourth word of v. */
TG_INLINE void tg_winograd_tile(const int8_t *x, int32_t in_c, int32_t pitch, uint32_t *v)
{
    TG_UNROLL(1)
    for (int32_t c = 0; c < in_c; c += 4, v += 8) {
        tg_winograd_two_channels(x + c, in_c, pitch, 0, 2 * in_c, v);
        tg_winograd_two_channels(x + c, in_c, pitch, 1, 2 * in_c, v + 4);
    }
}

/* The 4x4 pixels from row top and column left on, with zero points where they are outside. */
TG_INLINE void tg_winograd_gather(const tg_conv2d_winograd_s8_shape *shape, const int8_t *x,
                                  int32_t top, int32_t left, uint32_t zeros, int8_t *tile)
{
    const int32_t in_c = shape->in_c;
    TG_UNROLL(1)
    for (int32_t i = 0; i < 16; ++i, tile += in_c) {
        const int32_t iy = top + i / 4, ix = left + i % 4;
        const int32_t inside = iy >= 0 && iy < shape->in_h && ix >= 0 && ix < shape->in_w;
        const int8_t *const pixel = x + (iy * shape->in_w + ix) * in_c;
        int32_t c = 0;
        if (!inside) {
            TG_UNROLL(4)
            for (; c < in_c; c += 4) {
                tg_store_4xs8(tile + c, zeros);
            }
        }
        TG_UNROLL(4)
        for (; c + 16 <= in_c; c += 16) {
            tg_copy_flipped_16(tile + c, pixel + c, 0);
        }
        for (; c < in_c; c += 4) {
            tg_store_4xs8(tile + c, tg_load_4xs8(pixel + c));
        }
    }
}

#if defined(TG_TWIST_ASSEMBLY)
/* r0: transformed inputs. r1: transformed weights. r2, r3: weights of either channel. r4, r5:
 * inputs of two tiles. Sums of the first channel in r6 to r9, of the second in r10, r11, r12, lr.
 * op is smuad with no operand more, or smlad with the sum itself. On the stack: where the sums go
 * and end, and loops to go. */
#define TG_WINOGRAD_STEP(op, s6, s7, s8, s9, s10, s11, s12, s14)                                   \
    "ldr r3, [r1, #4]\n\t"                                                                         \
    "ldr r2, [r1], #8\n\t"                                                                         \
    "ldr r5, [r0, #4]\n\t"                                                                         \
    "ldr r4, [r0], #8\n\t"                                                                         \
    op " r11, r5, r3" s11 "\n\t"                                                                   \
    op " r10, r4, r3" s10 "\n\t"                                                                   \
    op " r7, r5, r2" s7 "\n\t"                                                                     \
    op " r6, r4, r2" s6 "\n\t"                                                                     \
    "ldr r5, [r0, #4]\n\t"                                                                         \
    "ldr r4, [r0], #8\n\t"                                                                         \
    op " lr, r5, r3" s14 "\n\t"                                                                    \
    op " r12, r4, r3" s12 "\n\t"                                                                   \
    op " r9, r5, r2" s9 "\n\t"                                                                     \
    op " r8, r4, r2" s8 "\n\t"

#define TG_WINOGRAD_NEXT                                                                           \
    TG_WINOGRAD_STEP("smlad", ", r6", ", r7", ", r8", ", r9", ", r10", ", r11", ", r12", ", lr")

TG_INLINE void tg_winograd_assembly(int32_t steps, int32_t unrolled, const uint32_t *v,
                                    const int32_t *weights, int32_t *sums)
{
    const int32_t loops = steps - 1 > unrolled ? (steps - 1) / unrolled : 0;
    const int32_t rest = steps - 1 - loops * unrolled;
    const int32_t places = loops > 0 || steps > 16 ? 1 : steps > 8 ? 2 : 4;
    register const uint32_t *r0 __asm__("r0") = v;
    register const int32_t *r1 __asm__("r1") = weights;
    register int32_t *r2 __asm__("r2") = sums;
    register int32_t *r3 __asm__("r3") = sums + 16 * 8;
    __asm__ volatile(
        "push {r2, r3, r4}\n"
        "1:\n\t" /* of 16 places some */
        ".rept %c[places]\n\t"
        TG_WINOGRAD_STEP("smuad", "", "", "", "", "", "", "", "")
        ".if %c[loops]\n\t"
        "mov r2, #%c[loops]\n\t"
        "str r2, [sp, #8]\n"
        "2:\n\t"
        ".rept %c[unrolled]\n\t" TG_WINOGRAD_NEXT ".endr\n\t"
        "ldr r2, [sp, #8]\n\t"
        "subs r2, r2, #1\n\t"
        "str r2, [sp, #8]\n\t"
        "bne 2b\n\t"
        ".endif\n\t"
        ".rept %c[rest]\n\t" TG_WINOGRAD_NEXT ".endr\n\t"
        "ldr r2, [sp]\n\t"
        "stm r2!, {r6, r7, r8, r9, r10, r11, r12, lr}\n\t"
        "str r2, [sp]\n\t"
        ".endr\n\t"
        "ldr r3, [sp, #4]\n\t"
        "cmp r2, r3\n\t"
        "bne 1b\n\t"
        "add sp, sp, #12"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [loops] "n"(loops), [unrolled] "n"(unrolled), [rest] "n"(rest), [places] "n"(places)
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* sums[place][channel][tile] of a pair of channels and four tiles. */
TG_INLINE void tg_winograd_sums(int32_t steps, int32_t unrolled, const uint32_t *v,
                                const int32_t *weights, int32_t *sums)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(steps) && __builtin_constant_p(unrolled)) {
        tg_winograd_assembly(steps, unrolled, v, weights, sums);
        return;
    }
#endif
    (void)unrolled;
    for (int32_t place = 0; place < 16; ++place) {
        for (int32_t i = 0; i < 8; ++i) {
            int32_t acc = 0;
            for (int32_t step = 0; step < steps; ++step) {
                acc = tg_smlad(v[4 * step + i % 4], (uint32_t)weights[2 * step + i / 4], acc);
            }
            *sums++ = acc;
        }
        v += 4 * steps;
        weights += 2 * steps;
    }
}

/* Where a tile's results go: those of the next channel, and how many of them are inside. */
typedef struct {
    int8_t *y;
    int32_t rows, columns;
} tg_winograd_place;

#if defined(TG_TWIST_ASSEMBLY)
/* One column of A^T m into a and b; t and u are free. */
#define TG_WINOGRAD_COLUMN(j, start, a, b, t, u)                                                   \
    "ldr " a ", [r0, #32 * " j "]\n\t"                                                             \
    "ldr " b ", [r0, #32 * (4 + " j ")]\n\t"                                                       \
    "ldr " t ", [r0, #32 * (8 + " j ")]\n\t"                                                       \
    "ldr " u ", [r0, #32 * (12 + " j ")]\n\t" start "add " a ", " a ", " b "\n\t"                  \
    "sub " b ", " b ", " t "\n\t"                                                                  \
    "add " a ", " a ", " t "\n\t"                                                                  \
    "sub " b ", " b ", " u "\n\t"

/* (a, b) = 4 * (a + b + c, b - c - d) */
#define TG_WINOGRAD_SUMS(a, b, c, d)                                                               \
    "add " a ", " a ", " b "\n\t"                                                                  \
    "sub " b ", " b ", " c "\n\t"                                                                  \
    "add " a ", " a ", " c "\n\t"                                                                  \
    "sub " b ", " b ", " d "\n\t"                                                                  \
    "lsl " a ", " a ", #2\n\t"                                                                     \
    "lsl " b ", " b ", #2\n\t"

/* tg_winograd_channel where all results are inside. r0: sums, of which one is 32 bytes from the
 * same of the next place. r1: constants. r2: places. r3: start, which is added to the place in row
 * and column 1, a part of each result. On the stack: where the tiles end. */
TG_INLINE void tg_winograd_channel_assembly(const tg_conv2d_winograd_s8_shape *shape,
                                            const int32_t *sums, int32_t start,
                                            const int32_t *constants, tg_winograd_place *places)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    register const int32_t *r0 __asm__("r0") = sums;
    register const int32_t *r1 __asm__("r1") = constants;
    register tg_winograd_place *r2 __asm__("r2") = places;
    register int32_t r3 __asm__("r3") = start;
    register const int32_t *r4 __asm__("r4") = sums + 4;
    __asm__ volatile(
        "push {r4}\n"
        "1:\n\t"
        TG_WINOGRAD_COLUMN("1", "add r7, r7, r3\n\t", "r6", "r7", "r12", "lr")
        TG_WINOGRAD_COLUMN("0", "", "r4", "r5", "r12", "lr")
        TG_WINOGRAD_COLUMN("2", "", "r8", "r9", "r12", "lr")
        TG_WINOGRAD_COLUMN("3", "", "r10", "r11", "r12", "lr")
        TG_WINOGRAD_SUMS("r4", "r6", "r8", "r10")
        TG_WINOGRAD_SUMS("r5", "r7", "r9", "r11")
        "ldr lr, [r2]\n\t"
        TG_TWIST_CONSTANTS("r1", "r8", "r9", "r10", "r11")
        TG_TWIST_REQUANT("r4", "r8", "r9", "r10", "r11", "r12")
        TG_TWIST_REQUANT("r5", "r8", "r9", "r10", "r11", "r12")
        TG_TWIST_REQUANT("r6", "r8", "r9", "r10", "r11", "r12")
        TG_TWIST_REQUANT("r7", "r8", "r9", "r10", "r11", "r12")
        "strb r6, [lr, #%c[column]]\n\t"
        "strb r5, [lr, #%c[row]]\n\t"
        "strb r7, [lr, #%c[row] + %c[column]]\n\t"
        "strb r4, [lr], #1\n\t"
        "ldr r4, [sp]\n\t"
        "add r0, r0, #4\n\t"
        "str lr, [r2], #%c[place]\n\t"
        "sub r1, r1, #4 * %c[constants]\n\t"
        "cmp r0, r4\n\t"
        "bne 1b\n\t"
        "add sp, sp, #4"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4)
        : [column] "n"(shape->out_c), [row] "n"(shape->out_w * shape->out_c),
          [place] "n"((int32_t)sizeof(tg_winograd_place)),
          [constants] "n"(tg_twist_constants(&output)), TG_TWIST_OPERANDS(&output)
        : "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* A^T m A, requantized, to the 2x2 results at y of which the rows and columns given are inside. */
TG_INLINE void tg_winograd_results(const tg_conv2d_winograd_s8_shape *shape, const int32_t *sums,
                                   int32_t start, const int32_t *constants, int32_t rows,
                                   int32_t columns, int8_t *y)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    uint32_t t[8];
    TG_UNROLL(4)
    for (int32_t j = 0; j < 4; ++j) {
        const uint32_t m0 = (uint32_t)sums[8 * j], m2 = (uint32_t)sums[8 * (8 + j)];
        const uint32_t m1 = (uint32_t)sums[8 * (4 + j)], m3 = (uint32_t)sums[8 * (12 + j)];
        t[j] = m0 + m1 + m2;
        t[4 + j] = m1 - m2 - m3;
    }
    TG_UNROLL(2)
    for (int32_t i = 0; i < 2; ++i) {
        const uint32_t *const u = t + 4 * i;
        const uint32_t first = u[0] + u[1] + u[2] + (uint32_t)start;
        const uint32_t second = u[1] - u[2] - u[3] + (uint32_t)start;
        if (i < rows) {
            int8_t *const to = y + i * shape->out_w * shape->out_c;
            to[0] = tg_twist_s8(&output, (int32_t)(first << 2), constants);
            if (columns > 1) {
                to[shape->out_c] = tg_twist_s8(&output, (int32_t)(second << 2), constants);
            }
        }
    }
}

/* The results of one channel of four tiles; the places move on to the next channel. */
TG_INLINE void tg_winograd_channel(const tg_conv2d_winograd_s8_shape *shape, const int32_t *sums,
                                   int32_t start, const int32_t *constants,
                                   tg_winograd_place *places)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(shape->out_w) && shape->out_h % 2 == 0 && shape->out_w % 2 == 0 &&
        (shape->out_w + 1) * shape->out_c < 4096) {
        tg_winograd_channel_assembly(shape, sums, start, constants, places);
        return;
    }
#endif
    TG_UNROLL(1)
    for (int32_t i = 0; i < 4; ++i) {
        tg_winograd_results(shape, sums + i, start, constants, places[i].rows, places[i].columns,
                            places[i].y++);
    }
}

TG_INLINE void tg_winograd_tiles(const tg_conv2d_winograd_s8_shape *shape,
                                 const tg_conv2d_winograd_s8_params *params, const int8_t *x,
                                 int32_t first, uint32_t *v, int8_t *tile, int8_t *y,
                                 tg_winograd_place *places)
{
    const int32_t in_c = shape->in_c, across = (shape->out_w + 1) / 2;
    const uint32_t zeros = (uint32_t)(uint8_t)params->input_zero_point * 0x01010101u;
    TG_UNROLL(1)
    for (int32_t i = 0; i < 4; ++i) {
        const int32_t ty = (first + i) / across;
        const int32_t oy = 2 * ty, ox = 2 * (first + i - ty * across);
        const int32_t top = oy - shape->pad_top, left = ox - shape->pad_left;
        places[i].y = y + (oy * shape->out_w + ox) * shape->out_c;
        places[i].rows = tg_min(2, shape->out_h - oy);
        places[i].columns = tg_min(2, shape->out_w - ox);
        if (top >= 0 && left >= 0 && top + 4 <= shape->in_h && left + 4 <= shape->in_w) {
            tg_winograd_tile(x + (top * shape->in_w + left) * in_c, in_c, shape->in_w * in_c,
                             v + i);
        } else {
            tg_winograd_gather(shape, x, top, left, zeros, tile);
            tg_winograd_tile(tile, in_c, 4 * in_c, v + i);
        }
    }
}

TG_INLINE void tg_conv2d_winograd_s8_dsp(const tg_conv2d_winograd_s8_shape *shape,
                                         const tg_conv2d_winograd_s8_params *params,
                                         const int8_t *restrict x, int8_t *restrict y,
                                         int8_t *restrict scratch)
{
    /* Scratch: four tiles' transformed inputs, a pair's sums, and a gathered tile. */
    uint32_t *const v = (uint32_t *)(void *)scratch;
    int32_t *const sums = (int32_t *)(void *)(scratch + 128 * shape->in_c);
    int8_t *const tile = scratch + 128 * shape->in_c + 16 * 8 * 4;
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t constants = tg_twist_constants(&output);
    const int32_t words = 2 + 16 * shape->in_c + 2 * constants;
    const int32_t tiles = (shape->out_h + 1) / 2 * ((shape->out_w + 1) / 2);
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t first = 0; first < tiles; first += 4) {
            tg_winograd_place places[4];
            first = tg_min(first, tiles - 4);
            tg_winograd_tiles(shape, params, x, first, v, tile, y, places);
            const int32_t *weights = params->weights;
            for (int32_t c = 0; c < shape->out_c; c += 2, weights += words) {
                const int32_t *const own = weights + words - 2 * constants;
                tg_winograd_sums(shape->in_c / 2, shape->unrolled, v, weights + 2, sums);
                tg_winograd_channel(shape, sums, weights[0], own, places);
                tg_winograd_channel(shape, sums + 4, weights[1], own + constants, places);
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += shape->out_h * shape->out_w * shape->out_c;
    }
}

#endif
