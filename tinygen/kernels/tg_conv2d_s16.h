/* CONV_2D on int16 with int8 weights, NHWC: any geometry, any number of groups.
 *
 * A depthwise convolution is one with a group per input channel, a matrix product one of images of
 * one pixel. As zero points are 0, taps outside the image add nothing and are skipped: for every
 * output pixel the rows and columns of the kernel that lie inside are found once, and each output
 * channel sums over them in 64 bits (see tg_wide.h).
 */
#ifndef TG_CONV2D_S16_H
#define TG_CONV2D_S16_H

#include "tg_taps.h"
#include "tg_wide.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t dilation_h, dilation_w;
    int32_t in_c, out_c;
    int32_t groups;
    int32_t narrow; /* see tg_wide.h */
} tg_conv2d_s16_shape;

typedef struct {
    const int8_t *weights; /* out_c kernels of kernel_h * kernel_w * in_c / groups */
    const int64_t *bias;   /* these three: see tg_wide_output */
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t output_min;
    int32_t output_max;
} tg_conv2d_s16_params;

TG_INLINE void tg_conv2d_s16(const tg_conv2d_s16_shape *shape, const tg_conv2d_s16_params *params,
                             const int16_t *x, int16_t *y)
{
    const tg_wide_output output = {shape->narrow, params->bias,       params->multiplier,
                                   params->shift, params->output_min, params->output_max};
    const int32_t depth = shape->in_c / shape->groups;
    const int32_t per_group = shape->out_c / shape->groups;
    const int32_t kernel_size = shape->kernel_h * shape->kernel_w * depth;

    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int16_t *const image =
            x + row / shape->out_h * (shape->in_h * shape->in_w * shape->in_c);
        const int32_t top = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        const tg_taps rows = tg_taps_inside(top, shape->dilation_h, shape->kernel_h, shape->in_h);
        const tg_taps columns =
            tg_taps_inside(left, shape->dilation_w, shape->kernel_w, shape->in_w);
        for (int32_t c = 0; c < shape->out_c; ++c) {
            const int32_t first_channel = c / per_group * depth;
            const int8_t *const kernel = params->weights + c * kernel_size;
            int64_t sum = 0;
            for (int32_t ky = rows.first; ky < rows.end; ++ky) {
                const int32_t iy = top + ky * shape->dilation_h;
                for (int32_t kx = columns.first; kx < columns.end; ++kx) {
                    const int32_t ix = left + kx * shape->dilation_w;
                    const int32_t at = (iy * shape->in_w + ix) * shape->in_c + first_channel;
                    sum += tg_dot_s16(depth, image + at,
                                      kernel + (ky * shape->kernel_w + kx) * depth);
                }
            }
            *y++ = tg_output_s16(&output, c, sum);
        }
    }
}

#endif
