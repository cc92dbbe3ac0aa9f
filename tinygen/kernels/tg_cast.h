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

TG_INLINE int64_t tg_cast_truncated_s64(float x)
{
    const float limit = 9223372036854775808.0f;
    if (x >= limit) {
        return INT64_MAX;
    }
    if (x <= -limit) {
        return INT64_MIN;
    }
    return x == x ? (int64_t)x : 0;
}

TG_INLINE uint32_t tg_cast_truncated_unsigned(float x)
{
    if (x >= 4294967296.0f) {
        return UINT32_MAX;
    }
    return x > 0.0f ? (uint32_t)x : 0u;
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

/* From one type to every other, by the ends of their names; to its own is a copy, and not used. */
#define TG_CASTS(end, from)                                                                        \
    TG_CAST_FROM(tg_cast_##end##_s8, from, int8_t, x[i])                                           \
    TG_CAST_FROM(tg_cast_##end##_u8, from, uint8_t, x[i])                                          \
    TG_CAST_FROM(tg_cast_##end##_s16, from, int16_t, x[i])                                         \
    TG_CAST_FROM(tg_cast_##end##_s32, from, int32_t, x[i])                                         \
    TG_CAST_FROM(tg_cast_##end##_u32, from, uint32_t, x[i])                                        \
    TG_CAST_FROM(tg_cast_##end##_s64, from, int64_t, x[i])                                         \
    TG_CAST_FROM(tg_cast_##end##_f32, from, float, x[i])                                           \
    TG_CAST_FROM(tg_cast_##end##_bool, from, bool, x[i] != 0)

TG_CASTS(s8, int8_t)
TG_CASTS(u8, uint8_t)
TG_CASTS(s16, int16_t)
TG_CASTS(s32, int32_t)
TG_CASTS(u32, uint32_t)
TG_CASTS(s64, int64_t)
TG_CASTS(bool, bool)
TG_CAST_FROM(tg_cast_f32_s8, float, int8_t, tg_cast_truncated(x[i], INT8_MIN, INT8_MAX))
TG_CAST_FROM(tg_cast_f32_u8, float, uint8_t, tg_clamp(tg_cast_truncated(x[i], -256, 256), 0, 255))
TG_CAST_FROM(tg_cast_f32_s16, float, int16_t, tg_cast_truncated(x[i], INT16_MIN, INT16_MAX))
TG_CAST_FROM(tg_cast_f32_s32, float, int32_t, tg_cast_truncated(x[i], INT32_MIN, INT32_MAX))
TG_CAST_FROM(tg_cast_f32_u32, float, uint32_t, tg_cast_truncated_unsigned(x[i]))
TG_CAST_FROM(tg_cast_f32_s64, float, int64_t, tg_cast_truncated_s64(x[i]))
TG_CAST_FROM(tg_cast_f32_bool, float, bool, x[i] != 0.0f)

#endif
