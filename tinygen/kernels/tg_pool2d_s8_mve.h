/* AVERAGE_POOL_2D and MAX_POOL_2D on int8, NHWC, with a channel in each lane, for Helium.
 *
 * As tg_pool2d_s8.h, but for averages of at most 255 taps, whose sums fit 16 bits, eight channels
 * at a time. |sum| / taps, halves up, is again a product with a reciprocal: with k such that
 * 2^k < taps <= 2^(k+1) and r = ceil(2^(16+k) / taps) < 2^16, the quotient of
 * n = |sum| + taps / 2 < 2^15 is (n * r) >> (16 + k), as n * r exceeds 2^(16+k) * n / taps by less
 * than n, and n * taps < 2^15 * taps <= 2^(16+k) keeps that from carrying over the next integer.
 */
#ifndef TG_POOL2D_S8_MVE_H
#define TG_POOL2D_S8_MVE_H

#include "tg_mve.h"
#include "tg_pool2d_s8.h"
#include "tg_require_mve.h"

/* How to divide by a number of taps from 1 to 255. */
typedef struct {
    int32_t half, reciprocal, k;
} tg_pool_divisor;

TG_INLINE tg_pool_divisor tg_make_divisor(int32_t taps)
{
    int32_t k = 0;
    while (2 << k < taps) {
        ++k;
    }
    const tg_pool_divisor divisor = {taps / 2, ((1 << (16 + k)) + taps - 1) / taps, k};
    return divisor;
}

/* The averages of the first n channels from c on, at most 8. */
TG_INLINE void tg_average_lanes(const tg_pool2d_s8_shape *shape, const tg_pool_window *window,
                                const tg_pool_divisor *divisor, int32_t c, int32_t low,
                                int32_t high, int8_t *y, int32_t n)
{
    const int8_t *row = window->x + c;
    tg_s16x8 sum = tg_dup_s16x8(0);
    for (int32_t ky = 0; ky < window->rows; ++ky) {
        const int8_t *tap = row;
        for (int32_t kx = 0; kx < window->columns; ++kx) {
            sum = tg_add_s16x8(sum, tg_load_first_s8_s16x8(tap, n));
            tap += shape->channels;
        }
        row += shape->in_w * shape->channels;
    }
    if (window->taps > 1) {
        const tg_s16x8 up = tg_add_s16x8(tg_abs_s16x8(sum), tg_dup_s16x8(divisor->half));
        const tg_s16x8 quotient =
            tg_shift_right_s16x8(tg_high_mul_u16x8(up, divisor->reciprocal), divisor->k);
        sum = tg_with_sign_s16x8(quotient, sum);
    }
    sum = tg_min_s16x8(tg_max_s16x8(sum, tg_dup_s16x8(low)), tg_dup_s16x8(high));
    tg_store_bytes_s16x8(y, sum, n);
}

/* The maxima of the first n channels from c on, at most 16. */
TG_INLINE void tg_max_lanes(const tg_pool2d_s8_shape *shape, const tg_pool_window *window,
                            int32_t c, int32_t low, int32_t high, int8_t *y, int32_t n)
{
    const int8_t *row = window->x + c;
    tg_s8x16 most = tg_dup_s8x16(low);
    for (int32_t ky = 0; ky < window->rows; ++ky) {
        const int8_t *tap = row;
        for (int32_t kx = 0; kx < window->columns; ++kx) {
            most = tg_max_s8x16(
                most, n == 16 ? tg_load_s8x16(tap) : tg_load_first_s8x16(tap, n));
            tap += shape->channels;
        }
        row += shape->in_w * shape->channels;
    }
    most = tg_min_s8x16(most, tg_dup_s8x16(high));
    if (n == 16) {
        tg_store_s8x16(y, most);
    } else {
        tg_store_first_s8x16(y, most, n);
    }
}

/* All channels of a window. */
TG_INLINE void tg_pool_channels(int32_t average, const tg_pool2d_s8_shape *shape,
                                const tg_pool_window *window, int32_t low, int32_t high, int8_t *y)
{
    const int32_t lanes = average ? 8 : 16;
    const int32_t rest = shape->channels % lanes, whole = shape->channels - rest;
    const tg_pool_divisor divisor = tg_make_divisor(average ? window->taps : 1);
    for (int32_t c = 0; c < whole; c += lanes) {
        if (average) {
            tg_average_lanes(shape, window, &divisor, c, low, high, y + c, 8);
        } else {
            tg_max_lanes(shape, window, c, low, high, y + c, 16);
        }
    }
    if (rest && average) {
        tg_average_lanes(shape, window, &divisor, whole, low, high, y + whole, rest);
    } else if (rest) {
        tg_max_lanes(shape, window, whole, low, high, y + whole, rest);
    }
}

TG_INLINE void tg_pool2d_s8_mve(int32_t average, const tg_pool2d_s8_shape *shape,
                                const tg_pool2d_s8_params *params, const int8_t *restrict x,
                                int8_t *restrict y)
{
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t oy = 0; oy < shape->out_h; ++oy) {
            for (int32_t ox = 0; ox < shape->out_w; ++ox) {
                const tg_pool_window window = tg_cut_window(shape, x, oy, ox);
                tg_pool_channels(average, shape, &window, params->output_min, params->output_max,
                                 y);
                y += shape->channels;
            }
        }
        x += shape->in_h * shape->in_w * shape->channels;
    }
}

TG_INLINE void tg_average_pool2d_s8_mve(const tg_pool2d_s8_shape *shape,
                                        const tg_pool2d_s8_params *params, const int8_t *x,
                                        int8_t *y)
{
    tg_pool2d_s8_mve(1, shape, params, x, y);
}

TG_INLINE void tg_max_pool2d_s8_mve(const tg_pool2d_s8_shape *shape,
                                    const tg_pool2d_s8_params *params, const int8_t *x, int8_t *y)
{
    tg_pool2d_s8_mve(0, shape, params, x, y);
}

#endif
