/* Rows of int8 times a matrix of weights, for Helium: FULLY_CONNECTED and 1x1 convolutions.
 *
 * Two rows at a time, and a last one by itself; see tg_block_2x4_mve.h.
 */
#ifndef TG_MATMUL_S8_MVE_H
#define TG_MATMUL_S8_MVE_H

#include "tg_block_2x4_mve.h"

typedef struct {
    int32_t rows, depth, out_c;
    int32_t has_step; /* see tg_lanes_mve.h */
    int32_t output_min, output_max;
} tg_matmul_s8_mve_shape;

typedef struct {
    const int8_t *weights;    /* see tg_block_2x4_mve.h */
    const int32_t *constants; /* see tg_lanes_mve.h */
} tg_matmul_s8_mve_params;

TG_INLINE void tg_matmul_s8_mve(const tg_matmul_s8_mve_shape *shape,
                                const tg_matmul_s8_mve_params *params, const int8_t *restrict x,
                                int8_t *restrict y)
{
    const tg_block_2x4_shape block = {shape->depth, shape->out_c, TG_LANE_OUTPUT(shape)};
    TG_UNROLL(1)
    for (int32_t row = 0; row + 2 <= shape->rows; row += 2) {
        tg_rows_of_blocks(&block, x, x + shape->depth, params->weights, params->constants, y);
        x += 2 * shape->depth;
        y += 2 * shape->out_c;
    }
    if (shape->rows % 2) {
        tg_row_of_blocks(&block, x, params->weights, params->constants, y);
    }
}

#endif
