/* DEQUANTIZE to float32: scale * (x - zero_point).
 *
 * The difference is exact in float, so there is one rounding, that of the product: no compiler
 * option can change the result.
 */
#ifndef TG_DEQUANTIZE_F32_H
#define TG_DEQUANTIZE_F32_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_dequantize_f32_shape;

typedef struct {
    float scale;
    int32_t zero_point;
} tg_dequantize_f32_params;

TG_INLINE void tg_dequantize_s8_f32(const tg_dequantize_f32_shape *shape,
                                    const tg_dequantize_f32_params *params, const int8_t *x,
                                    float *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = params->scale * (float)(x[i] - params->zero_point);
    }
}

TG_INLINE void tg_dequantize_u8_f32(const tg_dequantize_f32_shape *shape,
                                    const tg_dequantize_f32_params *params, const uint8_t *x,
                                    float *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = params->scale * (float)(x[i] - params->zero_point);
    }
}

TG_INLINE void tg_dequantize_s16_f32(const tg_dequantize_f32_shape *shape,
                                     const tg_dequantize_f32_params *params, const int16_t *x,
                                     float *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = params->scale * (float)(x[i] - params->zero_point);
    }
}

#endif
