/* Operators on one whole number, taken as it is stored: what two's complement does not hold wraps,
 * as the least number's negative does.
 *
 * x and y may be the same.
 */
#ifndef TG_UNARY_PLAIN_H
#define TG_UNARY_PLAIN_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_unary_plain_shape;

typedef struct {
    int32_t unused;
} tg_unary_plain_params;

#define TG_UNARY_PLAIN(name, type, result)                                                         \
    TG_INLINE void name(const tg_unary_plain_shape *shape, const tg_unary_plain_params *params,    \
                        const type *x, type *y)                                                    \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            const type v = x[i];                                                                   \
            y[i] = (type)(result);                                                                 \
        }                                                                                          \
    }

TG_UNARY_PLAIN(tg_abs_plain_s16, int16_t, v < 0 ? -v : v)
TG_UNARY_PLAIN(tg_abs_s32, int32_t, v < 0 ? 0u - (uint32_t)v : (uint32_t)v)
TG_UNARY_PLAIN(tg_neg_s16, int16_t, -v)
TG_UNARY_PLAIN(tg_neg_s32, int32_t, 0u - (uint32_t)v)
TG_UNARY_PLAIN(tg_neg_s64, int64_t, 0u - (uint64_t)v)
TG_UNARY_PLAIN(tg_sign_s32, int32_t, (v > 0) - (v < 0))

#endif
