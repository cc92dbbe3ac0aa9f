/* Four channels of an int8 image, NHWC, rearranged into planes of int16, for the Arm DSP extension.
 *
 * SMLAD multiplies neighbours in a word, but what lies side by side in NHWC are channels. In a
 * plane it is the columns of one channel, two to a word, with the input's zero point around the
 * image. The planes' rows take turns: a row of each of the four, then the next row.
 *
 * Two pixels' words a = (a0, a1, a2, a3) and b give one word of each plane: PKHBT and PKHTB make
 * (a0, a1, b0, b1) and (a2, a3, b2, b3) of them, and SXTB16 widens the even bytes of these, or the
 * odd ones. That is less than two cycles per value on a Cortex-M4, loads and stores included.
 */
#ifndef TG_PLANES_H
#define TG_PLANES_H

#include "tg_twist.h"

/* All are constants of a kernel's shape. */
typedef struct {
    int32_t in_h, in_w;
    int32_t channels; /* of the image, at least 4 */
    int32_t pad_left; /* columns of a plane that are before the image's first */
    int32_t columns;  /* of a plane, even; the image may have more, or less */
} tg_planes_shape;

/* Channels at a time. */
#define TG_PLANES_CHANNELS 4

/* Bytes from one row of a plane to the next. */
TG_INLINE int32_t tg_planes_pitch(const tg_planes_shape *shape)
{
    return TG_PLANES_CHANNELS * 2 * shape->columns;
}

/* What a row of a plane is made of, in pairs of columns. */
typedef struct {
    int32_t before; /* outside the image */
    int32_t left;   /* 1 if there is one of which the second is inside */
    int32_t inside;
    int32_t right; /* 1 if there is one of which the first is inside */
    int32_t after;
} tg_planes_spans;

TG_INLINE tg_planes_spans tg_planes_spans_of(const tg_planes_shape *shape)
{
    const int32_t columns = shape->columns, end = shape->pad_left + shape->in_w;
    tg_planes_spans spans;
    spans.before = tg_min(shape->pad_left, columns) / 2;
    spans.left = shape->pad_left % 2 && shape->pad_left < columns;
    const int32_t first = 2 * (spans.before + spans.left);
    spans.inside = tg_max(0, tg_min(columns, end) - first) / 2;
    spans.right = end > first && end < columns && end % 2;
    spans.after = columns / 2 - spans.before - spans.left - spans.inside - spans.right;
    return spans;
}

/* Bytes from the last pixel but one of a row's pairs, or behind them, to the image's next row. */
TG_INLINE int32_t tg_planes_skipped(const tg_planes_shape *shape,
                                    const tg_planes_spans *spans)
{
    const int32_t passed = spans->left + 2 * (spans->inside - spans->inside % 2);
    return (shape->in_w - passed) * shape->channels;
}

/* Two columns of four channels, a and b, to each plane, whose rows have so many words. */
TG_INLINE void tg_planes_store(uint32_t a, uint32_t b, int32_t words, uint32_t *to)
{
    const uint32_t low = tg_pack_low(a, b), high = tg_pack_high(a, b);
    to[0] = tg_sxtb16(low);
    to[words] = tg_sxtb16_odd(low);
    to[2 * words] = tg_sxtb16(high);
    to[3 * words] = tg_sxtb16_odd(high);
}

#if defined(TG_TWIST_ASSEMBLY)
/* tg_planes_store of registers a and b to r1, which moves on; l, h, s and t are free. */
#define TG_PLANES_SPREAD(a, b, l, h, s, t)                                                         \
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
#define TG_PLANES_FOUR                                                                             \
    "ldr r3, [r0]\n\t"                                                                             \
    "ldr r4, [r0, #%c[channels]]\n\t"                                                              \
    "ldr r5, [r0, #2 * %c[channels]]\n\t"                                                          \
    "ldr r6, [r0, #3 * %c[channels]]\n\t"                                                          \
    "add r0, r0, #4 * %c[channels]\n\t"                                                            \
    TG_PLANES_SPREAD("r3", "r4", "r7", "r8", "r9", "r10")                                          \
    TG_PLANES_SPREAD("r5", "r6", "r7", "r8", "r9", "r10")

/* Two columns outside the image. */
#define TG_PLANES_NONE                                                                             \
    "str r12, [r1, #%c[row]]\n\t"                                                                  \
    "str r12, [r1, #2 * %c[row]]\n\t"                                                              \
    "str r12, [r1, #3 * %c[row]]\n\t"                                                              \
    "str r12, [r1], #4\n\t"

/* tg_planes_image. r11: zero points as int8. r12: as int16. lr: rows to go. */
TG_INLINE void tg_planes_image_assembly(const tg_planes_shape *shape, const int8_t *x,
                                        int32_t rows, int32_t zero_point, uint32_t *to)
{
    const tg_planes_spans spans = tg_planes_spans_of(shape);
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
        ".rept %c[before]\n\t" TG_PLANES_NONE ".endr\n\t"
        ".if %c[left]\n\t"
        "ldr r4, [r0]\n\t"
        "add r0, r0, #%c[channels]\n\t" TG_PLANES_SPREAD("r11", "r4", "r7", "r8", "r9", "r10")
        ".endif\n\t"
        ".if %c[eights]\n\t"
        "mov r2, #%c[eights]\n"
        "2:\n\t" TG_PLANES_FOUR TG_PLANES_FOUR
        "subs r2, r2, #1\n\t"
        "bne 2b\n\t"
        ".endif\n\t"
        ".if %c[inside] & 2\n\t" TG_PLANES_FOUR ".endif\n\t"
        ".set .Ltg_next, 0\n\t"
        ".if %c[inside] & 1\n\t"
        "ldr r3, [r0]\n\t"
        "ldr r4, [r0, #%c[channels]]\n\t" TG_PLANES_SPREAD("r3", "r4", "r7", "r8", "r9", "r10")
        ".set .Ltg_next, 2 * %c[channels]\n\t"
        ".endif\n\t"
        ".if %c[right]\n\t"
        "ldr r3, [r0, #.Ltg_next]\n\t" TG_PLANES_SPREAD("r3", "r11", "r7", "r8", "r9", "r10")
        ".endif\n\t"
        ".rept %c[after]\n\t" TG_PLANES_NONE ".endr\n\t"
        "add r0, r0, #%c[skipped]\n\t"
        "add r1, r1, #3 * %c[row]\n\t"
        "subs lr, lr, #1\n\t"
        "bne 1b"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [before] "n"(spans.before), [left] "n"(spans.left), [inside] "n"(spans.inside),
          [eights] "n"(eights), [right] "n"(spans.right), [after] "n"(spans.after),
          [channels] "n"(shape->channels), [row] "n"(2 * shape->columns),
          [skipped] "n"(tg_planes_skipped(shape, &spans))
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

/* Some rows of the image, which begin at x, to the planes. */
TG_INLINE void tg_planes_image(const tg_planes_shape *shape, const int8_t *x,
                               int32_t rows, int32_t zero_point, uint32_t *to)
{
    const tg_planes_spans spans = tg_planes_spans_of(shape);
    const int32_t channels = shape->channels, words = shape->columns / 2;
    const uint32_t zeros = (uint32_t)(uint8_t)zero_point * 0x01010101u;
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(shape->columns) && __builtin_constant_p(channels) &&
        tg_planes_pitch(shape) < 4096 && channels < 1024 &&
        tg_planes_skipped(shape, &spans) < 4096) {
        if (rows > 0) {
            tg_planes_image_assembly(shape, x, rows, zero_point, to);
        }
        return;
    }
#endif
    for (int32_t row = 0; row < rows; ++row, x += shape->in_w * channels, to += 3 * words) {
        const int8_t *from = x;
        for (int32_t i = 0; i < spans.before; ++i) {
            tg_planes_store(zeros, zeros, words, to++);
        }
        if (spans.left) {
            tg_planes_store(zeros, tg_load_4xs8(from), words, to++);
            from += channels;
        }
        for (int32_t i = 0; i < spans.inside; ++i, from += 2 * channels) {
            tg_planes_store(tg_load_4xs8(from), tg_load_4xs8(from + channels), words, to++);
        }
        if (spans.right) {
            tg_planes_store(tg_load_4xs8(from), zeros, words, to++);
        }
        for (int32_t i = 0; i < spans.after; ++i) {
            tg_planes_store(zeros, zeros, words, to++);
        }
    }
}

/* Some rows outside the image. */
TG_INLINE void tg_planes_outside(const tg_planes_shape *shape, int32_t rows,
                                 int32_t zero_point, uint32_t *to)
{
    const uint32_t word = ((uint32_t)zero_point & 0xffffu) * 0x00010001u;
    for (int32_t i = 0; i < rows * TG_PLANES_CHANNELS * (shape->columns / 2); i += 4) {
        to[i] = to[i + 1] = to[i + 2] = to[i + 3] = word;
    }
}

/* The rows that a band of output rows reads, of four channels from x on. */
TG_INLINE void tg_planes_band(const tg_planes_shape *shape, const int8_t *x,
                              int32_t top, int32_t rows, int32_t zero_point, uint32_t *to)
{
    const int32_t first = tg_clamp(-top, 0, rows), end = tg_clamp(shape->in_h - top, first, rows);
    const int32_t words = TG_PLANES_CHANNELS * (shape->columns / 2);
    tg_planes_outside(shape, first, zero_point, to);
    tg_planes_image(shape, x + (top + first) * shape->in_w * shape->channels, end - first,
                    zero_point, to + first * words);
    tg_planes_outside(shape, rows - end, zero_point, to + end * words);
}

#endif
