/* tg_pool2d_s8 by words of four channels, for the Arm DSP extension.
 *
 * Sums of a window stay in int16: SXTAB16 widens the channels 0 and 2 of a word, or 1 and 3, and
 * adds both to a register of two sums. A maximum stays in int8: SSUB8 compares four channels at
 * once, and SEL takes the greater of each. Sixteen channels at a time go over the window, so that a
 * tap is four loads in a row. A last group of fewer than four begins among those before.
 */
#ifndef TG_POOL2D_S8_DSP_H
#define TG_POOL2D_S8_DSP_H

#include "tg_pool2d_s8.h"
#include "tg_require_dsp.h"
#include "tg_simd.h"

/* More taps than that could overflow int16. */
#define TG_POOL_WORDS_TAPS 255

/* Sums or maxima over the window of so many words of channels (4 or 1), from channel c on: acc has
 * two words of sums, or one of maxima, for each. */
TG_INLINE void tg_pool_reduce_words(int32_t average, const tg_pool2d_s8_shape *shape,
                                    const tg_pool_window *window, int32_t words, int32_t c,
                                    uint32_t *acc)
{
    const int8_t *row = window->x + c;
    TG_UNROLL(8)
    for (int32_t i = 0; i < 2 * words; ++i) {
        acc[i] = average ? 0u : 0x80808080u;
    }
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < window->rows; ++ky) {
        const int8_t *tap = row;
        TG_UNROLL(1)
        for (int32_t kx = 0; kx < window->columns; ++kx) {
            uint32_t x[4];
            if (words == 4) {
                tg_load_16xs8(tap, x);
            } else {
                x[0] = tg_load_4xs8(tap);
            }
            TG_UNROLL(4)
            for (int32_t i = 0; i < words; ++i) {
                if (average) {
                    acc[2 * i] = tg_sxtab16(acc[2 * i], x[i]);
                    acc[2 * i + 1] = tg_sxtab16_odd(acc[2 * i + 1], x[i]);
                } else {
                    acc[i] = tg_max_4xs8(acc[i], x[i]);
                }
            }
            tap += shape->channels;
        }
        row += shape->in_w * shape->channels;
    }
}

/* So many words of channels (4 or 1) of one pixel, from channel c on. */
TG_INLINE void tg_pool_words(int32_t average, const tg_pool2d_s8_shape *shape,
                             const tg_pool2d_s8_params *params, const tg_pool_window *window,
                             int32_t words, int32_t c, int8_t *y)
{
    const int32_t low = params->output_min, high = params->output_max;
    uint32_t acc[8];
    tg_pool_reduce_words(average, shape, window, words, c, acc);
    TG_UNROLL(4)
    for (int32_t i = 0; i < words; ++i) {
        TG_UNROLL(4)
        for (int32_t j = 0; j < 4; ++j) {
            const uint32_t sums = acc[2 * i + j % 2] >> (16 * (j / 2));
            const int32_t value = average ? (int16_t)(uint16_t)sums
                                          : (int8_t)(uint8_t)(acc[i] >> (8 * j));
            y[c + 4 * i + j] = tg_pool_output(average, window, value, low, high);
        }
    }
}

TG_INLINE void tg_pool2d_s8_by_words(int32_t average, const tg_pool2d_s8_shape *shape,
                                     const tg_pool2d_s8_params *params, const int8_t *restrict x,
                                     int8_t *restrict y)
{
    const int32_t channels = shape->channels;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t oy = 0; oy < shape->out_h; ++oy) {
            for (int32_t ox = 0; ox < shape->out_w; ++ox, y += channels) {
                tg_pool_window window = tg_cut_window(shape, x, oy, ox);
                if (average) {
                    const uint32_t taps = (uint32_t)window.taps;
                    window.reciprocal = (((uint32_t)1 << 24) + taps - 1u) / taps;
                }
                int32_t c = 0;
                for (; c + 16 <= channels; c += 16) {
                    tg_pool_words(average, shape, params, &window, 4, c, y);
                }
                for (; c < channels; c += 4) {
                    c = tg_min(c, channels - 4);
                    tg_pool_words(average, shape, params, &window, 1, c, y);
                }
            }
        }
        x += shape->in_h * shape->in_w * channels;
    }
}

TG_INLINE void tg_average_pool2d_s8_dsp(const tg_pool2d_s8_shape *shape,
                                        const tg_pool2d_s8_params *params, const int8_t *x,
                                        int8_t *y)
{
    tg_pool2d_s8_by_words(1, shape, params, x, y);
}

TG_INLINE void tg_max_pool2d_s8_dsp(const tg_pool2d_s8_shape *shape,
                                    const tg_pool2d_s8_params *params, const int8_t *x, int8_t *y)
{
    tg_pool2d_s8_by_words(0, shape, params, x, y);
}

#endif
