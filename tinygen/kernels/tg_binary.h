/* Broadcasting for the operators with two inputs: which rows of x and w make each row of y.
 *
 * The compiler has merged dimensions, so that the innermost loop is as long as it can be. x always
 * advances in it; w advances too, or is one value for the whole row. The three outer loops are
 * walked like an odometer; for operands of the same shape there is one row only, and as shapes are
 * compile-time constants of each instance, the odometer then costs nothing.
 */
#ifndef TG_BINARY_H
#define TG_BINARY_H

#include "tg_types.h"

typedef struct {
    int32_t size;   /* elements of a row */
    int32_t w_step; /* 1, or 0 where one value of w serves the whole row */
    int32_t n0, x_stride0, w_stride0; /* outermost loop: count, and elements to advance by */
    int32_t n1, x_stride1, w_stride1;
    int32_t n2, x_stride2, w_stride2;
    int32_t right_only; /* see tg_output_s8 */
    int32_t full_range; /* the clamp is int8's own */
} tg_binary_shape;

typedef struct {
    int32_t left; /* rows to go, this one included */
    int32_t x, w; /* where the row starts in each operand */
    int32_t i1, i2;
} tg_binary_rows;

TG_INLINE tg_binary_rows tg_binary_first(const tg_binary_shape *shape)
{
    const tg_binary_rows rows = {shape->n0 * shape->n1 * shape->n2, 0, 0, 0, 0};
    return rows;
}

TG_INLINE void tg_binary_next(const tg_binary_shape *shape, tg_binary_rows *rows)
{
    --rows->left;
    rows->x += shape->x_stride2;
    rows->w += shape->w_stride2;
    if (++rows->i2 < shape->n2) {
        return;
    }
    rows->i2 = 0;
    rows->x += shape->x_stride1 - shape->n2 * shape->x_stride2;
    rows->w += shape->w_stride1 - shape->n2 * shape->w_stride2;
    if (++rows->i1 < shape->n1) {
        return;
    }
    rows->i1 = 0;
    rows->x += shape->x_stride0 - shape->n1 * shape->x_stride1;
    rows->w += shape->w_stride0 - shape->n1 * shape->w_stride1;
}

#endif
