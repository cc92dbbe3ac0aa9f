/* CONV_2D on int8 with weights that have a zero point, as those of uint8 models have: any geometry
 * and groups, depthwise convolutions included.
 *
 * A sum of x * (w - z) is the sum of x * w, less z times the sum of x, which is the same for all
 * channels. So each output pixel's patch is gathered into scratch (see tg_conv2d_patches_s8.h) and
 * added up once; then it is multiplied with the rows of weights as they are, four at a time. The
 * input's zero point is folded into the bias, with the weights' own subtracted.
 */
#ifndef TG_CONV2D_OFFSET_S8_H
#define TG_CONV2D_OFFSET_S8_H

#include "tg_conv2d_patches_s8.h"

/* -zero_point * sum(x), which wraps in 32 bits as all sums do. */
TG_INLINE int32_t tg_weights_offset(int32_t zero_point, int32_t depth, const int8_t *x)
{
    int32_t sum = 0;
    for (int32_t k = 0; k < depth; ++k) {
        sum += x[k];
    }
    return (int32_t)(0u - (uint32_t)zero_point * (uint32_t)sum);
}

/* One pixel from its patch, all channels of a group. */
TG_INLINE void tg_conv2d_offset_pixel(const tg_channels *channels, int32_t offset,
                                      const int8_t *restrict x, int8_t *restrict y)
{
    const int32_t depth = channels->depth;
    for (int32_t c = 0; c < channels->out_c; c += 4) {
        const int8_t *const w = channels->weights + c * depth;
        const int32_t count = tg_min(channels->out_c - c, 4);
        int32_t acc[4];
        for (int32_t i = 0; i < count; ++i) {
            acc[i] = (int32_t)((uint32_t)channels->bias[c + i] + (uint32_t)offset);
        }
        if (count == 4) {
            tg_dot_1x4(channels->dsp, depth, x, w, depth, acc);
        } else {
            for (int32_t i = 0; i < count; ++i) {
                acc[i] = tg_dot_1x1(channels->dsp, depth, x, w + i * depth, acc[i]);
            }
        }
        for (int32_t i = 0; i < count; ++i) {
            y[c + i] = tg_channel_s8(channels, c + i, acc[i]);
        }
    }
}

TG_INLINE void tg_conv2d_offset_s8_by(int32_t dsp, const tg_conv2d_s8_shape *shape,
                                      const tg_conv2d_s8_params *params, const int8_t *restrict x,
                                      int8_t *restrict y, int8_t *restrict patch)
{
    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int8_t *const image =
            x + row / shape->out_h * (shape->in_h * shape->in_w * shape->in_c);
        const int32_t top = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        for (int32_t group = 0; group < shape->groups; ++group) {
            const tg_channels channels = tg_conv2d_channels(dsp, shape, params, group);
            tg_gather_patch(shape, image + group * (shape->in_c / shape->groups), top, left,
                            params->input_zero_point, patch);
            tg_conv2d_offset_pixel(
                &channels, tg_weights_offset(shape->weights_zero_point, shape->depth, patch), patch,
                y + group * channels.out_c);
        }
        y += shape->out_c;
    }
}

TG_INLINE void tg_conv2d_offset_s8(const tg_conv2d_s8_shape *shape,
                                   const tg_conv2d_s8_params *params, const int8_t *x, int8_t *y,
                                   int8_t *patch)
{
    tg_conv2d_offset_s8_by(0, shape, params, x, y, patch);
}

#endif
