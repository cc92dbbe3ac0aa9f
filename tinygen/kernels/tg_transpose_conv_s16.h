/* TRANSPOSE_CONV on int16 with int8 weights, NHWC, weights OHWI with one scale per output channel.
 *
 * Each output pixel collects what reaches it, as in tg_transpose_conv_s8.h, which explains how the
 * taps that do are found. Zero points are 0; sums have 64 bits (see tg_wide.h).
 */
#ifndef TG_TRANSPOSE_CONV_S16_H
#define TG_TRANSPOSE_CONV_S16_H

#include "tg_wide.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_c, out_c;
} tg_transpose_conv_s16_shape;

typedef struct {
    const int8_t *weights; /* out_c kernels of kernel_h * kernel_w * in_c */
    const int64_t *bias;   /* these three: see tg_wide_output */
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t output_min;
    int32_t output_max;
} tg_transpose_conv_s16_params;

/* What all input pixels add to the output pixel whose distances from the first ones are `down` and
 * `right`, for one output channel. */
TG_INLINE int64_t tg_transpose_conv_s16_sum(const tg_transpose_conv_s16_shape *shape,
                                            const int16_t *image, const int8_t *kernel,
                                            int32_t down, int32_t right)
{
    int64_t sum = 0;
    int32_t i = down / shape->stride_h;
    for (int32_t k = down % shape->stride_h; k < shape->kernel_h; k += shape->stride_h, --i) {
        if (i < 0 || i >= shape->in_h) {
            continue;
        }
        int32_t j = right / shape->stride_w;
        for (int32_t l = right % shape->stride_w; l < shape->kernel_w; l += shape->stride_w, --j) {
            if (j < 0 || j >= shape->in_w) {
                continue;
            }
            sum += tg_dot_s16(shape->in_c, image + (i * shape->in_w + j) * shape->in_c,
                              kernel + (k * shape->kernel_w + l) * shape->in_c);
        }
    }
    return sum;
}

TG_INLINE void tg_transpose_conv_s16(const tg_transpose_conv_s16_shape *shape,
                                     const tg_transpose_conv_s16_params *params, const int16_t *x,
                                     int16_t *y)
{
    const tg_wide_output output = {0,
                                   params->bias,
                                   params->multiplier,
                                   params->shift,
                                   params->output_min,
                                   params->output_max};
    const int32_t kernel_size = shape->kernel_h * shape->kernel_w * shape->in_c;

    for (int32_t b = 0; b < shape->batches; ++b) {
        for (int32_t i = 0; i < shape->out_h; ++i) {
            for (int32_t j = 0; j < shape->out_w; ++j) {
                for (int32_t o = 0; o < shape->out_c; ++o) {
                    const int64_t sum =
                        tg_transpose_conv_s16_sum(shape, x, params->weights + o * kernel_size,
                                                  i + shape->pad_top, j + shape->pad_left);
                    *y++ = tg_output_s16(&output, o, sum);
                }
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
    }
}

#endif
