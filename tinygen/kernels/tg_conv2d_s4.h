/* CONV_2D, DEPTHWISE_CONV_2D and matrix products on int8 with weights of four bits, unpacked as they
 * are multiplied: two to a byte in flash, the lower half first.
 *
 * tg_conv2d_s4 gathers the patch of each output pixel into scratch (see tg_conv2d_patches_s8.h) and
 * multiplies it with the rows of weights, four at a time, so that each value that is loaded serves
 * four of them; a row begins with a byte of its own. A depthwise convolution has no rows that are
 * worth a patch: tg_depthwise_conv2d_s4 walks over the taps of one channel after the other, and
 * takes what is outside for the input's zero point, which is folded into the bias.
 */
#ifndef TG_CONV2D_S4_H
#define TG_CONV2D_S4_H

#include "tg_conv2d_patches_s8.h"

/* The two values of a byte. */
TG_INLINE int32_t tg_low_s4(int32_t pair)
{
    return ((pair & 15) ^ 8) - 8;
}

TG_INLINE int32_t tg_high_s4(int32_t pair)
{
    return pair >> 4;
}

/* acc[i] += x . w[i] for count rows (4 or 1) of weights that are step bytes apart. */
TG_INLINE void tg_dot_s4(int32_t count, int32_t depth, const int8_t *x, const int8_t *w,
                         int32_t step, int32_t *acc)
{
    for (int32_t k = 0; k + 1 < depth; k += 2) {
        const int32_t low = x[k], high = x[k + 1];
        TG_UNROLL(4)
        for (int32_t i = 0; i < count; ++i) {
            const int32_t pair = w[i * step + k / 2];
            acc[i] = tg_mac(tg_mac(acc[i], low, tg_low_s4(pair)), high, tg_high_s4(pair));
        }
    }
    if (depth % 2) {
        TG_UNROLL(4)
        for (int32_t i = 0; i < count; ++i) {
            acc[i] = tg_mac(acc[i], x[depth - 1], tg_low_s4(w[i * step + depth / 2]));
        }
    }
}

/* One pixel from its patch, all channels of a group. */
TG_INLINE void tg_conv2d_s4_pixel(const tg_channels *channels, const int8_t *restrict x,
                                  int8_t *restrict y)
{
    const int32_t depth = channels->depth, step = (depth + 1) / 2;
    const int32_t fours = channels->out_c & ~3;
    const int8_t *w = channels->weights;
    for (int32_t c = 0; c < fours; c += 4, w += 4 * step) {
        const int32_t *const bias = channels->bias + c;
        int32_t acc[4] = {bias[0], bias[1], bias[2], bias[3]};
        tg_dot_s4(4, depth, x, w, step, acc);
        y[c] = tg_channel_s8(channels, c, acc[0]);
        y[c + 1] = tg_channel_s8(channels, c + 1, acc[1]);
        y[c + 2] = tg_channel_s8(channels, c + 2, acc[2]);
        y[c + 3] = tg_channel_s8(channels, c + 3, acc[3]);
    }
    for (int32_t c = fours; c < channels->out_c; ++c, w += step) {
        int32_t acc[1] = {channels->bias[c]};
        tg_dot_s4(1, depth, x, w, step, acc);
        y[c] = tg_channel_s8(channels, c, acc[0]);
    }
}

TG_INLINE void tg_conv2d_s4(const tg_conv2d_s8_shape *shape, const tg_conv2d_s8_params *params,
                            const int8_t *restrict x, int8_t *restrict y, int8_t *restrict patch)
{
    const int32_t group_c = shape->in_c / shape->groups;
    const int32_t row_bytes = (shape->depth + 1) / 2;
    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int8_t *const image =
            x + row / shape->out_h * (shape->in_h * shape->in_w * shape->in_c);
        const int32_t top = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        for (int32_t group = 0; group < shape->groups; ++group) {
            tg_channels channels = tg_conv2d_channels(0, shape, params, group);
            channels.weights = params->weights + group * channels.out_c * row_bytes;
            tg_gather_patch(shape, image + group * group_c, top, left, params->input_zero_point,
                            patch);
            tg_conv2d_s4_pixel(&channels, patch, y);
            y += channels.out_c;
        }
    }
}

/* One output value before it is requantized: channel c, from channel in_c of the image. The weights
 * are in the order of taps, then of channels. */
TG_INLINE int32_t tg_depthwise_s4_sum(const tg_conv2d_s8_shape *shape,
                                      const tg_conv2d_s8_params *params, const int8_t *image,
                                      int32_t top, int32_t left, int32_t in_c, int32_t c)
{
    int32_t acc = params->bias[c];
    int32_t at = c;
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
        const int32_t iy = top + ky * shape->dilation_h;
        for (int32_t kx = 0; kx < shape->kernel_w; ++kx, at += shape->out_c) {
            const int32_t ix = left + kx * shape->dilation_w;
            const int32_t inside = iy >= 0 && iy < shape->in_h && ix >= 0 && ix < shape->in_w;
            const int32_t value = inside ? image[(iy * shape->in_w + ix) * shape->in_c + in_c]
                                         : params->input_zero_point;
            const int32_t pair = params->weights[at / 2];
            acc = tg_mac(acc, value, at % 2 ? tg_high_s4(pair) : tg_low_s4(pair));
        }
    }
    return acc;
}

TG_INLINE void tg_depthwise_conv2d_s4(const tg_conv2d_s8_shape *shape,
                                      const tg_conv2d_s8_params *params, const int8_t *restrict x,
                                      int8_t *restrict y)
{
    const tg_output output =
        tg_make_output(shape->right_only, shape->full_range, params->output_zero_point,
                       params->output_min, params->output_max);
    const int32_t multiplier = shape->out_c / shape->in_c;
    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int8_t *const image =
            x + row / shape->out_h * (shape->in_h * shape->in_w * shape->in_c);
        const int32_t top = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        for (int32_t c = 0; c < shape->out_c; ++c) {
            const int32_t sum =
                tg_depthwise_s4_sum(shape, params, image, top, left, c / multiplier, c);
            *y++ = tg_output_s8(&output, sum, params->multiplier[c], params->shift[c]);
        }
    }
}

#endif
