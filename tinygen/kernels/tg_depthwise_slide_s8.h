/* DEPTHWISE_CONV_2D on int8, NHWC, with kernels of up to 7x7, in plain C, without scratch.
 *
 * One channel at a time, whose weights stay in registers as long as there are enough. A window
 * slides along a strip: the image's rows, or its columns if these are longer. The values that lie
 * side by side across the strip come as one, are loaded once and are used for all results that they
 * take part in. With 3x3 and stride 1, when values v come (weights w[0], w[1], w[2], three each),
 *
 *     result = ending + v . w[2]     ending = begun + v . w[1]     begun = start + v . w[0]
 *
 * so there are three loads for nine products. In general as many sums are on their way as windows
 * hold a value, and with a stride of s each s-th v ends a result.
 *
 * What is outside the image counts as the input's zero point. At either side of the strips the
 * window is moved into the image, and the weights are moved in the window instead: each channel's
 * weights lie between zeros, so those from a few further or back are the moved ones. A sum's start,
 * of which there is one for each way to move, has the missing products.
 */
#ifndef TG_DEPTHWISE_SLIDE_S8_H
#define TG_DEPTHWISE_SLIDE_S8_H

#include "tg_short_requant.h"

/* The longest side of a kernel, and the weights of the largest one. */
#define TG_SLIDE_SIDE 7
#define TG_SLIDE_TAPS (TG_SLIDE_SIDE * TG_SLIDE_SIDE)

/* "Along" is the way that the window slides, "across" the way from strip to strip. */
typedef struct {
    int32_t batches, channels;
    int32_t in_along, out_along;
    int32_t kernel_along, stride_along; /* the stride is not longer than the kernel */
    int32_t pad_along;
    int32_t x_along, y_along;     /* bytes from a value to the next */
    int32_t in_across, out_across; /* into the layer at least as many strips as the kernel has */
    int32_t kernel_across, stride_across;
    int32_t pad_across;
    int32_t x_across, y_across;
    int32_t most_moved; /* by so many strips windows hang over the image at most */
    TG_SHORT_OUTPUT_FIELDS
} tg_depthwise_slide_s8_shape;

typedef struct {
    const int8_t *weights;    /* per channel: zeros for most_moved strips, those of the kernel's
                                 strips one after the other, zeros */
    const int32_t *starts;    /* per channel: moved by -most_moved .. most_moved; shifted by left */
    const int32_t *constants; /* per channel, see tg_short_requant.h */
    int32_t input_zero_point;
} tg_depthwise_slide_s8_params;

/* What the window does where it stands: a channel, and a place across. */
typedef struct {
    int32_t w[TG_SLIDE_TAPS]; /* of each of the kernel's strips all along */
    int32_t start;
    int32_t zero_point;
    int32_t constants[TG_SHORT_MOST_WORDS];
} tg_slide_window;

/* Windows that hold a value. */
TG_INLINE int32_t tg_slide_sums(const tg_depthwise_slide_s8_shape *shape)
{
    return (shape->kernel_along + shape->stride_along - 1) / shape->stride_along;
}

TG_INLINE int32_t tg_slide_inside(const tg_depthwise_slide_s8_shape *shape, int32_t place)
{
    return place >= 0 && place < shape->in_along;
}

/* Adds the values at x, or zero points if they are outside the image, to the sums: they stand at
 * place tap of the first window, and so many strides before that in the others. */
TG_INLINE void tg_slide_add(const tg_depthwise_slide_s8_shape *shape, const tg_slide_window *window,
                            int32_t inside, const int8_t *x, int32_t tap, int32_t *sums)
{
    const int32_t count = shape->kernel_across;
    int32_t v[TG_SLIDE_SIDE];
    TG_UNROLL(7)
    for (int32_t k = 0; k < count; ++k) {
        v[k] = inside ? x[k * shape->x_across] : 1;
    }
    TG_UNROLL(7)
    for (int32_t i = 0; i < tg_slide_sums(shape); ++i) {
        const int32_t at = tap - i * shape->stride_along;
        if (at >= 0 && at < shape->kernel_along) {
            int32_t sum = inside ? sums[i] : 0;
            TG_UNROLL(7)
            for (int32_t k = 0; k < count; ++k) {
                sum += v[k] * window->w[k * shape->kernel_along + at];
            }
            sums[i] = inside ? sum : sums[i] + window->zero_point * sum;
        }
    }
}

/* A result, from a stride of values from place on that end the first sum's window; x is at place 0.
 * The other sums move up, and one begins. */
TG_INLINE int8_t tg_slide_result(const tg_depthwise_slide_s8_shape *shape,
                                 const tg_slide_window *window, int32_t all_inside,
                                 int32_t place, const int8_t *x, int32_t *sums)
{
    const int32_t stride = shape->stride_along, last = tg_slide_sums(shape) - 1;
    tg_short_output output = TG_SHORT_OUTPUT(shape);
    TG_UNROLL(7)
    for (int32_t t = 0; t < stride; ++t) {
        const int32_t inside = all_inside || tg_slide_inside(shape, place + t);
        const int8_t *const from = inside ? x + (place + t) * shape->x_along : x;
        tg_slide_add(shape, window, inside, from, shape->kernel_along - stride + t, sums);
    }
    const int32_t sum = sums[0];
    TG_UNROLL(7)
    for (int32_t k = 0; k < last; ++k) {
        sums[k] = sums[k + 1];
    }
    sums[last] = window->start;
    output.left = 0; /* it is in the weights */
    return tg_short_s8(&output, sum, window->constants);
}

/* One strip of one channel; x is the first value of the first strip that the window reads. */
TG_INLINE void tg_slide_strip(const tg_depthwise_slide_s8_shape *shape,
                              const tg_slide_window *window, const int8_t *restrict x,
                              int8_t *restrict y)
{
    const int32_t stride = shape->stride_along, pad = shape->pad_along, out = shape->out_along;
    const int32_t before = shape->kernel_along - stride;
    /* Results whose new values are all inside: from first on, up to end. */
    const int32_t first = tg_min((tg_max(pad - before, 0) + stride - 1) / stride, out);
    const int32_t room = shape->in_along + pad - shape->kernel_along;
    const int32_t end = tg_max(first, room < 0 ? 0 : tg_min(room / stride + 1, out));
    const int8_t *at = x + (first * stride + before - pad) * shape->x_along;
    int32_t sums[TG_SLIDE_SIDE];
    int32_t i = 0;
    TG_UNROLL(7)
    for (int32_t k = 0; k < tg_slide_sums(shape); ++k) {
        sums[k] = window->start;
    }
    TG_UNROLL(7)
    for (int32_t tap = 0; tap < before; ++tap) {
        const int32_t inside = tg_slide_inside(shape, tap - pad);
        tg_slide_add(shape, window, inside, inside ? x + (tap - pad) * shape->x_along : x, tap,
                     sums);
    }
    for (; i < first; ++i, y += shape->y_along) {
        const int32_t place = i * stride + before - pad;
        *y = tg_slide_result(shape, window, 0, place, x, sums);
    }
    TG_UNROLL(2)
    for (; i < end; ++i, y += shape->y_along, at += stride * shape->x_along) {
        *y = tg_slide_result(shape, window, 1, 0, at, sums);
    }
    TG_UNROLL(7)
    for (; i < out; ++i, y += shape->y_along) {
        const int32_t place = i * stride + before - pad;
        *y = tg_slide_result(shape, window, 0, place, x, sums);
    }
}

/* All strips of channel c. */
TG_INLINE void tg_slide_channel(const tg_depthwise_slide_s8_shape *shape,
                                const tg_depthwise_slide_s8_params *params, int32_t c,
                                const int8_t *restrict x, int8_t *restrict y)
{
    const tg_short_output output = TG_SHORT_OUTPUT(shape);
    const int32_t words = tg_short_words(&output);
    const int32_t kernel = shape->kernel_across, most = shape->most_moved;
    const int32_t taps = kernel * shape->kernel_along;
    const int8_t *const weights = params->weights + c * (taps + 2 * most * shape->kernel_along);
    const int32_t *const starts = params->starts + c * (2 * most + 1);
    const int32_t room = shape->in_across - kernel;
    const int32_t inside = (room + shape->pad_across) / shape->stride_across + 1;
    tg_slide_window window;
    window.zero_point = params->input_zero_point;
    TG_UNROLL(6)
    for (int32_t i = 0; i < words; ++i) {
        window.constants[i] = params->constants[c * words + i];
    }
    int32_t strip = 0;
    while (strip < shape->out_across) {
        const int32_t wanted = strip * shape->stride_across - shape->pad_across;
        int32_t from = tg_clamp(wanted, 0, room);
        const int32_t moved = most + from - wanted;
        /* As long as it is not moved, it keeps its weights. */
        const int32_t end = moved == most ? tg_min(inside, shape->out_across) : strip + 1;
        window.start = starts[moved];
        TG_UNROLL(49)
        for (int32_t i = 0; i < taps; ++i) {
            /* Shifted here, rather than each sum. */
            window.w[i] = weights[moved * shape->kernel_along + i] * (1 << shape->left);
        }
        for (; strip < end; ++strip, from += shape->stride_across) {
            tg_slide_strip(shape, &window, x + (from * shape->x_across + c),
                           y + (strip * shape->y_across + c));
        }
    }
}

TG_INLINE void tg_depthwise_slide_s8(const tg_depthwise_slide_s8_shape *shape,
                                     const tg_depthwise_slide_s8_params *params,
                                     const int8_t *restrict x, int8_t *restrict y)
{
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t c = 0; c < shape->channels; ++c) {
            tg_slide_channel(shape, params, c, x, y);
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
