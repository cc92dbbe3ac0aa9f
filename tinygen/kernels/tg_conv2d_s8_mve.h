/* CONV_2D on int8, NHWC, any geometry without groups, for Helium.
 *
 * The patches of two output pixels at a time are gathered into scratch, with the input's zero point
 * where the kernel hangs over the border; tg_block_2x4_mve.h then computes all their channels.
 * Where the kernel is one pixel that lies inside, the patch is the pixel where it stands.
 */
#ifndef TG_CONV2D_S8_MVE_H
#define TG_CONV2D_S8_MVE_H

#include "tg_block_2x4_mve.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t in_place; /* patches are used where they stand */
    int32_t has_step; /* see tg_lanes_mve.h */
    int32_t output_min, output_max;
} tg_conv2d_s8_mve_shape;

typedef struct {
    const int8_t *weights;    /* see tg_block_2x4_mve.h */
    const int32_t *constants; /* see tg_lanes_mve.h */
    int32_t input_zero_point;
} tg_conv2d_s8_mve_params;

/* One row of the kernel, beginning in column left of the image's row, or outside if row is null. */
TG_INLINE void tg_gather_row_mve(const tg_conv2d_s8_mve_shape *shape, const int8_t *row,
                                 int32_t left, int32_t zero_point, int8_t *patch)
{
    const int32_t in_c = shape->in_c, kernel_w = shape->kernel_w;
    if (!row) {
        tg_fill_by_vectors(patch, zero_point, kernel_w * in_c);
    } else if (shape->dilation_w == 1) {
        const int32_t before = in_c * tg_clamp(-left, 0, kernel_w);
        const int32_t end = in_c * tg_clamp(shape->in_w - left, 0, kernel_w);
        tg_fill_by_vectors(patch, zero_point, before);
        tg_copy_by_vectors(patch + before, row + left * in_c + before, end - before);
        tg_fill_by_vectors(patch + end, zero_point, kernel_w * in_c - end);
    } else {
        for (int32_t kx = 0; kx < kernel_w; ++kx, patch += in_c) {
            const int32_t ix = left + kx * shape->dilation_w;
            if (ix >= 0 && ix < shape->in_w) {
                tg_copy_by_vectors(patch, row + ix * in_c, in_c);
            } else {
                tg_fill_by_vectors(patch, zero_point, in_c);
            }
        }
    }
}

/* Gathers the patch that begins in row top and column left, either perhaps outside. */
TG_INLINE void tg_gather_mve(const tg_conv2d_s8_mve_shape *shape, const int8_t *x, int32_t top,
                             int32_t left, int32_t zero_point, int8_t *patch)
{
    const int32_t row_bytes = shape->kernel_w * shape->in_c;
    const int32_t bottom = top + (shape->kernel_h - 1) * shape->dilation_h;
    if (shape->dilation_w == 1 && top >= 0 && left >= 0 && bottom < shape->in_h &&
        left + shape->kernel_w <= shape->in_w) {
        const int8_t *row = x + (top * shape->in_w + left) * shape->in_c;
        TG_UNROLL(4)
        for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
            tg_copy_by_vectors(patch, row, row_bytes);
            patch += row_bytes;
            row += shape->dilation_h * shape->in_w * shape->in_c;
        }
        return;
    }
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, patch += row_bytes) {
        const int32_t iy = top + ky * shape->dilation_h;
        const int8_t *const row =
            iy >= 0 && iy < shape->in_h ? x + iy * shape->in_w * shape->in_c : NULL;
        tg_gather_row_mve(shape, row, left, zero_point, patch);
    }
}

/* The patch of a pixel: where it stands, or gathered into scratch. */
TG_INLINE const int8_t *tg_patch_mve(const tg_conv2d_s8_mve_shape *shape, const int8_t *x,
                                     int32_t oy, int32_t ox, int32_t zero_point, int8_t *scratch)
{
    const int32_t top = oy * shape->stride_h - shape->pad_top;
    const int32_t left = ox * shape->stride_w - shape->pad_left;
    if (shape->in_place) {
        return x + (top * shape->in_w + left) * shape->in_c;
    }
    tg_gather_mve(shape, x, top, left, zero_point, scratch);
    return scratch;
}

TG_INLINE void tg_conv2d_s8_mve(const tg_conv2d_s8_mve_shape *shape,
                                const tg_conv2d_s8_mve_params *params, const int8_t *restrict x,
                                int8_t *restrict y, int8_t *restrict patches)
{
    const int32_t depth = shape->kernel_h * shape->kernel_w * shape->in_c;
    const tg_block_2x4_shape block = {depth, shape->out_c, TG_LANE_OUTPUT(shape)};
    const int32_t pixels = shape->out_h * shape->out_w;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        int32_t oy = 0, ox = 0;
        const int8_t *first = NULL; /* of a pair, once there is one */
        TG_UNROLL(1)
        for (int32_t pixel = 0; pixel < pixels; ++pixel) {
            const int8_t *const patch = tg_patch_mve(shape, x, oy, ox, params->input_zero_point,
                                                     first ? patches + depth : patches);
            if (first) {
                tg_rows_of_blocks(&block, first, patch, params->weights, params->constants, y);
                y += 2 * shape->out_c;
            }
            first = first ? NULL : patch;
            if (++ox == shape->out_w) {
                ox = 0;
                ++oy;
            }
        }
        if (pixels % 2) {
            tg_row_of_blocks(&block, first, params->weights, params->constants, y);
            y += shape->out_c;
        }
        x += shape->in_h * shape->in_w * shape->in_c;
    }
}

#endif
