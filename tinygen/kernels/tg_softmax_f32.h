/* SOFTMAX and LOG_SOFTMAX on float32 over rows.
 *
 * The row's maximum is subtracted first, so that no exponential overflows; then the exponentials, or
 * the logarithm of their sum, give the results. x and y may be the same.
 */
#ifndef TG_SOFTMAX_F32_H
#define TG_SOFTMAX_F32_H

#include <float.h>
#include <math.h>

#include "tg_types.h"

typedef struct {
    int32_t rows;
    int32_t depth;
} tg_softmax_f32_shape;

typedef struct {
    float beta; /* what differences are multiplied with; LOG_SOFTMAX has none */
} tg_softmax_f32_params;

TG_INLINE float tg_softmax_f32_max(const float *x, int32_t depth)
{
    float most = -FLT_MAX;
    for (int32_t i = 0; i < depth; ++i) {
        most = most < x[i] ? x[i] : most;
    }
    return most;
}

TG_INLINE void tg_softmax_f32(const tg_softmax_f32_shape *shape,
                              const tg_softmax_f32_params *params, const float *x, float *y)
{
    for (int32_t row = 0; row < shape->rows; ++row) {
        const float most = tg_softmax_f32_max(x, shape->depth);
        float sum = 0.0f;
        for (int32_t i = 0; i < shape->depth; ++i) {
            y[i] = expf((x[i] - most) * params->beta);
            sum += y[i];
        }
        for (int32_t i = 0; i < shape->depth; ++i) {
            y[i] = y[i] / sum;
        }
        x += shape->depth;
        y += shape->depth;
    }
}

TG_INLINE void tg_log_softmax_f32(const tg_softmax_f32_shape *shape,
                                  const tg_softmax_f32_params *params, const float *x, float *y)
{
    (void)params;
    for (int32_t row = 0; row < shape->rows; ++row) {
        const float most = tg_softmax_f32_max(x, shape->depth);
        float sum = 0.0f;
        for (int32_t i = 0; i < shape->depth; ++i) {
            sum += expf(x[i] - most);
        }
        const float log_sum = logf(sum);
        for (int32_t i = 0; i < shape->depth; ++i) {
            y[i] = x[i] - most - log_sum;
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
