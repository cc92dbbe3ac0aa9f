/* Any function of one 8-bit value, element by element: logistic, tanh, ReLU, requantization, and
 * ADD or MUL with one constant. The compiler computed all 256 results with the numpy reference.
 *
 * Signed and unsigned bytes are alike here, so the pointers are void; x and y may be the same.
 */
#ifndef TG_LUT_8_H
#define TG_LUT_8_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_lut_8_shape;

typedef struct {
    const uint8_t *table; /* 256 results, by the input's byte read as unsigned */
} tg_lut_8_params;

TG_INLINE void tg_lut_8(const tg_lut_8_shape *shape, const tg_lut_8_params *params, const void *x,
                        void *y)
{
    const uint8_t *table = params->table;
    const uint8_t *in = (const uint8_t *)x;
    uint8_t *out = (uint8_t *)y;
    TG_UNROLL(4)
    for (int32_t i = 0; i < shape->size; ++i) {
        out[i] = table[in[i]];
    }
}

#endif
