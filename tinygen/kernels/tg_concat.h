/* CONCATENATION, one input of it: `count` blocks copied to their places in the output.
 *
 * All sizes are in bytes. A block is what the input has from the concatenated axis inwards; blocks
 * are `stride` bytes apart in the output.
 */
#ifndef TG_CONCAT_H
#define TG_CONCAT_H

#include "tg_types.h"

typedef struct {
    int32_t count, size, stride;
} tg_concat_shape;

typedef struct {
    int32_t offset; /* of this input's first block in the output */
} tg_concat_params;

TG_INLINE void tg_concat(const tg_concat_shape *shape, const tg_concat_params *params,
                         const void *x, void *y)
{
    const uint8_t *in = (const uint8_t *)x;
    uint8_t *out = (uint8_t *)y + params->offset;
    for (int32_t i = 0; i < shape->count; ++i) {
        memcpy(out, in, (size_t)shape->size);
        in += shape->size;
        out += shape->stride;
    }
}

#endif
