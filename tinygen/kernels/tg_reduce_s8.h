/* REDUCE_MAX and REDUCE_MIN on int8 over any axes: the extreme of the stored values.
 *
 * The compiler has merged neighbouring axes of one kind, so that five loops do for every case:
 * kept, reduced, kept, reduced, kept, from the outside in.
 */
#ifndef TG_REDUCE_S8_H
#define TG_REDUCE_S8_H

#include "tg_types.h"

typedef struct {
    int32_t kept0, reduced0, kept1, reduced1, kept2;
} tg_reduce_s8_shape;

typedef struct {
    int32_t unused;
} tg_reduce_s8_params;

TG_INLINE void tg_reduce_s8(const tg_reduce_s8_shape *shape, int32_t largest, const int8_t *x,
                            int8_t *y)
{
    const int32_t inner = shape->kept2;
    const int32_t middle = shape->reduced1 * inner;
    const int32_t outer = shape->kept1 * middle;
    for (int32_t k0 = 0; k0 < shape->kept0; ++k0) {
        for (int32_t k1 = 0; k1 < shape->kept1; ++k1) {
            for (int32_t k2 = 0; k2 < inner; ++k2) {
                const int8_t *from = x + k1 * middle + k2;
                int32_t best = *from;
                for (int32_t r0 = 0; r0 < shape->reduced0; ++r0) {
                    for (int32_t r1 = 0; r1 < shape->reduced1; ++r1) {
                        const int32_t value = from[r0 * outer + r1 * inner];
                        best = largest ? tg_max(best, value) : tg_min(best, value);
                    }
                }
                *y++ = (int8_t)best;
            }
        }
        x += shape->reduced0 * outer;
    }
}

TG_INLINE void tg_reduce_max_s8(const tg_reduce_s8_shape *shape,
                                const tg_reduce_s8_params *params, const int8_t *x, int8_t *y)
{
    (void)params;
    tg_reduce_s8(shape, 1, x, y);
}

TG_INLINE void tg_reduce_min_s8(const tg_reduce_s8_shape *shape,
                                const tg_reduce_s8_params *params, const int8_t *x, int8_t *y)
{
    (void)params;
    tg_reduce_s8(shape, 0, x, y);
}

#endif
