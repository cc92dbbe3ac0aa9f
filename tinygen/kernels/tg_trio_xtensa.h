/* tg_trio.h's multiplications as assembly for Xtensa cores.
 *
 * GCC moves the loads of several steps up together, and spills for it. Four sums, an operand and a
 * product are what is alive here. What the block computes is written in C in tg_trio.h.
 */
#ifndef TG_TRIO_XTENSA_H
#define TG_TRIO_XTENSA_H

#include "tg_types.h"

#if defined(__GNUC__) && defined(__XTENSA__)
#define TG_TRIO_ASSEMBLY
#define TG_TRIO_UNROLLED 4

#define TG_TRIO_PRODUCT(place, k, sum)                                                             \
    "l32i %[x], %[words], 16 * " k " + " place "\n\t"                                              \
    "mull %[x], %[x], %[v]\n\t"                                                                    \
    "add %[" sum "], %[" sum "], %[x]\n\t"
#define TG_TRIO_1X4_STEP(k)                                                                        \
    "l8ui %[v], %[w], " k "\n\t"                                                                   \
    "slli %[v], %[v], 24\n\t"                                                                      \
    "srai %[v], %[v], 24\n\t"                                                                      \
    TG_TRIO_PRODUCT("0", k, "a0")                                                                  \
    TG_TRIO_PRODUCT("4", k, "a1")                                                                  \
    TG_TRIO_PRODUCT("8", k, "a2")                                                                  \
    TG_TRIO_PRODUCT("12", k, "a3")

TG_INLINE void tg_trio_1x4_assembly(int32_t steps, const uint32_t *words, const int8_t *w,
                                    uint32_t acc[4])
{
    const int8_t *const end = w + (steps & ~(TG_TRIO_UNROLLED - 1));
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, v, x;
    if (steps >= TG_TRIO_UNROLLED) {
        __asm__ volatile("1:\n\t" TG_TRIO_1X4_STEP("0") TG_TRIO_1X4_STEP("1")
                         TG_TRIO_1X4_STEP("2") TG_TRIO_1X4_STEP("3")
                         "addi %[words], %[words], 64\n\t"
                         "addi %[w], %[w], 4\n\t"
                         "bne %[w], %[end], 1b"
                         : [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3),
                           [words] "+r"(words), [w] "+r"(w), [v] "=&r"(v), [x] "=&r"(x)
                         : [end] "r"(end)
                         : "memory");
    }
    TG_UNROLL(4)
    for (int32_t k = 0; k < steps % TG_TRIO_UNROLLED; ++k) {
        __asm__ volatile(TG_TRIO_1X4_STEP("0")
                         : [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3),
                           [v] "=&r"(v), [x] "=&r"(x)
                         : [words] "r"(words + 4 * k), [w] "r"(w + k)
                         : "memory");
    }
    acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3;
}
#endif

#endif
