/* Rows of int8 activations times a matrix of int8 weights that stay bytes, with one function for
 * all sizes and next to no scratch, for the Arm DSP extension: tg_compact_1x4.h row by row. A row
 * that is no whole words is copied to scratch first, with zeros behind it.
 */
#ifndef TG_MATMUL_COMPACT_S8_DSP_H
#define TG_MATMUL_COMPACT_S8_DSP_H

#include "tg_compact_1x4.h"
#include "tg_require_dsp.h"

typedef struct {
    int32_t rows;
    int32_t depth;           /* bytes of a row of x */
    int32_t out_c;           /* bytes of a row of y */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_matmul_compact_s8_shape;

typedef struct {
    const int32_t *weights; /* in groups of four channels, see tg_compact.h */
} tg_matmul_compact_s8_params;

TG_INLINE void tg_matmul_compact_s8_dsp(const tg_matmul_compact_s8_shape *shape,
                                        const tg_matmul_compact_s8_params *params,
                                        const int8_t *restrict x, int8_t *restrict y,
                                        int8_t *restrict scratch)
{
    const tg_twist_output output = TG_TWIST_OUTPUT(shape);
    const int32_t depth = shape->depth, steps = (depth + 3) / 4;
    tg_compact_work work = tg_compact_start(&output, steps, shape->out_c, 4,
                                            TG_COMPACT_1X4_STEP_BYTES, params->weights);
    for (int32_t row = 0; row < shape->rows; ++row) {
        work.x = x;
        if (depth % 4) {
            tg_store_4xs8(scratch + 4 * steps - 4, 0);
            tg_copy_s8(scratch, x, depth);
            work.x = scratch;
        }
        tg_compact_1x4(&work, &output, params->weights, y, shape->out_c);
        x += depth;
        y += shape->out_c;
    }
}

#endif
