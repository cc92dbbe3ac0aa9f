/* LOGICAL_AND, LOGICAL_OR and LOGICAL_NOT on truth values.
 *
 * x and y may be the same.
 */
#ifndef TG_LOGICAL_H
#define TG_LOGICAL_H

#include <stdbool.h>

#include "tg_binary.h"

typedef tg_binary_shape tg_logical_shape;

typedef struct {
    int32_t unused;
} tg_logical_params;

typedef struct {
    int32_t size; /* elements */
} tg_logical_not_shape;

typedef tg_logical_params tg_logical_not_params;

TG_INLINE void tg_logical(const tg_logical_shape *shape, int32_t both, const bool *x, const bool *w,
                          bool *y)
{
    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const bool *xr = x + r.x;
        const bool *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            y[i] = both ? xr[i] && *wr : xr[i] || *wr;
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

TG_INLINE void tg_logical_and(const tg_logical_shape *shape, const tg_logical_params *params,
                              const bool *x, const bool *w, bool *y)
{
    (void)params;
    tg_logical(shape, 1, x, w, y);
}

TG_INLINE void tg_logical_or(const tg_logical_shape *shape, const tg_logical_params *params,
                             const bool *x, const bool *w, bool *y)
{
    (void)params;
    tg_logical(shape, 0, x, w, y);
}

TG_INLINE void tg_logical_not(const tg_logical_not_shape *shape,
                              const tg_logical_not_params *params, const bool *x, bool *y)
{
    (void)params;
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = !x[i];
    }
}

#endif
