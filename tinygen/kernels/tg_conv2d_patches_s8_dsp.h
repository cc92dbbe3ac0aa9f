/* tg_conv2d_patches_s8 with the instructions of the Arm DSP extension. Rows of weights and patches
 * are padded to words, the weights with zeros, so that no row ends within a word. */
#ifndef TG_CONV2D_PATCHES_S8_DSP_H
#define TG_CONV2D_PATCHES_S8_DSP_H

#include "tg_conv2d_patches_s8.h"
#include "tg_require_dsp.h"

TG_INLINE void tg_conv2d_patches_s8_dsp(const tg_conv2d_s8_shape *shape,
                                        const tg_conv2d_s8_params *params, const int8_t *x,
                                        int8_t *y, int8_t *patches)
{
    tg_conv2d_patches_s8_by(1, shape, params, x, y, patches);
}

#endif
