/* AVERAGE_POOL_2D and MAX_POOL_2D on int16, NHWC.
 *
 * The window of each output pixel is cut to the image once; then each channel runs over its taps. An
 * average divides by the taps inside the image, halves away from zero; the compiler has seen to it
 * that there are fewer than 2^16 taps, so that sums fit 32 bits.
 */
#ifndef TG_POOL2D_S16_H
#define TG_POOL2D_S16_H

#include "tg_types.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
} tg_pool2d_s16_shape;

typedef struct {
    int32_t output_min;
    int32_t output_max;
} tg_pool2d_s16_params;

/* The sum or the maximum of rows times columns taps. */
TG_INLINE int32_t tg_pool2d_s16_reduce(int32_t average, const tg_pool2d_s16_shape *shape,
                                       const int16_t *x, int32_t rows, int32_t columns)
{
    int32_t acc = average ? 0 : INT16_MIN;
    for (int32_t i = 0; i < rows; ++i) {
        for (int32_t j = 0; j < columns; ++j) {
            const int32_t tap = x[(i * shape->in_w + j) * shape->channels];
            acc = average ? acc + tap : tg_max(acc, tap);
        }
    }
    return acc;
}

TG_INLINE void tg_pool2d_s16(int32_t average, const tg_pool2d_s16_shape *shape,
                             const tg_pool2d_s16_params *params, const int16_t *x, int16_t *y)
{
    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int32_t batch = row / shape->out_h;
        const int32_t y0 = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t x0 = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        const int32_t top = tg_max(y0, 0), left = tg_max(x0, 0);
        const int32_t rows = tg_min(y0 + shape->kernel_h, shape->in_h) - top;
        const int32_t columns = tg_min(x0 + shape->kernel_w, shape->in_w) - left;
        const int32_t taps = rows * columns;
        const int16_t *const first =
            x + ((batch * shape->in_h + top) * shape->in_w + left) * shape->channels;
        for (int32_t c = 0; c < shape->channels; ++c) {
            int32_t value = tg_pool2d_s16_reduce(average, shape, first + c, rows, columns);
            if (average) {
                /* C's division goes towards zero: half a divisor more rounds away from it. */
                value = value > 0 ? (value + taps / 2) / taps : (value - taps / 2) / taps;
            }
            *y++ = (int16_t)tg_clamp(value, params->output_min, params->output_max);
        }
    }
}

TG_INLINE void tg_average_pool2d_s16(const tg_pool2d_s16_shape *shape,
                                     const tg_pool2d_s16_params *params, const int16_t *x,
                                     int16_t *y)
{
    tg_pool2d_s16(1, shape, params, x, y);
}

TG_INLINE void tg_max_pool2d_s16(const tg_pool2d_s16_shape *shape,
                                 const tg_pool2d_s16_params *params, const int16_t *x, int16_t *y)
{
    tg_pool2d_s16(0, shape, params, x, y);
}

#endif
