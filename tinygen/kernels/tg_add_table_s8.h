/* ADD and SUB on int8, any scales: each operand's scaled value comes from a table of 256, the sum
 * is requantized as the reference does it.
 *
 * The reference multiplies each input by a multiplier of its own; those products depend on one
 * byte only, so the compiler made them. For SUB the second table is negated. x and y may be the
 * same.
 */
#ifndef TG_ADD_TABLE_S8_H
#define TG_ADD_TABLE_S8_H

#include "tg_binary.h"
#include "tg_requant.h"

typedef tg_binary_shape tg_add_table_s8_shape;

typedef struct {
    const int32_t *x_table; /* 256 scaled values, by the input's byte read as unsigned */
    const int32_t *w_table;
    int32_t multiplier;
    int32_t shift; /* see tg_output_s8 */
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_add_table_s8_params;

TG_INLINE void tg_add_table_s8(const tg_add_table_s8_shape *shape,
                               const tg_add_table_s8_params *params, const int8_t *x,
                               const int8_t *w, int8_t *y)
{
    const tg_add_table_s8_params p = *params;
    const tg_output output = tg_make_output(shape->right_only, shape->full_range,
                                            p.output_zero_point, p.output_min, p.output_max);

    for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {
        const int8_t *xr = x + r.x;
        const int8_t *wr = w + r.w;
        for (int32_t i = 0; i < shape->size; ++i) {
            const int32_t sum = p.x_table[(uint8_t)xr[i]] + p.w_table[(uint8_t)*wr];
            y[i] = tg_output_s8(&output, sum, p.multiplier, p.shift);
            wr += shape->w_step;
        }
        y += shape->size;
    }
}

#endif
