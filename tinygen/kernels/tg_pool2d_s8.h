/* AVERAGE_POOL_2D and MAX_POOL_2D on int8, NHWC.
 *
 * The window of each output pixel is cut to the image once; then four neighbouring channels at a
 * time run over its taps. An average divides by the taps inside the image, halves away from zero;
 * or, where the int8 values stand for uint8 ones, of which none is negative, halves up.
 */
#ifndef TG_POOL2D_S8_H
#define TG_POOL2D_S8_H

#include "tg_types.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
} tg_pool2d_s8_shape;

typedef struct {
    int32_t output_min;
    int32_t output_max;
} tg_pool2d_s8_params;

/* The part of a window that lies in the image: its first byte, its size, and how to average it. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns;
    int32_t taps;
    uint32_t reciprocal; /* ceil(2^24 / taps), or 0 where that is not exact enough */
} tg_pool_window;

TG_INLINE tg_pool_window tg_cut_window(const tg_pool2d_s8_shape *shape, const int8_t *x, int32_t oy,
                                       int32_t ox)
{
    const int32_t y0 = oy * shape->stride_h - shape->pad_top;
    const int32_t x0 = ox * shape->stride_w - shape->pad_left;
    const int32_t top = tg_max(y0, 0), bottom = tg_min(y0 + shape->kernel_h, shape->in_h);
    const int32_t left = tg_max(x0, 0), right = tg_min(x0 + shape->kernel_w, shape->in_w);
    const tg_pool_window window = {
        .x = x + (top * shape->in_w + left) * shape->channels,
        .rows = bottom - top,
        .columns = right - left,
        .taps = (bottom - top) * (right - left),
        .reciprocal = 0,
    };
    return window;
}

/* |sum| / taps, halves up, without a division per channel. With r = ceil(2^24 / taps) and
 * n = |sum| + taps / 2 <= 128.5 * taps, n * r exceeds 2^24 * n / taps by less than n, which cannot
 * carry the quotient over the next integer as long as n * taps < 2^24, so for taps <= 361; and
 * n * r stays below 2^32. Larger windows divide. */
#define TG_POOL_RECIPROCAL_TAPS 361

TG_INLINE int32_t tg_pool_average(const tg_pool_window *window, int32_t sum)
{
    const uint32_t n = (uint32_t)(sum < 0 ? -sum : sum) + (uint32_t)window->taps / 2u;
    const uint32_t quotient =
        window->reciprocal ? (n * window->reciprocal) >> 24 : n / (uint32_t)window->taps;
    return sum < 0 ? -(int32_t)quotient : (int32_t)quotient;
}

/* sum / taps, halves up: the mean of values that are larger by 128. */
TG_INLINE int32_t tg_pool_average_up(const tg_pool_window *window, int32_t sum)
{
    const uint32_t taps = (uint32_t)window->taps;
    return (int32_t)(((uint32_t)sum + 128u * taps + taps / 2u) / taps) - 128;
}

/* What is made of a window. */
enum { TG_POOL_MAX, TG_POOL_AVERAGE, TG_POOL_AVERAGE_UP };

/* acc[i] = sum or maximum over the window of channel c + i, for count channels (4 or 1). */
TG_INLINE void tg_pool_reduce(int32_t average, const tg_pool2d_s8_shape *shape,
                              const tg_pool_window *window, int32_t count, int32_t c, int32_t *acc)
{
    const int8_t *row = window->x + c;
    TG_UNROLL(4)
    for (int32_t i = 0; i < count; ++i) {
        acc[i] = average ? 0 : INT8_MIN;
    }
    for (int32_t ky = 0; ky < window->rows; ++ky) {
        const int8_t *tap = row;
        for (int32_t kx = 0; kx < window->columns; ++kx) {
            TG_UNROLL(4)
            for (int32_t i = 0; i < count; ++i) {
                acc[i] = average ? acc[i] + tap[i] : tg_max(acc[i], tap[i]);
            }
            tap += shape->channels;
        }
        row += shape->in_w * shape->channels;
    }
}

TG_INLINE int8_t tg_pool_output(int32_t average, const tg_pool_window *window, int32_t acc,
                                int32_t low, int32_t high)
{
    if (average == TG_POOL_AVERAGE_UP) {
        return (int8_t)tg_clamp(tg_pool_average_up(window, acc), low, high);
    }
    return (int8_t)tg_clamp(average ? tg_pool_average(window, acc) : acc, low, high);
}

TG_INLINE void tg_pool2d_s8(int32_t average, const tg_pool2d_s8_shape *shape,
                            const tg_pool2d_s8_params *params, const int8_t *restrict x,
                            int8_t *restrict y)
{
    const int32_t low = params->output_min, high = params->output_max;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t oy = 0; oy < shape->out_h; ++oy) {
            for (int32_t ox = 0; ox < shape->out_w; ++ox) {
                tg_pool_window window = tg_cut_window(shape, x, oy, ox);
                if (average == TG_POOL_AVERAGE &&
                    shape->kernel_h * shape->kernel_w <= TG_POOL_RECIPROCAL_TAPS) {
                    const uint32_t taps = (uint32_t)window.taps;
                    window.reciprocal = (((uint32_t)1 << 24) + taps - 1u) / taps;
                }
                const int32_t fours = shape->channels & ~3;
                for (int32_t c = 0; c < fours; c += 4, y += 4) {
                    int32_t acc[4];
                    tg_pool_reduce(average, shape, &window, 4, c, acc);
                    y[0] = tg_pool_output(average, &window, acc[0], low, high);
                    y[1] = tg_pool_output(average, &window, acc[1], low, high);
                    y[2] = tg_pool_output(average, &window, acc[2], low, high);
                    y[3] = tg_pool_output(average, &window, acc[3], low, high);
                }
                for (int32_t c = fours; c < shape->channels; ++c, ++y) {
                    int32_t acc[1];
                    tg_pool_reduce(average, shape, &window, 1, c, acc);
                    y[0] = tg_pool_output(average, &window, acc[0], low, high);
                }
            }
        }
        x += shape->in_h * shape->in_w * shape->channels;
    }
}

TG_INLINE void tg_average_pool2d_s8(const tg_pool2d_s8_shape *shape,
                                    const tg_pool2d_s8_params *params, const int8_t *x, int8_t *y)
{
    tg_pool2d_s8(TG_POOL_AVERAGE, shape, params, x, y);
}

TG_INLINE void tg_average_pool2d_s8_up(const tg_pool2d_s8_shape *shape,
                                       const tg_pool2d_s8_params *params, const int8_t *x,
                                       int8_t *y)
{
    tg_pool2d_s8(TG_POOL_AVERAGE_UP, shape, params, x, y);
}

TG_INLINE void tg_max_pool2d_s8(const tg_pool2d_s8_shape *shape, const tg_pool2d_s8_params *params,
                                const int8_t *x, int8_t *y)
{
    tg_pool2d_s8(TG_POOL_MAX, shape, params, x, y);
}

#endif
