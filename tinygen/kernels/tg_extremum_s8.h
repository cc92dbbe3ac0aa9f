/* MAXIMUM and MINIMUM on int8: the larger or the smaller of two stored values.
 *
 * x and y may be the same.
 */
#ifndef TG_EXTREMUM_S8_H
#define TG_EXTREMUM_S8_H

#include "tg_binary.h"

typedef tg_binary_shape tg_extremum_s8_shape;

typedef struct {
    int32_t output_min;
    int32_t output_max;
} tg_extremum_s8_params;

TG_INLINE void tg_extremum_s8(const tg_extremum_s8_shape *shape, int32_t largest, const int8_t *x,
                              const int8_t *w, int8_t *y)
{
    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int8_t *xr = x + r.x;
        const int8_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            y[i] = (int8_t)(largest ? tg_max(xr[i], *wr) : tg_min(xr[i], *wr));
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

TG_INLINE void tg_maximum_s8(const tg_extremum_s8_shape *shape,
                             const tg_extremum_s8_params *params, const int8_t *x, const int8_t *w,
                             int8_t *y)
{
    (void)params;
    tg_extremum_s8(shape, 1, x, w, y);
}

TG_INLINE void tg_minimum_s8(const tg_extremum_s8_shape *shape,
                             const tg_extremum_s8_params *params, const int8_t *x, const int8_t *w,
                             int8_t *y)
{
    (void)params;
    tg_extremum_s8(shape, 0, x, w, y);
}

#endif
