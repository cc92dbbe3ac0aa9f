/* The Arm instructions that C does not reach and kernels use, and the same in plain C.
 *
 * This is the only header that knows intrinsics. Most are the DSP extension's: where that is
 * missing each is computed in C, so that the kernels that use it are tested on the host too, and
 * tg_require_dsp.h keeps those kernels from ending on a core that would run them so.
 *
 * A word holds four int8 or two int16, the first in its lowest bits.
 */
#ifndef TG_SIMD_H
#define TG_SIMD_H

#include "tg_types.h"

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
#define TG_SIMD_NATIVE
#if __GNUC__ >= 10 || defined(__clang__)
#include <arm_acle.h>
#else
#define TG_SIMD_ASSEMBLER /* GCC 7 to 9, which some Arduino cores build with, lack the intrinsics */
#endif
#endif

/* Whether kernels may write inner loops as assembly. These fill all registers; but Clang keeps its
 * frame pointer in r7 whatever an asm statement overwrites, and no more than warns of that. */
#if defined(TG_SIMD_NATIVE) && defined(__thumb2__) && defined(__OPTIMIZE__) && !defined(__clang__)
#define TG_DSP_ASSEMBLY
#endif

#if defined(__GNUC__)
/* A packed, aliasing word is one LDR wherever the core may load unaligned words. A memcpy is as
 * well, but under -ffreestanding it is a call. */
typedef struct __attribute__((packed, may_alias)) {
    uint32_t word;
} tg_unaligned_word;
typedef struct __attribute__((packed, may_alias)) {
    uint16_t half;
} tg_unaligned_half;
#endif

/* Four consecutive bytes. */
TG_INLINE uint32_t tg_load_4xs8(const int8_t *p)
{
#if defined(__GNUC__) && (!defined(__BYTE_ORDER__) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    return ((const tg_unaligned_word *)(const void *)p)->word;
#else
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 | (uint32_t)(uint8_t)p[2] << 16 |
           (uint32_t)(uint8_t)p[3] << 24;
#endif
}

/* Two consecutive bytes, in the lower half of a word. */
TG_INLINE uint32_t tg_load_2xs8(const int8_t *p)
{
#if defined(__GNUC__) && (!defined(__BYTE_ORDER__) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    return ((const tg_unaligned_half *)(const void *)p)->half;
#else
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8;
#endif
}

/* Stores the lower half of value as half number i of a word. */
TG_INLINE void tg_store_half(uint32_t *p, int32_t i, int32_t value)
{
#if defined(__GNUC__) && (!defined(__BYTE_ORDER__) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    ((tg_unaligned_half *)(void *)p)[i].half = (uint16_t)value;
#else
    *p = (*p & ~(0xffffu << (16 * i))) | ((uint32_t)value & 0xffffu) << (16 * i);
#endif
}

TG_INLINE void tg_store_4xs8(int8_t *p, uint32_t word)
{
#if defined(__GNUC__) && (!defined(__BYTE_ORDER__) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    ((tg_unaligned_word *)(void *)p)->word = word;
#else
    for (int32_t i = 0; i < 4; ++i) {
        p[i] = (int8_t)(uint8_t)(word >> (8 * i));
    }
#endif
}

/* Copies 16 bytes and flips the bits of mask in each word. */
TG_INLINE void tg_copy_flipped_16(int8_t *to, const int8_t *from, uint32_t mask)
{
#if defined(TG_SIMD_NATIVE)
    /* GCC lets other instructions come between the loads, which back to back take a cycle each, or
     * spills what it has loaded. */
    uint32_t a, b, c, d;
    __asm__ volatile("ldr %0, [%4]\n\t"
                     "ldr %1, [%4, #4]\n\t"
                     "ldr %2, [%4, #8]\n\t"
                     "ldr %3, [%4, #12]\n\t"
                     "eor %0, %0, %6\n\t"
                     "eor %1, %1, %6\n\t"
                     "eor %2, %2, %6\n\t"
                     "eor %3, %3, %6\n\t"
                     "str %0, [%5]\n\t"
                     "str %1, [%5, #4]\n\t"
                     "str %2, [%5, #8]\n\t"
                     "str %3, [%5, #12]"
                     : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)
                     : "r"(from), "r"(to), "r"(mask)
                     : "memory");
#else
    for (int32_t i = 0; i < 16; i += 4) {
        tg_store_4xs8(to + i, tg_load_4xs8(from + i) ^ mask);
    }
#endif
}

/* Sixteen consecutive bytes as four words. */
TG_INLINE void tg_load_16xs8(const int8_t *p, uint32_t *words)
{
#if defined(TG_SIMD_NATIVE)
    /* As above: in a row. */
    __asm__("ldr %0, [%4]\n\t"
            "ldr %1, [%4, #4]\n\t"
            "ldr %2, [%4, #8]\n\t"
            "ldr %3, [%4, #12]"
            : "=&r"(words[0]), "=&r"(words[1]), "=&r"(words[2]), "=&r"(words[3])
            : "r"(p), "m"(*(const int8_t(*)[16])p));
#else
    for (int32_t i = 0; i < 4; ++i) {
        words[i] = tg_load_4xs8(p + 4 * i);
    }
#endif
}

#if !defined(TG_SIMD_NATIVE)
/* Half number i of a word, sign-extended. */
TG_INLINE int32_t tg_half(uint32_t x, int32_t i)
{
    return (int16_t)(uint16_t)(x >> (16 * i));
}

TG_INLINE uint32_t tg_halves(int32_t first, int32_t second)
{
    return ((uint32_t)first & 0xffffu) | (uint32_t)second << 16;
}
#endif

/* floor(x / 2), saturated to int8. */
TG_INLINE int8_t tg_saturated_half(int32_t x)
{
#if defined(__ARM_FEATURE_SAT) && defined(__ARM_ARCH_PROFILE) && defined(__GNUC__)
    /* GCC makes this instruction of the C below only outside loops, and never with its shift. */
    int32_t y;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(y) : "r"(x));
    return (int8_t)y;
#else
    return (int8_t)tg_clamp(x >> 1, INT8_MIN, INT8_MAX);
#endif
}

/* Bytes 0 and 2 as two int16. */
TG_INLINE uint32_t tg_sxtb16(uint32_t x)
{
#if defined(TG_SIMD_ASSEMBLER)
    uint32_t y;
    __asm__("sxtb16 %0, %1" : "=r"(y) : "r"(x));
    return y;
#elif defined(TG_SIMD_NATIVE)
    return (uint32_t)__sxtb16((int8x4_t)x);
#else
    return tg_halves((int8_t)(uint8_t)x, (int8_t)(uint8_t)(x >> 16));
#endif
}

/* Bytes 1 and 3 as two int16. */
TG_INLINE uint32_t tg_sxtb16_odd(uint32_t x)
{
#if defined(TG_SIMD_NATIVE)
    /* GCC does not fold a rotation into its intrinsic. */
    uint32_t y;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
    return y;
#else
    return tg_halves((int8_t)(uint8_t)(x >> 8), (int8_t)(uint8_t)(x >> 24));
#endif
}

/* The bytes of either half swapped. */
TG_INLINE uint32_t tg_rev16(uint32_t x)
{
#if defined(TG_SIMD_NATIVE)
    /* GCC knows the instruction for a half, but not for both. */
    uint32_t y;
    __asm__("rev16 %0, %1" : "=r"(y) : "r"(x));
    return y;
#else
    return (x >> 8 & 0x00ff00ffu) | (x << 8 & 0xff00ff00u);
#endif
}

/* The first half of a, then the first half of b. */
TG_INLINE uint32_t tg_pack_low(uint32_t a, uint32_t b)
{
#if defined(TG_SIMD_NATIVE)
    /* GCC makes three instructions of the C below. */
    uint32_t y;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(y) : "r"(a), "r"(b));
    return y;
#else
    return (a & 0xffffu) | b << 16;
#endif
}

/* The second half of a, then the second half of b. */
TG_INLINE uint32_t tg_pack_high(uint32_t a, uint32_t b)
{
#if defined(TG_SIMD_NATIVE)
    uint32_t y;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(y) : "r"(b), "r"(a));
    return y;
#else
    return a >> 16 | (b & 0xffff0000u);
#endif
}

/* The differences of both halves, each modulo 2^16. */
TG_INLINE uint32_t tg_ssub16(uint32_t x, uint32_t y)
{
#if defined(TG_SIMD_NATIVE)
    return (uint32_t)__ssub16((int16x2_t)x, (int16x2_t)y);
#else
    return tg_halves(tg_half(x, 0) - tg_half(y, 0), tg_half(x, 1) - tg_half(y, 1));
#endif
}

/* The sums of both halves, likewise. */
TG_INLINE uint32_t tg_sadd16(uint32_t x, uint32_t y)
{
#if defined(TG_SIMD_NATIVE)
    return (uint32_t)__sadd16((int16x2_t)x, (int16x2_t)y);
#else
    return tg_halves(tg_half(x, 0) + tg_half(y, 0), tg_half(x, 1) + tg_half(y, 1));
#endif
}

/* acc plus bytes 0 and 2 of x as two int16, each sum modulo 2^16. */
TG_INLINE uint32_t tg_sxtab16(uint32_t acc, uint32_t x)
{
#if defined(TG_SIMD_NATIVE)
    uint32_t y;
    __asm__("sxtab16 %0, %1, %2" : "=r"(y) : "r"(acc), "r"(x));
    return y;
#else
    return tg_sadd16(acc, tg_sxtb16(x));
#endif
}

/* The same of bytes 1 and 3. */
TG_INLINE uint32_t tg_sxtab16_odd(uint32_t acc, uint32_t x)
{
#if defined(TG_SIMD_NATIVE)
    uint32_t y;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(y) : "r"(acc), "r"(x));
    return y;
#else
    return tg_sadd16(acc, tg_sxtb16_odd(x));
#endif
}

/* The greater of each two int8. */
TG_INLINE uint32_t tg_max_4xs8(uint32_t x, uint32_t y)
{
#if defined(TG_SIMD_NATIVE)
    uint32_t z;
    __asm__("ssub8 %0, %1, %2\n\t"
            "sel %0, %1, %2"
            : "=&r"(z)
            : "r"(x), "r"(y));
    return z;
#else
    uint32_t z = 0;
    for (int32_t i = 0; i < 32; i += 8) {
        const uint32_t a = x >> i & 0xffu, b = y >> i & 0xffu;
        z |= ((a ^ 0x80u) > (b ^ 0x80u) ? a : b) << i;
    }
    return z;
#endif
}

/* acc + x.first * y.first + x.second * y.second, modulo 2^32. */
TG_INLINE int32_t tg_smlad(uint32_t x, uint32_t y, int32_t acc)
{
#if defined(TG_SIMD_ASSEMBLER)
    int32_t sum;
    __asm__("smlad %0, %1, %2, %3" : "=r"(sum) : "r"(x), "r"(y), "r"(acc));
    return sum;
#elif defined(TG_SIMD_NATIVE)
    return __smlad((int16x2_t)x, (int16x2_t)y, acc);
#else
    const uint32_t first = (uint32_t)(tg_half(x, 0) * tg_half(y, 0));
    const uint32_t second = (uint32_t)(tg_half(x, 1) * tg_half(y, 1));
    return (int32_t)((uint32_t)acc + first + second);
#endif
}

/* acc + x.first * y.first, modulo 2^32. */
TG_INLINE int32_t tg_smlabb(uint32_t x, uint32_t y, int32_t acc)
{
#if defined(TG_SIMD_ASSEMBLER)
    int32_t sum;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(sum) : "r"(x), "r"(y), "r"(acc));
    return sum;
#elif defined(TG_SIMD_NATIVE)
    return __smlabb((int32_t)x, (int32_t)y, acc);
#else
    return (int32_t)((uint32_t)acc + (uint32_t)(tg_half(x, 0) * tg_half(y, 0)));
#endif
}

/* acc + x.second * y.second, modulo 2^32. */
TG_INLINE int32_t tg_smlatt(uint32_t x, uint32_t y, int32_t acc)
{
#if defined(TG_SIMD_ASSEMBLER)
    int32_t sum;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(sum) : "r"(x), "r"(y), "r"(acc));
    return sum;
#elif defined(TG_SIMD_NATIVE)
    return __smlatt((int32_t)x, (int32_t)y, acc);
#else
    return (int32_t)((uint32_t)acc + (uint32_t)(tg_half(x, 1) * tg_half(y, 1)));
#endif
}

#endif
