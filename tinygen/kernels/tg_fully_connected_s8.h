/* FULLY_CONNECTED on int8 for what tg_matmul_s8 does not take: weights with a zero point, and the
 * numerics that round once, in double precision.
 */
#ifndef TG_FULLY_CONNECTED_S8_H
#define TG_FULLY_CONNECTED_S8_H

#include "tg_dot_s8.h"
#include "tg_requant.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t out_c;
    int32_t weights_zero_point;
} tg_fully_connected_s8_shape;

typedef struct {
    const int8_t *weights;     /* out_c * depth */
    const int32_t *bias;       /* per output channel, with all that no input changes folded in */
    const int32_t *multiplier; /* per output channel; tg_fully_connected_s8 only */
    const int8_t *shift;       /* per output channel, positive is left; likewise */
    const double *scale;       /* per output channel; tg_fully_connected_s8_f64 only */
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_fully_connected_s8_params;

/* Four accumulators of one row: x . (weights - weights_zero_point), the second part in offset. */
TG_INLINE void tg_fully_connected_block(const tg_fully_connected_s8_shape *shape,
                                        const tg_fully_connected_s8_params *params, int32_t c,
                                        int32_t offset, const int8_t *x, int32_t acc[4])
{
    const int8_t *const w = params->weights + c * shape->depth;
    const int32_t count = tg_min(shape->out_c - c, 4);
    for (int32_t i = 0; i < count; ++i) {
        acc[i] = (int32_t)((uint32_t)params->bias[c + i] + (uint32_t)offset);
    }
    if (count == 4) {
        tg_dot_1x4(0, shape->depth, x, w, shape->depth, acc);
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        acc[i] = tg_dot_1x1(0, shape->depth, x, w + i * shape->depth, acc[i]);
    }
}

/* -weights_zero_point * sum(x) */
TG_INLINE int32_t tg_fully_connected_offset(const tg_fully_connected_s8_shape *shape,
                                            const int8_t *x)
{
    int32_t sum = 0;
    if (shape->weights_zero_point != 0) {
        for (int32_t k = 0; k < shape->depth; ++k) {
            sum += x[k];
        }
    }
    return (int32_t)(0u - (uint32_t)shape->weights_zero_point * (uint32_t)sum);
}

/* round(x * scale), halves away from zero. The conversion truncates, and |x * scale| < 2^31. */
TG_INLINE int32_t tg_round_f64(int32_t x, double scale)
{
    const double product = (double)x * scale;
    const int32_t whole = (int32_t)product;
    const double rest = product - (double)whole;
    return whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0);
}

TG_INLINE void tg_fully_connected_s8_by(int32_t in_double, const tg_fully_connected_s8_shape *shape,
                                        const tg_fully_connected_s8_params *params,
                                        const int8_t *restrict x, int8_t *restrict y)
{
    for (int32_t row = 0; row < shape->rows; ++row) {
        const int32_t offset = tg_fully_connected_offset(shape, x);
        for (int32_t c = 0; c < shape->out_c; c += 4) {
            int32_t acc[4];
            tg_fully_connected_block(shape, params, c, offset, x, acc);
            for (int32_t i = 0; i < tg_min(shape->out_c - c, 4); ++i) {
                const int32_t scaled =
                    in_double ? tg_round_f64(acc[i], params->scale[c + i])
                              : tg_requant(acc[i], params->multiplier[c + i], params->shift[c + i]);
                const uint32_t moved = (uint32_t)scaled + (uint32_t)params->output_zero_point;
                *y++ = (int8_t)tg_clamp((int32_t)moved, params->output_min, params->output_max);
            }
        }
        x += shape->depth;
    }
}

TG_INLINE void tg_fully_connected_s8(const tg_fully_connected_s8_shape *shape,
                                     const tg_fully_connected_s8_params *params, const int8_t *x,
                                     int8_t *y)
{
    tg_fully_connected_s8_by(0, shape, params, x, y);
}

TG_INLINE void tg_fully_connected_s8_f64(const tg_fully_connected_s8_shape *shape,
                                         const tg_fully_connected_s8_params *params,
                                         const int8_t *x, int8_t *y)
{
    tg_fully_connected_s8_by(1, shape, params, x, y);
}

#endif
