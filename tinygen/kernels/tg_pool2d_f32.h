/* AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D on float32, NHWC.
 *
 * The window of each output pixel is cut to the image once; then each channel runs over its taps, in
 * the order of the reference. An average and the root of the mean square divide by the taps inside
 * the image.
 */
#ifndef TG_POOL2D_F32_H
#define TG_POOL2D_F32_H

#include <float.h>
#include <math.h>

#include "tg_f32.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
} tg_pool2d_f32_shape;

typedef struct {
    float output_min;
    float output_max;
} tg_pool2d_f32_params;

enum { TG_POOL_F32_AVERAGE, TG_POOL_F32_MAX, TG_POOL_F32_L2 };

/* The sum, the maximum, or the sum of squares of rows times columns taps. */
TG_INLINE float tg_pool2d_f32_reduce(int32_t kind, const tg_pool2d_f32_shape *shape, const float *x,
                                     int32_t rows, int32_t columns)
{
    float acc = kind == TG_POOL_F32_MAX ? -FLT_MAX : 0.0f;
    for (int32_t i = 0; i < rows; ++i) {
        for (int32_t j = 0; j < columns; ++j) {
            const float tap = x[(i * shape->in_w + j) * shape->channels];
            if (kind == TG_POOL_F32_MAX) {
                acc = acc < tap ? tap : acc;
            } else {
                acc += kind == TG_POOL_F32_L2 ? tap * tap : tap;
            }
        }
    }
    return acc;
}

TG_INLINE void tg_pool2d_f32(int32_t kind, const tg_pool2d_f32_shape *shape,
                             const tg_pool2d_f32_params *params, const float *x, float *y)
{
    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int32_t batch = row / shape->out_h;
        const int32_t y0 = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t x0 = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        const int32_t top = tg_max(y0, 0), left = tg_max(x0, 0);
        const int32_t rows = tg_min(y0 + shape->kernel_h, shape->in_h) - top;
        const int32_t columns = tg_min(x0 + shape->kernel_w, shape->in_w) - left;
        const float taps = (float)(rows * columns);
        const float *const first =
            x + ((batch * shape->in_h + top) * shape->in_w + left) * shape->channels;
        for (int32_t c = 0; c < shape->channels; ++c) {
            float value = tg_pool2d_f32_reduce(kind, shape, first + c, rows, columns);
            if (kind == TG_POOL_F32_AVERAGE) {
                value = value / taps;
            } else if (kind == TG_POOL_F32_L2) {
                value = sqrtf(value / taps);
            }
            *y++ = tg_clamp_f32(value, params->output_min, params->output_max);
        }
    }
}

#define TG_POOL2D_F32(name, kind)                                                                  \
    TG_INLINE void name(const tg_pool2d_f32_shape *shape, const tg_pool2d_f32_params *params,      \
                        const float *x, float *y)                                                  \
    {                                                                                              \
        tg_pool2d_f32(kind, shape, params, x, y);                                                  \
    }

TG_POOL2D_F32(tg_average_pool2d_f32, TG_POOL_F32_AVERAGE)
TG_POOL2D_F32(tg_max_pool2d_f32, TG_POOL_F32_MAX)
TG_POOL2D_F32(tg_l2_pool2d_f32, TG_POOL_F32_L2)

#endif
