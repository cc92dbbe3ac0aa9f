/* EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL: how two values lie to each other.
 *
 * Each of the six is a choice of what to write where x is less than w, equal to it, or greater. int8
 * values of two scales are first brought to a common one, rounded as the reference rounds, in which
 * neighbours may be equal.
 */
#ifndef TG_COMPARE_H
#define TG_COMPARE_H

#include <stdbool.h>

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_compare_shape;
typedef tg_binary_shape tg_compare_s8_shape;

typedef struct {
    int32_t less, equal, greater; /* 0 or 1: what y is where x is so */
} tg_compare_params;

typedef struct {
    int32_t less, equal, greater;
    int32_t x_zero_point, x_multiplier, x_shift;
    int32_t w_zero_point, w_multiplier, w_shift;
} tg_compare_s8_params;

/* A value in the common scale, 2^-8. */
TG_INLINE int32_t tg_compare_scaled(int32_t value, int32_t zero_point, int32_t multiplier,
                                    int32_t shift)
{
    return tg_requant((value - zero_point) * 256, multiplier, shift);
}

TG_INLINE void tg_compare_s8(const tg_compare_s8_shape *shape, const tg_compare_s8_params *params,
                             const int8_t *x, const int8_t *w, bool *y)
{
    const tg_compare_s8_params p = *params;
    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int8_t *xr = x + r.x;
        const int8_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            const int32_t a = tg_compare_scaled(xr[i], p.x_zero_point, p.x_multiplier, p.x_shift);
            const int32_t b = tg_compare_scaled(*wr, p.w_zero_point, p.w_multiplier, p.w_shift);
            y[i] = (a < b ? p.less : a == b ? p.equal : p.greater) != 0;
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

#define TG_COMPARE(name, type)                                                                     \
    TG_INLINE void name(const tg_compare_shape *shape, const tg_compare_params *params,            \
                        const type *x, const type *w, bool *y)                                     \
    {                                                                                              \
        const tg_compare_params p = *params;                                                       \
        for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {   \
            const type *xr = x + r.x;                                                              \
            const type *wr = w + r.w;                                                              \
            for (int32_t i = 0; i < shape->size; ++i) {                                            \
                y[i] = (xr[i] < *wr ? p.less : xr[i] == *wr ? p.equal : p.greater) != 0;           \
                wr += shape->w_step;                                                               \
            }                                                                                      \
            y += shape->size;                                                                      \
        }                                                                                          \
    }

TG_COMPARE(tg_compare_s32, int32_t)
TG_COMPARE(tg_compare_s64, int64_t)

#endif
