/* EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL: how two values lie to each other.
 *
 * Each of the six is a choice of what to write where x is less than w, equal to it, or greater. Values
 * of two scales are first brought to a common one, rounded as the reference rounds, in which
 * neighbours may be equal. Floats may be none of the three, if one is a NaN: then only NOT_EQUAL
 * holds, which is the one that holds both for less and for greater.
 */
#ifndef TG_COMPARE_H
#define TG_COMPARE_H

#include <stdbool.h>

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_compare_shape;
typedef tg_binary_shape tg_compare_scaled_shape;

typedef struct {
    int32_t less, equal, greater; /* 0 or 1: what y is where x is so */
} tg_compare_params;

typedef struct {
    int32_t less, equal, greater;
    int32_t x_zero_point, x_multiplier, x_shift;
    int32_t w_zero_point, w_multiplier, w_shift;
} tg_compare_scaled_params;

/* A value in the common scale, 2^-8. */
TG_INLINE int32_t tg_compare_scaled(int32_t value, int32_t zero_point, int32_t multiplier,
                                    int32_t shift)
{
    return tg_requant((value - zero_point) * 256, multiplier, shift);
}

/* What the parameters say where a and b are so. */
#define TG_COMPARED(p, a, b) ((a) < (b) ? (p).less : (a) == (b) ? (p).equal : (p).greater)
#define TG_COMPARED_F32(p, a, b)                                                                   \
    ((a) > (b) || (a) <= (b) ? TG_COMPARED(p, a, b) : (p).less & (p).greater)

#define TG_COMPARE_SCALED(name, type)                                                              \
    TG_INLINE void name(const tg_compare_scaled_shape *shape,                                      \
                        const tg_compare_scaled_params *params, const type *x, const type *w,      \
                        bool *y)                                                                   \
    {                                                                                              \
        const tg_compare_scaled_params p = *params;                                                \
        for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {   \
            const type *xr = x + r.x;                                                              \
            const type *wr = w + r.w;                                                              \
            for (int32_t i = 0; i < shape->size; ++i) {                                            \
                const int32_t a =                                                                  \
                    tg_compare_scaled(xr[i], p.x_zero_point, p.x_multiplier, p.x_shift);           \
                const int32_t b =                                                                  \
                    tg_compare_scaled(*wr, p.w_zero_point, p.w_multiplier, p.w_shift);             \
                y[i] = TG_COMPARED(p, a, b) != 0;                                                  \
                wr += shape->w_step;                                                               \
            }                                                                                      \
            y += shape->size;                                                                      \
        }                                                                                          \
    }

TG_COMPARE_SCALED(tg_compare_s8, int8_t)
TG_COMPARE_SCALED(tg_compare_s16, int16_t)

#define TG_COMPARE(name, type, compared)                                                           \
    TG_INLINE void name(const tg_compare_shape *shape, const tg_compare_params *params,            \
                        const type *x, const type *w, bool *y)                                     \
    {                                                                                              \
        const tg_compare_params p = *params;                                                       \
        for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {   \
            const type *xr = x + r.x;                                                              \
            const type *wr = w + r.w;                                                              \
            for (int32_t i = 0; i < shape->size; ++i) {                                            \
                y[i] = compared(p, xr[i], *wr) != 0;                                               \
                wr += shape->w_step;                                                               \
            }                                                                                      \
            y += shape->size;                                                                      \
        }                                                                                          \
    }

TG_COMPARE(tg_compare_f32, float, TG_COMPARED_F32)
TG_COMPARE(tg_compare_bool, bool, TG_COMPARED)
TG_COMPARE(tg_compare_stored_s16, int16_t, TG_COMPARED)
TG_COMPARE(tg_compare_s32, int32_t, TG_COMPARED)
TG_COMPARE(tg_compare_s64, int64_t, TG_COMPARED)

#endif
