/* LOGISTIC and TANH on int16, zero points 0, outputs in steps of 2^-15.
 *
 * The input is taken to steps of 1 / (3 * 4096). A table has s(i / 24) = 1 / (1 + exp(-i / 24)) at 16
 * fractional bits; between two of its entries runs a line, and beyond the last the function is at
 * its end. Negative inputs follow from s(-x) = 1 - s(x), and TANH from tanh(x) = 2 s(2x) - 1: there
 * one step of the table is half as many of the input. x and y may be the same.
 */
#ifndef TG_SIGMOID_S16_H
#define TG_SIGMOID_S16_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_sigmoid_s16_shape;

typedef struct {
    const uint16_t *table; /* 256 entries */
    int32_t multiplier;
    int32_t shift; /* to the right, 0 to 31 */
} tg_sigmoid_s16_params;

/* x * multiplier / 2^shift, halves up. */
TG_INLINE int32_t tg_sigmoid_input(const tg_sigmoid_s16_params *params, int32_t x)
{
    const int32_t half = params->shift > 0 ? (int32_t)((uint32_t)1 << (params->shift - 1)) : 0;
    return (x * params->multiplier + half) >> params->shift;
}

/* s at a distance from 0 whose low bits lie between two entries, with so many more bits than the
 * table has; `end` beyond the table. */
TG_INLINE int32_t tg_sigmoid_between(const uint16_t *table, int32_t distance, int32_t bits,
                                     int32_t end)
{
    const int32_t i = distance >> bits;
    if (i >= 255) {
        return end;
    }
    const int32_t rest = distance & ((1 << bits) - 1);
    return table[i] * (1 << bits) + rest * (table[i + 1] - table[i]);
}

TG_INLINE int16_t tg_logistic_of(const tg_sigmoid_s16_params *params, int32_t x)
{
    const int32_t at = tg_sigmoid_input(params, x);
    const int32_t s = tg_sigmoid_between(params->table, at < 0 ? -at : at, 9, 0x7fff << 10);
    return (int16_t)((at < 0 ? (1 << 25) - s + 511 : s + 512) >> 10);
}

TG_INLINE int16_t tg_tanh_of(const tg_sigmoid_s16_params *params, int32_t x)
{
    const int32_t at = tg_sigmoid_input(params, x);
    const int32_t s = tg_sigmoid_between(params->table, at < 0 ? -at : at, 8, 0xffff << 8);
    const int32_t value = s - (1 << 23);
    return (int16_t)((at < 0 ? 127 - value : value + 128) >> 8);
}

TG_INLINE void tg_logistic_s16(const tg_sigmoid_s16_shape *shape,
                               const tg_sigmoid_s16_params *params, const int16_t *x, int16_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = tg_logistic_of(params, x[i]);
    }
}

TG_INLINE void tg_tanh_s16(const tg_sigmoid_s16_shape *shape, const tg_sigmoid_s16_params *params,
                           const int16_t *x, int16_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = tg_tanh_of(params, x[i]);
    }
}

#endif
