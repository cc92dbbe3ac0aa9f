/* PAD on any type: blocks of the input between runs of fill. The border is mostly one byte repeated,
 * for zeros are that in every type; tg_pad_2, 4 and 8 are for elements of so many bytes that differ.
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
    int32_t fill; /* every byte of the border */
} tg_pad_params;

typedef tg_pad_shape tg_pad_2_shape, tg_pad_4_shape, tg_pad_8_shape;

typedef struct {
    const uint8_t *fill; /* the bytes of an element of the border */
} tg_pad_2_params, tg_pad_4_params, tg_pad_8_params;

TG_INLINE uint8_t *tg_pad_fill(uint8_t *y, int32_t value, int32_t count)
{
    memset(y, value, (size_t)count);
    return y + count;
}

TG_INLINE uint8_t *tg_pad_fill_with(uint8_t *y, const uint8_t *element, int32_t size, int32_t count)
{
    for (int32_t at = 0; at < count; at += size) {
        memcpy(y + at, element, (size_t)size);
    }
    return y + count;
}

/* `fill` writes so many bytes of border at `out`, and tells where they end. */
#define TG_PAD(name, fill)                                                                         \
    TG_INLINE void name(const name##_shape *shape, const name##_params *params, const void *x,     \
                        void *y)                                                                   \
    {                                                                                              \
        const uint8_t *in = (const uint8_t *)x;                                                    \
        uint8_t *out = (uint8_t *)y;                                                               \
        out = fill(shape->before4);                                                                \
        for (int32_t i4 = 0; i4 < shape->n4; ++i4) {                                               \
            out = fill(shape->before3);                                                            \
            for (int32_t i3 = 0; i3 < shape->n3; ++i3) {                                           \
                out = fill(shape->before2);                                                        \
                for (int32_t i2 = 0; i2 < shape->n2; ++i2) {                                       \
                    out = fill(shape->before1);                                                    \
                    for (int32_t i1 = 0; i1 < shape->n1; ++i1) {                                   \
                        out = fill(shape->before0);                                                \
                        memcpy(out, in, (size_t)shape->size);                                      \
                        in += shape->size;                                                         \
                        out += shape->size;                                                        \
                        out = fill(shape->after0);                                                 \
                    }                                                                              \
                    out = fill(shape->after1);                                                     \
                }                                                                                  \
                out = fill(shape->after2);                                                         \
            }                                                                                      \
            out = fill(shape->after3);                                                             \
        }                                                                                          \
        out = fill(shape->after4);                                                                 \
        (void)out;                                                                                 \
    }

#define TG_PAD_BYTES(count) tg_pad_fill(out, params->fill, count)
#define TG_PAD_PAIRS(count) tg_pad_fill_with(out, params->fill, 2, count)
#define TG_PAD_WORDS(count) tg_pad_fill_with(out, params->fill, 4, count)
#define TG_PAD_DOUBLES(count) tg_pad_fill_with(out, params->fill, 8, count)

TG_PAD(tg_pad, TG_PAD_BYTES)
TG_PAD(tg_pad_2, TG_PAD_PAIRS)
TG_PAD(tg_pad_4, TG_PAD_WORDS)
TG_PAD(tg_pad_8, TG_PAD_DOUBLES)

#endif
