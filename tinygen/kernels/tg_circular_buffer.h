/* CIRCULAR_BUFFER: the last slots of a stream, oldest first; a new one pushes the oldest out. `before`
 * and `after` may be one buffer.
 */
#ifndef TG_CIRCULAR_BUFFER_H
#define TG_CIRCULAR_BUFFER_H

#include "tg_types.h"

typedef struct {
    int32_t kept; /* bytes of the slots that stay */
    int32_t slot; /* and of one */
} tg_circular_buffer_shape;

typedef struct {
    int32_t unused;
} tg_circular_buffer_params;

TG_INLINE void tg_circular_buffer(const tg_circular_buffer_shape *shape,
                                  const tg_circular_buffer_params *params, const int8_t *x,
                                  const int8_t *before, int8_t *after)
{
    (void)params;
    memmove(after, before + shape->slot, (size_t)shape->kept);
    memcpy(after + shape->kept, x, (size_t)shape->slot);
}

#endif
