/* CONV_2D on int8, NHWC, with one function for all geometries and weights that stay bytes, for the
 * Arm DSP extension.
 *
 * The patches of two output pixels at a time are gathered into scratch, as pairs (see
 * tg_compact.h) and padded to words; where the kernel hangs over the border they hold those of the
 * input's zero point. Gathering a patch takes about as long as computing two output channels of it.
 * tg_compact_2x3.h then computes all channels of both pixels. A last single pixel is done with the
 * one before: what is computed twice comes out twice the same.
 *
 * Where a pixel's channels are no whole words, a patch is first gathered as it is.
 */
#ifndef TG_CONV2D_COMPACT_S8_DSP_H
#define TG_CONV2D_COMPACT_S8_DSP_H

#include "tg_compact_2x3.h"
#include "tg_conv2d_compact.h"
#include "tg_require_dsp.h"

/* Words of activations to pairs of one of two patches; gives back where the next ones go. */
TG_INLINE uint32_t *tg_compact_pairs(uint32_t *pairs, const int8_t *x, int32_t words)
{
    if (words > 0) {
#if defined(TG_TWIST_ASSEMBLY)
        /* GCC takes the test of the loop first, and an instruction more for each address. */
        uint32_t p, word;
        __asm__ volatile("1:\n\t"
                         "ldr %[word], [%[x]], #4\n\t"
                         "subs %[words], %[words], #1\n\t"
                         "sxtab16 %[p], %[less], %[word], ror #8\n\t"
                         "eor %[word], %[word], %[flip]\n\t"
                         "rev16 %[word], %[word]\n\t"
                         "str %[p], [%[pairs]], #8\n\t"
                         "str %[word], [%[pairs]], #8\n\t"
                         "bne 1b"
                         : [x] "+r"(x), [pairs] "+r"(pairs), [words] "+r"(words), [p] "=&r"(p),
                           [word] "=&r"(word)
                         : [less] "r"(TG_COMPACT_LESS), [flip] "n"(TG_COMPACT_FLIP)
                         : "cc", "memory");
#else
        for (; words > 0; --words, x += 4, pairs += 4) {
            const uint32_t word = tg_load_4xs8(x);
            pairs[0] = tg_compact_p(word);
            pairs[2] = tg_compact_q(word);
        }
#endif
    }
    return pairs;
}

/* The same for words of one value. */
TG_INLINE uint32_t *tg_compact_fill(uint32_t *pairs, uint32_t word, int32_t words)
{
    TG_UNROLL(1)
    for (; words > 0; --words, pairs += 4) {
        pairs[0] = tg_compact_p(word);
        pairs[2] = tg_compact_q(word);
    }
    return pairs;
}

/* A patch's kernel row that hangs over the border: of its columns those from first to last are in
 * the image's row x, unless that is null. Pairs go to pairs, or bytes to raw. */
TG_INLINE void tg_compact_border(const tg_conv2d_compact_s8_shape *shape, const int8_t *x,
                                 int32_t first, int32_t last, int32_t zero_point, int8_t *raw,
                                 uint32_t *pairs)
{
    const int32_t in_c = shape->in_c, row_bytes = in_c * shape->kernel_w;
    const int32_t before = x ? in_c * first : 0;
    const int32_t inside = x ? in_c * last - before : 0;
    if (in_c % 4 != 0) {
        tg_fill_s8(raw, zero_point, row_bytes);
        tg_copy_s8(raw + before, x, inside);
    } else {
        const uint32_t zeros = (uint32_t)(uint8_t)zero_point * 0x01010101u;
        pairs = tg_compact_fill(pairs, zeros, before / 4);
        pairs = tg_compact_pairs(pairs, x, inside / 4);
        tg_compact_fill(pairs, zeros, (row_bytes - before - inside) / 4);
    }
}

/* The patch of the pixel whose kernel begins in row top and column left, either perhaps outside. A
 * patch of no whole words goes to raw first. */
TG_INLINE void tg_compact_gather(const tg_conv2d_compact_s8_shape *shape, const int8_t *x,
                                 int32_t top, int32_t left, int32_t zero_point, int8_t *raw,
                                 uint32_t *pairs)
{
    const int32_t in_c = shape->in_c, row_bytes = in_c * shape->kernel_w;
    const int32_t image_row = shape->in_w * in_c;
    const int32_t bottom = top + (shape->kernel_h - 1) * shape->dilation_h;
    uint32_t *to = pairs;
    int8_t *raw_row = raw;
    if (top >= 0 && left >= 0 && bottom < shape->in_h && left + shape->kernel_w <= shape->in_w) {
        const int8_t *row = x + top * image_row + left * in_c;
        const int32_t step = shape->dilation_h * image_row;
        TG_UNROLL(1)
        for (int32_t ky = shape->kernel_h; ky > 0; --ky, row += step) {
            if (in_c % 4 != 0) {
                tg_copy_s8(raw_row, row, row_bytes);
                raw_row += row_bytes;
            } else {
                to = tg_compact_pairs(to, row, row_bytes / 4);
            }
        }
    } else {
        const int32_t first = tg_clamp(-left, 0, shape->kernel_w);
        const int32_t last = tg_clamp(shape->in_w - left, 0, shape->kernel_w);
        TG_UNROLL(1)
        for (int32_t iy = top; iy <= bottom; iy += shape->dilation_h) {
            const int32_t is_row = iy >= 0 && iy < shape->in_h && first < last;
            tg_compact_border(shape, is_row ? x + iy * image_row + (left + first) * in_c : NULL,
                              first, last, zero_point, raw_row, to);
            raw_row += row_bytes;
            to += row_bytes;
        }
    }
    if (in_c % 4 != 0) {
        tg_compact_pairs(pairs, raw, shape->depth / 4);
    }
}

TG_INLINE void tg_conv2d_compact_s8_dsp(const tg_conv2d_compact_s8_shape *shape,
                                        const tg_conv2d_compact_s8_params *params,
                                        const int8_t *restrict x, int8_t *restrict y,
                                        int8_t *restrict scratch)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    uint32_t *const pairs = (uint32_t *)(void *)scratch;
    const int32_t steps = shape->depth / 4, channels = shape->out_c;
    const int32_t pixels = shape->out_h * shape->out_w;
    tg_compact_work work = tg_compact_start(&output, steps, channels, 3, TG_COMPACT_2X3_STEP_BYTES,
                                            params->weights);
    work.x = pairs;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
            pixel = tg_min(pixel, pixels - 2);
            int32_t oy = pixel / shape->out_w;
            int32_t ox = pixel - oy * shape->out_w;
            const int32_t both = tg_hidden(2);
            for (int32_t i = 0; i < both; ++i) {
                tg_compact_gather(shape, x, oy * shape->stride_h - shape->pad_top,
                                  ox * shape->stride_w - shape->pad_left, params->input_zero_point,
                                  scratch + 16 * steps, pairs + i);
                if (++ox == shape->out_w) {
                    ox = 0;
                    ++oy;
                }
            }
            int8_t *const to = y + pixel * channels;
            tg_compact_2x3(&work, &output, params->weights, to, to + channels, channels);
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += pixels * channels;
    }
}

#endif
