/* CONV_2D on int8, NHWC, weights OHWI with one scale per output channel; any geometry and groups.
 *
 * Each output pixel reads a patch of kernel_h * kernel_w * group_c bytes, which is gathered into
 * scratch, with the input's zero point where the kernel hangs over the border. The input offset is
 * folded into the bias, so a pixel is then the product of its patch with the weight matrix; patches
 * are gathered in pairs, so that each weight is loaded once for two pixels. Groups are convolved one
 * after the other; a depthwise convolution is one with as many groups as input channels.
 */
#ifndef TG_CONV2D_S8_H
#define TG_CONV2D_S8_H

#include "tg_matmul_s8.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t groups;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t depth;      /* bytes from one row of weights to the next, and from patch to patch */
    int32_t right_only; /* see tg_output_s8 */
    int32_t full_range; /* see tg_make_output */
} tg_conv2d_s8_shape;

typedef struct {
    const int8_t *weights;     /* out_c rows; what exceeds the kernel is zero */
    const int32_t *bias;       /* per output channel; bias - input_zero_point * sum(weights) */
    const int32_t *multiplier; /* per output channel */
    const int8_t *shift;       /* per output channel, see tg_output_s8 */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_conv2d_s8_params;

/* One row of the kernel, undilated and ungrouped: its taps lie side by side. */
TG_INLINE void tg_gather_run(const tg_conv2d_s8_shape *shape, const int8_t *row, int32_t first,
                             int32_t zero_point, int8_t *patch)
{
    const int32_t in_c = shape->in_c;
    const int32_t end = first + shape->kernel_w;
    if (first >= 0 && end <= shape->in_w) {
        memcpy(patch, row + first * in_c, (size_t)(shape->kernel_w * in_c));
        return;
    }
    const int32_t before = tg_clamp(-first, 0, shape->kernel_w);
    const int32_t after = tg_clamp(end - shape->in_w, 0, shape->kernel_w - before);
    const int32_t inside = shape->kernel_w - before - after;
    memset(patch, zero_point, (size_t)(before * in_c));
    memcpy(patch + before * in_c, row + (first + before) * in_c, (size_t)(inside * in_c));
    memset(patch + (before + inside) * in_c, zero_point, (size_t)(after * in_c));
}

/* One row of the kernel, its taps apart. */
TG_INLINE void tg_gather_taps(const tg_conv2d_s8_shape *shape, const int8_t *row, int32_t first,
                              int32_t zero_point, int8_t *patch)
{
    const int32_t group_c = shape->in_c / shape->groups;
    for (int32_t kx = 0; kx < shape->kernel_w; ++kx) {
        const int32_t ix = first + kx * shape->dilation_w;
        if (ix >= 0 && ix < shape->in_w) {
            memcpy(patch, row + ix * shape->in_c, (size_t)group_c);
        } else {
            memset(patch, zero_point, (size_t)group_c);
        }
        patch += group_c;
    }
}

/* The patch of output pixel (oy, ox); x is the image's first byte of the group. */
TG_INLINE void tg_gather_patch(const tg_conv2d_s8_shape *shape, const int8_t *x, int32_t oy,
                               int32_t ox, int32_t zero_point, int8_t *patch)
{
    const int32_t run = shape->kernel_w * (shape->in_c / shape->groups);
    const int32_t first = ox * shape->stride_w - shape->pad_left;
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, patch += run) {
        const int32_t iy = oy * shape->stride_h + ky * shape->dilation_h - shape->pad_top;
        const int8_t *const row = x + iy * shape->in_w * shape->in_c;
        if (iy < 0 || iy >= shape->in_h) {
            memset(patch, zero_point, (size_t)run);
        } else if (shape->dilation_w == 1 && shape->groups == 1) {
            tg_gather_run(shape, row, first, zero_point, patch);
        } else {
            tg_gather_taps(shape, row, first, zero_point, patch);
        }
    }
}

/* One image and one group; y is the image's first byte of the group. */
TG_INLINE void tg_conv2d_group(const tg_conv2d_s8_shape *shape, const tg_channels *channels,
                               int32_t zero_point, const int8_t *restrict x, int8_t *restrict y,
                               int8_t *restrict patches)
{
    int32_t waiting = 0;
    for (int32_t oy = 0; oy < shape->out_h; ++oy) {
        for (int32_t ox = 0; ox < shape->out_w; ++ox) {
            tg_gather_patch(shape, x, oy, ox, zero_point, patches + waiting * shape->depth);
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

TG_INLINE void tg_conv2d_s8_by(int32_t dsp, const tg_conv2d_s8_shape *shape,
                               const tg_conv2d_s8_params *params, const int8_t *restrict x,
                               int8_t *restrict y, int8_t *restrict patches)
{
    const int32_t group_out_c = shape->out_c / shape->groups;
    const int32_t group_in_c = shape->in_c / shape->groups;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t group = 0; group < shape->groups; ++group) {
            const int32_t first = group * group_out_c;
            const tg_channels channels = {
                .dsp = dsp,
                .depth = shape->depth,
                .out_c = group_out_c,
                .weights = params->weights + first * shape->depth,
                .bias = params->bias + first,
                .multiplier = params->multiplier + first,
                .shift = params->shift + first,
                .output = tg_make_output(shape->right_only, shape->full_range,
                                         params->output_zero_point, params->output_min,
                                         params->output_max),
            };
            tg_conv2d_group(shape, &channels, params->input_zero_point, x + group * group_in_c,
                            y + first, patches);
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += shape->out_h * shape->out_w * shape->out_c;
    }
}

TG_INLINE void tg_conv2d_s8(const tg_conv2d_s8_shape *shape, const tg_conv2d_s8_params *params,
                            const int8_t *x, int8_t *y, int8_t *patches)
{
    tg_conv2d_s8_by(0, shape, params, x, y, patches);
}

#endif
