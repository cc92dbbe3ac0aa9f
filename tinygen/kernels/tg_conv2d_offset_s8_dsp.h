/* tg_conv2d_offset_s8 with the instructions of the Arm DSP extension. */
#ifndef TG_CONV2D_OFFSET_S8_DSP_H
#define TG_CONV2D_OFFSET_S8_DSP_H

#include "tg_conv2d_offset_s8.h"
#include "tg_require_dsp.h"

TG_INLINE void tg_conv2d_offset_s8_dsp(const tg_conv2d_s8_shape *shape,
                                       const tg_conv2d_s8_params *params, const int8_t *x,
                                       int8_t *y, int8_t *patch)
{
    tg_conv2d_offset_s8_by(1, shape, params, x, y, patch);
}

#endif
