/* Any smooth function of one int16: a table of its values at each 128th, with lines in between.
 *
 * The compiler makes the table, 513 values, as the reference kernels do. x and y may be the same.
 */
#ifndef TG_LINE_S16_H
#define TG_LINE_S16_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_line_s16_shape;

typedef struct {
    const int16_t *table; /* 513 values, from the least int16 up */
} tg_line_s16_params;

/* The table's line at an int16 x. */
TG_INLINE int32_t tg_line_at(const int16_t *table, int32_t x)
{
    const int16_t *const at = table + 256 + (x >> 7);
    return at[0] + (((at[1] - at[0]) * (x & 127) + 64) >> 7);
}

TG_INLINE void tg_line_s16(const tg_line_s16_shape *shape, const tg_line_s16_params *params,
                           const int16_t *x, int16_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = (int16_t)tg_line_at(params->table, x[i]);
    }
}

#endif
