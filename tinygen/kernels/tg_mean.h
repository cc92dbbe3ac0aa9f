/* MEAN and SUM on int8 and int16 over any axes: the sum, less the zero points, times one fixed-point
 * factor that holds the scales and, for a mean, 1 / count. MEAN on other types: the sum by the count; sums
 * of integers have 64 bits, and the quotient is rounded towards zero.
 */
#ifndef TG_MEAN_H
#define TG_MEAN_H

#include "tg_reduce.h"
#include "tg_requant.h"

typedef tg_reduce_shape tg_mean_shape;

typedef struct {
    int32_t bias; /* -input_zero_point * count */
    int32_t multiplier;
    int32_t shift; /* positive is left */
    int32_t output_zero_point;
} tg_mean_params;

#define TG_MEAN(name, element, low, high)                                                          \
    TG_REDUCE(name, tg_mean_params, element, int32_t, element, p.bias, total + value,              \
              tg_clamp(tg_requant(total, p.multiplier, p.shift) + p.output_zero_point, low, high))

TG_MEAN(tg_mean_s8, int8_t, INT8_MIN, INT8_MAX)
TG_MEAN(tg_mean_s16, int16_t, INT16_MIN, INT16_MAX)
TG_REDUCE(tg_mean_f32, tg_reduce_params, float, float, float, 0.0f, total + value,
          total / (float)TG_REDUCED(shape))
TG_REDUCE(tg_mean_s32, tg_reduce_params, int32_t, int64_t, int32_t, 0, total + value,
          total / TG_REDUCED(shape))
TG_REDUCE(tg_mean_s64, tg_reduce_params, int64_t, int64_t, int64_t, 0,
          (int64_t)((uint64_t)total + (uint64_t)value), total / TG_REDUCED(shape))

#endif
