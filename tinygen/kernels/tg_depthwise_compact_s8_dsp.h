/* DEPTHWISE_CONV_2D by 3x3 on int8, NHWC, with stride 1 or 2 along rows, with one function for all
 * sizes and weights that stay bytes, for the Arm DSP extension.
 *
 * SMLAD adds two products to one sum, but the channels that lie side by side in NHWC belong to
 * different sums. So two channels at a time are first rearranged into planes of int16, a band of
 * rows at a time, with the input's zero point around the image. A word of a plane holds neighbours
 * of the image's row, which are neighbours in the kernel's row; words of the two planes take turns.
 * Two neighbouring results come of words p = (x0, x1) and n = (x2, x3), and, with stride 2,
 * m = (x4, x5), by four instructions a kernel row. The weights' words are A = (w0, w1), and
 * B = (w1, w2) or, with stride 2, (w2, 0):
 *
 *     stride 1: y0 += p . A + x2 * w2   y1 += x1 * w0 + n . B
 *     stride 2: y0 += p . A + x2 * w2   y1 += n . A + x4 * w2
 *
 * All six words of a channel's weights stay in registers. They are made at run time, once per band:
 * flash holds bytes. They are multiplied by 256, which int16 just holds, so the requantization is
 * that of tg_twist.h. tg_depthwise_planar_s8_dsp.h is the same for one geometry, faster and larger.
 */
#ifndef TG_DEPTHWISE_COMPACT_S8_DSP_H
#define TG_DEPTHWISE_COMPACT_S8_DSP_H

#include "tg_require_dsp.h"
#include "tg_twist.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels; /* at least 2 */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t band;            /* rows of output whose input is rearranged at a time */
    int32_t columns;         /* of a plane, even */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_depthwise_compact_s8_shape;

typedef struct {
    const int8_t *weights;    /* [channels][3][3] */
    const int32_t *constants; /* per channel: the sum's start, and those of its requantization */
    int32_t input_zero_point;
} tg_depthwise_compact_s8_params;

/* What the inner loop has to know of a band of one channel. */
typedef struct {
    uint32_t weights[6]; /* A and B of each kernel row */
    int32_t start, multiplier, constant, step, shift;
    int32_t channels;
    int32_t pitch; /* bytes from a row of both planes to the next */
    int32_t back;  /* from the last row that a pair of results reads to the first of the next */
    int32_t skip;  /* from behind a row's last pair to the next row's first */
    int32_t width; /* results of a row */
    int32_t left;  /* results to go */
    int32_t rows;  /* to go */
} tg_depthwise_compact_work;

/* A row of zero points to both planes. */
TG_INLINE void tg_depthwise_compact_fill(int32_t columns, uint32_t zeros, uint32_t *to)
{
    const uint32_t pair = tg_sxtb16(zeros);
    TG_UNROLL(1)
    for (int32_t i = 0; i < columns; ++i) {
        to[i] = pair;
    }
}

/* One column of two channels, to half number i of a word of either plane. */
TG_INLINE void tg_depthwise_compact_column(const int8_t *x, int32_t i, uint32_t *to)
{
    tg_store_half(to, i, x[0]);
    tg_store_half(to + 1, i, x[1]);
}

/* A row of the image to both planes, whose borders are there already. */
TG_INLINE void tg_depthwise_compact_row(const tg_depthwise_compact_s8_shape *shape,
                                        const int8_t *x, uint32_t *to)
{
    const int32_t channels = shape->channels;
    int32_t left = shape->in_w;
    to += shape->pad_left / 2 * 2;
    if (shape->pad_left % 2) {
        tg_depthwise_compact_column(x, 1, to);
        x += channels;
        to += 2;
        --left;
    }
    TG_UNROLL(1)
    for (; left >= 2; left -= 2, x += 2 * channels, to += 2) {
        const uint32_t both = tg_pack_low(tg_load_2xs8(x), tg_load_2xs8(x + channels));
        to[0] = tg_sxtb16(both);
        to[1] = tg_sxtb16_odd(both);
    }
    if (left) {
        tg_depthwise_compact_column(x, 0, to);
    }
}

/* The words A and B of a channel's weights. */
TG_INLINE void tg_depthwise_compact_weights(const int8_t *weights, int32_t stride, uint32_t *to)
{
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < 3; ++ky, weights += 3) {
        const uint32_t first = (uint32_t)(uint8_t)weights[0] << 8;
        const uint32_t middle = (uint32_t)(uint8_t)weights[1] << 8;
        const uint32_t last = (uint32_t)(uint8_t)weights[2] << 8;
        *to++ = first | middle << 16;
        *to++ = stride == 1 ? middle | last << 16 : last;
    }
}

#if defined(TG_TWIST_ASSEMBLY)
/* lr: the work. r0: a row of the plane. r1: results. r2 to r7: weights. r8, r9: words of the plane.
 * r10, r11: the sums. r12: bytes from row to row. */
#define TG_DEPTHWISE_COMPACT_ROW_1(a, b, s10)                                                      \
    "ldr r9, [r0, #8]\n\t"                                                                         \
    "ldr r8, [r0]\n\t"                                                                             \
    "smlatb r11, r8, " a ", " s10 "\n\t"                                                           \
    "smlad r10, r8, " a ", r10\n\t"                                                                \
    "smlad r11, r9, " b ", r11\n\t"                                                                \
    "smlabt r10, r9, " b ", r10\n\t"

#define TG_DEPTHWISE_COMPACT_ROW_2(a, b, s10)                                                      \
    "ldr r9, [r0, #8]\n\t"                                                                         \
    "ldr r8, [r0]\n\t"                                                                             \
    "smlad r11, r9, " a ", " s10 "\n\t"                                                            \
    "smlad r10, r8, " a ", r10\n\t"                                                                \
    "ldr r8, [r0, #16]\n\t"                                                                        \
    "smlabb r10, r9, " b ", r10\n\t"                                                               \
    "smlabb r11, r8, " b ", r11\n\t"

/* The sums of two results. */
#define TG_DEPTHWISE_COMPACT_PAIR(row)                                                             \
    "ldr r10, [lr, %[start]]\n\t" row("r2", "r3", "r10")                                           \
    "add r0, r0, r12\n\t" row("r4", "r5", "r11")                                                   \
    "add r0, r0, r12\n\t" row("r6", "r7", "r11")

/* Rows of results of one channel; stride is a constant where this is inlined. */
TG_INLINE void tg_depthwise_compact_assembly(const tg_depthwise_compact_s8_shape *shape,
                                             int32_t stride, tg_depthwise_compact_work *work,
                                             const uint32_t *plane, int8_t *y)
{
    /* What all layers agree on costs no instructions. */
    const int32_t has_step = __builtin_constant_p(shape->has_step) ? shape->has_step : 1;
    register const uint32_t *r0 __asm__("r0") = plane;
    register int8_t *r1 __asm__("r1") = y;
    register tg_depthwise_compact_work *r2 __asm__("r2") = work;
    __asm__ volatile(
        "push {r7}\n\t" /* it may be the frame pointer, which no clobber list saves */
        "mov lr, r2\n\t"
        "ldm r2, {r2, r3, r4, r5, r6, r7}\n\t"
        "ldr r12, [lr, %[pitch]]\n"
        "1:\n\t" /* a row of results */
        "ldr r8, [lr, %[width]]\n\t"
        "str r8, [lr, %[left]]\n"
        "2:\n\t" /* two results */
        ".if %c[stride] == 1\n\t"
        TG_DEPTHWISE_COMPACT_PAIR(TG_DEPTHWISE_COMPACT_ROW_1)
        ".else\n\t"
        TG_DEPTHWISE_COMPACT_PAIR(TG_DEPTHWISE_COMPACT_ROW_2)
        ".endif\n\t"
        ".if %c[has_step]\n\t"
        "ldr r9, [lr, %[step]]\n\t"
        "ldr r12, [lr, %[constant]]\n\t"
        "and r8, r9, r10, asr #31\n\t"
        "and r9, r9, r11, asr #31\n\t"
        "add r8, r8, r12\n\t"
        "add r9, r9, r12\n\t"
        "ldr r12, [lr, %[multiplier]]\n\t"
        "smmla r10, r10, r12, r8\n\t"
        "smmla r11, r11, r12, r9\n\t"
        "ldr r12, [lr, %[pitch]]\n\t"
        ".else\n\t"
        "ldr r8, [lr, %[multiplier]]\n\t"
        "ldr r9, [lr, %[constant]]\n\t"
        "smmla r10, r10, r8, r9\n\t"
        "smmla r11, r11, r8, r9\n\t"
        ".endif\n\t"
        "ldr r8, [lr, %[shift]]\n\t"
        "ldr r9, [lr, %[left]]\n\t"
        "asr r10, r10, r8\n\t"
        "asr r11, r11, r8\n\t"
        "subs r9, r9, #2\n\t"
        "str r9, [lr, %[left]]\n\t"
        "ldr r8, [lr, %[channels]]\n\t"
        "ldr r9, [lr, %[back]]\n\t"
        "ssat r10, #8, r10\n\t"
        "ssat r11, #8, r11\n\t"
        "strb r10, [r1]\n\t"
        "add r1, r1, r8\n\t"
        "itt pl\n\t" /* a last single result has no second one */
        "strbpl r11, [r1]\n\t"
        "addpl r1, r1, r8\n\t"
        "sub r0, r0, r9\n\t"
        "bgt 2b\n\t"
        "ldr r8, [lr, %[skip]]\n\t"
        "ldr r9, [lr, %[rows]]\n\t"
        "add r0, r0, r8\n\t"
        "subs r9, r9, #1\n\t"
        "str r9, [lr, %[rows]]\n\t"
        "bne 1b\n\t"
        "pop {r7}"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        : [start] "n"(offsetof(tg_depthwise_compact_work, start)),
          [multiplier] "n"(offsetof(tg_depthwise_compact_work, multiplier)),
          [constant] "n"(offsetof(tg_depthwise_compact_work, constant)),
          [step] "n"(offsetof(tg_depthwise_compact_work, step)),
          [shift] "n"(offsetof(tg_depthwise_compact_work, shift)),
          [channels] "n"(offsetof(tg_depthwise_compact_work, channels)),
          [pitch] "n"(offsetof(tg_depthwise_compact_work, pitch)),
          [back] "n"(offsetof(tg_depthwise_compact_work, back)),
          [skip] "n"(offsetof(tg_depthwise_compact_work, skip)),
          [width] "n"(offsetof(tg_depthwise_compact_work, width)),
          [left] "n"(offsetof(tg_depthwise_compact_work, left)),
          [rows] "n"(offsetof(tg_depthwise_compact_work, rows)), [stride] "n"(stride),
          [has_step] "n"(has_step)
        : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    if (shape->output_min > INT8_MIN || shape->output_max < INT8_MAX) {
        TG_UNROLL(1)
        for (; y < r1; y += shape->channels) {
            *y = (int8_t)tg_clamp(*y, shape->output_min, shape->output_max);
        }
    }
}
#else
/* The same in C; constants are the channel's. */
TG_INLINE void tg_depthwise_compact_rows(const tg_depthwise_compact_s8_shape *shape,
                                         const tg_depthwise_compact_work *work,
                                         const int32_t *constants, const uint32_t *plane, int8_t *y)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    for (int32_t row = 0; row < work->rows; ++row, plane += shape->stride_h * shape->columns) {
        for (int32_t ox = 0; ox < shape->out_w; ++ox, y += shape->channels) {
            const uint32_t *p = plane + ox / 2 * 2 * shape->stride_w;
            int32_t acc = work->start;
            for (int32_t ky = 0; ky < 3; ++ky, p += shape->columns) {
                const uint32_t a = work->weights[2 * ky], b = work->weights[2 * ky + 1];
                if (shape->stride_w == 2) {
                    const uint32_t *const pair = p + ox % 2 * 2;
                    acc = tg_smlabb(pair[2], b, tg_smlad(pair[0], a, acc));
                } else if (ox % 2 == 0) {
                    acc = tg_smlabb(p[2], b >> 16, tg_smlad(p[0], a, acc));
                } else {
                    acc = tg_smlad(p[2], b, tg_smlabb(p[0] >> 16, a, acc));
                }
            }
            *y = tg_twist_s8(&output, acc, constants);
        }
    }
}
#endif

/* A band of one channel. */
TG_INLINE void tg_depthwise_compact_band(const tg_depthwise_compact_s8_shape *shape,
                                         const tg_depthwise_compact_s8_params *params,
                                         tg_depthwise_compact_work *work, int32_t channel,
                                         const uint32_t *plane, int8_t *y)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t *own = params->constants + channel * (1 + tg_twist_constants(&output));
    tg_depthwise_compact_weights(params->weights + 9 * channel, shape->stride_w, work->weights);
    work->start = *own++;
#if defined(TG_TWIST_ASSEMBLY)
    work->multiplier = *own++;
    work->constant = *own++;
    work->step = output.has_step ? *own++ : 0;
    work->shift = output.shift ? output.shift : *own;
    if (shape->stride_w == 1) {
        tg_depthwise_compact_assembly(shape, 1, work, plane, y);
    } else {
        tg_depthwise_compact_assembly(shape, 2, work, plane, y);
    }
#else
    tg_depthwise_compact_rows(shape, work, own, plane, y);
#endif
}

TG_INLINE void tg_depthwise_compact_s8_dsp(const tg_depthwise_compact_s8_shape *shape,
                                           const tg_depthwise_compact_s8_params *params,
                                           const int8_t *restrict x, int8_t *restrict y,
                                           int8_t *restrict scratch)
{
    uint32_t *const planes = (uint32_t *)(void *)scratch;
    const int32_t channels = shape->channels, row_bytes = shape->in_w * channels;
    const int32_t pitch = 4 * shape->columns, pair_bytes = 8 * shape->stride_w;
    const uint32_t zeros = (uint32_t)(uint8_t)params->input_zero_point * 0x01010101u;
    tg_depthwise_compact_work work = {
        .channels = channels,
        .pitch = pitch,
        .back = 2 * pitch - pair_bytes,
        .skip = shape->stride_h * pitch - (shape->out_w + 1) / 2 * pair_bytes,
        .width = shape->out_w,
    };
    const int32_t most_rows = (shape->band - 1) * shape->stride_h + 3;
    tg_depthwise_compact_fill(most_rows * shape->columns, zeros, planes);
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        TG_UNROLL(1)
        for (int32_t c = 0; c < channels; c += 2) {
            c = tg_min(c, channels - 2); /* a last single one again with the one before */
            TG_UNROLL(1)
            for (int32_t oy = 0; oy < shape->out_h; oy += shape->band) {
                const int32_t rows = tg_min(shape->band, shape->out_h - oy);
                const int32_t top = oy * shape->stride_h - shape->pad_top;
                const int32_t end = top + (rows - 1) * shape->stride_h + 3;
                uint32_t *to = planes;
                TG_UNROLL(1)
                for (int32_t iy = top; iy < end; ++iy, to += shape->columns) {
                    if (iy >= 0 && iy < shape->in_h) {
                        tg_depthwise_compact_row(shape, x + iy * row_bytes + c, to);
                    } else {
                        tg_depthwise_compact_fill(shape->columns, zeros, to);
                    }
                }
                const int32_t both = tg_hidden(2);
                for (int32_t i = 0; i < both; ++i) {
                    work.rows = rows;
                    tg_depthwise_compact_band(shape, params, &work, c + i, planes + i,
                                              y + oy * shape->out_w * channels + c + i);
                }
            }
        }
        x += shape->in_h * row_bytes;
        y += shape->out_h * shape->out_w * channels;
    }
}

#endif
