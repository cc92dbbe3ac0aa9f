/* DEPTHWISE_CONV_2D on float32, NHWC, weights [kernel_h, kernel_w, channels] as in the file.
 *
 * For every output pixel the taps inside the image are found once; then each output channel sums
 * over them, in the order of the reference, and adds its bias last. Each input channel has
 * `multiplier` output channels.
 */
#ifndef TG_DEPTHWISE_CONV2D_F32_H
#define TG_DEPTHWISE_CONV2D_F32_H

#include "tg_f32.h"
#include "tg_taps.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t dilation_h, dilation_w;
    int32_t in_c;
    int32_t multiplier;
} tg_depthwise_conv2d_f32_shape;

typedef struct {
    const float *weights; /* kernel_h * kernel_w * in_c * multiplier */
    const float *bias;    /* per output channel */
    float output_min;
    float output_max;
} tg_depthwise_conv2d_f32_params;

TG_INLINE void tg_depthwise_conv2d_f32(const tg_depthwise_conv2d_f32_shape *shape,
                                       const tg_depthwise_conv2d_f32_params *params,
                                       const float *x, float *y)
{
    const int32_t out_c = shape->in_c * shape->multiplier;

    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int32_t batch = row / shape->out_h;
        const int32_t top = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        const tg_taps rows = tg_taps_inside(top, shape->dilation_h, shape->kernel_h, shape->in_h);
        const tg_taps columns =
            tg_taps_inside(left, shape->dilation_w, shape->kernel_w, shape->in_w);
        for (int32_t c = 0; c < out_c; ++c) {
            float sum = 0.0f;
            for (int32_t ky = rows.first; ky < rows.end; ++ky) {
                const int32_t iy = batch * shape->in_h + top + ky * shape->dilation_h;
                for (int32_t kx = columns.first; kx < columns.end; ++kx) {
                    const int32_t ix = left + kx * shape->dilation_w;
                    sum += x[(iy * shape->in_w + ix) * shape->in_c + c / shape->multiplier] *
                           params->weights[(ky * shape->kernel_w + kx) * out_c + c];
                }
            }
            *y++ = tg_clamp_f32(sum + params->bias[c], params->output_min, params->output_max);
        }
    }
}

#endif
