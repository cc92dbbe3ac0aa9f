/* SPACE_TO_BATCH_ND on any type whose border is one byte repeated.
 *
 * The output's images are written one after the other: for each place (m, n) in a block, for each
 * image of the batch, the pixels that lie there in their blocks. The compiler has written into two
 * tables, block_h by out_h and block_w by out_w, at which byte of an image each pixel's row and
 * column begin; those in the border are negative there.
 */
#ifndef TG_SPACE_TO_BATCH_H
#define TG_SPACE_TO_BATCH_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* bytes of a pixel */
    int32_t batches, batch_step;
    int32_t block_h, block_w;
    int32_t out_h, out_w;
} tg_space_to_batch_shape;

typedef struct {
    const int32_t *rows; /* bytes in an image, or negative */
    const int32_t *columns;
    int32_t fill;
} tg_space_to_batch_params;

/* The image of the pixels at one place in their blocks; gives where the next one begins. */
TG_INLINE uint8_t *tg_space_to_batch_image(const tg_space_to_batch_shape *shape, int32_t fill,
                                           const int32_t *rows, const int32_t *columns,
                                           const uint8_t *x, uint8_t *y)
{
    for (int32_t i = 0; i < shape->out_h; ++i) {
        for (int32_t j = 0; j < shape->out_w; ++j) {
            if (rows[i] < 0 || columns[j] < 0) {
                memset(y, fill, (size_t)shape->size);
            } else {
                memcpy(y, x + rows[i] + columns[j], (size_t)shape->size);
            }
            y += shape->size;
        }
    }
    return y;
}

TG_INLINE void tg_space_to_batch(const tg_space_to_batch_shape *shape,
                                 const tg_space_to_batch_params *params, const void *x, void *y)
{
    uint8_t *to = (uint8_t *)y;
    for (int32_t m = 0; m < shape->block_h; ++m) {
        for (int32_t n = 0; n < shape->block_w; ++n) {
            for (int32_t b = 0; b < shape->batches; ++b) {
                to = tg_space_to_batch_image(shape, params->fill, params->rows + m * shape->out_h,
                                             params->columns + n * shape->out_w,
                                             (const uint8_t *)x + b * shape->batch_step, to);
            }
        }
    }
}

#endif
