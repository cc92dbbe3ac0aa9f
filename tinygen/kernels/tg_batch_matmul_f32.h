/* BATCH_MATMUL on float32: each matrix of x times its matrix of w.
 *
 * Swapped axes of an operand are but other steps from row to row and along a sum. The batch is
 * walked in three loops, the outermost numbered 0, whose strides are 0 where an operand's matrix
 * serves all of them.
 */
#ifndef TG_BATCH_MATMUL_F32_H
#define TG_BATCH_MATMUL_F32_H

#include "tg_types.h"

typedef struct {
    int32_t rows, depth, columns;
    int32_t x_row, x_step; /* elements from row to row, and along a sum */
    int32_t w_column, w_step;
    int32_t n0, x_stride0, w_stride0;
    int32_t n1, x_stride1, w_stride1;
    int32_t n2, x_stride2, w_stride2;
} tg_batch_matmul_f32_shape;

typedef struct {
    int32_t unused;
} tg_batch_matmul_f32_params;

/* One product of matrices; gives where the next result goes. */
TG_INLINE float *tg_batch_matmul_f32_one(const tg_batch_matmul_f32_shape *shape, const float *x,
                                         const float *w, float *y)
{
    for (int32_t i = 0; i < shape->rows; ++i) {
        for (int32_t j = 0; j < shape->columns; ++j) {
            const float *a = x + i * shape->x_row;
            const float *b = w + j * shape->w_column;
            float sum = 0.0f;
            for (int32_t k = 0; k < shape->depth; ++k) {
                sum += a[k * shape->x_step] * b[k * shape->w_step];
            }
            *y++ = sum;
        }
    }
    return y;
}

TG_INLINE void tg_batch_matmul_f32(const tg_batch_matmul_f32_shape *shape,
                                   const tg_batch_matmul_f32_params *params, const float *x,
                                   const float *w, float *y)
{
    (void)params;
    for (int32_t i = 0; i < shape->n0; ++i) {
        for (int32_t j = 0; j < shape->n1; ++j) {
            for (int32_t k = 0; k < shape->n2; ++k) {
                const int32_t x_at =
                    i * shape->x_stride0 + j * shape->x_stride1 + k * shape->x_stride2;
                const int32_t w_at =
                    i * shape->w_stride0 + j * shape->w_stride1 + k * shape->w_stride2;
                y = tg_batch_matmul_f32_one(shape, x + x_at, w + w_at, y);
            }
        }
    }
}

#endif
