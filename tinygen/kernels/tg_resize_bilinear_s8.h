/* RESIZE_BILINEAR on int8: each pixel is the weighted mean of four, the weights in 1/1024.
 *
 * Where the four are follows from the shapes: for each row of the output, and for each column, the
 * compiler has written three numbers: the offset of the first of two neighbours, that of the
 * second, and the weight of the second. A weight may be negative before the first pixel, where
 * both neighbours are one. No sum leaves 2^30: the weights of a pair have magnitudes of 2^11
 * together at most, and values have 2^7. Halves round away from zero.
 */
#ifndef TG_RESIZE_BILINEAR_S8_H
#define TG_RESIZE_BILINEAR_S8_H

#include "tg_types.h"

typedef struct {
    int32_t batches;
    int32_t batch_step; /* bytes of an image */
    int32_t out_h, out_w;
    int32_t channels;
} tg_resize_bilinear_s8_shape;

typedef struct {
    const int32_t *rows;    /* out_h times: offset, offset, weight of the second */
    const int32_t *columns; /* out_w times */
} tg_resize_bilinear_s8_params;

TG_INLINE void tg_resize_bilinear_s8(const tg_resize_bilinear_s8_shape *shape,
                                     const tg_resize_bilinear_s8_params *params, const int8_t *x,
                                     int8_t *y)
{
    const int32_t one = 1 << 10;
    const int32_t half = 1 << 19;
    for (int32_t b = 0; b < shape->batches; ++b) {
        for (int32_t i = 0; i < shape->out_h; ++i) {
            const int32_t *row = params->rows + 3 * i;
            for (int32_t j = 0; j < shape->out_w; ++j) {
                const int32_t *column = params->columns + 3 * j;
                const int8_t *top_left = x + row[0] + column[0];
                const int8_t *top_right = x + row[0] + column[1];
                const int8_t *low_left = x + row[1] + column[0];
                const int8_t *low_right = x + row[1] + column[1];
                for (int32_t c = 0; c < shape->channels; ++c) {
                    const int32_t top = top_left[c] * (one - column[2]) + top_right[c] * column[2];
                    const int32_t low = low_left[c] * (one - column[2]) + low_right[c] * column[2];
                    const int32_t sum = top * (one - row[2]) + low * row[2];
                    *y++ = (int8_t)((sum + (sum > 0 ? half : -half)) / (1 << 20));
                }
            }
        }
        x += shape->batch_step;
    }
}

#endif
