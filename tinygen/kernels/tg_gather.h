/* GATHER with indices that the model computes: slices of `size` bytes, picked by number.
 *
 * The input is batches x outer x axis slices, the output batches x outer x count; each batch has
 * `count` indices of its own. An index outside of the axis counts as the nearest one inside, so
 * that no input can make the kernel read elsewhere.
 */
#ifndef TG_GATHER_H
#define TG_GATHER_H

#include "tg_types.h"

typedef struct {
    int32_t batches, outer, axis, count;
    int32_t size; /* bytes of a slice */
} tg_gather_shape;

typedef struct {
    int32_t last; /* the largest index */
} tg_gather_params;

TG_INLINE void tg_gather(const tg_gather_shape *shape, const tg_gather_params *params,
                         const void *x, const int32_t *indices, void *y)
{
    const uint8_t *from = (const uint8_t *)x;
    uint8_t *to = (uint8_t *)y;
    for (int32_t b = 0; b < shape->batches; ++b) {
        for (int32_t o = 0; o < shape->outer; ++o) {
            for (int32_t i = 0; i < shape->count; ++i) {
                const int32_t index = tg_clamp(indices[i], 0, params->last);
                memcpy(to, from + index * shape->size, (size_t)shape->size);
                to += shape->size;
            }
            from += shape->axis * shape->size;
        }
        indices += shape->count;
    }
}

#endif
