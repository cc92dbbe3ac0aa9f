/* SOFTMAX on int16 over rows, zero points 0, outputs in steps of 2^-15.
 *
 * Two tables of 513 values, with lines in between, serve as exp(x) for x from -10 to 0 and as
 * 1 / (1 + x) for x from 0 to 1. Each element's exponential of its distance from the row's maximum
 * is kept in y; their sum, brought to 1 + x by a shift, gives the factor of all. x and y may be the
 * same.
 */
#ifndef TG_SOFTMAX_S16_H
#define TG_SOFTMAX_S16_H

#include "tg_line_s16.h"
#include "tg_requant.h"

typedef struct {
    int32_t rows;
    int32_t depth;
} tg_softmax_s16_shape;

typedef struct {
    const int16_t *exponentials; /* 513 values */
    const int16_t *reciprocals;  /* 513 values */
    int32_t multiplier;          /* from a difference to 10 / 65535 */
    int32_t shift;               /* positive is left */
} tg_softmax_s16_params;

TG_INLINE void tg_softmax_s16(const tg_softmax_s16_shape *shape,
                              const tg_softmax_s16_params *params, const int16_t *x, int16_t *y)
{
    for (int32_t row = 0; row < shape->rows; ++row) {
        int32_t most = INT16_MIN;
        for (int32_t i = 0; i < shape->depth; ++i) {
            most = tg_max(most, x[i]);
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < shape->depth; ++i) {
            const int32_t scaled = tg_requant(x[i] - most, params->multiplier, params->shift);
            y[i] = (int16_t)tg_line_at(params->exponentials,
                                            tg_clamp(scaled + INT16_MAX, INT16_MIN, INT16_MAX));
            sum += y[i];
        }
        /* The maximum alone is nearly 2^15, so the sum has at least 15 bits. */
        int32_t bits = 14;
        while (sum >> bits > 1) {
            ++bits;
        }
        const uint32_t aligned = (uint32_t)sum << (30 - bits);
        const int32_t mantissa = (int32_t)((aligned + (1u << 13)) >> 14);
        const int32_t scale = tg_line_at(
            params->reciprocals, tg_clamp(mantissa - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX));
        for (int32_t i = 0; i < shape->depth; ++i) {
            const int32_t rounding = (int32_t)1 << (bits - 1);
            y[i] = (int16_t)tg_clamp((y[i] * scale + rounding) >> bits, 0, INT16_MAX);
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
