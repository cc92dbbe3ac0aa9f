/* SQRT and RSQRT on int16, zero points 0.
 *
 * SQRT is the reference's float32, of which each step is exact to the last bit by IEEE 754; the
 * quotient loses its fraction. RSQRT is fixed point: the inverse root of the stored value with 20
 * fractional bits (tg_inverse_root.h), requantized; of zero it is the largest value. Of negative
 * values, at which the references stop, the one is 0 and the other the largest value.
 *
 * x and y may be the same.
 */
#ifndef TG_ROOT_S16_H
#define TG_ROOT_S16_H

#include <math.h>

#include "tg_inverse_root.h"

typedef struct {
    int32_t size; /* elements */
} tg_sqrt_s16_shape;

typedef struct {
    float input_scale;
    float output_scale;
} tg_sqrt_s16_params;

typedef struct {
    int32_t size; /* elements */
} tg_rsqrt_s16_shape;

typedef struct {
    int32_t multiplier;
    int32_t shift; /* positive is left */
} tg_rsqrt_s16_params;

TG_INLINE void tg_sqrt_s16(const tg_sqrt_s16_shape *shape, const tg_sqrt_s16_params *params,
                           const int16_t *x, int16_t *y)
{
    for (int32_t i = 0; i < shape->size; ++i) {
        const float real = params->input_scale * (float)x[i];
        const float steps = x[i] > 0 ? sqrtf(real) / params->output_scale : 0.0f;
        y[i] = steps < 32767.0f ? (int16_t)steps : INT16_MAX;
    }
}

TG_INLINE void tg_rsqrt_s16(const tg_rsqrt_s16_shape *shape, const tg_rsqrt_s16_params *params,
                            const int16_t *x, int16_t *y)
{
    const int32_t fine = 20;
    for (int32_t i = 0; i < shape->size; ++i) {
        if (x[i] <= 0) {
            y[i] = INT16_MAX;
            continue;
        }
        const tg_inverse_root root = tg_inverse_square_root(x[i]);
        const int32_t value = tg_requant(1, root.multiplier, fine - root.right);
        const int32_t scaled = tg_requant(value, params->multiplier, params->shift - fine);
        y[i] = (int16_t)tg_clamp(scaled, INT16_MIN, INT16_MAX);
    }
}

#endif
