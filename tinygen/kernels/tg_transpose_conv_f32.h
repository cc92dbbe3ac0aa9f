/* TRANSPOSE_CONV on float32, NHWC, weights OHWI.
 *
 * Each output pixel collects what reaches it, from the first input pixel to the last: the reference
 * runs over the input and adds to the output, so that is the order in which it sums. Input row i
 * meets the output row at distance `down` from the first one's reach with tap down - i * stride.
 */
#ifndef TG_TRANSPOSE_CONV_F32_H
#define TG_TRANSPOSE_CONV_F32_H

#include "tg_f32.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_c, out_c;
} tg_transpose_conv_f32_shape;

typedef struct {
    const float *weights; /* out_c kernels of kernel_h * kernel_w * in_c */
    const float *bias;    /* per output channel */
    float output_min;
    float output_max;
} tg_transpose_conv_f32_params;

/* The first of `size` input positions whose tap is within the kernel at `distance`. */
TG_INLINE int32_t tg_transpose_conv_f32_first(int32_t distance, int32_t kernel, int32_t stride)
{
    const int32_t beyond = distance - kernel + 1;
    return beyond <= 0 ? 0 : (beyond - 1) / stride + 1;
}

TG_INLINE float tg_transpose_conv_f32_sum(const tg_transpose_conv_f32_shape *shape,
                                          const float *image, const float *kernel, int32_t down,
                                          int32_t right)
{
    const int32_t last_i = tg_min(down / shape->stride_h, shape->in_h - 1);
    const int32_t last_j = tg_min(right / shape->stride_w, shape->in_w - 1);
    float sum = 0.0f;
    for (int32_t i = tg_transpose_conv_f32_first(down, shape->kernel_h, shape->stride_h);
         i <= last_i; ++i) {
        const int32_t k = down - i * shape->stride_h;
        for (int32_t j = tg_transpose_conv_f32_first(right, shape->kernel_w, shape->stride_w);
             j <= last_j; ++j) {
            const int32_t l = right - j * shape->stride_w;
            sum = tg_dot_f32(sum, shape->in_c, image + (i * shape->in_w + j) * shape->in_c,
                             kernel + (k * shape->kernel_w + l) * shape->in_c);
        }
    }
    return sum;
}

TG_INLINE void tg_transpose_conv_f32(const tg_transpose_conv_f32_shape *shape,
                                     const tg_transpose_conv_f32_params *params, const float *x,
                                     float *y)
{
    const int32_t kernel_size = shape->kernel_h * shape->kernel_w * shape->in_c;

    for (int32_t b = 0; b < shape->batches; ++b) {
        for (int32_t i = 0; i < shape->out_h; ++i) {
            for (int32_t j = 0; j < shape->out_w; ++j) {
                for (int32_t o = 0; o < shape->out_c; ++o) {
                    const float sum =
                        tg_transpose_conv_f32_sum(shape, x, params->weights + o * kernel_size,
                                                  i + shape->pad_top, j + shape->pad_left);
                    *y++ = tg_clamp_f32(sum + params->bias[o], params->output_min,
                                        params->output_max);
                }
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
    }
}

#endif
