/* CONV_2D on int8, NHWC, weights OHWI with one scale per output channel; any geometry and groups.
 *
 * Each output pixel is the product of a patch of kernel_h * kernel_w * group_c bytes with the rows
 * of weights. Patches are read where they are, in runs: one kernel row is one run of bytes, or one
 * for each tap where taps are dilated or channels grouped. The input offset is folded into the
 * bias, so where the kernel hangs over the border it has to read the input's zero point: such runs
 * come from the scratch, which holds nothing else. It is as long as the two runs of a pair of
 * pixels; or, where memory is dear, as one tap, and then border pixels go one by one and tap by
 * tap.
 *
 * Pixels whose columns lie inside the image go in pairs, so that each weight is loaded once for
 * two. Groups are convolved one after the other; a depthwise convolution is one with as many groups
 * as input channels.
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
    int32_t depth;      /* bytes from one row of weights to the next */
    int32_t zeros;      /* bytes of zero points in scratch; none if no kernel passes the border */
    int32_t chunk;      /* tg_conv2d_trio_s8 only: products of which each sum fits its field */
    int32_t weights_zero_point; /* tg_conv2d_offset_s8 only */
    int32_t right_only; /* see tg_output_s8 */
    int32_t full_range; /* see tg_make_output */
} tg_conv2d_s8_shape;

typedef struct {
    const int8_t *weights;     /* out_c rows of depth bytes */
    const int32_t *bias;       /* per output channel; bias - input_zero_point * sum(weights) */
    const int32_t *multiplier; /* per output channel */
    const int8_t *shift;       /* per output channel, see tg_output_s8 */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_conv2d_s8_params;

/* Whether the taps of one kernel row lie side by side in the image. */
TG_INLINE int32_t tg_conv2d_is_run(const tg_conv2d_s8_shape *shape)
{
    return shape->dilation_w == 1 && shape->groups == 1;
}

/* What the pixels of one group need. */
TG_INLINE tg_channels tg_conv2d_channels(int32_t dsp, const tg_conv2d_s8_shape *shape,
                                         const tg_conv2d_s8_params *params, int32_t group)
{
    const int32_t out_c = shape->out_c / shape->groups;
    const tg_channels channels = {
        .dsp = dsp,
        .depth = shape->depth,
        .out_c = out_c,
        .weights = params->weights + group * out_c * shape->depth,
        .bias = params->bias + group * out_c,
        .multiplier = params->multiplier + group * out_c,
        .shift = params->shift + group * out_c,
        .output = tg_make_output(shape->right_only, shape->full_range, params->output_zero_point,
                                 params->output_min, params->output_max),
    };
    return channels;
}

/* Whether the scratch has zero points for a whole run of two neighbouring pixels. */
TG_INLINE int32_t tg_conv2d_has_long_zeros(const tg_conv2d_s8_shape *shape)
{
    return shape->zeros > shape->in_c / shape->groups;
}

/* Two neighbouring pixels whose columns all lie inside the image; the first one's patch begins in
 * row top (perhaps outside, if there are zero points for it) and column left. */
TG_INLINE void tg_conv2d_pair(const tg_conv2d_s8_shape *shape, const tg_channels *channels,
                              const int8_t *zeros, const int8_t *restrict x, int32_t top,
                              int32_t left, int8_t *restrict y)
{
    const int32_t in_c = shape->in_c, depth = channels->depth;
    const int32_t runs = tg_conv2d_is_run(shape) ? 1 : shape->kernel_w;
    const int32_t length = depth / (shape->kernel_h * runs);
    int8_t *restrict const y1 = y + shape->out_c;
    for (int32_t c = 0; c < channels->out_c; c += 2) {
        /* A last odd channel is its own neighbour. */
        const int32_t other = channels->out_c % 2 == 0 || c + 1 < channels->out_c;
        const int8_t *w = channels->weights + c * depth;
        const int32_t *const bias = channels->bias + c;
        int32_t acc[4] = {bias[0], bias[0], bias[other], bias[other]};
        for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
            const int32_t iy = top + ky * shape->dilation_h;
            const int32_t inside = iy >= 0 && iy < shape->in_h;
            const int8_t *run = inside ? x + (iy * shape->in_w + left) * in_c : zeros;
            for (int32_t kx = 0; kx < runs; ++kx) {
                tg_dot_2x2(channels->dsp, length, run, shape->stride_w * in_c, w, other * depth,
                           acc);
                w += length;
                run += inside ? shape->dilation_w * in_c : 0;
            }
        }
        y[c] = tg_channel_s8(channels, c, acc[0]);
        y1[c] = tg_channel_s8(channels, c, acc[1]);
        y[c + other] = tg_channel_s8(channels, c + other, acc[2]);
        y1[c + other] = tg_channel_s8(channels, c + other, acc[3]);
    }
}

/* Adds one pixel's products with count channels (4 or 1), from the one whose weights are at w. The
 * patch begins in row top and column left, either perhaps outside. */
TG_INLINE void tg_conv2d_add(int32_t count, const tg_conv2d_s8_shape *shape,
                             const tg_channels *channels, const int8_t *zeros,
                             const int8_t *restrict x, int32_t top, int32_t left, const int8_t *w,
                             int32_t *acc)
{
    const int32_t in_c = shape->in_c;
    /* A run is cut into what is left of the image, in it, and right of it; else each tap is one. */
    const int32_t is_run =
        tg_conv2d_is_run(shape) && (shape->zeros == 0 || tg_conv2d_has_long_zeros(shape));
    const int32_t before = tg_clamp(-left, 0, shape->kernel_w);
    const int32_t end = tg_clamp(shape->in_w - left, before, shape->kernel_w);
    const int32_t parts = is_run ? 3 : shape->kernel_w;
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
        const int32_t iy = top + ky * shape->dilation_h;
        const int32_t row_inside = iy >= 0 && iy < shape->in_h;
        for (int32_t part = 0; part < parts; ++part) {
            int32_t length = in_c / shape->groups;
            int32_t ix = left + part * shape->dilation_w;
            if (is_run) {
                length *= part == 0 ? before : part == 1 ? end - before : shape->kernel_w - end;
                ix = part == 1 ? left + before : -1;
            }
            const int32_t inside = row_inside && ix >= 0 && ix < shape->in_w;
            const int8_t *const run = inside ? x + (iy * shape->in_w + ix) * in_c : zeros;
            if (count == 4) {
                tg_dot_1x4(channels->dsp, length, run, w, channels->depth, acc);
            } else {
                acc[0] = tg_dot_1x1(channels->dsp, length, run, w, acc[0]);
            }
            w += length;
        }
    }
}

/* One pixel anywhere. */
TG_INLINE void tg_conv2d_pixel(const tg_conv2d_s8_shape *shape, const tg_channels *channels,
                               const int8_t *zeros, const int8_t *restrict x, int32_t top,
                               int32_t left, int8_t *restrict y)
{
    const int8_t *w = channels->weights;
    const int32_t fours = channels->out_c & ~3;
    for (int32_t c = 0; c < fours; c += 4, w += 4 * channels->depth) {
        const int32_t *const bias = channels->bias + c;
        int32_t acc[4] = {bias[0], bias[1], bias[2], bias[3]};
        tg_conv2d_add(4, shape, channels, zeros, x, top, left, w, acc);
        y[c] = tg_channel_s8(channels, c, acc[0]);
        y[c + 1] = tg_channel_s8(channels, c + 1, acc[1]);
        y[c + 2] = tg_channel_s8(channels, c + 2, acc[2]);
        y[c + 3] = tg_channel_s8(channels, c + 3, acc[3]);
    }
    for (int32_t c = fours; c < channels->out_c; ++c, w += channels->depth) {
        int32_t acc[1] = {channels->bias[c]};
        tg_conv2d_add(1, shape, channels, zeros, x, top, left, w, acc);
        y[c] = tg_channel_s8(channels, c, acc[0]);
    }
}

/* One image and one group; x and y are the first bytes of the group. */
TG_INLINE void tg_conv2d_group(const tg_conv2d_s8_shape *shape, const tg_channels *channels,
                               const int8_t *zeros, const int8_t *restrict x, int8_t *restrict y)
{
    const int32_t reach_h = (shape->kernel_h - 1) * shape->dilation_h;
    const int32_t reach_w = (shape->kernel_w - 1) * shape->dilation_w;
    for (int32_t oy = 0; oy < shape->out_h; ++oy) {
        const int32_t top = oy * shape->stride_h - shape->pad_top;
        const int32_t rows_fit =
            tg_conv2d_has_long_zeros(shape) || (top >= 0 && top + reach_h < shape->in_h);
        int32_t left = -shape->pad_left;
        for (int32_t ox = 0; ox < shape->out_w;) {
            const int32_t last = left + shape->stride_w + reach_w;
            const int32_t columns_fit = left >= 0 && last < shape->in_w;
            const int32_t paired = ox + 1 < shape->out_w && rows_fit && columns_fit;
            const int32_t pixels = paired ? 2 : 1;
            if (paired) {
                tg_conv2d_pair(shape, channels, zeros, x, top, left, y);
            } else {
                tg_conv2d_pixel(shape, channels, zeros, x, top, left, y);
            }
            ox += pixels;
            left += pixels * shape->stride_w;
            y += pixels * shape->out_c;
        }
    }
}

TG_INLINE void tg_conv2d_s8_by(int32_t dsp, const tg_conv2d_s8_shape *shape,
                               const tg_conv2d_s8_params *params, const int8_t *restrict x,
                               int8_t *restrict y, int8_t *restrict zeros)
{
    memset(zeros, params->input_zero_point, (size_t)shape->zeros);
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t group = 0; group < shape->groups; ++group) {
            const tg_channels channels = tg_conv2d_channels(dsp, shape, params, group);
            tg_conv2d_group(shape, &channels, zeros, x + group * (shape->in_c / shape->groups),
                            y + group * channels.out_c);
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += shape->out_h * shape->out_w * shape->out_c;
    }
}

TG_INLINE void tg_conv2d_s8(const tg_conv2d_s8_shape *shape, const tg_conv2d_s8_params *params,
                            const int8_t *x, int8_t *y, int8_t *zeros)
{
    tg_conv2d_s8_by(0, shape, params, x, y, zeros);
}

#endif
