/* CAST: C's conversion from one type to another, element by element.
 *
 * Integers that the new type does not hold wrap, as on every supported compiler. Floats that it does
 * not hold, which C leaves undefined, saturate; what is no number becomes 0.
 */
#ifndef TG_CAST_H
#define TG_CAST_H

#include <stdbool.h>

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_cast_shape;

typedef struct {
    int32_t unused;
} tg_cast_params;

/* x without its fraction, within low and high. Both limits are powers of two, or one less, for which
 * the float next to it stands: -low is exact. */
TG_INLINE int32_t tg_cast_truncated(float x, int32_t low, int32_t high)
{
    const float limit = -(float)low;
    if (x >= limit) {
        return high;
    }
    if (x <= -limit) {
        return low;
    }
    return x == x ? (int32_t)x : 0;
}

#define TG_CAST_FROM(name, from, to, value)                                                        \
    TG_INLINE void name(const tg_cast_shape *shape, const tg_cast_params *params, const from *x,   \
                        to *y)                                                                     \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            y[i] = (to)(value);                                                                    \
        }                                                                                          \
    }

TG_CAST_FROM(tg_cast_s8_s16, int8_t, int16_t, x[i])
TG_CAST_FROM(tg_cast_s8_s32, int8_t, int32_t, x[i])
TG_CAST_FROM(tg_cast_s8_f32, int8_t, float, x[i])
TG_CAST_FROM(tg_cast_s16_s8, int16_t, int8_t, x[i])
TG_CAST_FROM(tg_cast_s16_s32, int16_t, int32_t, x[i])
TG_CAST_FROM(tg_cast_s16_f32, int16_t, float, x[i])
TG_CAST_FROM(tg_cast_s32_s8, int32_t, int8_t, x[i])
TG_CAST_FROM(tg_cast_s32_s16, int32_t, int16_t, x[i])
TG_CAST_FROM(tg_cast_s32_f32, int32_t, float, x[i])
TG_CAST_FROM(tg_cast_bool_s8, bool, int8_t, x[i])
TG_CAST_FROM(tg_cast_bool_s16, bool, int16_t, x[i])
TG_CAST_FROM(tg_cast_bool_s32, bool, int32_t, x[i])
TG_CAST_FROM(tg_cast_bool_f32, bool, float, x[i])
TG_CAST_FROM(tg_cast_f32_s8, float, int8_t, tg_cast_truncated(x[i], INT8_MIN, INT8_MAX))
TG_CAST_FROM(tg_cast_f32_s16, float, int16_t, tg_cast_truncated(x[i], INT16_MIN, INT16_MAX))
TG_CAST_FROM(tg_cast_f32_s32, float, int32_t, tg_cast_truncated(x[i], INT32_MIN, INT32_MAX))

#endif
