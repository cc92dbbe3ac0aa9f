/* L2_NORMALIZATION on float32: each vector divided by its length, which counts as 1e-6 at least.
 *
 * x and y may be the same.
 */
#ifndef TG_L2_NORMALIZATION_F32_H
#define TG_L2_NORMALIZATION_F32_H

#include <math.h>

#include "tg_types.h"

typedef struct {
    int32_t rows;
    int32_t depth;
} tg_l2_normalization_f32_shape;

typedef struct {
    float least; /* length */
} tg_l2_normalization_f32_params;

TG_INLINE void tg_l2_normalization_f32(const tg_l2_normalization_f32_shape *shape,
                                       const tg_l2_normalization_f32_params *params,
                                       const float *x, float *y)
{
    for (int32_t row = 0; row < shape->rows; ++row) {
        float squares = 0.0f;
        for (int32_t i = 0; i < shape->depth; ++i) {
            squares += x[i] * x[i];
        }
        const float root = sqrtf(squares);
        const float length = root < params->least ? params->least : root;
        for (int32_t i = 0; i < shape->depth; ++i) {
            y[i] = x[i] / length;
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
