/* FULLY_CONNECTED on int16 with int8 weights, for the numerics that round once, in double precision.
 * (Others are tg_conv2d_s16's.) Zero points are 0; sums have 64 bits, of which a double holds 53: the
 * compiler has checked that no result leaves 32.
 */
#ifndef TG_FULLY_CONNECTED_S16_H
#define TG_FULLY_CONNECTED_S16_H

#include "tg_wide.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t out_c;
} tg_fully_connected_s16_shape;

typedef struct {
    const int8_t *weights; /* out_c * depth */
    const int64_t *bias;   /* per output channel */
    const double *scale;   /* per output channel */
    int32_t output_min;
    int32_t output_max;
} tg_fully_connected_s16_params;

/* round(sum * scale), halves away from zero. The conversion truncates. */
TG_INLINE int32_t tg_round_wide_f64(int64_t sum, double scale)
{
    const double product = (double)sum * scale;
    const int32_t whole = (int32_t)product;
    const double rest = product - (double)whole;
    return whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0);
}

TG_INLINE void tg_fully_connected_s16_f64(const tg_fully_connected_s16_shape *shape,
                                          const tg_fully_connected_s16_params *params,
                                          const int16_t *x, int16_t *y)
{
    for (int32_t row = 0; row < shape->rows; ++row) {
        for (int32_t c = 0; c < shape->out_c; ++c) {
            const int8_t *const w = params->weights + c * shape->depth;
            const int64_t sum = tg_dot_s16(shape->depth, x, w) + params->bias[c];
            const int32_t scaled = tg_round_wide_f64(sum, params->scale[c]);
            *y++ = (int16_t)tg_clamp(scaled, params->output_min, params->output_max);
        }
        x += shape->depth;
    }
}

#endif
