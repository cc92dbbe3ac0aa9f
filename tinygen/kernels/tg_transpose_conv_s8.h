/* TRANSPOSE_CONV on int8, NHWC, weights OHWI with one scale per output channel.
 *
 * By its definition each input pixel adds to all output pixels under its kernel, which takes an
 * accumulator for each of these. Here each output pixel collects instead what reaches it, and needs
 * none: row i of the input reaches output row o with tap k if i * stride - pad + k = o, so the taps
 * are those from (o + pad) mod stride on, in steps of the stride, and the input rows go down by one
 * from (o + pad) / stride. Columns are alike. Sums wrap in 32 bits.
 */
#ifndef TG_TRANSPOSE_CONV_S8_H
#define TG_TRANSPOSE_CONV_S8_H

#include "tg_requant.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_c, out_c;
    int32_t weights_zero_point;
    int32_t full_range; /* see tg_make_output */
} tg_transpose_conv_s8_shape;

typedef struct {
    const int8_t *weights;     /* out_c kernels of kernel_h * kernel_w * in_c */
    const int32_t *bias;       /* per output channel */
    const int32_t *multiplier; /* per output channel */
    const int8_t *shift;       /* per output channel, positive is left */
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_transpose_conv_s8_params;

/* What all input pixels add to the output pixel whose distances from the first ones are `down` and
 * `right`, for one output channel. */
TG_INLINE uint32_t tg_transpose_conv_sum(const tg_transpose_conv_s8_shape *shape, int32_t zero_point,
                                         const int8_t *image, const int8_t *kernel, int32_t down,
                                         int32_t right)
{
    uint32_t sum = 0;
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
            const int8_t *x = image + (i * shape->in_w + j) * shape->in_c;
            const int8_t *w = kernel + (k * shape->kernel_w + l) * shape->in_c;
            for (int32_t c = 0; c < shape->in_c; ++c) {
                sum += (uint32_t)((x[c] - zero_point) * (w[c] - shape->weights_zero_point));
            }
        }
    }
    return sum;
}

TG_INLINE void tg_transpose_conv_s8(const tg_transpose_conv_s8_shape *shape,
                                    const tg_transpose_conv_s8_params *params, const int8_t *x,
                                    int8_t *y)
{
    const tg_transpose_conv_s8_params p = *params;
    const tg_output output =
        tg_make_output(0, shape->full_range, p.output_zero_point, p.output_min, p.output_max);
    const int32_t kernel_size = shape->kernel_h * shape->kernel_w * shape->in_c;

    for (int32_t b = 0; b < shape->batches; ++b) {
        for (int32_t i = 0; i < shape->out_h; ++i) {
            for (int32_t j = 0; j < shape->out_w; ++j) {
                const int8_t *kernel = p.weights;
                for (int32_t o = 0; o < shape->out_c; ++o) {
                    const uint32_t sum =
                        tg_transpose_conv_sum(shape, p.input_zero_point, x, kernel,
                                              i + shape->pad_top, j + shape->pad_left);
                    *y++ = tg_output_s8(&output, (int32_t)(sum + (uint32_t)p.bias[o]),
                                        p.multiplier[o], p.shift[o]);
                    kernel += kernel_size;
                }
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
    }
}

#endif
