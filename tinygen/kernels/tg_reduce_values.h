/* SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ALL and REDUCE_ANY over any axes, on stored values
 * as they are. Sums and products of integers wrap. The extremes start from the type's own: of floats
 * that are all NaN the largest is -FLT_MAX, as it is of -infinity alone.
 */
#ifndef TG_REDUCE_VALUES_H
#define TG_REDUCE_VALUES_H

#include <float.h>
#include <stdbool.h>

#include "tg_reduce.h"

#define TG_REDUCE_PLAIN(name, type, start, step)                                                   \
    TG_REDUCE(name, tg_reduce_params, type, type, type, start, step, total)

#define TG_REDUCE_EXTREMES(suffix, type, least, most)                                              \
    TG_REDUCE_PLAIN(tg_reduce_max_##suffix, type, least, value > total ? value : total)            \
    TG_REDUCE_PLAIN(tg_reduce_min_##suffix, type, most, value < total ? value : total)

#define TG_REDUCE_WRAPPING(suffix, type, wraps)                                                    \
    TG_REDUCE_PLAIN(tg_reduce_sum_##suffix, type, 0, (type)((wraps)total + (wraps)value))          \
    TG_REDUCE_PLAIN(tg_reduce_prod_##suffix, type, 1, (type)((wraps)total * (wraps)value))

TG_REDUCE_EXTREMES(s8, int8_t, INT8_MIN, INT8_MAX)
TG_REDUCE_EXTREMES(u8, uint8_t, 0, UINT8_MAX)
TG_REDUCE_EXTREMES(s16, int16_t, INT16_MIN, INT16_MAX)
TG_REDUCE_EXTREMES(s32, int32_t, INT32_MIN, INT32_MAX)
TG_REDUCE_EXTREMES(s64, int64_t, INT64_MIN, INT64_MAX)
TG_REDUCE_EXTREMES(f32, float, -FLT_MAX, FLT_MAX)
TG_REDUCE_WRAPPING(s32, int32_t, uint32_t)
TG_REDUCE_WRAPPING(s64, int64_t, uint64_t)
TG_REDUCE_PLAIN(tg_reduce_sum_f32, float, 0.0f, total + value)
TG_REDUCE_PLAIN(tg_reduce_prod_f32, float, 1.0f, total * value)
TG_REDUCE_PLAIN(tg_reduce_all_bool, bool, true, total && value)
TG_REDUCE_PLAIN(tg_reduce_any_bool, bool, false, total || value)

#endif
