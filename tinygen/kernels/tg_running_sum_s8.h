/* ADD_N and CUMSUM on int8: sums of differences from the zero point, requantized.
 *
 * The reference keeps every difference times 2^19, lets sums wrap in 32 bits, and starts them at
 * minus the zero point; tinygen/ops/running_sum.py is the numpy twin.
 */
#ifndef TG_RUNNING_SUM_S8_H
#define TG_RUNNING_SUM_S8_H

#include "tg_requant.h"

typedef struct {
    int32_t zero_point;
    int32_t multiplier;
    int32_t shift;
    int32_t output_zero_point;
} tg_running_sum_params;

typedef struct {
    int32_t size; /* elements */
} tg_add_n_s8_shape;

typedef tg_running_sum_params tg_add_n_s8_params;

TG_INLINE int8_t tg_running_sum_output(const tg_running_sum_params *params, int32_t sum)
{
    const int32_t raw = (int32_t)((uint32_t)(sum - params->zero_point) << 19);
    const int32_t scaled = tg_requant(raw, params->multiplier, params->shift);
    return (int8_t)tg_clamp(scaled + params->output_zero_point, INT8_MIN, INT8_MAX);
}

TG_INLINE void tg_add_2_s8(const tg_add_n_s8_shape *shape, const tg_add_n_s8_params *params,
                           const int8_t *a, const int8_t *b, int8_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = tg_running_sum_output(params, a[i] + b[i] - 2 * params->zero_point);
    }
}

TG_INLINE void tg_add_3_s8(const tg_add_n_s8_shape *shape, const tg_add_n_s8_params *params,
                           const int8_t *a, const int8_t *b, const int8_t *c, int8_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = tg_running_sum_output(params, a[i] + b[i] + c[i] - 3 * params->zero_point);
    }
}

TG_INLINE void tg_add_4_s8(const tg_add_n_s8_shape *shape, const tg_add_n_s8_params *params,
                           const int8_t *a, const int8_t *b, const int8_t *c, const int8_t *d,
                           int8_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = tg_running_sum_output(params, a[i] + b[i] + c[i] + d[i] - 4 * params->zero_point);
    }
}

#endif
