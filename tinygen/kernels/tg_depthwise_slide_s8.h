/* DEPTHWISE_CONV_2D by 3x3 on int8, NHWC, in plain C, without scratch.
 *
 * One channel at a time, whose nine weights stay in registers. A window slides along a strip: the
 * image's rows, or its columns if these are longer. Three values come side by side, are loaded once
 * and are used for all results that they take part in. With stride 1, when values v come (weights
 * w[0], w[1], w[2], three each),
 *
 *     result = ending + v . w[2]     ending = begun + v . w[1]     begun = start + v . w[0]
 *
 * so there are three loads for nine products. With stride 2 every other v ends one result and
 * begins the next.
 *
 * What is outside the image counts as the input's zero point. At either side of the strips the
 * window is moved into the image, and the weights are moved in the window instead: each channel's
 * weights lie between zeros, so those from three further or back are the moved ones. A sum's start,
 * of which there is one for each of the three, has the missing products.
 */
#ifndef TG_DEPTHWISE_SLIDE_S8_H
#define TG_DEPTHWISE_SLIDE_S8_H

#include "tg_short_requant.h"

/* Bytes of a channel's weights: zeros, then three for each strip that a window reads, zeros. */
#define TG_SLIDE_WEIGHTS 15

/* "Along" is the way that the window slides, "across" the way from strip to strip. */
typedef struct {
    int32_t batches, channels;
    int32_t in_along, in_across; /* at least 2 and 3 */
    int32_t out_along, out_across;
    int32_t stride_along; /* 1 or 2 */
    int32_t stride_across;
    int32_t pad_along, pad_across; /* 0 or 1 */
    int32_t x_along, x_across;     /* bytes from a value to the next */
    int32_t y_along, y_across;
    TG_SHORT_OUTPUT_FIELDS
} tg_depthwise_slide_s8_shape;

typedef struct {
    const int8_t *weights;    /* channels * TG_SLIDE_WEIGHTS */
    const int32_t *starts;    /* per channel: the window moved by -1, 0 and 1; shifted by left */
    const int32_t *constants; /* per channel, see tg_short_requant.h */
    int32_t input_zero_point;
} tg_depthwise_slide_s8_params;

/* sum + v . w, with the weights of a strip three apart. */
TG_INLINE int32_t tg_slide_add(int32_t sum, const int32_t v[3], const int32_t *w)
{
    sum += v[0] * w[0];
    sum += v[1] * w[3];
    sum += v[2] * w[6];
    return sum;
}

TG_INLINE void tg_slide_load(const int8_t *x, int32_t across, int32_t v[3])
{
    v[0] = x[0];
    v[1] = x[across];
    v[2] = x[2 * across];
}

/* One strip of one channel; x is the first value of the first strip that the window reads. */
TG_INLINE void tg_slide_strip(const tg_depthwise_slide_s8_shape *shape, const int8_t *weights,
                              int32_t start, int32_t zero_point, const int32_t *constants,
                              const int8_t *restrict x, int8_t *restrict y)
{
    tg_short_output output = TG_SHORT_OUTPUT(shape);
    const int32_t across = shape->x_across, along = shape->x_along;
    const int32_t last = (shape->out_along - 1) * shape->stride_along - shape->pad_along + 2;
    const int32_t full = shape->out_along - (last >= shape->in_along ? 1 : 0);
    int32_t w[9], v[3];
    /* What would be shifted for each output is so in the weights already. */
    output.left = 0;
    TG_UNROLL(9)
    for (int32_t i = 0; i < 9; ++i) {
        w[i] = weights[i] * (1 << shape->left);
    }
    int32_t ending = start, begun = start;
    if (shape->pad_along) {
        ending += zero_point * (w[0] + w[3] + w[6]);
    } else {
        tg_slide_load(x, across, v);
        ending = tg_slide_add(ending, v, w);
        x += along;
    }
    tg_slide_load(x, across, v);
    ending = tg_slide_add(ending, v, w + 1);
    if (shape->stride_along == 1) {
        begun = tg_slide_add(begun, v, w);
    }
    x += along;
    TG_UNROLL(2)
    for (int32_t i = 0; i < full; ++i) {
        tg_slide_load(x, across, v);
        const int32_t sum = tg_slide_add(ending, v, w + 2);
        x += along;
        if (shape->stride_along == 1) {
            ending = tg_slide_add(begun, v, w + 1);
            begun = tg_slide_add(start, v, w);
        } else if (i + 1 < shape->out_along) {
            ending = tg_slide_add(start, v, w);
            tg_slide_load(x, across, v);
            ending = tg_slide_add(ending, v, w + 1);
            x += along;
        }
        *y = tg_short_s8(&output, sum, constants);
        y += shape->y_along;
    }
    if (full < shape->out_along) {
        ending += zero_point * (w[2] + w[5] + w[8]);
        *y = tg_short_s8(&output, ending, constants);
    }
}

TG_INLINE void tg_depthwise_slide_s8(const tg_depthwise_slide_s8_shape *shape,
                                     const tg_depthwise_slide_s8_params *params,
                                     const int8_t *restrict x, int8_t *restrict y)
{
    const tg_short_output output = TG_SHORT_OUTPUT(shape);
    const int32_t words = tg_short_words(&output);
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t c = 0; c < shape->channels; ++c) {
            const int8_t *const weights = params->weights + c * TG_SLIDE_WEIGHTS;
            const int32_t *const starts = params->starts + 3 * c;
            for (int32_t strip = 0; strip < shape->out_across; ++strip) {
                const int32_t wanted = strip * shape->stride_across - shape->pad_across;
                const int32_t from = tg_clamp(wanted, 0, shape->in_across - 3);
                const int32_t moved = 1 + from - wanted;
                tg_slide_strip(shape, weights + 3 * moved, starts[moved], params->input_zero_point,
                               params->constants + c * words, x + (from * shape->x_across + c),
                               y + (strip * shape->y_across + c));
            }
        }
        x += shape->in_across * shape->in_along * shape->channels;
        y += shape->out_across * shape->out_along * shape->channels;
    }
}

/* The name of the row whose requantization is TG_SPLIT. */
TG_INLINE void tg_depthwise_slide_split_s8(const tg_depthwise_slide_s8_shape *shape,
                                           const tg_depthwise_slide_s8_params *params,
                                           const int8_t *restrict x, int8_t *restrict y)
{
    tg_depthwise_slide_s8(shape, params, x, y);
}

#endif
