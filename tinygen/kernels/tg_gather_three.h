/* Gathers the patches of three neighbouring pixels that lie inside the image, mixed (tg_twist.h).
 *
 * Where a kernel row is a few bytes long, telling where each begins takes longer than copying it.
 * All distances are constants of the shape though: so the assembler counts pixels, kernel rows and
 * bytes, and what is left to execute is a load, a flip and a store for each word, with nine loads
 * in a row, which take a cycle each. A kernel row's last word overlaps the one before it where the
 * row is no whole words.
 */
#ifndef TG_GATHER_THREE_H
#define TG_GATHER_THREE_H

#include "tg_twist.h"

/* All are constants of the shape, in bytes. */
typedef struct {
    int32_t rows;      /* of the kernel */
    int32_t row_bytes; /* that each has, at least 4 */
    int32_t pitch;     /* from one to the next in the image */
    int32_t step;      /* from one pixel's patch to the next one's in the image */
    int32_t depth;     /* from one patch to the next */
} tg_gather_three_shape;

/* More words in a patch take too much code. */
#define TG_GATHER_THREE_WORDS 16

/* Whether tg_gather_three_assembly takes it. */
TG_INLINE int32_t tg_gather_three_fits(const tg_gather_three_shape *shape)
{
#if defined(TG_TWIST_ASSEMBLY)
    return __builtin_constant_p(shape->pitch) && shape->row_bytes >= 4 &&
           shape->rows * ((shape->row_bytes + 3) / 4) <= TG_GATHER_THREE_WORDS &&
           shape->rows * shape->pitch + 2 * shape->step < 4096 && shape->depth < 1024;
#else
    (void)shape;
    return 0;
#endif
}

#if defined(TG_TWIST_ASSEMBLY)
/* Moves the place named by which (load or store) to the next word: _at within the kernel row, _row
 * within the patch, _pixel. */
#define TG_GATHER_NEXT(which)                                                                      \
    ".set .Ltg_" which "_at, .Ltg_" which "_at + 4\n\t"                                            \
    ".if .Ltg_" which "_at >= %c[row_bytes]\n\t"                                                   \
    ".set .Ltg_" which "_at, 0\n\t"                                                                \
    ".set .Ltg_" which "_row, .Ltg_" which "_row + 1\n\t"                                          \
    ".elseif .Ltg_" which "_at > %c[row_bytes] - 4\n\t"                                            \
    ".set .Ltg_" which "_at, %c[row_bytes] - 4\n\t"                                                \
    ".endif\n\t"                                                                                   \
    ".if .Ltg_" which "_row == %c[rows]\n\t"                                                       \
    ".set .Ltg_" which "_row, 0\n\t"                                                               \
    ".set .Ltg_" which "_pixel, .Ltg_" which "_pixel + 1\n\t"                                      \
    ".endif\n\t"

#define TG_GATHER_START(which)                                                                     \
    ".set .Ltg_" which "_at, 0\n\t"                                                                \
    ".set .Ltg_" which "_row, 0\n\t"                                                               \
    ".set .Ltg_" which "_pixel, 0\n\t"

#define TG_GATHER_LOAD(word)                                                                       \
    ".if .Ltg_load_pixel < 3\n\t"                                                                  \
    "ldr " word ", [r0, #.Ltg_load_pixel * %c[step] + .Ltg_load_row * %c[pitch] + .Ltg_load_at]"   \
    "\n\t" TG_GATHER_NEXT("load")                                                                  \
    ".endif\n\t"

#define TG_GATHER_STORE(word)                                                                      \
    ".if .Ltg_store_pixel < 3\n\t"                                                                 \
    ".set .Ltg_place, .Ltg_store_row * %c[row_bytes] + .Ltg_store_at\n\t"                          \
    ".if .Ltg_place & 1\n\t"                                                                       \
    "eor " word ", " word ", r3\n\t"                                                               \
    ".else\n\t"                                                                                    \
    "eor " word ", " word ", r2\n\t"                                                               \
    ".endif\n\t"                                                                                   \
    "str " word ", [r1, #.Ltg_store_pixel * %c[depth] + .Ltg_place]\n\t" TG_GATHER_NEXT("store")   \
    ".endif\n\t"

/* The patch of the first pixel begins at x. r0: x. r1: patches. r2, r3: what makes a word mixed
 * whose first byte has an even place in its patch, or an odd one. */
TG_INLINE void tg_gather_three_assembly(const tg_gather_three_shape *shape, const int8_t *x,
                                        int8_t *patches)
{
    register const int8_t *r0 __asm__("r0") = x;
    register int8_t *r1 __asm__("r1") = patches;
    register uint32_t r2 __asm__("r2") = tg_mixed(0);
    register uint32_t r3 __asm__("r3") = tg_mixed(1);
    __asm__ volatile(
        TG_GATHER_START("load")
        TG_GATHER_START("store")
        ".rept (3 * %c[rows] * ((%c[row_bytes] + 3) / 4) + 8) / 9\n\t"
        TG_GATHER_LOAD("r4")
        TG_GATHER_LOAD("r5")
        TG_GATHER_LOAD("r6")
        TG_GATHER_LOAD("r7")
        TG_GATHER_LOAD("r8")
        TG_GATHER_LOAD("r9")
        TG_GATHER_LOAD("r10")
        TG_GATHER_LOAD("r11")
        TG_GATHER_LOAD("r12")
        TG_GATHER_STORE("r4")
        TG_GATHER_STORE("r5")
        TG_GATHER_STORE("r6")
        TG_GATHER_STORE("r7")
        TG_GATHER_STORE("r8")
        TG_GATHER_STORE("r9")
        TG_GATHER_STORE("r10")
        TG_GATHER_STORE("r11")
        TG_GATHER_STORE("r12")
        ".endr"
        :
        : "r"(r0), "r"(r1), "r"(r2), "r"(r3), [rows] "n"(shape->rows),
          [row_bytes] "n"(shape->row_bytes), [pitch] "n"(shape->pitch), [step] "n"(shape->step),
          [depth] "n"(shape->depth)
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "memory");
}
#endif

#endif
