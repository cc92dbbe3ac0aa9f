/* tg_conv2d_s8 by way of gathered patches, for layers whose patches are small beside their tensors.
 *
 * The patch of each output pixel is copied into scratch, with the input's zero point where the
 * kernel hangs over the border. However the kernel lies, the product is then one run of bytes,
 * which pays off where the image's own runs are short: few input channels, or much border. Two
 * patches are gathered before they are multiplied, so that each weight is loaded once for two
 * pixels.
 */
#ifndef TG_CONV2D_PATCHES_S8_H
#define TG_CONV2D_PATCHES_S8_H

#include "tg_conv2d_s8.h"

/* One row of the kernel where its taps lie side by side, beginning in column left. */
TG_INLINE void tg_gather_run(const tg_conv2d_s8_shape *shape, const int8_t *row, int32_t left,
                             int32_t zero_point, int8_t *patch)
{
    const int32_t in_c = shape->in_c;
    if (left >= 0 && left + shape->kernel_w <= shape->in_w) {
        memcpy(patch, row + left * in_c, (size_t)(shape->kernel_w * in_c));
        return;
    }
    const int32_t before = tg_clamp(-left, 0, shape->kernel_w);
    const int32_t end = tg_clamp(shape->in_w - left, before, shape->kernel_w);
    memset(patch, zero_point, (size_t)(before * in_c));
    memcpy(patch + before * in_c, row + (left + before) * in_c, (size_t)((end - before) * in_c));
    memset(patch + end * in_c, zero_point, (size_t)((shape->kernel_w - end) * in_c));
}

/* One row of the kernel where its taps lie apart. */
TG_INLINE void tg_gather_taps(const tg_conv2d_s8_shape *shape, const int8_t *row, int32_t left,
                              int32_t zero_point, int8_t *patch)
{
    const int32_t group_c = shape->in_c / shape->groups;
    for (int32_t kx = 0; kx < shape->kernel_w; ++kx) {
        const int32_t ix = left + kx * shape->dilation_w;
        if (ix >= 0 && ix < shape->in_w) {
            memcpy(patch, row + ix * shape->in_c, (size_t)group_c);
        } else {
            memset(patch, zero_point, (size_t)group_c);
        }
        patch += group_c;
    }
}

/* The patch that begins in row top and column left, either perhaps outside the image at x. */
TG_INLINE void tg_gather_patch(const tg_conv2d_s8_shape *shape, const int8_t *x, int32_t top,
                               int32_t left, int32_t zero_point, int8_t *patch)
{
    const int32_t row_bytes = shape->kernel_w * (shape->in_c / shape->groups);
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, patch += row_bytes) {
        const int32_t iy = top + ky * shape->dilation_h;
        if (iy < 0 || iy >= shape->in_h) {
            memset(patch, zero_point, (size_t)row_bytes);
            continue;
        }
        const int8_t *const row = x + iy * shape->in_w * shape->in_c;
        if (tg_conv2d_is_run(shape)) {
            tg_gather_run(shape, row, left, zero_point, patch);
        } else {
            tg_gather_taps(shape, row, left, zero_point, patch);
        }
    }
}

/* One image and one group; x and y are the first bytes of the group. */
TG_INLINE void tg_conv2d_patches_group(const tg_conv2d_s8_shape *shape,
                                       const tg_channels *channels, int32_t zero_point,
                                       const int8_t *restrict x, int8_t *restrict y,
                                       int8_t *restrict patches)
{
    int32_t waiting = 0;
    for (int32_t oy = 0; oy < shape->out_h; ++oy) {
        const int32_t top = oy * shape->stride_h - shape->pad_top;
        for (int32_t ox = 0; ox < shape->out_w; ++ox) {
            const int32_t left = ox * shape->stride_w - shape->pad_left;
            tg_gather_patch(shape, x, top, left, zero_point, patches + waiting * shape->depth);
            waiting ^= 1;
            if (!waiting) {
                tg_matmul_two_rows(channels, patches, y, shape->out_c);
                y += 2 * shape->out_c;
            }
        }
    }
    if (waiting) {
        tg_matmul_row(channels, patches, y);
    }
}

TG_INLINE void tg_conv2d_patches_s8_by(int32_t dsp, const tg_conv2d_s8_shape *shape,
                                       const tg_conv2d_s8_params *params, const int8_t *restrict x,
                                       int8_t *restrict y, int8_t *restrict patches)
{
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t group = 0; group < shape->groups; ++group) {
            const tg_channels channels = tg_conv2d_channels(dsp, shape, params, group);
            tg_conv2d_patches_group(shape, &channels, params->input_zero_point,
                                    x + group * (shape->in_c / shape->groups),
                                    y + group * channels.out_c, patches);
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += shape->out_h * shape->out_w * shape->out_c;
    }
}

TG_INLINE void tg_conv2d_patches_s8(const tg_conv2d_s8_shape *shape,
                                    const tg_conv2d_s8_params *params, const int8_t *x, int8_t *y,
                                    int8_t *patches)
{
    tg_conv2d_patches_s8_by(0, shape, params, x, y, patches);
}

#endif
