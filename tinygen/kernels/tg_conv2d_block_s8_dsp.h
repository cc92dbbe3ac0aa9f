/* CONV_2D on int8, NHWC, by blocks of three pixels and two channels, for the Arm DSP extension.
 *
 * The patches of three output pixels at a time are gathered into scratch, one after the other,
 * mixed (see tg_twist.h) and padded to words; where the kernel hangs over the border they hold the
 * input's zero point. Gathering a patch takes about as long as computing one output channel of it.
 * tg_block_3x2.h then computes all channels of the three pixels. A last group of fewer pixels
 * begins among those already done, as does a last single channel: what is computed twice comes out
 * twice the same.
 */
#ifndef TG_CONV2D_BLOCK_S8_DSP_H
#define TG_CONV2D_BLOCK_S8_DSP_H

#include "tg_block_3x2.h"
#include "tg_gather_three.h"
#include "tg_require_dsp.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t depth; /* bytes of a patch, padded to words */
    int32_t unrolled, together; /* see tg_block_3x2.h */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_conv2d_block_s8_shape;

typedef struct {
    const int32_t *weights; /* see tg_block_3x2.h; a last single channel is paired with the second
                               last */
    int32_t input_zero_point;
} tg_conv2d_block_s8_params;

/* Copies bytes of a patch, mixed; odd tells whether the first has an odd place in the patch. The
 * last word overlaps the one before where the bytes are no whole words. */
TG_INLINE void tg_copy_mixed(int8_t *to, const int8_t *from, int32_t bytes, int32_t odd)
{
    int32_t i = 0;
    TG_UNROLL(4)
    for (; i + 16 <= bytes; i += 16) {
        tg_copy_flipped_16(to + i, from + i, tg_mixed(odd));
    }
    TG_UNROLL(4)
    for (; i + 4 <= bytes; i += 4) {
        tg_store_4xs8(to + i, tg_load_4xs8(from + i) ^ tg_mixed(odd));
    }
    if (bytes >= 4 && i < bytes) {
        tg_store_4xs8(to + bytes - 4, tg_load_4xs8(from + bytes - 4) ^ tg_mixed(odd ^ (bytes & 1)));
        return;
    }
    for (; i < bytes; ++i) {
        to[i] = tg_mixed_byte(from[i], odd ^ (i & 1));
    }
}

/* The same for bytes of one value. */
TG_INLINE void tg_fill_mixed(int8_t *to, int32_t value, int32_t bytes, int32_t odd)
{
    const uint32_t word = (uint32_t)(uint8_t)value * 0x01010101u ^ tg_mixed(odd);
    int32_t i = 0;
    for (; i + 4 <= bytes; i += 4) {
        tg_store_4xs8(to + i, word);
    }
    for (; i < bytes; ++i) {
        to[i] = tg_mixed_byte((int8_t)value, odd ^ (i & 1));
    }
}

/* A patch that lies inside the image, where the taps of a kernel row lie side by side. */
TG_INLINE void tg_gather_inside(const tg_conv2d_block_s8_shape *shape, const int8_t *x,
                                int8_t *patch)
{
    const int32_t row_bytes = shape->kernel_w * shape->in_c;
    TG_UNROLL(16)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
        const int8_t *const row = x + ky * shape->dilation_h * shape->in_w * shape->in_c;
        tg_copy_mixed(patch + ky * row_bytes, row, row_bytes, ky & row_bytes & 1);
    }
}

/* One row of the kernel, beginning in column left of the image's row, or outside if row is null. */
TG_INLINE void tg_gather_row(const tg_conv2d_block_s8_shape *shape, const int8_t *row, int32_t left,
                             int32_t zero_point, int32_t odd, int8_t *patch)
{
    const int32_t in_c = shape->in_c, kernel_w = shape->kernel_w;
    if (!row) {
        tg_fill_mixed(patch, zero_point, kernel_w * in_c, odd);
    } else if (kernel_w * in_c == 4 && shape->dilation_w == 1 && kernel_w <= shape->in_w) {
        /* A row of one word: the nearest one inside, moved, and zero points where it was. */
        const int32_t nearest = tg_clamp(left, 0, shape->in_w - kernel_w);
        const int32_t bits = tg_clamp(8 * in_c * (nearest - left), -32, 32);
        const uint64_t word = tg_load_4xs8(row + nearest * in_c);
        const uint64_t fill = (uint32_t)(uint8_t)zero_point * 0x01010101u;
        const uint32_t moved = (uint32_t)(bits >= 0 ? (word << 32 | fill) >> (32 - bits)
                                                    : (fill << 32 | word) >> -bits);
        tg_store_4xs8(patch, moved ^ tg_mixed(odd));
    } else if (shape->dilation_w == 1) {
        const int32_t before = in_c * tg_clamp(-left, 0, kernel_w);
        const int32_t end = in_c * tg_clamp(shape->in_w - left, 0, kernel_w);
        tg_fill_mixed(patch, zero_point, before, odd);
        tg_copy_mixed(patch + before, row + left * in_c + before, end - before,
                      odd ^ (before & 1));
        tg_fill_mixed(patch + end, zero_point, kernel_w * in_c - end, odd ^ (end & 1));
    } else {
        for (int32_t kx = 0; kx < kernel_w; ++kx, patch += in_c, odd ^= in_c & 1) {
            const int32_t ix = left + kx * shape->dilation_w;
            if (ix >= 0 && ix < shape->in_w) {
                tg_copy_mixed(patch, row + ix * in_c, in_c, odd);
            } else {
                tg_fill_mixed(patch, zero_point, in_c, odd);
            }
        }
    }
}

/* The patch of the pixel whose kernel begins in row top and column left, either perhaps outside. */
TG_INLINE void tg_gather_mixed(const tg_conv2d_block_s8_shape *shape, const int8_t *x, int32_t top,
                               int32_t left, int32_t zero_point, int8_t *patch)
{
    const int32_t row_bytes = shape->kernel_w * shape->in_c;
    const int32_t bottom = top + (shape->kernel_h - 1) * shape->dilation_h;
    if (shape->dilation_w == 1 && top >= 0 && left >= 0 && bottom < shape->in_h &&
        left + shape->kernel_w <= shape->in_w) {
        tg_gather_inside(shape, x + (top * shape->in_w + left) * shape->in_c, patch);
        return;
    }
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
        const int32_t iy = top + ky * shape->dilation_h;
        const int8_t *const row =
            iy >= 0 && iy < shape->in_h ? x + iy * shape->in_w * shape->in_c : NULL;
        tg_gather_row(shape, row, left, zero_point, ky & row_bytes & 1, patch + ky * row_bytes);
    }
}

/* The same of three pixels in a row from that one on, if their kernels lie inside, and if this is
 * known to be quicker than one by one; tells whether it is done. */
TG_INLINE int32_t tg_gather_neighbours(const tg_conv2d_block_s8_shape *shape, const int8_t *x,
                                       int32_t top, int32_t left, int8_t *patches)
{
#if defined(TG_TWIST_ASSEMBLY)
    const tg_gather_three_shape three = {
        .rows = shape->kernel_h,
        .row_bytes = shape->kernel_w * shape->in_c,
        .pitch = shape->dilation_h * shape->in_w * shape->in_c,
        .step = shape->stride_w * shape->in_c,
        .depth = shape->depth,
    };
    /* Where the kernel is inside is the output inside, too: but not for each of three in a row. */
    const int32_t lowest = shape->in_h - 1 - (shape->kernel_h - 1) * shape->dilation_h;
    const int32_t image = shape->in_w - shape->kernel_w - 2 * shape->stride_w;
    const int32_t row = (shape->out_w - 3) * shape->stride_w - shape->pad_left;
    const int32_t rightmost = tg_min(image, row);
    if (shape->dilation_w == 1 && lowest >= 0 && rightmost >= 0 && tg_gather_three_fits(&three) &&
        (uint32_t)top <= (uint32_t)lowest && (uint32_t)left <= (uint32_t)rightmost) {
        const int8_t *const first = x + (top * shape->in_w + left) * shape->in_c;
        tg_gather_three_assembly(&three, first, patches);
        return 1;
    }
#else
    (void)shape, (void)x, (void)top, (void)left, (void)patches;
#endif
    return 0;
}

TG_INLINE void tg_gather_three(const tg_conv2d_block_s8_shape *shape, const int8_t *x,
                               int32_t pixel, int32_t zero_point, int8_t *patches)
{
    const int32_t same_size = shape->out_h == shape->in_h && shape->out_w == shape->in_w;
    const int32_t all_pixels = same_size && shape->stride_h == 1 && shape->stride_w == 1;
    if (shape->kernel_h == 1 && shape->kernel_w == 1 && all_pixels && shape->in_c % 4 == 0) {
        tg_copy_mixed(patches, x + pixel * shape->in_c, 3 * shape->in_c, 0);
        return;
    }
    int32_t oy = pixel / shape->out_w;
    int32_t ox = pixel - oy * shape->out_w;
    if (tg_gather_neighbours(shape, x, oy * shape->stride_h - shape->pad_top,
                             ox * shape->stride_w - shape->pad_left, patches)) {
        return;
    }
    TG_UNROLL(1)
    for (int32_t i = 0; i < 3; ++i) {
        tg_gather_mixed(shape, x, oy * shape->stride_h - shape->pad_top,
                        ox * shape->stride_w - shape->pad_left, zero_point,
                        patches + i * shape->depth);
        if (++ox == shape->out_w) {
            ox = 0;
            ++oy;
        }
    }
}

TG_INLINE void tg_conv2d_block_s8_dsp(const tg_conv2d_block_s8_shape *shape,
                                      const tg_conv2d_block_s8_params *params,
                                      const int8_t *restrict x, int8_t *restrict y,
                                      int8_t *restrict patches)
{
    const tg_block_3x2_shape block = {
        .depth = shape->depth,
        .out_c = shape->out_c,
        .unrolled = shape->unrolled,
        .together = shape->together,
        .output = TG_TWIST_OUTPUT(shape),
    };
    const int32_t pixels = shape->out_h * shape->out_w;
    const int32_t pairs = shape->out_c / 2;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t pixel = 0; pixel < pixels; pixel += 3) {
            pixel = tg_min(pixel, pixels - 3);
            tg_gather_three(shape, x, pixel, params->input_zero_point, patches);
            tg_block_3x2(&block, patches, params->weights, y + pixel * shape->out_c, pairs);
            if (shape->out_c % 2) {
                tg_block_3x2(&block, patches,
                             params->weights + pairs * tg_block_3x2_words(&block),
                             y + (pixel + 1) * shape->out_c - 2, 1);
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += pixels * shape->out_c;
    }
}

#endif
