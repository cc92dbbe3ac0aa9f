/* RESIZE_BILINEAR: each pixel is the weighted mean of four.
 *
 * Where the four are follows from the shapes: for each row of the output, and for each column, the
 * compiler has written the offsets of two neighbours, and how far the pixel is beyond the first of
 * them. That may be negative before the first pixel of the input, where both neighbours are one.
 *
 * Integers have weights in 1/1024, two of which have magnitudes of 2^11 together at most: so no sum
 * of int8 leaves 2^30, and sums of int16 have 64 bits. Halves round away from zero. Floats are
 * multiplied and added up in the order of the reference.
 */
#ifndef TG_RESIZE_BILINEAR_H
#define TG_RESIZE_BILINEAR_H

#include "tg_types.h"

typedef struct {
    int32_t batches;
    int32_t batch_step; /* elements of an image */
    int32_t out_h, out_w;
    int32_t channels;
} tg_resize_bilinear_shape;

typedef struct {
    const int32_t *rows;    /* out_h times: offset, offset, weight of the second */
    const int32_t *columns; /* out_w times */
} tg_resize_bilinear_params;

typedef tg_resize_bilinear_shape tg_resize_bilinear_f32_shape;

typedef struct {
    const int32_t *rows; /* out_h times: offset, offset */
    const int32_t *columns;
    const float *row_weights; /* out_h times: of the first, of the second */
    const float *column_weights;
} tg_resize_bilinear_f32_params;

/* `steps` numbers per row and column; `pixel` makes an element of the output of its neighbours. It
 * may use i and j, the row and the column. */
#define TG_RESIZE_BILINEAR(name, types, element, steps, pixel)                                     \
    TG_INLINE void name(const types##_shape *shape, const types##_params *params,                  \
                        const element *x, element *y)                                              \
    {                                                                                              \
        for (int32_t b = 0; b < shape->batches; ++b) {                                             \
            for (int32_t i = 0; i < shape->out_h; ++i) {                                           \
                const int32_t *row = params->rows + steps * i;                                     \
                for (int32_t j = 0; j < shape->out_w; ++j) {                                       \
                    const int32_t *column = params->columns + steps * j;                           \
                    const element *top_left = x + row[0] + column[0];                              \
                    const element *top_right = x + row[0] + column[1];                             \
                    const element *low_left = x + row[1] + column[0];                              \
                    const element *low_right = x + row[1] + column[1];                             \
                    for (int32_t c = 0; c < shape->channels; ++c) {                                \
                        *y++ = (pixel);                                                            \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
            x += shape->batch_step;                                                                \
        }                                                                                          \
    }

/* Between two values, times 1024. */
TG_INLINE int32_t tg_between(int32_t a, int32_t b, int32_t weight)
{
    return a * ((1 << 10) - weight) + b * weight;
}

TG_INLINE int8_t tg_pixel_s8(int32_t top, int32_t low, int32_t weight)
{
    const int32_t sum = tg_between(top, low, weight);
    return (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

TG_INLINE int16_t tg_pixel_s16(int32_t top, int32_t low, int32_t weight)
{
    const int64_t sum = (int64_t)top * ((1 << 10) - weight) + (int64_t)low * weight;
    return (int16_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

#define TG_RESIZE_INTEGERS(suffix, element)                                                        \
    TG_RESIZE_BILINEAR(tg_resize_bilinear_##suffix, tg_resize_bilinear, element, 3,                \
                       tg_pixel_##suffix(tg_between(top_left[c], top_right[c], column[2]),         \
                                         tg_between(low_left[c], low_right[c], column[2]), row[2]))

TG_RESIZE_INTEGERS(s8, int8_t)
TG_RESIZE_INTEGERS(s16, int16_t)

#define TG_ROW_WEIGHT(k) params->row_weights[2 * i + (k)]
#define TG_COLUMN_WEIGHT(k) params->column_weights[2 * j + (k)]

TG_RESIZE_BILINEAR(tg_resize_bilinear_f32, tg_resize_bilinear_f32, float, 2,
                   top_left[c] * TG_ROW_WEIGHT(0) * TG_COLUMN_WEIGHT(0) +
                       low_left[c] * TG_ROW_WEIGHT(1) * TG_COLUMN_WEIGHT(0) +
                       top_right[c] * TG_ROW_WEIGHT(0) * TG_COLUMN_WEIGHT(1) +
                       low_right[c] * TG_ROW_WEIGHT(1) * TG_COLUMN_WEIGHT(1))

#endif
