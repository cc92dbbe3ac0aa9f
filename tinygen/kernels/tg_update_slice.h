/* DYNAMIC_UPDATE_SLICE: a copy of a tensor, with a block of it overwritten.
 *
 * The block is a nest of four loops, the outermost numbered 0, around runs of `run` bytes that lie
 * together on both sides; each loop advances by a number of bytes in the output. Where the output is
 * the input's own buffer, nothing but the block is written.
 *
 * The place of the block is an offset, or indices that the model computes: those count as the nearest
 * at which the whole block lies inside.
 */
#ifndef TG_UPDATE_SLICE_H
#define TG_UPDATE_SLICE_H

#include "tg_types.h"

typedef struct {
    int32_t bytes; /* of the tensor */
    int32_t run;
    int32_t n0, step0;
    int32_t n1, step1;
    int32_t n2, step2;
    int32_t n3, step3;
    int32_t rank; /* indices */
} tg_update_slice_shape;

typedef tg_update_slice_shape tg_update_at_shape;

typedef struct {
    int32_t offset; /* bytes to the block */
} tg_update_slice_params;

typedef struct {
    const int32_t *last; /* the largest index of each axis */
    const int32_t *step; /* bytes from one index to the next */
} tg_update_at_params;

TG_INLINE void tg_update_slice(const tg_update_slice_shape *shape,
                               const tg_update_slice_params *params, const void *x,
                               const void *update, void *y)
{
    const uint8_t *from = (const uint8_t *)update;
    if (x != y) {
        memcpy(y, x, (size_t)shape->bytes);
    }
    for (int32_t i0 = 0; i0 < shape->n0; ++i0) {
        for (int32_t i1 = 0; i1 < shape->n1; ++i1) {
            for (int32_t i2 = 0; i2 < shape->n2; ++i2) {
                for (int32_t i3 = 0; i3 < shape->n3; ++i3) {
                    const int32_t at = i0 * shape->step0 + i1 * shape->step1 + i2 * shape->step2 +
                                       i3 * shape->step3;
                    memcpy((uint8_t *)y + params->offset + at, from, (size_t)shape->run);
                    from += shape->run;
                }
            }
        }
    }
}

#define TG_UPDATE_AT(suffix, number)                                                               \
    TG_INLINE void tg_update_at_##suffix(const tg_update_at_shape *shape,                          \
                                         const tg_update_at_params *params, const void *x,         \
                                         const void *update, const number *indices, void *y)       \
    {                                                                                              \
        tg_update_slice_params place = {0};                                                        \
        for (int32_t d = 0; d < shape->rank; ++d) {                                                \
            const number index = indices[d] < 0 ? 0 : indices[d];                                  \
            const int32_t last = params->last[d];                                                  \
            place.offset += (index > last ? last : (int32_t)index) * params->step[d];              \
        }                                                                                          \
        tg_update_slice(shape, &place, x, update, y);                                              \
    }

TG_UPDATE_AT(s32, int32_t)
TG_UPDATE_AT(s64, int64_t)

#endif
