/* Move elements whose places in the input lie evenly: SLICE, SPLIT, TRANSPOSE, BROADCAST_TO and kin.
 *
 * The output is written from its first byte to its last. It is a nest of five loops, the outermost
 * numbered 0, around runs of `size` bytes that lie together on both sides; each loop advances by a
 * number of bytes in the input, which is negative to go backwards and 0 to repeat. The compiler has
 * merged all loops that advance as one.
 */
#ifndef TG_STRIDED_COPY_H
#define TG_STRIDED_COPY_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* bytes of a run */
    int32_t n0, step0;
    int32_t n1, step1;
    int32_t n2, step2;
    int32_t n3, step3;
    int32_t n4, step4;
} tg_strided_copy_shape;

typedef struct {
    int32_t offset; /* of the first run in the input */
} tg_strided_copy_params;

/* n4 runs; a single byte is not worth a call of memcpy. */
TG_INLINE uint8_t *tg_strided_copy_runs(const tg_strided_copy_shape *shape, const uint8_t *from,
                                        uint8_t *to)
{
    if (shape->size == 1) {
        for (int32_t i = 0; i < shape->n4; ++i) {
            to[i] = from[i * shape->step4];
        }
        return to + shape->n4;
    }
    for (int32_t i = 0; i < shape->n4; ++i) {
        memcpy(to, from + i * shape->step4, (size_t)shape->size);
        to += shape->size;
    }
    return to;
}

TG_INLINE void tg_strided_copy(const tg_strided_copy_shape *shape,
                               const tg_strided_copy_params *params, const void *x, void *y)
{
    const uint8_t *from = (const uint8_t *)x + params->offset;
    uint8_t *to = (uint8_t *)y;
    for (int32_t i0 = 0; i0 < shape->n0; ++i0) {
        for (int32_t i1 = 0; i1 < shape->n1; ++i1) {
            for (int32_t i2 = 0; i2 < shape->n2; ++i2) {
                for (int32_t i3 = 0; i3 < shape->n3; ++i3) {
                    const int32_t at = i0 * shape->step0 + i1 * shape->step1 + i2 * shape->step2 +
                                       i3 * shape->step3;
                    to = tg_strided_copy_runs(shape, from + at, to);
                }
            }
        }
    }
}

#endif
