/* Move elements whose places in the input follow no even step: GATHER, RESIZE_NEAREST_NEIGHBOR,
 * MIRROR_PAD.
 *
 * The output is written from its first byte to its last, in runs of `size` bytes that lie together
 * on both sides. Run (i0, i1, i2) comes from byte i0 * step0 + rows[i1] + columns[i2] of the input:
 * the compiler has done all arithmetic on indices and has written its results into the two tables.
 */
#ifndef TG_TABLE_COPY_H
#define TG_TABLE_COPY_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* bytes of a run */
    int32_t n0, step0;
    int32_t n1; /* entries of rows */
    int32_t n2; /* entries of columns */
} tg_table_copy_shape;

typedef struct {
    const int32_t *rows; /* bytes in the input */
    const int32_t *columns;
} tg_table_copy_params;

TG_INLINE void tg_table_copy(const tg_table_copy_shape *shape, const tg_table_copy_params *params,
                             const void *x, void *y)
{
    const uint8_t *from = (const uint8_t *)x;
    uint8_t *to = (uint8_t *)y;
    for (int32_t i0 = 0; i0 < shape->n0; ++i0) {
        for (int32_t i1 = 0; i1 < shape->n1; ++i1) {
            const uint8_t *row = from + i0 * shape->step0 + params->rows[i1];
            for (int32_t i2 = 0; i2 < shape->n2; ++i2) {
                memcpy(to, row + params->columns[i2], (size_t)shape->size);
                to += shape->size;
            }
        }
    }
}

#endif
