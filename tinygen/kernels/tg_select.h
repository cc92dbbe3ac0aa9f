/* SELECT and SELECT_V2 on any type: where the condition holds the bytes of x, else those of w.
 *
 * The output is written from its first byte to its last, in four nested loops, the outermost
 * numbered 0. Each operand has a step for each loop, in bytes, which is 0 where it is broadcast; the
 * compiler has merged all loops that advance as one.
 */
#ifndef TG_SELECT_H
#define TG_SELECT_H

#include <stdbool.h>

#include "tg_types.h"

typedef struct {
    int32_t size; /* bytes of an element */
    int32_t n0, c_step0, x_step0, w_step0;
    int32_t n1, c_step1, x_step1, w_step1;
    int32_t n2, c_step2, x_step2, w_step2;
    int32_t n3, c_step3, x_step3, w_step3;
} tg_select_shape;

typedef struct {
    int32_t unused;
} tg_select_params;

TG_INLINE void tg_select(const tg_select_shape *shape, const tg_select_params *params,
                         const bool *condition, const void *x, const void *w, void *y)
{
    (void)params;
    const tg_select_shape s = *shape;
    uint8_t *to = (uint8_t *)y;
    for (int32_t i = 0; i < s.n0; ++i) {
        for (int32_t j = 0; j < s.n1; ++j) {
            for (int32_t k = 0; k < s.n2; ++k) {
                const bool *c = condition + i * s.c_step0 + j * s.c_step1 + k * s.c_step2;
                const uint8_t *a =
                    (const uint8_t *)x + i * s.x_step0 + j * s.x_step1 + k * s.x_step2;
                const uint8_t *b =
                    (const uint8_t *)w + i * s.w_step0 + j * s.w_step1 + k * s.w_step2;
                for (int32_t l = 0; l < s.n3; ++l) {
                    const uint8_t *from = c[l * s.c_step3] ? a + l * s.x_step3 : b + l * s.w_step3;
                    memcpy(to, from, (size_t)shape->size);
                    to += shape->size;
                }
            }
        }
    }
}

#endif
