/* A filter bank and what follows it in an audio front end, per channel: the power in overlapping
 * bands, its root, the noise taken away, the gain controlled, the logarithm.
 *
 * Weights fall linearly from a band's middle to that of the next, so that what a band leaves of a
 * frequency belongs to the next one: `unweights` are what the weights lack of one. All is unsigned
 * and wraps in its width, as in the reference.
 */
#ifndef TG_FILTER_BANK_H
#define TG_FILTER_BANK_H

#include "tg_types.h"

typedef struct {
    int32_t channels;
} tg_filter_bank_shape;

typedef tg_filter_bank_shape tg_filter_bank_root_shape;
typedef tg_filter_bank_shape tg_filter_bank_subtract_shape;
typedef tg_filter_bank_shape tg_filter_bank_gain_shape;
typedef tg_filter_bank_shape tg_filter_bank_log_shape;

typedef struct {
    int32_t unused;
} tg_filter_bank_params;

typedef tg_filter_bank_params tg_filter_bank_root_params;

/* `starts`, `firsts` and `widths` have one band more than there are channels: of the first one, only
 * what it leaves over counts. */
TG_INLINE void tg_filter_bank(const tg_filter_bank_shape *shape,
                              const tg_filter_bank_params *params, const uint32_t *x,
                              const int16_t *weights, const int16_t *unweights,
                              const int16_t *starts, const int16_t *firsts, const int16_t *widths,
                              uint64_t *y)
{
    (void)params;
    uint64_t left = 0;
    for (int32_t band = 0; band <= shape->channels; ++band) {
        const uint32_t *const power = x + starts[band];
        uint64_t sum = left;
        left = 0;
        for (int32_t i = 0; i < widths[band]; ++i) {
            sum += (uint64_t)weights[firsts[band] + i] * power[i];
            left += (uint64_t)unweights[firsts[band] + i] * power[i];
        }
        if (band > 0) {
            y[band - 1] = sum;
        }
    }
}

/* The number of bits up to the highest that is set. */
TG_INLINE int32_t tg_bit_length(uint32_t x)
{
    int32_t length = 0;
    for (int32_t step = 16; step > 0; step /= 2) {
        if (x >> step != 0) {
            x >>= step;
            length += step;
        }
    }
    return length + (int32_t)x;
}

/* The root of x, rounded to the nearest, digit by digit: `rest` is what x exceeds the square so far
 * by. It keeps to 16 bits where x has 32, and to 32 bits else. */
TG_INLINE uint32_t tg_square_root(uint64_t x)
{
    const int wide = x >> 32 != 0;
    uint64_t rest = x, root = 0;
    for (uint64_t bit = wide ? (uint64_t)1 << 62 : (uint64_t)1 << 30; bit != 0; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root + (rest > root && root < (wide ? UINT32_MAX : UINT16_MAX) ? 1u : 0u);
}

TG_INLINE void tg_filter_bank_root(const tg_filter_bank_shape *shape,
                                   const tg_filter_bank_params *params, const uint64_t *x,
                                   const int32_t *bits, uint32_t *y)
{
    (void)params;
    for (int32_t c = 0; c < shape->channels; ++c) {
        y[c] = tg_square_root(x[c]) >> ((uint32_t)*bits & 31u);
    }
}

typedef struct {
    uint32_t smoothing, one_minus_smoothing; /* of channels with even numbers */
    uint32_t alternate_smoothing, alternate_one_minus_smoothing;
    uint32_t min_signal_remaining;
    int32_t smoothing_bits, subtraction_bits, clamping;
} tg_filter_bank_subtract_params;

/* The noise is written twice: as a result, and as state, where it may be in place. */
TG_INLINE void tg_filter_bank_subtract(const tg_filter_bank_shape *shape,
                                       const tg_filter_bank_subtract_params *params,
                                       const uint32_t *x, const uint32_t *before, uint32_t *y,
                                       uint32_t *noise, uint32_t *after)
{
    const tg_filter_bank_subtract_params p = *params;
    for (int32_t c = 0; c < shape->channels; ++c) {
        const uint32_t rise = c % 2 != 0 ? p.alternate_smoothing : p.smoothing;
        const uint32_t stay = c % 2 != 0 ? p.alternate_one_minus_smoothing : p.one_minus_smoothing;
        const uint32_t scaled = x[c] << p.smoothing_bits;
        const uint64_t sum = (uint64_t)scaled * rise + (uint64_t)before[c] * stay;
        const uint32_t estimate = (uint32_t)(sum >> p.subtraction_bits);
        const uint32_t least = estimate < scaled ? estimate : scaled;
        const uint32_t floor = (uint32_t)(((uint64_t)x[c] * p.min_signal_remaining) >>
                                          p.subtraction_bits);
        const uint32_t subtracted = (scaled - least) >> p.smoothing_bits;
        y[c] = subtracted > floor ? subtracted : floor;
        noise[c] = p.clamping ? least : estimate;
        after[c] = noise[c];
    }
}

typedef struct {
    int32_t snr_shift;
} tg_filter_bank_gain_params;

/* A gain of 16 bits. For 0, 1 and 2 the table has it; between higher powers of two it has the three
 * coefficients of a parabola. */
TG_INLINE uint32_t tg_gain_of(const int16_t *table, uint32_t noise)
{
    if (noise <= 2) {
        return (uint32_t)table[noise];
    }
    const int32_t length = tg_bit_length(noise);
    const int16_t *const curve = table + 4 * length - 6;
    const uint32_t scaled = length < 11 ? noise << (11 - length) : noise >> (length - 11);
    const int32_t rest = (int32_t)(scaled & 0x3ffu);
    const int32_t slope = ((curve[2] * rest) >> 5) + curve[1] * 32;
    const int32_t rise = (slope * rest + (1 << 14)) >> 15; /* slope is less than 2^21 */
    return (uint32_t)(int16_t)(uint16_t)(uint32_t)(rise + curve[0]);
}

TG_INLINE void tg_filter_bank_gain(const tg_filter_bank_shape *shape,
                                   const tg_filter_bank_gain_params *params, const uint32_t *x,
                                   const uint32_t *noise, const int16_t *table, uint32_t *y)
{
    for (int32_t c = 0; c < shape->channels; ++c) {
        const uint64_t product = (uint64_t)x[c] * tg_gain_of(table, noise[c]);
        const uint32_t ratio = (uint32_t)(product >> params->snr_shift);
        y[c] = ratio < 2u << 12 ? (ratio * ratio) >> 20 : (ratio >> 6) - 64u;
    }
}

typedef struct {
    const uint16_t *table; /* log2(1 + f) - f at each 128th f, with 16 bits */
    uint32_t output_scale;
    int32_t correction_bits;
} tg_filter_bank_log_params;

/* log2(x), x > 0, with 16 bits. The line between two entries of the table has a slope of a 128th of
 * what it should have, as in the reference. */
TG_INLINE uint32_t tg_log2(const uint16_t *table, uint32_t x)
{
    const int32_t whole = tg_bit_length(x) - 1;
    const uint32_t tail = x - ((uint32_t)1 << whole);
    const uint32_t rest = whole < 16 ? tail << (16 - whole) : tail >> (whole - 16);
    const uint16_t *const entry = table + (rest >> 9);
    const int32_t between = ((entry[1] - entry[0]) * (int32_t)(rest & 511u)) >> 16;
    return ((uint32_t)whole << 16) + rest + entry[0] + (uint32_t)between;
}

TG_INLINE void tg_filter_bank_log(const tg_filter_bank_shape *shape,
                                  const tg_filter_bank_log_params *params, const uint32_t *x,
                                  int16_t *y)
{
    for (int32_t c = 0; c < shape->channels; ++c) {
        const uint32_t scaled = x[c] << params->correction_bits;
        uint32_t value = 0;
        if (scaled > 1) {
            const uint64_t log2 = tg_log2(params->table, scaled);
            const uint32_t natural = (uint32_t)((log2 * 45426u + 32768u) >> 16);
            value = (params->output_scale * natural + 32768u) >> 16;
        }
        y[c] = value < INT16_MAX ? (int16_t)value : INT16_MAX;
    }
}

#endif
