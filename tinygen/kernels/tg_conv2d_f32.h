/* CONV_2D on float32, NHWC: any geometry, any number of groups.
 *
 * A matrix product is a convolution of images of one pixel. Taps outside the image are skipped: for
 * every output pixel the rows and columns of the kernel that lie inside are found once, and the
 * output channels sum over them, four at a time where a group has as many. Neighbouring taps of a
 * row are one run of memory unless they are dilated or grouped. The bias is added last.
 */
#ifndef TG_CONV2D_F32_H
#define TG_CONV2D_F32_H

#include "tg_f32.h"
#include "tg_taps.h"

typedef struct {
    int32_t batches;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t dilation_h, dilation_w;
    int32_t in_c, out_c;
    int32_t groups;
} tg_conv2d_f32_shape;

typedef struct {
    const float *weights; /* out_c kernels of kernel_h * kernel_w * in_c / groups */
    const float *bias;    /* per output channel */
    float output_min;
    float output_max;
} tg_conv2d_f32_params;

/* The taps of one output pixel: `rows` times `runs` runs of `run` elements, and how far it is from
 * one to the next in the image and in the weights. */
typedef struct {
    int32_t rows, runs, run;
    int32_t x_row, x_run;
    int32_t w_row, w_run;
} tg_conv2d_f32_patch;

/* One sum, or as many as there are lanes, of kernels that lie `step` apart. */
TG_INLINE void tg_conv2d_f32_sums(int32_t one, const tg_conv2d_f32_patch *patch, const float *x,
                                  const float *w, int32_t step, float *sums)
{
    for (int32_t i = 0; i < patch->rows; ++i) {
        for (int32_t j = 0; j < patch->runs; ++j) {
            const float *const from = x + i * patch->x_row + j * patch->x_run;
            const float *const by = w + i * patch->w_row + j * patch->w_run;
            if (one) {
                sums[0] = tg_dot_f32(sums[0], patch->run, from, by);
            } else {
                tg_dots_f32(sums, patch->run, from, by, step);
            }
        }
    }
}

TG_INLINE void tg_conv2d_f32(const tg_conv2d_f32_shape *shape, const tg_conv2d_f32_params *params,
                             const float *x, float *y)
{
    const int32_t depth = shape->in_c / shape->groups;
    const int32_t per_group = shape->out_c / shape->groups;
    const int32_t kernel_row = shape->kernel_w * depth;
    const int32_t kernel_size = shape->kernel_h * kernel_row;
    const int32_t dense = shape->dilation_w == 1 && shape->groups == 1;
    tg_conv2d_f32_patch patch;
    /* No two taps inside are further apart than the image is large. */
    patch.x_row = tg_min(shape->dilation_h, shape->in_h) * shape->in_w * shape->in_c;
    patch.x_run = tg_min(shape->dilation_w, shape->in_w) * shape->in_c;
    patch.w_row = kernel_row;
    patch.w_run = depth;

    for (int32_t pixel = 0; pixel < shape->batches * shape->out_h * shape->out_w; ++pixel) {
        const int32_t row = pixel / shape->out_w;
        const int32_t top = row % shape->out_h * shape->stride_h - shape->pad_top;
        const int32_t left = pixel % shape->out_w * shape->stride_w - shape->pad_left;
        const tg_taps rows = tg_taps_inside(top, shape->dilation_h, shape->kernel_h, shape->in_h);
        const tg_taps columns =
            tg_taps_inside(left, shape->dilation_w, shape->kernel_w, shape->in_w);
        const int32_t taps = columns.end - columns.first;
        const int32_t iy = row / shape->out_h * shape->in_h + top + rows.first * shape->dilation_h;
        const int32_t ix = left + columns.first * shape->dilation_w;
        /* Without a tap inside there is nothing to point at. */
        const int32_t any = rows.end > rows.first && taps > 0;
        const float *const first = x + (any ? (iy * shape->in_w + ix) * shape->in_c : 0);
        const int32_t tap = any ? rows.first * kernel_row + columns.first * depth : 0;
        patch.rows = any ? rows.end - rows.first : 0;
        patch.runs = dense ? 1 : taps;
        patch.run = dense ? taps * depth : depth;
        const float *w = params->weights + tap;
        const float *bias = params->bias;
        for (int32_t group = 0; group < shape->groups; ++group) {
            const float *const from = first + group * depth;
            int32_t c = 0;
            for (; c + TG_LANES_F32 <= per_group; c += TG_LANES_F32) {
                float sums[TG_LANES_F32] = {0.0f, 0.0f, 0.0f, 0.0f};
                tg_conv2d_f32_sums(0, &patch, from, w, kernel_size, sums);
                for (int32_t i = 0; i < TG_LANES_F32; ++i) {
                    *y++ = tg_clamp_f32(sums[i] + *bias++, params->output_min, params->output_max);
                }
                w += TG_LANES_F32 * kernel_size;
            }
            for (; c < per_group; ++c) {
                float sum = 0.0f;
                tg_conv2d_f32_sums(1, &patch, from, w, kernel_size, &sum);
                *y++ = tg_clamp_f32(sum + *bias++, params->output_min, params->output_max);
                w += kernel_size;
            }
        }
    }
}

#endif
