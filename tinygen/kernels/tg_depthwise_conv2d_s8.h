/* DEPTHWISE_CONV_2D on int8, NHWC, one output channel per input channel, weights HWC with one scale
 * per channel.
 *
 * The channels of a pixel lie side by side in x, y and the weights, so the innermost step is one
 * tap of neighbouring channels. Where the kernel lies inside the image, its taps are at fixed
 * distances from its first. At the border each tap has a pointer of its own, set up once per pixel;
 * a tap outside the image points to a row that holds the input's zero point, so no channel asks.
 */
#ifndef TG_DEPTHWISE_CONV2D_S8_H
#define TG_DEPTHWISE_CONV2D_S8_H

#include "tg_dot_s8.h"
#include "tg_requant.h"

/* Taps of the largest kernel that this header takes: their pointers are on the stack. */
#define TG_DEPTHWISE_MAX_TAPS 32

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t weights_zero_point;
    int32_t zeros;      /* bytes of scratch: channels, or none where no kernel passes the border */
    int32_t right_only; /* see tg_output_s8 */
    int32_t full_range; /* see tg_make_output */
} tg_depthwise_conv2d_s8_shape;

typedef struct {
    const int8_t *weights;     /* kernel_h * kernel_w * channels */
    const int32_t *bias;       /* per channel; bias - input_zero_point * sum(weights), less
                                  their zero points */
    const int32_t *multiplier; /* per channel */
    const int8_t *shift;       /* per channel, see tg_output_s8 */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_depthwise_conv2d_s8_params;

/* acc[i] += x[i] * (w[i] - zero_point) for four neighbouring channels. */
TG_INLINE void tg_tap_4(const int8_t *x, const int8_t *w, int32_t zero_point, int32_t acc[4])
{
    const uint32_t u = tg_load_4xs8(x), v = tg_load_4xs8(w);
    const uint32_t u_even = tg_sxtb16(u), u_odd = tg_sxtb16_odd(u);
    uint32_t v_even, v_odd;
    if (zero_point == 0) {
        v_even = tg_sxtb16(v), v_odd = tg_sxtb16_odd(v);
    } else {
        const uint32_t offsets = ((uint32_t)-zero_point & 0xffffu) * 0x10001u; /* both halves */
        v_even = tg_sxtab16(offsets, v), v_odd = tg_sxtab16_odd(offsets, v);
    }
    acc[0] = tg_smlabb(u_even, v_even, acc[0]);
    acc[1] = tg_smlabb(u_odd, v_odd, acc[1]);
    acc[2] = tg_smlatt(u_even, v_even, acc[2]);
    acc[3] = tg_smlatt(u_odd, v_odd, acc[3]);
}

/* Adds every tap of count channels from c on; taps is null where the kernel lies inside, at x. */
TG_INLINE void tg_depthwise_taps(const tg_depthwise_conv2d_s8_shape *shape, int32_t count,
                                 const int8_t *w, const int8_t *x, const int8_t *const *taps,
                                 int32_t c, int32_t *acc)
{
    const int32_t column = shape->dilation_w * shape->channels;
    const int32_t row = shape->dilation_h * shape->in_w * shape->channels;
    w += c;
    if (taps) {
        for (int32_t tap = 0; tap < shape->kernel_h * shape->kernel_w; ++tap) {
            if (count == 4) {
                tg_tap_4(taps[tap] + c, w, shape->weights_zero_point, acc);
            } else {
                acc[0] = tg_mac(acc[0], taps[tap][c], *w - shape->weights_zero_point);
            }
            w += shape->channels;
        }
        return;
    }
    TG_UNROLL(16)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
        TG_UNROLL(16)
        for (int32_t kx = 0; kx < shape->kernel_w; ++kx) {
            const int8_t *const tap = x + (ky * row + kx * column) + c;
            if (count == 4) {
                tg_tap_4(tap, w, shape->weights_zero_point, acc);
            } else {
                acc[0] = tg_mac(acc[0], *tap, *w - shape->weights_zero_point);
            }
            w += shape->channels;
        }
    }
}

/* One pixel, all channels. */
TG_INLINE void tg_depthwise_pixel(int32_t dsp, const tg_depthwise_conv2d_s8_shape *shape,
                                  const tg_depthwise_conv2d_s8_params *params,
                                  const tg_output *output, const int8_t *restrict x,
                                  const int8_t *const *taps, int8_t *restrict y)
{
    const int8_t *const weights = params->weights;
    const int32_t *const bias = params->bias;
    const int32_t *const multiplier = params->multiplier;
    const int8_t *const shift = params->shift;
    const int32_t fours = dsp ? shape->channels & ~3 : 0;
    for (int32_t c = 0; c < fours; c += 4) {
        int32_t acc[4] = {bias[c], bias[c + 1], bias[c + 2], bias[c + 3]};
        tg_depthwise_taps(shape, 4, weights, x, taps, c, acc);
        y[c] = tg_output_s8(output, acc[0], multiplier[c], shift[c]);
        y[c + 1] = tg_output_s8(output, acc[1], multiplier[c + 1], shift[c + 1]);
        y[c + 2] = tg_output_s8(output, acc[2], multiplier[c + 2], shift[c + 2]);
        y[c + 3] = tg_output_s8(output, acc[3], multiplier[c + 3], shift[c + 3]);
    }
    for (int32_t c = fours; c < shape->channels; ++c) {
        int32_t acc[1] = {bias[c]};
        tg_depthwise_taps(shape, 1, weights, x, taps, c, acc);
        y[c] = tg_output_s8(output, acc[0], multiplier[c], shift[c]);
    }
}

TG_INLINE void tg_depthwise_conv2d_s8_by(int32_t dsp, const tg_depthwise_conv2d_s8_shape *shape,
                                         const tg_depthwise_conv2d_s8_params *params,
                                         const int8_t *restrict x, int8_t *restrict y,
                                         int8_t *restrict zeros)
{
    const int32_t channels = shape->channels;
    const int32_t reach_h = (shape->kernel_h - 1) * shape->dilation_h;
    const int32_t reach_w = (shape->kernel_w - 1) * shape->dilation_w;
    const tg_output output =
        tg_make_output(shape->right_only, shape->full_range, params->output_zero_point,
                       params->output_min, params->output_max);
    memset(zeros, params->input_zero_point, (size_t)shape->zeros);
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t oy = 0; oy < shape->out_h; ++oy) {
            const int32_t top = oy * shape->stride_h - shape->pad_top;
            const int32_t rows_inside = top >= 0 && top + reach_h < shape->in_h;
            for (int32_t ox = 0; ox < shape->out_w; ++ox, y += channels) {
                const int32_t left = ox * shape->stride_w - shape->pad_left;
                if (rows_inside && left >= 0 && left + reach_w < shape->in_w) {
                    tg_depthwise_pixel(dsp, shape, params, &output,
                                       x + (top * shape->in_w + left) * channels, NULL, y);
                    continue;
                }
                const int8_t *taps[TG_DEPTHWISE_MAX_TAPS];
                const int8_t **tap = taps;
                for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
                    const int32_t iy = top + ky * shape->dilation_h;
                    const int32_t row_inside = iy >= 0 && iy < shape->in_h;
                    for (int32_t kx = 0; kx < shape->kernel_w; ++kx) {
                        const int32_t ix = left + kx * shape->dilation_w;
                        const int32_t inside = row_inside && ix >= 0 && ix < shape->in_w;
                        *tap++ = inside ? x + (iy * shape->in_w + ix) * channels : zeros;
                    }
                }
                tg_depthwise_pixel(dsp, shape, params, &output, NULL, taps, y);
            }
        }
        x += shape->in_h * shape->in_w * channels;
    }
}

TG_INLINE void tg_depthwise_conv2d_s8(const tg_depthwise_conv2d_s8_shape *shape,
                                      const tg_depthwise_conv2d_s8_params *params, const int8_t *x,
                                      int8_t *y, int8_t *zeros)
{
    tg_depthwise_conv2d_s8_by(0, shape, params, x, y, zeros);
}

#endif
