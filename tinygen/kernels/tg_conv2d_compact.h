/* What tg_conv2d_compact_s8_dsp.h and tg_conv2d_lean_s8_dsp.h are handed over of a layer. */
#ifndef TG_CONV2D_COMPACT_H
#define TG_CONV2D_COMPACT_H

#include "tg_types.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h;
    int32_t pad_top, pad_left;
    int32_t depth;           /* bytes of a patch, padded to words */
    int32_t shift, has_step; /* see tg_twist.h */
    int32_t output_min, output_max;
} tg_conv2d_compact_s8_shape;

typedef struct {
    const int32_t *weights; /* in the kernel's groups of channels, see tg_compact.h */
    int32_t input_zero_point;
} tg_conv2d_compact_s8_params;

#endif
