/* tg_matmul_s8 with the instructions of the Arm DSP extension; weights stay plain int8 rows. */
#ifndef TG_MATMUL_S8_DSP_H
#define TG_MATMUL_S8_DSP_H

#include "tg_matmul_s8.h"
#include "tg_require_dsp.h"

TG_INLINE void tg_matmul_s8_dsp(const tg_matmul_s8_shape *shape, const tg_matmul_s8_params *params,
                                const int8_t *x, int8_t *y)
{
    tg_matmul_s8_rows(1, shape, params, x, y);
}

#endif
