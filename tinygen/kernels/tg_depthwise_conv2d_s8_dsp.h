/* tg_depthwise_conv2d_s8 with the instructions of the Arm DSP extension, by four channels. */
#ifndef TG_DEPTHWISE_CONV2D_S8_DSP_H
#define TG_DEPTHWISE_CONV2D_S8_DSP_H

#include "tg_depthwise_conv2d_s8.h"
#include "tg_require_dsp.h"

TG_INLINE void tg_depthwise_conv2d_s8_dsp(const tg_depthwise_conv2d_s8_shape *shape,
                                          const tg_depthwise_conv2d_s8_params *params,
                                          const int8_t *x, int8_t *y, int8_t *zero_row)
{
    tg_depthwise_conv2d_s8_by(1, shape, params, x, y, zero_row);
}

#endif
