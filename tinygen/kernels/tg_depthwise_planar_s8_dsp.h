/* DEPTHWISE_CONV_2D by 3x3 on int8, NHWC, with stride 1 or 2 along rows, for the Arm DSP extension.
 *
 * SMLAD adds two products to one sum, but the channels that lie side by side in NHWC belong to
 * different sums. So four channels at a time are first rearranged into planes of int16, a band of
 * rows at a time, with the input's zero point around the image: neighbours in a plane are
 * neighbours in the kernel's row. (The planes' rows take turns: a row of each, then the next row.)
 * That takes less than two cycles per value, and each value is then used nine times. A row's two neighbouring results of stride 1 come from words p = (x0, x1) and
 * n = (x2, x3), and the weights' words A = (w0, w1) and B = (w1, w2), by four instructions:
 *
 *     SMLAD  y0 += p . A         SMLABT y0 += x2 * w2
 *     SMLATB y1 += x1 * w0       SMLAD  y1 += n . B
 *
 * With stride 2 the words are p = (x0, x1), n = (x2, x3) and m = (x4, x5), and B = (w2, 0):
 *
 *     SMLAD  y0 += p . A         SMLABB y0 += x2 * w2
 *     SMLAD  y1 += n . A         SMLABB y1 += x4 * w2
 *
 * All six words of a channel's weights stay in registers. The weights are multiplied by 256, which
 * int16 just holds, so the requantization is that of tg_twist.h.
 */
#ifndef TG_DEPTHWISE_PLANAR_S8_DSP_H
#define TG_DEPTHWISE_PLANAR_S8_DSP_H

#include "tg_require_dsp.h"
#include "tg_twist.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels; /* at least 4 */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t band;     /* rows of output whose input is rearranged at a time */
    int32_t columns;  /* of a plane, even */
    int32_t unrolled; /* pairs of results that are written out */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_depthwise_planar_s8_shape;

typedef struct {
    const int32_t *weights; /* per channel: A and B of each kernel row, the sum's start, and the
                               constants of its requantization */
    int32_t input_zero_point;
} tg_depthwise_planar_s8_params;

/* Channels at a time, and the columns from which on a plane's next rows but one are out of an
 * instruction's reach. */
#define TG_PLANAR_CHANNELS 4
#define TG_PLANAR_COLUMNS 250

/* Rows of input that a band of output rows reads. */
TG_INLINE int32_t tg_planar_rows(const tg_depthwise_planar_s8_shape *shape, int32_t band)
{
    return (band - 1) * shape->stride_h + 3;
}

/* What a row of a plane is made of, in pairs of columns. */
typedef struct {
    int32_t before; /* outside the image */
    int32_t left;   /* 1 if there is one of which the second is inside */
    int32_t inside;
    int32_t right; /* 1 if there is one of which the first is inside */
    int32_t after;
} tg_planar_spans;

TG_INLINE tg_planar_spans tg_planar_spans_of(const tg_depthwise_planar_s8_shape *shape)
{
    const int32_t columns = shape->columns, end = shape->pad_left + shape->in_w;
    tg_planar_spans spans;
    spans.before = tg_min(shape->pad_left, columns) / 2;
    spans.left = shape->pad_left % 2 && shape->pad_left < columns;
    const int32_t first = 2 * (spans.before + spans.left);
    spans.inside = tg_max(0, tg_min(columns, end) - first) / 2;
    spans.right = end > first && end < columns && end % 2;
    spans.after = columns / 2 - spans.before - spans.left - spans.inside - spans.right;
    return spans;
}

/* Bytes from the last pixel but one of a row's pairs, or behind them, to the image's next row. */
TG_INLINE int32_t tg_planar_skipped(const tg_depthwise_planar_s8_shape *shape,
                                    const tg_planar_spans *spans)
{
    const int32_t passed = spans->left + 2 * (spans->inside - spans->inside % 2);
    return (shape->in_w - passed) * shape->channels;
}

/* Two columns of four channels, a and b, to each plane, whose rows have so many words. */
TG_INLINE void tg_planar_store(uint32_t a, uint32_t b, int32_t words, uint32_t *to)
{
    const uint32_t low = tg_pack_low(a, b), high = tg_pack_high(a, b);
    to[0] = tg_sxtb16(low);
    to[words] = tg_sxtb16_odd(low);
    to[2 * words] = tg_sxtb16(high);
    to[3 * words] = tg_sxtb16_odd(high);
}

#if defined(TG_TWIST_ASSEMBLY)
/* tg_planar_store of registers a and b to r1, which moves on; l, h, s and t are free. */
#define TG_PLANAR_SPREAD(a, b, l, h, s, t)                                                         \
    "pkhbt " l ", " a ", " b ", lsl #16\n\t"                                                       \
    "pkhtb " h ", " b ", " a ", asr #16\n\t"                                                       \
    "sxtb16 " s ", " l ", ror #8\n\t"                                                              \
    "sxtb16 " l ", " l "\n\t"                                                                      \
    "sxtb16 " t ", " h ", ror #8\n\t"                                                              \
    "sxtb16 " h ", " h "\n\t"                                                                      \
    "str " s ", [r1, #%c[row]]\n\t"                                                                \
    "str " h ", [r1, #2 * %c[row]]\n\t"                                                            \
    "str " t ", [r1, #3 * %c[row]]\n\t"                                                            \
    "str " l ", [r1], #4\n\t"

/* Four columns. r0: the image's row. r1: the planes' rows. */
#define TG_PLANAR_FOUR                                                                             \
    "ldr r3, [r0]\n\t"                                                                             \
    "ldr r4, [r0, #%c[channels]]\n\t"                                                              \
    "ldr r5, [r0, #2 * %c[channels]]\n\t"                                                          \
    "ldr r6, [r0, #3 * %c[channels]]\n\t"                                                          \
    "add r0, r0, #4 * %c[channels]\n\t"                                                            \
    TG_PLANAR_SPREAD("r3", "r4", "r7", "r8", "r9", "r10")                                          \
    TG_PLANAR_SPREAD("r5", "r6", "r7", "r8", "r9", "r10")

/* Two columns outside the image. */
#define TG_PLANAR_NONE                                                                             \
    "str r12, [r1, #%c[row]]\n\t"                                                                  \
    "str r12, [r1, #2 * %c[row]]\n\t"                                                              \
    "str r12, [r1, #3 * %c[row]]\n\t"                                                              \
    "str r12, [r1], #4\n\t"

/* tg_planar_image. r11: zero points as int8. r12: as int16. lr: rows to go. */
TG_INLINE void tg_planar_image_assembly(const tg_depthwise_planar_s8_shape *shape, const int8_t *x,
                                        int32_t rows, int32_t zero_point, uint32_t *to)
{
    const tg_planar_spans spans = tg_planar_spans_of(shape);
    const int32_t eights = spans.inside / 4;
    register const int8_t *r0 __asm__("r0") = x;
    register uint32_t *r1 __asm__("r1") = to;
    register int32_t r2 __asm__("r2") = rows;
    register int32_t r3 __asm__("r3") = zero_point;
    __asm__ volatile(
        "mov lr, r2\n\t"
        "uxtb r11, r3\n\t"
        "orr r11, r11, r11, lsl #8\n\t"
        "orr r11, r11, r11, lsl #16\n\t"
        "sxtb16 r12, r11\n"
        "1:\n\t" /* a row */
        ".rept %c[before]\n\t" TG_PLANAR_NONE ".endr\n\t"
        ".if %c[left]\n\t"
        "ldr r4, [r0]\n\t"
        "add r0, r0, #%c[channels]\n\t" TG_PLANAR_SPREAD("r11", "r4", "r7", "r8", "r9", "r10")
        ".endif\n\t"
        ".if %c[eights]\n\t"
        "mov r2, #%c[eights]\n"
        "2:\n\t" TG_PLANAR_FOUR TG_PLANAR_FOUR
        "subs r2, r2, #1\n\t"
        "bne 2b\n\t"
        ".endif\n\t"
        ".if %c[inside] & 2\n\t" TG_PLANAR_FOUR ".endif\n\t"
        ".set .Ltg_next, 0\n\t"
        ".if %c[inside] & 1\n\t"
        "ldr r3, [r0]\n\t"
        "ldr r4, [r0, #%c[channels]]\n\t" TG_PLANAR_SPREAD("r3", "r4", "r7", "r8", "r9", "r10")
        ".set .Ltg_next, 2 * %c[channels]\n\t"
        ".endif\n\t"
        ".if %c[right]\n\t"
        "ldr r3, [r0, #.Ltg_next]\n\t" TG_PLANAR_SPREAD("r3", "r11", "r7", "r8", "r9", "r10")
        ".endif\n\t"
        ".rept %c[after]\n\t" TG_PLANAR_NONE ".endr\n\t"
        "add r0, r0, #%c[skipped]\n\t"
        "add r1, r1, #3 * %c[row]\n\t"
        "subs lr, lr, #1\n\t"
        "bne 1b"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [before] "n"(spans.before), [left] "n"(spans.left), [inside] "n"(spans.inside),
          [eights] "n"(eights), [right] "n"(spans.right), [after] "n"(spans.after),
          [channels] "n"(shape->channels), [row] "n"(2 * shape->columns),
          [skipped] "n"(tg_planar_skipped(shape, &spans))
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* Some rows of the image, which begin at x, to the planes. */
TG_INLINE void tg_planar_image(const tg_depthwise_planar_s8_shape *shape, const int8_t *x,
                               int32_t rows, int32_t zero_point, uint32_t *to)
{
    const tg_planar_spans spans = tg_planar_spans_of(shape);
    const int32_t channels = shape->channels, words = shape->columns / 2;
    const uint32_t zeros = (uint32_t)(uint8_t)zero_point * 0x01010101u;
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(channels) && __builtin_constant_p(shape->columns) &&
        channels < 1024 && tg_planar_skipped(shape, &spans) < 4096 &&
        shape->columns < TG_PLANAR_COLUMNS) {
        if (rows > 0) {
            tg_planar_image_assembly(shape, x, rows, zero_point, to);
        }
        return;
    }
#endif
    for (int32_t row = 0; row < rows; ++row, x += shape->in_w * channels, to += 3 * words) {
        const int8_t *from = x;
        for (int32_t i = 0; i < spans.before; ++i) {
            tg_planar_store(zeros, zeros, words, to++);
        }
        if (spans.left) {
            tg_planar_store(zeros, tg_load_4xs8(from), words, to++);
            from += channels;
        }
        for (int32_t i = 0; i < spans.inside; ++i, from += 2 * channels) {
            tg_planar_store(tg_load_4xs8(from), tg_load_4xs8(from + channels), words, to++);
        }
        if (spans.right) {
            tg_planar_store(tg_load_4xs8(from), zeros, words, to++);
        }
        for (int32_t i = 0; i < spans.after; ++i) {
            tg_planar_store(zeros, zeros, words, to++);
        }
    }
}

/* Some rows outside the image. */
TG_INLINE void tg_planar_outside(const tg_depthwise_planar_s8_shape *shape, int32_t rows,
                                 int32_t zero_point, uint32_t *to)
{
    const uint32_t word = ((uint32_t)zero_point & 0xffffu) * 0x00010001u;
    for (int32_t i = 0; i < rows * TG_PLANAR_CHANNELS * (shape->columns / 2); i += 4) {
        to[i] = to[i + 1] = to[i + 2] = to[i + 3] = word;
    }
}

/* The rows that a band of output rows reads, of four channels from x on. */
TG_INLINE void tg_planar_band(const tg_depthwise_planar_s8_shape *shape, const int8_t *x,
                              int32_t top, int32_t rows, int32_t zero_point, uint32_t *to)
{
    const int32_t first = tg_clamp(-top, 0, rows), end = tg_clamp(shape->in_h - top, first, rows);
    const int32_t words = TG_PLANAR_CHANNELS * (shape->columns / 2);
    tg_planar_outside(shape, first, zero_point, to);
    tg_planar_image(shape, x + (top + first) * shape->in_w * shape->channels, end - first,
                    zero_point, to + first * words);
    tg_planar_outside(shape, rows - end, zero_point, to + end * words);
}

#if defined(TG_TWIST_ASSEMBLY)
/* r0: plane. r1: results. r2 to r7: weights. r8, r9: words of a plane. r10, r11: the sums. r12:
 * multiplier. lr: constant of the requantization, or a third word of a plane. On the stack: the
 * sums' start, the constant, the step or shift, rows to go, loops to go. */
#define TG_PLANAR_ROW_1(both, offset, last, a, b, s10)                                             \
    "ldr r9, [r0, #" offset " + 4]\n\t"                                                            \
    "ldr r8, " last "\n\t"                                                                         \
    ".if " both "\n\t"                                                                             \
    "smlatb r11, r8, " a ", " s10 "\n\t"                                                           \
    "smlad r11, r9, " b ", r11\n\t"                                                                \
    ".endif\n\t"                                                                                   \
    "smlad r10, r8, " a ", r10\n\t"                                                                \
    "smlabt r10, r9, " b ", r10\n\t"

#define TG_PLANAR_ROW_2(both, offset, last, a, b, s10)                                             \
    "ldr r9, [r0, #" offset " + 4]\n\t"                                                            \
    ".if " both "\n\t"                                                                             \
    "ldr lr, [r0, #" offset " + 8]\n\t"                                                            \
    ".endif\n\t"                                                                                   \
    "ldr r8, " last "\n\t"                                                                         \
    ".if " both "\n\t"                                                                             \
    "smlad r11, r9, " a ", " s10 "\n\t"                                                            \
    "smlabb r11, lr, " b ", r11\n\t"                                                               \
    ".endif\n\t"                                                                                   \
    "smlad r10, r8, " a ", r10\n\t"                                                                \
    "smlabb r10, r9, " b ", r10\n\t"

#define TG_PLANAR_STORE(a)                                                                         \
    ".if %c[channels] < 256\n\t"                                                                   \
    "strb " a ", [r1], #%c[channels]\n\t"                                                          \
    ".else\n\t"                                                                                    \
    "strb " a ", [r1]\n\t"                                                                         \
    "add r1, r1, #%c[channels]\n\t"                                                                \
    ".endif\n\t"

/* Two results, or the first of them. */
#define TG_PLANAR_PAIR(both)                                                                       \
    "ldr r10, [sp]\n\t"                                                                            \
    ".if %c[stride] == 1\n\t"                                                                      \
    TG_PLANAR_ROW_1(both, "2 * %c[pitch]", "[r0, #2 * %c[pitch]]", "r6", "r7", "r10")              \
    TG_PLANAR_ROW_1(both, "%c[pitch]", "[r0, #%c[pitch]]", "r4", "r5", "r11")                      \
    TG_PLANAR_ROW_1(both, "0", "[r0], #4", "r2", "r3", "r11")                                      \
    ".else\n\t"                                                                                    \
    TG_PLANAR_ROW_2(both, "2 * %c[pitch]", "[r0, #2 * %c[pitch]]", "r6", "r7", "r10")              \
    TG_PLANAR_ROW_2(both, "%c[pitch]", "[r0, #%c[pitch]]", "r4", "r5", "r11")                      \
    TG_PLANAR_ROW_2(both, "0", "[r0], #8", "r2", "r3", "r11")                                      \
    "ldr lr, [sp, #4]\n\t"                                                                         \
    ".endif\n\t"                                                                                   \
    ".if %c[has_step] || %c[shift] == 0\n\t"                                                       \
    "ldr r8, [sp, #8]\n\t"                                                                         \
    ".endif\n\t"                                                                                   \
    TG_TWIST_REQUANT("r10", "r12", "lr", "r8", "r8", "r9") TG_PLANAR_STORE("r10")                  \
    ".if " both "\n\t"                                                                             \
    TG_TWIST_REQUANT("r11", "r12", "lr", "r8", "r8", "r9") TG_PLANAR_STORE("r11")                  \
    ".endif\n\t"

TG_INLINE void tg_planar_assembly(const tg_depthwise_planar_s8_shape *shape, const uint32_t *plane,
                                  const int32_t *weights, int32_t rows, int8_t *y)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t pairs = shape->out_w / 2;
    const int32_t loops = pairs > shape->unrolled ? pairs / shape->unrolled : 0;
    const int32_t rest = pairs - loops * shape->unrolled;
    const int32_t used = (shape->out_w + 1) / 2 * 4 * shape->stride_w;
    register const uint32_t *r0 __asm__("r0") = plane;
    register int8_t *r1 __asm__("r1") = y;
    register const int32_t *r2 __asm__("r2") = weights;
    register int32_t r3 __asm__("r3") = rows;
    __asm__ volatile(
        "sub sp, sp, #20\n\t"
        "str r3, [sp, #12]\n\t"
        "ldr r8, [r2, #24]\n\t"
        "ldr r12, [r2, #28]\n\t"
        "ldr lr, [r2, #32]\n\t"
        ".if %c[has_step] || %c[shift] == 0\n\t"
        "ldr r9, [r2, #36]\n\t"
        "str r9, [sp, #8]\n\t"
        ".endif\n\t"
        "str r8, [sp]\n\t"
        "str lr, [sp, #4]\n\t"
        "ldm r2, {r2, r3, r4, r5, r6, r7}\n"
        "1:\n\t" /* a row of results */
        ".if %c[loops]\n\t"
        "mov r8, #%c[loops]\n"
        "str r8, [sp, #16]\n\t"
        "2:\n\t"
        ".rept %c[unrolled]\n\t" TG_PLANAR_PAIR("1") ".endr\n\t"
        "ldr r8, [sp, #16]\n\t"
        "subs r8, r8, #1\n\t"
        "str r8, [sp, #16]\n\t"
        "bne 2b\n\t"
        ".endif\n\t"
        ".rept %c[rest]\n\t" TG_PLANAR_PAIR("1") ".endr\n\t"
        ".if %c[single]\n\t" TG_PLANAR_PAIR("0") ".endif\n\t"
        "ldr r8, [sp, #12]\n\t"
        "add r0, r0, #%c[skipped]\n\t"
        "subs r8, r8, #1\n\t"
        "str r8, [sp, #12]\n\t"
        "bne 1b\n\t"
        "add sp, sp, #20"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [loops] "n"(loops), [rest] "n"(rest), [unrolled] "n"(shape->unrolled),
          [single] "n"(shape->out_w % 2), [stride] "n"(shape->stride_w),
          [pitch] "n"(TG_PLANAR_CHANNELS * 2 * shape->columns), [channels] "n"(shape->channels),
          [skipped] "n"(TG_PLANAR_CHANNELS * 2 * shape->columns * shape->stride_h - used), TG_TWIST_OPERANDS(&output)
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* Rows of results of one channel, from its plane. */
TG_INLINE void tg_planar_channel(const tg_depthwise_planar_s8_shape *shape, const uint32_t *plane,
                                 const int32_t *weights, int32_t rows, int8_t *y)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(shape->columns) && __builtin_constant_p(shape->shift) &&
        shape->columns < TG_PLANAR_COLUMNS && shape->stride_h < 4) {
        tg_planar_assembly(shape, plane, weights, rows, y);
        return;
    }
#endif
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t pitch = TG_PLANAR_CHANNELS * shape->columns / 2;
    for (int32_t row = 0; row < rows; ++row, plane += shape->stride_h * pitch) {
        for (int32_t ox = 0; ox < shape->out_w; ++ox, y += shape->channels) {
            const uint32_t *p = plane + ox / 2 * shape->stride_w;
            int32_t acc = weights[6];
            for (int32_t ky = 0; ky < 3; ++ky, p += pitch) {
                const uint32_t a = (uint32_t)weights[2 * ky], b = (uint32_t)weights[2 * ky + 1];
                if (shape->stride_w == 2) {
                    const uint32_t *const pair = p + ox % 2;
                    acc = tg_smlabb(pair[1], b, tg_smlad(pair[0], a, acc));
                } else if (ox % 2 == 0) {
                    acc = tg_smlabb(p[1], b >> 16, tg_smlad(p[0], a, acc));
                } else {
                    acc = tg_smlad(p[1], b, tg_smlabb(p[0] >> 16, a, acc));
                }
            }
            *y = tg_twist_s8(&output, acc, weights + 7);
        }
    }
}

TG_INLINE void tg_depthwise_planar_s8_dsp(const tg_depthwise_planar_s8_shape *shape,
                                          const tg_depthwise_planar_s8_params *params,
                                          const int8_t *restrict x, int8_t *restrict y,
                                          int8_t *restrict scratch)
{
    uint32_t *const planes = (uint32_t *)(void *)scratch;
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t own = 7 + tg_twist_constants(&output);
    const int32_t channels = shape->channels;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t c = 0; c < channels; c += TG_PLANAR_CHANNELS) {
            c = tg_min(c, channels - TG_PLANAR_CHANNELS); /* the last ones of a rest again with those before */
            for (int32_t oy = 0; oy < shape->out_h; oy += shape->band) {
                const int32_t rows = tg_min(shape->band, shape->out_h - oy);
                const int32_t top = oy * shape->stride_h - shape->pad_top;
                tg_planar_band(shape, x + c, top, tg_planar_rows(shape, rows),
                               params->input_zero_point, planes);
                TG_UNROLL(1)
                for (int32_t i = 0; i < TG_PLANAR_CHANNELS; ++i) {
                    tg_planar_channel(shape, planes + i * (shape->columns / 2),
                                      params->weights + (c + i) * own, rows,
                                      y + oy * shape->out_w * channels + c + i);
                }
            }
        }
        x += shape->in_h * shape->in_w * channels;
        y += shape->out_h * shape->out_w * channels;
    }
}

#endif
