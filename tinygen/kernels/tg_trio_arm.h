/* tg_trio.h's multiplications as assembly for Armv7-M and Armv6-M.
 *
 * Compilers spill some of the sums that fill the registers, or copy operands that need not survive.
 * What these blocks compute is written in C in tg_trio.h, for other compilers and machines. The
 * first step begins the sums; of the others up to eight are written out, and repeated.
 */
#ifndef TG_TRIO_ARM_H
#define TG_TRIO_ARM_H

#include "tg_types.h"

#if defined(__GNUC__) && !defined(__clang__) && defined(__ARM_ARCH_ISA_THUMB) &&                   \
    defined(__thumb__) && defined(__OPTIMIZE__)
#define TG_TRIO_ASSEMBLY
#define TG_TRIO_UNROLLED 8

/* Written out, as the compiler counts lines to know how far away its constants are. */
#define TG_TRIO_TWICE(steps) steps steps
#define TG_TRIO_4_TIMES(steps) TG_TRIO_TWICE(TG_TRIO_TWICE(steps))
#define TG_TRIO_8_TIMES(steps) TG_TRIO_TWICE(TG_TRIO_4_TIMES(steps))
#define TG_TRIO_REST(step)                                                                         \
    ".if %c[rest] & 4\n\t" TG_TRIO_4_TIMES(step) ".endif\n\t"                                     \
    ".if %c[rest] & 2\n\t" TG_TRIO_TWICE(step) ".endif\n\t"                                       \
    ".if %c[rest] & 1\n\t" step ".endif\n\t"

#if __ARM_ARCH_ISA_THUMB == 2
/* r0: words. r1: the row. r2: its byte. r3, r4, r5, r12: the words of a step. r6 to r9: sums. r10:
 * the row's end. */
#define TG_TRIO_1X4_STEP(multiply, s6, s7, s8, s9)                                                 \
    "ldrsb r2, [r1], #1\n\t"                                                                       \
    "ldm r0!, {r3, r4, r5, r12}\n\t"                                                               \
    multiply " r6, r2, r3" s6 "\n\t"                                                               \
    multiply " r7, r2, r4" s7 "\n\t"                                                               \
    multiply " r8, r2, r5" s8 "\n\t"                                                               \
    multiply " r9, r2, r12" s9 "\n\t"
#define TG_TRIO_1X4_FIRST TG_TRIO_1X4_STEP("mul", "", "", "", "")
#define TG_TRIO_1X4_NEXT TG_TRIO_1X4_STEP("mla", ", r6", ", r7", ", r8", ", r9")

TG_INLINE void tg_trio_1x4_assembly(int32_t steps, const uint32_t *words, const int8_t *w,
                                    uint32_t acc[4])
{
    const int32_t loops = (steps - 1) / TG_TRIO_UNROLLED;
    const int32_t rest = steps - 1 - loops * TG_TRIO_UNROLLED;
    register const uint32_t *r0 __asm__("r0") = words;
    register const int8_t *r1 __asm__("r1") = w;
    register const int8_t *r10 __asm__("r10") = w + steps;
    register uint32_t r6 __asm__("r6"), r7 __asm__("r7"), r8 __asm__("r8"), r9 __asm__("r9");
    __asm__ volatile(TG_TRIO_1X4_FIRST
                     TG_TRIO_REST(TG_TRIO_1X4_NEXT) ".if %c[loops]\n"
                     "1:\n\t"
                     TG_TRIO_8_TIMES(TG_TRIO_1X4_NEXT)
                     "cmp r1, r10\n\t"
                     "bne 1b\n\t"
                     ".endif"
                     : "+r"(r0), "+r"(r1), "=&r"(r6), "=&r"(r7), "=&r"(r8), "=&r"(r9)
                     : "r"(r10), [loops] "n"(loops), [rest] "n"(rest)
                     : "r2", "r3", "r4", "r5", "r12", "cc", "memory");
    acc[0] = r6, acc[1] = r7, acc[2] = r8, acc[3] = r9;
}

#define TG_TRIO_2X4_ASSEMBLY
#define TG_TRIO_MOST_STEP 4095 /* between two rows of bytes, the reach of a load */

/* r0: words. r1: the first row. r2, r3: a byte of either row. r4, r5: two words of a step. Sums of
 * the first row in r6 to r9, of the second in r10, r11, r12, lr. The end of the first row waits on
 * the stack. */
#define TG_TRIO_2X4_STEP(multiply, s6, s7, s8, s9, s10, s11, s12, s14)                             \
    "ldrsb r3, [r1, #%c[w_step]]\n\t"                                                              \
    "ldrsb r2, [r1], #1\n\t"                                                                       \
    "ldm r0!, {r4, r5}\n\t"                                                                        \
    multiply " r6, r2, r4" s6 "\n\t"                                                               \
    multiply " r7, r2, r5" s7 "\n\t"                                                               \
    multiply " r10, r3, r4" s10 "\n\t"                                                             \
    multiply " r11, r3, r5" s11 "\n\t"                                                             \
    "ldm r0!, {r4, r5}\n\t"                                                                        \
    multiply " r8, r2, r4" s8 "\n\t"                                                               \
    multiply " r9, r2, r5" s9 "\n\t"                                                               \
    multiply " r12, r3, r4" s12 "\n\t"                                                             \
    multiply " lr, r3, r5" s14 "\n\t"
#define TG_TRIO_2X4_FIRST TG_TRIO_2X4_STEP("mul", "", "", "", "", "", "", "", "")
#define TG_TRIO_2X4_NEXT                                                                           \
    TG_TRIO_2X4_STEP("mla", ", r6", ", r7", ", r8", ", r9", ", r10", ", r11", ", r12", ", lr")

TG_INLINE void tg_trio_2x4_assembly(int32_t steps, const uint32_t *words, const int8_t *w,
                                    int32_t w_step, uint32_t acc[8])
{
    const int32_t loops = (steps - 1) / TG_TRIO_UNROLLED;
    const int32_t rest = steps - 1 - loops * TG_TRIO_UNROLLED;
    register const uint32_t *r0 __asm__("r0") = words;
    register const int8_t *r1 __asm__("r1") = w;
    register const int8_t *r2 __asm__("r2") = w + steps;
    register uint32_t r6 __asm__("r6"), r7 __asm__("r7"), r8 __asm__("r8"), r9 __asm__("r9");
    register uint32_t r10 __asm__("r10"), r11 __asm__("r11"), r12 __asm__("r12"), r14 __asm__("lr");
    __asm__ volatile(".if %c[loops]\n\t"
                     "push {r2}\n\t"
                     ".endif\n\t" TG_TRIO_2X4_FIRST
                     TG_TRIO_REST(TG_TRIO_2X4_NEXT) ".if %c[loops]\n"
                     "1:\n\t"
                     TG_TRIO_8_TIMES(TG_TRIO_2X4_NEXT)
                     "ldr r2, [sp]\n\t"
                     "cmp r1, r2\n\t"
                     "bne 1b\n\t"
                     "add sp, sp, #4\n\t"
                     ".endif"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "=&r"(r6), "=&r"(r7), "=&r"(r8), "=&r"(r9),
                       "=&r"(r10), "=&r"(r11), "=&r"(r12), "=&r"(r14)
                     : [loops] "n"(loops), [rest] "n"(rest),
                       [w_step] "n"(w_step)
                     : "r3", "r4", "r5", "cc", "memory");
    acc[0] = r6, acc[1] = r7, acc[2] = r8, acc[3] = r9;
    acc[4] = r10, acc[5] = r11, acc[6] = r12, acc[7] = r14;
}

#else
/* r0: words. r1: the end of the row. r2 to r5: the words of a step. r6: the place in the row,
 * counted from its end. r7: the byte there. r8 to r11: sums. No word is needed twice, which suits a
 * multiplication that overwrites an operand; and additions take any register. */
#define TG_TRIO_1X4_STEP(begin)                                                                    \
    "ldm r0!, {r2, r3, r4, r5}\n\t"                                                                \
    "ldrsb r7, [r1, r6]\n\t"                                                                       \
    "muls r2, r7\n\t"                                                                              \
    begin " r8, r2\n\t"                                                                            \
    "muls r3, r7\n\t"                                                                              \
    begin " r9, r3\n\t"                                                                            \
    "muls r4, r7\n\t"                                                                              \
    begin " r10, r4\n\t"                                                                           \
    "muls r5, r7\n\t"                                                                              \
    begin " r11, r5\n\t"                                                                           \
    "adds r6, #1\n\t"

TG_INLINE void tg_trio_1x4_assembly(int32_t steps, const uint32_t *words, const int8_t *w,
                                    uint32_t acc[4])
{
    const int32_t loops = (steps - 1) / TG_TRIO_UNROLLED;
    const int32_t rest = steps - 1 - loops * TG_TRIO_UNROLLED;
    register const uint32_t *r0 __asm__("r0") = words;
    register const int8_t *r1 __asm__("r1") = w + steps;
    register int32_t r6 __asm__("r6") = -steps;
    register uint32_t r8 __asm__("r8"), r9 __asm__("r9"), r10 __asm__("r10"), r11 __asm__("r11");
    __asm__ volatile(".syntax unified\n\t" TG_TRIO_1X4_STEP("mov")
                     TG_TRIO_REST(TG_TRIO_1X4_STEP("add")) ".if %c[loops]\n"
                     "1:\n\t"
                     TG_TRIO_8_TIMES(TG_TRIO_1X4_STEP("add"))
                     "bne 1b\n\t"
                     ".endif"
                     : "+r"(r0), "+r"(r6), "=&r"(r8), "=&r"(r9), "=&r"(r10), "=&r"(r11)
                     : "r"(r1), [loops] "n"(loops), [rest] "n"(rest)
                     : "r2", "r3", "r4", "r5", "r7", "cc", "memory");
    acc[0] = r8, acc[1] = r9, acc[2] = r10, acc[3] = r11;
}
#endif
#endif

#endif
