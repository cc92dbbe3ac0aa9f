/* Words that every kernel shares: attributes and small helpers, for any C99 compiler. */
#ifndef TG_TYPES_H
#define TG_TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
/* Shapes are compile-time constants of each instance only if the kernel is inlined into it. */
#define TG_INLINE static inline __attribute__((always_inline, unused))
#define TG_NOINLINE __attribute__((noinline))
#define TG_UNROLL(n) _Pragma(TG_STRING(GCC unroll n))
#else
#define TG_INLINE static inline
#define TG_NOINLINE
#define TG_UNROLL(n)
#endif
#define TG_STRING(text) #text

/* The value, of which the compiler is to know nothing: a loop so many times long stays a loop. */
TG_INLINE int32_t tg_hidden(int32_t value)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(value));
#endif
    return value;
}

TG_INLINE int32_t tg_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

TG_INLINE int32_t tg_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

TG_INLINE int32_t tg_clamp(int32_t value, int32_t low, int32_t high)
{
    return tg_min(tg_max(value, low), high);
}

#endif
