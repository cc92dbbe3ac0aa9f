/* PAD on any type whose border is one byte repeated: blocks of the input between runs of fill.
 *
 * All sizes are in bytes. Axis 0 is the innermost here: `size` bytes of input between before0 and
 * after0 bytes of fill make a block; n1 blocks between before1 and after1 bytes make the next one,
 * and so on. Axes that the model does not pad have been merged away.
 */
#ifndef TG_PAD_H
#define TG_PAD_H

#include "tg_types.h"

typedef struct {
    int32_t size, before0, after0;
    int32_t n1, before1, after1;
    int32_t n2, before2, after2;
    int32_t n3, before3, after3;
    int32_t n4, before4, after4;
} tg_pad_shape;

typedef struct {
    int32_t fill;
} tg_pad_params;

TG_INLINE uint8_t *tg_pad_fill(uint8_t *y, int32_t value, int32_t count)
{
    memset(y, value, (size_t)count);
    return y + count;
}

TG_INLINE void tg_pad(const tg_pad_shape *shape, const tg_pad_params *params, const void *x,
                      void *y)
{
    const uint8_t *in = (const uint8_t *)x;
    uint8_t *out = tg_pad_fill((uint8_t *)y, params->fill, shape->before4);
    for (int32_t i4 = 0; i4 < shape->n4; ++i4) {
        out = tg_pad_fill(out, params->fill, shape->before3);
        for (int32_t i3 = 0; i3 < shape->n3; ++i3) {
            out = tg_pad_fill(out, params->fill, shape->before2);
            for (int32_t i2 = 0; i2 < shape->n2; ++i2) {
                out = tg_pad_fill(out, params->fill, shape->before1);
                for (int32_t i1 = 0; i1 < shape->n1; ++i1) {
                    out = tg_pad_fill(out, params->fill, shape->before0);
                    memcpy(out, in, (size_t)shape->size);
                    in += shape->size;
                    out = tg_pad_fill(out + shape->size, params->fill, shape->after0);
                }
                out = tg_pad_fill(out, params->fill, shape->after1);
            }
            out = tg_pad_fill(out, params->fill, shape->after2);
        }
        out = tg_pad_fill(out, params->fill, shape->after3);
    }
    tg_pad_fill(out, params->fill, shape->after4);
}

#endif
