/* tg_add_linear_s8 of operands that have one shape, without limits, for the Arm DSP extension.
 *
 * The elements are (a * x + b * w + c) >> shift, saturated: two MLA and one SSAT, which shifts as
 * well. What is left to gain is in the loads: a Cortex-M4 takes two cycles for the first of a run
 * of loads and one for each further, so eight are next to each other. x and y may be the same.
 */
#ifndef TG_ADD_LINEAR_S8_DSP_H
#define TG_ADD_LINEAR_S8_DSP_H

#include "tg_require_dsp.h"
#include "tg_simd.h"

typedef struct {
    int32_t size;
    int32_t shift; /* 1 to 31 */
} tg_add_linear_s8_dsp_shape;

typedef struct {
    int32_t a;
    int32_t b;
    int32_t c;
} tg_add_linear_s8_dsp_params;

#if defined(TG_DSP_ASSEMBLY)
/* Four elements. r0: x. r1: w. r2: y. r3, r4, r5: a, b, c. */
#define TG_ADD_LINEAR_FOUR                                                                         \
    "ldrsb r7, [r1, #1]\n\t"                                                                       \
    "ldrsb r8, [r1, #2]\n\t"                                                                       \
    "ldrsb r9, [r1, #3]\n\t"                                                                       \
    "ldrsb r6, [r1], #4\n\t"                                                                       \
    "ldrsb r11, [r0, #1]\n\t"                                                                      \
    "ldrsb r12, [r0, #2]\n\t"                                                                      \
    "ldrsb lr, [r0, #3]\n\t"                                                                       \
    "ldrsb r10, [r0], #4\n\t"                                                                      \
    "mla r7, r7, r4, r5\n\t"                                                                       \
    "mla r8, r8, r4, r5\n\t"                                                                       \
    "mla r9, r9, r4, r5\n\t"                                                                       \
    "mla r6, r6, r4, r5\n\t"                                                                       \
    "mla r7, r11, r3, r7\n\t"                                                                      \
    "mla r8, r12, r3, r8\n\t"                                                                      \
    "ssat r7, #8, r7, asr #%c[shift]\n\t"                                                          \
    "mla r9, lr, r3, r9\n\t"                                                                       \
    "strb r7, [r2, #1]\n\t"                                                                        \
    "ssat r8, #8, r8, asr #%c[shift]\n\t"                                                          \
    "mla r6, r10, r3, r6\n\t"                                                                      \
    "strb r8, [r2, #2]\n\t"                                                                        \
    "ssat r9, #8, r9, asr #%c[shift]\n\t"                                                          \
    "strb r9, [r2, #3]\n\t"                                                                        \
    "ssat r6, #8, r6, asr #%c[shift]\n\t"                                                          \
    "strb r6, [r2], #4\n\t"

/* So many times eight elements, at least once. */
TG_INLINE void tg_add_linear_assembly(const tg_add_linear_s8_dsp_shape *shape,
                                      const tg_add_linear_s8_dsp_params *params, const int8_t *x,
                                      const int8_t *w, int8_t *y, int32_t eights)
{
    register const int8_t *r0 __asm__("r0") = x;
    register const int8_t *r1 __asm__("r1") = w;
    register int8_t *r2 __asm__("r2") = y;
    register int32_t r3 __asm__("r3") = params->a;
    register int32_t r4 __asm__("r4") = params->b;
    register int32_t r5 __asm__("r5") = params->c;
    register const int8_t *r6 __asm__("r6") = y + 8 * eights;
    __asm__ volatile(
        "push {r6}\n"
        "1:\n\t" TG_ADD_LINEAR_FOUR TG_ADD_LINEAR_FOUR
        "ldr r6, [sp]\n\t"
        "cmp r2, r6\n\t"
        "bne 1b\n\t"
        "add sp, sp, #4"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r6)
        : "r"(r3), "r"(r4), "r"(r5), [shift] "n"(shape->shift)
        : "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#endif

TG_INLINE void tg_add_linear_s8_dsp(const tg_add_linear_s8_dsp_shape *shape,
                                    const tg_add_linear_s8_dsp_params *params, const int8_t *x,
                                    const int8_t *w, int8_t *y)
{
    int32_t i = 0;
#if defined(TG_DSP_ASSEMBLY)
    if (__builtin_constant_p(shape->shift) && __builtin_constant_p(shape->size) &&
        shape->size >= 8) {
        tg_add_linear_assembly(shape, params, x, w, y, shape->size / 8);
        i = shape->size & ~7;
    }
#endif
    /* A store to y might change what params points to, as far as the compiler knows. */
    const int32_t a = params->a;
    const int32_t b = params->b;
    const int32_t c = params->c;
    TG_UNROLL(4)
    for (; i < shape->size; ++i) {
        const int32_t sum = a * x[i] + (b * w[i] + c);
        y[i] = tg_saturated_half(sum >> (shape->shift - 1));
    }
}

#endif
