/* tg_add_linear_s8 with four elements in the lanes of a vector, for Helium.
 *
 * (a * x + b * w + c) >> n is two multiply-accumulates, a shift to the left by 24 - n, which
 * saturates where int8 would, and the highest byte. x and y may be the same.
 */
#ifndef TG_ADD_LINEAR_S8_MVE_H
#define TG_ADD_LINEAR_S8_MVE_H

#include "tg_add_linear_s8.h"
#include "tg_mve.h"
#include "tg_require_mve.h"

/* The first n elements, at most 4; w_step is 0 or 1. */
TG_INLINE void tg_add_linear_lanes(const tg_add_linear_s8_params *p, int32_t w_step,
                                   int32_t full_range, const int8_t *x, const int8_t *w, int8_t *y,
                                   int32_t n)
{
    tg_s32x4 sum = tg_dup_s32x4(w_step ? p->c : p->b * *w + p->c);
    sum = tg_add_scaled_s32x4(sum, tg_load_first_s8_s32x4(x, n), p->a);
    if (w_step) {
        sum = tg_add_scaled_s32x4(sum, tg_load_first_s8_s32x4(w, n), p->b);
    }
    sum = tg_high_byte_s32x4(tg_saturating_shift_by_s32x4(sum, 23 - p->shift));
    if (!full_range) {
        sum = tg_max_s32x4(sum, tg_dup_s32x4(p->output_min));
        sum = tg_min_s32x4(sum, tg_dup_s32x4(p->output_max));
    }
    tg_store_bytes_s32x4(y, sum, n);
}

TG_INLINE void tg_add_linear_s8_mve(const tg_add_linear_s8_shape *shape,
                                    const tg_add_linear_s8_params *params, const int8_t *x,
                                    const int8_t *w, int8_t *y)
{
    /* A store to y might change what params points to, as far as the compiler knows. */
    const tg_add_linear_s8_params p = *params;
    const int32_t step = shape->w_step;
    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        int32_t i = 0;
        TG_UNROLL(4)
        for (; i + 4 <= shape->size; i += 4) {
            tg_add_linear_lanes(&p, step, shape->full_range, x + r.x + i, w + r.w + i * step, y + i,
                                4);
        }
        if (i < shape->size) {
            tg_add_linear_lanes(&p, step, shape->full_range, x + r.x + i, w + r.w + i * step, y + i,
                                shape->size - i);
        }
        y += shape->size;
    }
}

#endif
