/* MEAN on int8 and int16 over any axes: the sum, less the zero points, times one fixed-point factor that
 * holds the scales and 1 / count.
 *
 * The compiler has merged neighbouring axes of one kind, so that five loops do for every case:
 * kept, reduced, kept, reduced, kept, from the outside in. Over height and width of an image that
 * is (1, h * w, c, 1, 1).
 */
#ifndef TG_MEAN_H
#define TG_MEAN_H

#include "tg_requant.h"

typedef struct {
    int32_t kept0, reduced0, kept1, reduced1, kept2;
} tg_mean_shape;

typedef struct {
    int32_t bias; /* -input_zero_point * count */
    int32_t multiplier;
    int32_t shift; /* positive is left */
    int32_t output_zero_point;
} tg_mean_params;

/* The same loops for each type of element. */
#define TG_MEAN(name, element, low, high)                                                          \
    TG_INLINE void name(const tg_mean_shape *shape, const tg_mean_params *params,                  \
                        const element *x, element *y)                                              \
    {                                                                                              \
        const tg_mean_params p = *params;                                                          \
        const int32_t inner = shape->kept2;                                                        \
        const int32_t middle = shape->reduced1 * inner;                                            \
        const int32_t outer = shape->kept1 * middle;                                               \
        for (int32_t k0 = 0; k0 < shape->kept0; ++k0) {                                            \
            for (int32_t k1 = 0; k1 < shape->kept1; ++k1) {                                        \
                for (int32_t k2 = 0; k2 < inner; ++k2) {                                           \
                    const element *from = x + k1 * middle + k2;                                    \
                    int32_t sum = p.bias;                                                          \
                    for (int32_t r0 = 0; r0 < shape->reduced0; ++r0) {                             \
                        for (int32_t r1 = 0; r1 < shape->reduced1; ++r1) {                         \
                            sum += from[r0 * outer + r1 * inner];                                  \
                        }                                                                          \
                    }                                                                              \
                    const int32_t q = tg_requant(sum, p.multiplier, p.shift);                      \
                    *y++ = (element)tg_clamp(q + p.output_zero_point, low, high);                  \
                }                                                                                  \
            }                                                                                      \
            x += shape->reduced0 * outer;                                                          \
        }                                                                                          \
    }

TG_MEAN(tg_mean_s8, int8_t, INT8_MIN, INT8_MAX)
TG_MEAN(tg_mean_s16, int16_t, INT16_MIN, INT16_MAX)

#endif
