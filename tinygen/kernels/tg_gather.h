/* GATHER, EMBEDDING_LOOKUP and GATHER_ND with indices that the model computes: slices of bytes, picked
 * by number. An index outside of its axis counts as the nearest one inside, so that no input can make
 * a kernel read elsewhere.
 */
#ifndef TG_GATHER_H
#define TG_GATHER_H

#include "tg_types.h"

/* GATHER: the input is batches x outer x axis slices, the output batches x outer x count; each batch
 * has `count` indices of its own. */
typedef struct {
    int32_t batches, outer, axis, count;
    int32_t size; /* bytes of a slice */
} tg_gather_shape;

typedef struct {
    int32_t last; /* the largest index */
} tg_gather_params;

/* GATHER_ND: `depth` indices are the place of a slice along as many axes. */
typedef struct {
    int32_t count, depth;
    int32_t size; /* bytes of a slice */
} tg_gather_nd_shape;

typedef struct {
    const int32_t *last; /* the largest index of each axis */
    const int32_t *step; /* bytes from one index to the next */
} tg_gather_nd_params;

/* EMBEDDING_LOOKUP of int8 rows as floats. */
typedef struct {
    int32_t count;
    int32_t size; /* elements of a row */
} tg_embedding_shape;

typedef struct {
    int32_t last;
    float scale;
} tg_embedding_params;

#define TG_INDEX(index, last) ((index) < 0 ? 0 : (index) > (last) ? (last) : (int32_t)(index))

#define TG_GATHER(suffix, number)                                                                  \
    TG_INLINE void tg_gather_##suffix(const tg_gather_shape *shape,                                \
                                      const tg_gather_params *params, const void *x,               \
                                      const number *indices, void *y)                              \
    {                                                                                              \
        const uint8_t *from = (const uint8_t *)x;                                                  \
        uint8_t *to = (uint8_t *)y;                                                                \
        for (int32_t b = 0; b < shape->batches; ++b) {                                             \
            for (int32_t o = 0; o < shape->outer; ++o) {                                           \
                for (int32_t i = 0; i < shape->count; ++i) {                                       \
                    const int32_t index = TG_INDEX(indices[i], params->last);                      \
                    memcpy(to, from + index * shape->size, (size_t)shape->size);                   \
                    to += shape->size;                                                             \
                }                                                                                  \
                from += shape->axis * shape->size;                                                 \
            }                                                                                      \
            indices += shape->count;                                                               \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    TG_INLINE void tg_gather_nd_##suffix(const tg_gather_nd_shape *shape,                          \
                                         const tg_gather_nd_params *params, const void *x,         \
                                         const number *indices, void *y)                           \
    {                                                                                              \
        uint8_t *to = (uint8_t *)y;                                                                \
        for (int32_t i = 0; i < shape->count; ++i) {                                               \
            const uint8_t *from = (const uint8_t *)x;                                              \
            for (int32_t d = 0; d < shape->depth; ++d) {                                           \
                from += TG_INDEX(indices[d], params->last[d]) * params->step[d];                   \
            }                                                                                      \
            memcpy(to, from, (size_t)shape->size);                                                 \
            to += shape->size;                                                                     \
            indices += shape->depth;                                                               \
        }                                                                                          \
    }

TG_GATHER(s32, int32_t)
TG_GATHER(s64, int64_t)

TG_INLINE void tg_embedding_s8_f32(const tg_embedding_shape *shape,
                                   const tg_embedding_params *params, const int8_t *x,
                                   const int32_t *indices, float *y)
{
    for (int32_t i = 0; i < shape->count; ++i) {
        const int8_t *row = x + TG_INDEX(indices[i], params->last) * shape->size;
        for (int32_t c = 0; c < shape->size; ++c) {
            *y++ = params->scale * (float)row[c];
        }
    }
}

#endif
