/* Operators on int16 that scale their operand or its magnitude, zero points 0: RELU, RELU6, ABS.
 *
 * x and y may be the same.
 */
#ifndef TG_RESCALE_S16_H
#define TG_RESCALE_S16_H

#include "tg_requant.h"

typedef struct {
    int32_t size; /* elements */
} tg_rescale_s16_shape;

typedef struct {
    int32_t multiplier;
    int32_t shift; /* positive is left; the compiler has checked that nothing overflows */
    int32_t output_min;
    int32_t output_max;
} tg_rescale_s16_params;

/* Where both limits lie on one side of 16 bits, the upper one wins. */
#define TG_RESCALE_S16(name, value)                                                                \
    TG_INLINE void name(const tg_rescale_s16_shape *shape, const tg_rescale_s16_params *params,    \
                        const int16_t *x, int16_t *y)                                              \
    {                                                                                              \
        const tg_rescale_s16_params p = *params;                                                   \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            const int32_t v = x[i];                                                                \
            const int32_t scaled = tg_requant(value, p.multiplier, p.shift);                       \
            y[i] = (int16_t)tg_clamp(scaled, p.output_min, p.output_max);                          \
        }                                                                                          \
    }

TG_RESCALE_S16(tg_rescale_value_s16, v)
TG_RESCALE_S16(tg_rescale_magnitude_s16, v < 0 ? -v : v)

#endif
