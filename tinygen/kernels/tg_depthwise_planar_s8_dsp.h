/* DEPTHWISE_CONV_2D by 3x3 on int8, NHWC, with stride 1 or 2 along rows, for the Arm DSP extension.
 *
 * SMLAD adds two products to one sum, but the channels that lie side by side in NHWC belong to
 * different sums. So four channels at a time are first rearranged into planes (tg_planes.h), a band
 * of rows at a time: neighbours in a plane are neighbours in the kernel's row, and each value is
 * used nine times. A row's two neighbouring results of stride 1 come from words p = (x0, x1) and
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

#include "tg_planes.h"
#include "tg_require_dsp.h"

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

/* What the input is rearranged into. */
TG_INLINE tg_planes_shape tg_planar_planes(const tg_depthwise_planar_s8_shape *shape)
{
    const tg_planes_shape planes = {
        .in_h = shape->in_h,
        .in_w = shape->in_w,
        .channels = shape->channels,
        .pad_left = shape->pad_left,
        .columns = shape->columns,
    };
    return planes;
}

/* Bytes from one row of a plane to the next. */
TG_INLINE int32_t tg_planar_pitch(const tg_depthwise_planar_s8_shape *shape)
{
    const tg_planes_shape planes = tg_planar_planes(shape);
    return tg_planes_pitch(&planes);
}

/* Rows of input that a band of output rows reads. */
TG_INLINE int32_t tg_planar_rows(const tg_depthwise_planar_s8_shape *shape, int32_t band)
{
    return (band - 1) * shape->stride_h + 3;
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
          [pitch] "n"(tg_planar_pitch(shape)), [channels] "n"(shape->channels),
          [skipped] "n"(tg_planar_pitch(shape) * shape->stride_h - used),
          TG_TWIST_OPERANDS(&output)
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* Rows of results of one channel, from its plane. */
TG_INLINE void tg_planar_channel(const tg_depthwise_planar_s8_shape *shape, const uint32_t *plane,
                                 const int32_t *weights, int32_t rows, int8_t *y)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(shape->columns) && __builtin_constant_p(shape->shift) &&
        tg_planar_pitch(shape) * tg_max(2, shape->stride_h) + 8 < 4096) {
        tg_planar_assembly(shape, plane, weights, rows, y);
        return;
    }
#endif
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t pitch = tg_planar_pitch(shape) / 4; /* in words */
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
    const tg_planes_shape four = tg_planar_planes(shape);
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t own = 7 + tg_twist_constants(&output);
    const int32_t channels = shape->channels;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t c = 0; c < channels; c += TG_PLANES_CHANNELS) {
            c = tg_min(c, channels - TG_PLANES_CHANNELS); /* a rest with some of those before */
            for (int32_t oy = 0; oy < shape->out_h; oy += shape->band) {
                const int32_t rows = tg_min(shape->band, shape->out_h - oy);
                const int32_t top = oy * shape->stride_h - shape->pad_top;
                tg_planes_band(&four, x + c, top, tg_planar_rows(shape, rows),
                               params->input_zero_point, planes);
                TG_UNROLL(1)
                for (int32_t i = 0; i < TG_PLANES_CHANNELS; ++i) {
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
