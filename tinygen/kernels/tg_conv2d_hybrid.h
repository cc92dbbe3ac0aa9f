/* CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED on float32 with int8 weights, NHWC.
 *
 * Each image (of a matrix product: each row, an image of one pixel) is quantized to int8 when it
 * arrives: by its largest magnitude, or, asymmetric, by its least and greatest value, so that 0
 * remains exact. Sums are integers then, and exact; a result is its sum times the scales, plus the
 * bias. The image's int8 values are kept in the scratch. A depthwise convolution is one with a group
 * per input channel.
 *
 * Quotients and products are rounded one by one, in the order of LiteRT's kernels: where another
 * order moves a value over a half, a step of the quantization follows.
 */
#ifndef TG_CONV2D_HYBRID_H
#define TG_CONV2D_HYBRID_H

#include "tg_f32.h"
#include "tg_quantize_f32.h"
#include "tg_taps.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t dilation_h, dilation_w;
    int32_t in_c, out_c;
    int32_t groups;
    int32_t asymmetric;
    int32_t one_by_one; /* a sum is multiplied with the weights' scale first, then the image's */
} tg_conv2d_hybrid_shape;

typedef struct {
    const int8_t *weights; /* out_c kernels of kernel_h * kernel_w * in_c / groups */
    const float *scale;    /* of the weights, per output channel */
    const float *bias;     /* per output channel */
    float output_min;
    float output_max;
} tg_conv2d_hybrid_params;

/* How an image is quantized: real = scale * (q - zero_point). */
typedef struct {
    float scale;
    int32_t zero_point;
} tg_hybrid_image;

TG_INLINE tg_hybrid_image tg_hybrid_symmetric(float least, float most, int32_t size,
                                              const float *x, int8_t *q)
{
    const float range = most < -least ? -least : most;
    tg_hybrid_image image = {1.0f, 0};
    if (range == 0.0f) {
        memset(q, 0, (size_t)size);
        return image;
    }
    const float inverse = 127.0f / range;
    image.scale = range / 127.0f;
    for (int32_t i = 0; i < size; ++i) {
        q[i] = (int8_t)tg_clamp(tg_quantize_round(x[i] * inverse), -127, 127);
    }
    return image;
}

TG_INLINE tg_hybrid_image tg_hybrid_asymmetric(float least, float most, int32_t size,
                                               const float *x, int8_t *q)
{
    const float low = least < 0.0f ? least : 0.0f, high = most > 0.0f ? most : 0.0f;
    tg_hybrid_image image = {1.0f, 0};
    if (!(low < high)) {
        memset(q, 0, (size_t)size);
        return image;
    }
    const float span = high - low;
    const double scale = (double)span / 255.0;
    /* Of the two ends, the one that is nearer to 0 tells the zero point more exactly. It is always
     * from -128 to 127, give or take a rounding; with infinite ends it may be no number. */
    const double below = (double)low / scale, above = (double)high / scale;
    const double end = 128.0 - below < 127.0 + above ? -128.0 - below : 127.0 - above;
    const double rounded = end < 0.0 ? end - 0.5 : end + 0.5;
    if (rounded > -129.0 && rounded < 128.0) {
        image.zero_point = (int32_t)rounded;
    }
    image.scale = (float)scale;
    const float inverse = 1.0f / image.scale, zero = (float)image.zero_point;
    for (int32_t i = 0; i < size; ++i) {
        const float scaled = x[i] * inverse;
        q[i] = (int8_t)tg_clamp(tg_quantize_round(zero + scaled), INT8_MIN, INT8_MAX);
    }
    return image;
}

TG_INLINE tg_hybrid_image tg_hybrid_quantize(int32_t asymmetric, int32_t size, const float *x,
                                             int8_t *q)
{
    float least = x[0], most = x[0];
    for (int32_t i = 1; i < size; ++i) {
        least = x[i] < least ? x[i] : least;
        most = most < x[i] ? x[i] : most;
    }
    return asymmetric ? tg_hybrid_asymmetric(least, most, size, x, q)
                      : tg_hybrid_symmetric(least, most, size, x, q);
}

TG_INLINE int32_t tg_hybrid_dot(int32_t sum, int32_t depth, const int8_t *q, int32_t zero_point,
                                const int8_t *w)
{
    for (int32_t k = 0; k < depth; ++k) {
        sum += (q[k] - zero_point) * w[k];
    }
    return sum;
}

TG_INLINE void tg_conv2d_hybrid(const tg_conv2d_hybrid_shape *shape,
                                const tg_conv2d_hybrid_params *params, const float *x, float *y,
                                int8_t *scratch)
{
    const int32_t depth = shape->in_c / shape->groups;
    const int32_t per_group = shape->out_c / shape->groups;
    const int32_t kernel_size = shape->kernel_h * shape->kernel_w * depth;
    const int32_t size = shape->in_h * shape->in_w * shape->in_c;
    const int32_t pixels = shape->out_h * shape->out_w;
    tg_hybrid_image image = {1.0f, 0};

    for (int32_t at = 0; at < shape->batches * pixels; ++at) {
        const int32_t pixel = at % pixels;
        if (pixel == 0) {
            image = tg_hybrid_quantize(shape->asymmetric, size, x, scratch);
            x += size;
        }
        const int32_t top = pixel / shape->out_w * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        const tg_taps rows = tg_taps_inside(top, shape->dilation_h, shape->kernel_h, shape->in_h);
        const tg_taps columns =
            tg_taps_inside(left, shape->dilation_w, shape->kernel_w, shape->in_w);
        for (int32_t c = 0; c < shape->out_c; ++c) {
            const int8_t *const kernel = params->weights + c * kernel_size;
            const int32_t first_channel = c / per_group * depth;
            int32_t sum = 0;
            for (int32_t ky = rows.first; ky < rows.end; ++ky) {
                const int32_t iy = top + ky * shape->dilation_h;
                for (int32_t kx = columns.first; kx < columns.end; ++kx) {
                    const int32_t ix = left + kx * shape->dilation_w;
                    const int32_t from = (iy * shape->in_w + ix) * shape->in_c + first_channel;
                    sum = tg_hybrid_dot(sum, depth, scratch + from, image.zero_point,
                                        kernel + (ky * shape->kernel_w + kx) * depth);
                }
            }
            const float scale = params->scale[c];
            const float real = shape->one_by_one ? (float)sum * scale * image.scale
                                                 : (float)sum * (image.scale * scale);
            *y++ = tg_clamp_f32(real + params->bias[c], params->output_min, params->output_max);
        }
    }
}

#endif
