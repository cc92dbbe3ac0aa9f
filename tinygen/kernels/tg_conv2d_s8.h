/* CONV_2D on int8, NHWC, weights OHWI with one scale per output channel.
 *
 * Each output pixel reads a patch of kernel_h * kernel_w * in_c bytes: gathered into scratch, with
 * the input's zero point where the kernel hangs over the border, or read in place when the kernel
 * is 1x1. A pixel is then the product of its patch with the weight matrix. The input offset is
 * folded into the bias when compiling, so the inner loop only multiplies and adds.
 */
#ifndef TG_CONV2D_S8_H
#define TG_CONV2D_S8_H

#include "tg_requant.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
} tg_conv2d_s8_shape;

typedef struct {
    const int8_t *weights;     /* out_c * kernel_h * kernel_w * in_c */
    const int32_t *bias;       /* per output channel; bias - input_zero_point * sum(weights) */
    const int32_t *multiplier; /* per output channel */
    const int8_t *shift;       /* per output channel; positive is left */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_conv2d_s8_params;

TG_INLINE void tg_conv2d_s8_pixel(int32_t depth, int32_t out_c, const tg_conv2d_s8_params *params,
                                  const int8_t *patch, int8_t *y)
{
    const int8_t *w = params->weights;
    for (int32_t c = 0; c < out_c; ++c) {
        int32_t acc = params->bias[c];
        for (int32_t k = 0; k < depth; ++k) {
            acc += (int32_t)patch[k] * w[k];
        }
        w += depth;
        acc = tg_requant(acc, params->multiplier[c], params->shift[c]) + params->output_zero_point;
        y[c] = (int8_t)tg_clamp(acc, params->output_min, params->output_max);
    }
}

TG_INLINE void tg_conv2d_s8(const tg_conv2d_s8_shape *shape, const tg_conv2d_s8_params *params,
                            const int8_t *x, int8_t *y, int8_t *patch)
{
    const int32_t depth = shape->kernel_h * shape->kernel_w * shape->in_c;
    for (int32_t oy = 0; oy < shape->out_h; ++oy) {
        for (int32_t ox = 0; ox < shape->out_w; ++ox) {
            int8_t *p = patch;
            for (int32_t ky = 0; ky < shape->kernel_h; ++ky) {
                const int32_t iy = oy * shape->stride_h + ky * shape->dilation_h - shape->pad_top;
                for (int32_t kx = 0; kx < shape->kernel_w; ++kx) {
                    const int32_t ix = ox * shape->stride_w + kx * shape->dilation_w - shape->pad_left;
                    if (iy >= 0 && iy < shape->in_h && ix >= 0 && ix < shape->in_w) {
                        memcpy(p, x + (iy * shape->in_w + ix) * shape->in_c, (size_t)shape->in_c);
                    } else {
                        memset(p, params->input_zero_point, (size_t)shape->in_c);
                    }
                    p += shape->in_c;
                }
            }
            tg_conv2d_s8_pixel(depth, shape->out_c, params, patch, y);
            y += shape->out_c;
        }
    }
}

#endif
