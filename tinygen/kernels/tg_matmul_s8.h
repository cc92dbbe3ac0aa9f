/* Rows of int8 activations times a matrix of int8 weights: FULLY_CONNECTED, and CONV_2D by 1x1.
 *
 * Each output channel has a row of weights, a bias into which the input's zero point is folded, and
 * its own scale. Rows are taken in pairs with channels in pairs (every weight is loaded once for
 * two rows); a last or only row takes four channels at once.
 */
#ifndef TG_MATMUL_S8_H
#define TG_MATMUL_S8_H

#include "tg_dot_s8.h"
#include "tg_requant.h"

typedef struct {
    int32_t rows;
    int32_t depth;      /* bytes of a row of x and of a row of weights */
    int32_t out_c;      /* bytes of a row of y */
    int32_t right_only; /* see tg_output_s8 */
    int32_t full_range; /* see tg_make_output */
} tg_matmul_s8_shape;

typedef struct {
    const int8_t *weights;     /* out_c * depth */
    const int32_t *bias;       /* per output channel; bias - input_zero_point * sum(weights) */
    const int32_t *multiplier; /* per output channel */
    const int8_t *shift;       /* per output channel, see tg_output_s8 */
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_matmul_s8_params;

/* What one row of output needs beside its activations. */
typedef struct {
    int32_t dsp; /* a constant: use the DSP extension */
    int32_t depth;
    int32_t out_c;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    tg_output output;
} tg_channels;

TG_INLINE int8_t tg_channel_s8(const tg_channels *channels, int32_t c, int32_t acc)
{
    return tg_output_s8(&channels->output, acc, channels->multiplier[c], channels->shift[c]);
}

/* One row: y[c] = x . weights[c] for every channel. */
TG_INLINE void tg_matmul_row(const tg_channels *channels, const int8_t *restrict x,
                             int8_t *restrict y)
{
    const int8_t *w = channels->weights;
    const int32_t depth = channels->depth;
    const int32_t fours = channels->out_c & ~3;
    for (int32_t c = 0; c < fours; c += 4, w += 4 * depth) {
        const int32_t *const bias = channels->bias + c;
        int32_t acc[4] = {bias[0], bias[1], bias[2], bias[3]};
        tg_dot_1x4(channels->dsp, depth, x, w, depth, acc);
        y[c] = tg_channel_s8(channels, c, acc[0]);
        y[c + 1] = tg_channel_s8(channels, c + 1, acc[1]);
        y[c + 2] = tg_channel_s8(channels, c + 2, acc[2]);
        y[c + 3] = tg_channel_s8(channels, c + 3, acc[3]);
    }
    for (int32_t c = fours; c < channels->out_c; ++c, w += depth) {
        y[c] = tg_channel_s8(channels, c,
                             tg_dot_1x1(channels->dsp, depth, x, w, channels->bias[c]));
    }
}

/* Two rows of x, depth bytes apart, to two rows of y, y_step bytes apart. */
TG_INLINE void tg_matmul_two_rows(const tg_channels *channels, const int8_t *restrict x,
                                  int8_t *restrict y, int32_t y_step)
{
    const int8_t *w = channels->weights;
    const int32_t depth = channels->depth;
    int8_t *restrict const y1 = y + y_step;
    const int32_t twos = channels->out_c & ~1;
    for (int32_t c = 0; c < twos; c += 2, w += 2 * depth) {
        const int32_t *const bias = channels->bias + c;
        int32_t acc[4] = {bias[0], bias[0], bias[1], bias[1]};
        tg_dot_2x2(channels->dsp, depth, x, depth, w, depth, acc);
        y[c] = tg_channel_s8(channels, c, acc[0]);
        y1[c] = tg_channel_s8(channels, c, acc[1]);
        y[c + 1] = tg_channel_s8(channels, c + 1, acc[2]);
        y1[c + 1] = tg_channel_s8(channels, c + 1, acc[3]);
    }
    if (twos < channels->out_c) {
        const int32_t acc = tg_dot_1x1(channels->dsp, depth, x, w, channels->bias[twos]);
        const int32_t acc1 = tg_dot_1x1(channels->dsp, depth, x + depth, w, channels->bias[twos]);
        y[twos] = tg_channel_s8(channels, twos, acc);
        y1[twos] = tg_channel_s8(channels, twos, acc1);
    }
}

TG_INLINE void tg_matmul_s8_rows(int32_t dsp, const tg_matmul_s8_shape *shape,
                                 const tg_matmul_s8_params *params, const int8_t *restrict x,
                                 int8_t *restrict y)
{
    const tg_channels channels = {
        .dsp = dsp,
        .depth = shape->depth,
        .out_c = shape->out_c,
        .weights = params->weights,
        .bias = params->bias,
        .multiplier = params->multiplier,
        .shift = params->shift,
        .output = tg_make_output(shape->right_only, shape->full_range, params->output_zero_point,
                                 params->output_min, params->output_max),
    };
    const int32_t pairs = shape->rows / 2;
    for (int32_t pair = 0; pair < pairs; ++pair) {
        tg_matmul_two_rows(&channels, x, y, shape->out_c);
        x += 2 * shape->depth;
        y += 2 * shape->out_c;
    }
    if (shape->rows % 2) {
        tg_matmul_row(&channels, x, y);
    }
}

TG_INLINE void tg_matmul_s8(const tg_matmul_s8_shape *shape, const tg_matmul_s8_params *params,
                            const int8_t *x, int8_t *y)
{
    tg_matmul_s8_rows(0, shape, params, x, y);
}

#endif
