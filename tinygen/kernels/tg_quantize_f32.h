/* QUANTIZE float32 to int8, int16 or uint8: round(x / scale) + zero_point, halves away from zero.
 *
 * The quotient is clamped as a float first, so that the conversion to an integer is always defined;
 * no zero point brings a value beyond +-2^17 back into the type. NaN becomes the zero point. The
 * fraction that is left after the conversion is exact, so no library function is needed to round.
 */
#ifndef TG_QUANTIZE_F32_H
#define TG_QUANTIZE_F32_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_quantize_f32_shape;

typedef struct {
    float scale;
    int32_t zero_point;
} tg_quantize_f32_params;

TG_INLINE int32_t tg_quantize_round(float value)
{
    const float limit = 131072.0f;
    if (!(value > -limit)) {
        return value <= -limit ? -131072 : 0; /* NaN compares with nothing */
    }
    if (value >= limit) {
        return 131072;
    }
    const int32_t whole = (int32_t)value;
    const float fraction = value - (float)whole;
    if (fraction >= 0.5f) {
        return whole + 1;
    }
    return fraction <= -0.5f ? whole - 1 : whole;
}

TG_INLINE int32_t tg_quantize_one(const tg_quantize_f32_params *params, float x)
{
    return tg_quantize_round(x / params->scale) + params->zero_point;
}

#define TG_QUANTIZE_F32(name, type, low, high)                                                     \
    TG_INLINE void name(const tg_quantize_f32_shape *shape, const tg_quantize_f32_params *params,  \
                        const float *x, type *y)                                                   \
    {                                                                                              \
        const tg_quantize_f32_params p = *params;                                                  \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            y[i] = (type)tg_clamp(tg_quantize_one(&p, x[i]), low, high);                           \
        }                                                                                          \
    }

TG_QUANTIZE_F32(tg_quantize_f32_s8, int8_t, INT8_MIN, INT8_MAX)
TG_QUANTIZE_F32(tg_quantize_f32_s16, int16_t, INT16_MIN, INT16_MAX)
TG_QUANTIZE_F32(tg_quantize_f32_u8, uint8_t, 0, UINT8_MAX)

#endif
