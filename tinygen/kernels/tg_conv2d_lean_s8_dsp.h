/* CONV_2D on int8, NHWC, with one function for all geometries, weights that stay bytes, and hardly
 * any scratch, for the Arm DSP extension.
 *
 * It is for layers to which tg_conv2d_compact_s8_dsp.h would cost RAM: that takes four bytes of
 * scratch for each of a patch, this one. The patch of one output pixel is gathered as it is, and
 * tg_compact_1x4.h computes all channels of it. Where a patch lies in the image as it is needed, in
 * whole words, it is read there.
 */
#ifndef TG_CONV2D_LEAN_S8_DSP_H
#define TG_CONV2D_LEAN_S8_DSP_H

#include "tg_compact_1x4.h"
#include "tg_conv2d_compact.h"
#include "tg_require_dsp.h"

/* The patch of the pixel whose kernel begins in row top and column left, either perhaps outside. */
TG_INLINE void tg_lean_gather(const tg_conv2d_compact_s8_shape *shape, const int8_t *x, int32_t top,
                              int32_t left, int32_t zero_point, int8_t *patch)
{
    const int32_t in_c = shape->in_c, row_bytes = in_c * shape->kernel_w;
    const int32_t before = in_c * tg_clamp(-left, 0, shape->kernel_w);
    const int32_t inside = in_c * tg_clamp(shape->in_w - left, 0, shape->kernel_w) - before;
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, patch += row_bytes) {
        const int32_t iy = top + ky * shape->dilation_h;
        const int32_t bytes = iy >= 0 && iy < shape->in_h ? inside : 0;
        if (bytes < row_bytes) {
            tg_fill_s8(patch, zero_point, row_bytes);
        }
        if (bytes > 0) {
            tg_copy_s8(patch + before, x + (iy * shape->in_w + left) * in_c + before, bytes);
        }
    }
}

TG_INLINE void tg_conv2d_lean_s8_dsp(const tg_conv2d_compact_s8_shape *shape,
                                     const tg_conv2d_compact_s8_params *params,
                                     const int8_t *restrict x, int8_t *restrict y,
                                     int8_t *restrict patch)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t in_c = shape->in_c, row_bytes = in_c * shape->kernel_w;
    const int32_t is_run = shape->kernel_h == 1 && row_bytes % 4 == 0;
    tg_compact_work work = tg_compact_start(&output, shape->depth / 4, shape->out_c, 4,
                                            TG_COMPACT_1X4_STEP_BYTES, params->weights);
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t oy = 0; oy < shape->out_h; ++oy) {
            const int32_t top = oy * shape->stride_h - shape->pad_top;
            for (int32_t ox = 0; ox < shape->out_w; ++ox, y += shape->out_c) {
                const int32_t left = ox * shape->stride_w - shape->pad_left;
                const int32_t is_inside = top >= 0 && top < shape->in_h && left >= 0 &&
                                          left + shape->kernel_w <= shape->in_w;
                if (is_run && is_inside) {
                    work.x = x + (top * shape->in_w + left) * in_c;
                } else {
                    tg_lean_gather(shape, x, top, left, params->input_zero_point, patch);
                    work.x = patch;
                }
                tg_compact_1x4(&work, &output, params->weights, y, shape->out_c);
            }
        }
        x += shape->in_h * shape->in_w * in_c;
    }
}

#endif
