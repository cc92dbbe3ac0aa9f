/* QUANTIZE float32 to int8: round(x / scale) + zero_point, halves away from zero.
 *
 * The quotient is clamped as a float first, so that the conversion to an integer is always defined;
 * no zero point brings a value beyond +-1024 back into int8. NaN becomes the zero point. The
 * fraction that is left after the conversion is exact, so no library function is needed to round.
 */
#ifndef TG_QUANTIZE_F32_S8_H
#define TG_QUANTIZE_F32_S8_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_quantize_f32_s8_shape;

typedef struct {
    float scale;
    int32_t zero_point;
} tg_quantize_f32_s8_params;

TG_INLINE int32_t tg_quantize_round(float value)
{
    const float limit = 1024.0f;
    if (!(value > -limit)) {
        return value <= -limit ? -1024 : 0; /* NaN compares with nothing */
    }
    if (value >= limit) {
        return 1024;
    }
    const int32_t whole = (int32_t)value;
    const float fraction = value - (float)whole;
    if (fraction >= 0.5f) {
        return whole + 1;
    }
    return fraction <= -0.5f ? whole - 1 : whole;
}

TG_INLINE void tg_quantize_f32_s8(const tg_quantize_f32_s8_shape *shape,
                                  const tg_quantize_f32_s8_params *params, const float *x,
                                  int8_t *y)
{
    const float scale = params->scale;
    const int32_t zero_point = params->zero_point;
    for (int32_t i = 0; i < shape->size; ++i) {
        const int32_t q = tg_quantize_round(x[i] / scale) + zero_point;
        y[i] = (int8_t)tg_clamp(q, INT8_MIN, INT8_MAX);
    }
}

#endif
