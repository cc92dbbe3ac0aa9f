/* QUANTIZE from one integer type to another, beyond the 256 values of a table: the difference from
 * the zero point, requantized.
 *
 * tg_requantize_FROM_TO is the same loop for each pair of types. x and y may not overlap, as their
 * elements differ in size, except where both types are one.
 */
#ifndef TG_REQUANTIZE_H
#define TG_REQUANTIZE_H

#include "tg_requant.h"

typedef struct {
    int32_t size; /* elements */
} tg_requantize_shape;

typedef struct {
    int32_t input_zero_point;
    int32_t multiplier;
    int32_t shift; /* positive is left; the compiler has checked that nothing overflows */
    int32_t output_zero_point;
} tg_requantize_params;

#define TG_REQUANTIZE(name, from, to, low, high)                                                  \
    TG_INLINE void name(const tg_requantize_shape *shape, const tg_requantize_params *params,     \
                        const from *x, to *y)                                                     \
    {                                                                                             \
        const tg_requantize_params p = *params;                                                   \
        for (int32_t i = 0; i < shape->size; ++i) {                                               \
            const int32_t scaled = tg_requant(x[i] - p.input_zero_point, p.multiplier, p.shift);  \
            y[i] = (to)tg_clamp(scaled + p.output_zero_point, low, high);                         \
        }                                                                                         \
    }

TG_REQUANTIZE(tg_requantize_int8_int16, int8_t, int16_t, INT16_MIN, INT16_MAX)
TG_REQUANTIZE(tg_requantize_int8_int32, int8_t, int32_t, INT32_MIN, INT32_MAX)
TG_REQUANTIZE(tg_requantize_int16_int8, int16_t, int8_t, INT8_MIN, INT8_MAX)
TG_REQUANTIZE(tg_requantize_int16_int16, int16_t, int16_t, INT16_MIN, INT16_MAX)
TG_REQUANTIZE(tg_requantize_int16_int32, int16_t, int32_t, INT32_MIN, INT32_MAX)
TG_REQUANTIZE(tg_requantize_int32_int8, int32_t, int8_t, INT8_MIN, INT8_MAX)
TG_REQUANTIZE(tg_requantize_int32_int16, int32_t, int16_t, INT16_MIN, INT16_MAX)
TG_REQUANTIZE(tg_requantize_uint8_int16, uint8_t, int16_t, INT16_MIN, INT16_MAX)

#endif
