/* BATCH_MATMUL on int8: each matrix of x times its matrix of w, requantized.
 *
 * Swapped axes of an operand are but other steps from row to row and along a sum. The batch is
 * walked in three loops, the outermost numbered 0, whose strides are 0 where an operand's matrix
 * serves all of them.
 */
#ifndef TG_BATCH_MATMUL_S8_H
#define TG_BATCH_MATMUL_S8_H

#include "tg_requant.h"

typedef struct {
    int32_t rows, depth, columns;
    int32_t x_row, x_step; /* elements from row to row, and along a sum */
    int32_t w_column, w_step;
    int32_t right_only; /* see tg_output_s8 */
    int32_t n0, x_stride0, w_stride0;
    int32_t n1, x_stride1, w_stride1;
    int32_t n2, x_stride2, w_stride2;
} tg_batch_matmul_s8_shape;

typedef struct {
    int32_t x_zero_point;
    int32_t w_zero_point;
    int32_t multiplier;
    int32_t shift; /* see tg_output_s8 */
    int32_t output_zero_point;
} tg_batch_matmul_s8_params;

/* One product of matrices; gives where the next result goes. */
TG_INLINE int8_t *tg_batch_matmul_one(const tg_batch_matmul_s8_shape *shape,
                                      const tg_batch_matmul_s8_params *params,
                                      const tg_output *output, const int8_t *x, const int8_t *w,
                                      int8_t *y)
{
    const tg_batch_matmul_s8_params p = *params;
    for (int32_t i = 0; i < shape->rows; ++i) {
        for (int32_t j = 0; j < shape->columns; ++j) {
            const int8_t *a = x + i * shape->x_row;
            const int8_t *b = w + j * shape->w_column;
            int32_t sum = 0;
            for (int32_t k = 0; k < shape->depth; ++k) {
                sum += (*a - p.x_zero_point) * (*b - p.w_zero_point);
                a += shape->x_step;
                b += shape->w_step;
            }
            *y++ = tg_output_s8(output, sum, p.multiplier, p.shift);
        }
    }
    return y;
}

TG_INLINE void tg_batch_matmul_s8(const tg_batch_matmul_s8_shape *shape,
                                  const tg_batch_matmul_s8_params *params, const int8_t *x,
                                  const int8_t *w, int8_t *y)
{
    const tg_output output =
        tg_make_output(shape->right_only, 1, params->output_zero_point, INT8_MIN, INT8_MAX);
    for (int32_t i = 0; i < shape->n0; ++i) {
        for (int32_t j = 0; j < shape->n1; ++j) {
            for (int32_t k = 0; k < shape->n2; ++k) {
                const int32_t x_at =
                    i * shape->x_stride0 + j * shape->x_stride1 + k * shape->x_stride2;
                const int32_t w_at =
                    i * shape->w_stride0 + j * shape->w_stride1 + k * shape->w_stride2;
                y = tg_batch_matmul_one(shape, params, &output, x + x_at, w + w_at, y);
            }
        }
    }
}

#endif
