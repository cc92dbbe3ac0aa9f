/* What all reductions share: loops over any axes of a tensor, one result for the values of a set.
 *
 * The compiler has merged neighbouring axes of one kind, so that five loops do for every case:
 * kept, reduced, kept, reduced, kept, from the outside in. Over height and width of an image that
 * is (1, h * w, c, 1, 1). The values of a set are met in the order of the input, as the reference
 * kernels do, which matters where they are floats.
 *
 * TG_REDUCE defines the function `name` on inputs of type `element`. Its expressions may use
 * `total`, of type `number`, which is `start` before the first value of a set; `step` is the next
 * total after `value`, and `finish` the result, which is converted to the type `result`. `p` are
 * the parameters, `shape` the loops.
 */
#ifndef TG_REDUCE_H
#define TG_REDUCE_H

#include "tg_types.h"

typedef struct {
    int32_t kept0, reduced0, kept1, reduced1, kept2;
} tg_reduce_shape;

typedef struct {
    int32_t unused;
} tg_reduce_params;

/* How many values make one result. */
#define TG_REDUCED(shape) ((shape)->reduced0 * (shape)->reduced1)

#define TG_REDUCE(name, param, element, number, result, start, step, finish)                       \
    TG_INLINE void name(const tg_reduce_shape *shape, const param *params, const element *x,       \
                        result *y)                                                                 \
    {                                                                                              \
        const param p = *params;                                                                   \
        const int32_t inner = shape->kept2;                                                        \
        const int32_t middle = shape->reduced1 * inner;                                            \
        const int32_t outer = shape->kept1 * middle;                                               \
        (void)p;                                                                                   \
        for (int32_t k0 = 0; k0 < shape->kept0; ++k0) {                                            \
            for (int32_t k1 = 0; k1 < shape->kept1; ++k1) {                                        \
                for (int32_t k2 = 0; k2 < inner; ++k2) {                                           \
                    const element *from = x + k1 * middle + k2;                                    \
                    number total = (start);                                                        \
                    for (int32_t r0 = 0; r0 < shape->reduced0; ++r0) {                             \
                        for (int32_t r1 = 0; r1 < shape->reduced1; ++r1) {                         \
                            const element value = from[r0 * outer + r1 * inner];                   \
                            total = (step);                                                        \
                        }                                                                          \
                    }                                                                              \
                    *y++ = (result)(finish);                                                       \
                }                                                                                  \
            }                                                                                      \
            x += shape->reduced0 * outer;                                                          \
        }                                                                                          \
    }

#endif
