/* The vector instructions of Helium (MVE) that kernels use, and the same in plain C.
 *
 * This is the only header that knows arm_mve.h. Where the extension is missing each operation is
 * computed lane by lane, so that the kernels that use it are tested on the host too, and
 * tg_require_mve.h keeps those kernels from ending on a core that would run them so.
 *
 * A vector has 16 bytes: 16 int8, 8 int16 or 4 int32, the first in its lowest bits. Arithmetic
 * wraps unless it says otherwise. Loads and stores of bytes take any address. Those that work on
 * the first n lanes touch no memory beyond, and take any n.
 */
#ifndef TG_MVE_H
#define TG_MVE_H

#include "tg_types.h"

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)
#define TG_MVE_NATIVE
#include <arm_mve.h>
/* Whether kernels may write inner loops as assembly: with shapes that are constants, for a compiler
 * that can be told that the predicate register p0 changes. */
#if defined(__OPTIMIZE__) && !defined(__clang__)
#define TG_MVE_ASSEMBLY
#endif
typedef int8x16_t tg_s8x16;
typedef int16x8_t tg_s16x8;
typedef int32x4_t tg_s32x4;

/* NATIVE is the intrinsics' expression; C is an expression in i, the lane, for machines without. */
#define TG_MVE_LANES(result, lanes, native, c) return native;

/* Whether the first n lanes are known to be all, which costs less. */
#define TG_MVE_ALL(n, lanes) (__builtin_constant_p(n) && (n) >= (lanes))
#else
typedef struct {
    int8_t lane[16];
} tg_s8x16;
typedef struct {
    int16_t lane[8];
} tg_s16x8;
typedef struct {
    int32_t lane[4];
} tg_s32x4;

#define TG_MVE_LANES(result, lanes, native, c)                                                     \
    result y;                                                                                      \
    for (int32_t i = 0; i < (lanes); ++i) {                                                        \
        y.lane[i] = (c);                                                                           \
    }                                                                                              \
    return y;
#endif

/* Loads. The bytes at p, and of the first n only, zeros for the rest. */
TG_INLINE tg_s8x16 tg_load_s8x16(const int8_t *p)
{
    TG_MVE_LANES(tg_s8x16, 16, vldrbq_s8(p), p[i])
}

TG_INLINE tg_s8x16 tg_load_first_s8x16(const int8_t *p, int32_t n)
{
    TG_MVE_LANES(tg_s8x16, 16, vldrbq_z_s8(p, vctp8q((uint32_t)n)), (int8_t)(i < n ? p[i] : 0))
}

/* The first n bytes, each widened, and zeros for the rest. */
TG_INLINE tg_s32x4 tg_load_first_s8_s32x4(const int8_t *p, int32_t n)
{
    TG_MVE_LANES(tg_s32x4, 4,
                 TG_MVE_ALL(n, 4) ? vldrbq_s32(p) : vldrbq_z_s32(p, vctp32q((uint32_t)n)),
                 i < n ? p[i] : 0)
}

TG_INLINE tg_s16x8 tg_load_first_s8_s16x8(const int8_t *p, int32_t n)
{
    TG_MVE_LANES(tg_s16x8, 8,
                 TG_MVE_ALL(n, 8) ? vldrbq_s16(p) : vldrbq_z_s16(p, vctp16q((uint32_t)n)),
                 (int16_t)(i < n ? p[i] : 0))
}

TG_INLINE tg_s32x4 tg_load_s32x4(const int32_t *p)
{
    TG_MVE_LANES(tg_s32x4, 4, vldrwq_s32(p), p[i])
}

TG_INLINE tg_s8x16 tg_dup_s8x16(int32_t value)
{
    TG_MVE_LANES(tg_s8x16, 16, vdupq_n_s8((int8_t)value), (int8_t)value)
}

TG_INLINE tg_s16x8 tg_dup_s16x8(int32_t value)
{
    TG_MVE_LANES(tg_s16x8, 8, vdupq_n_s16((int16_t)value), (int16_t)value)
}

TG_INLINE tg_s32x4 tg_dup_s32x4(int32_t value)
{
    TG_MVE_LANES(tg_s32x4, 4, vdupq_n_s32(value), value)
}

/* Stores. */
TG_INLINE void tg_store_s8x16(int8_t *p, tg_s8x16 x)
{
#if defined(TG_MVE_NATIVE)
    vstrbq_s8(p, x);
#else
    memcpy(p, x.lane, sizeof x.lane);
#endif
}

TG_INLINE void tg_store_first_s8x16(int8_t *p, tg_s8x16 x, int32_t n)
{
#if defined(TG_MVE_NATIVE)
    vstrbq_p_s8(p, x, vctp8q((uint32_t)n));
#else
    for (int32_t i = 0; i < 16 && i < n; ++i) {
        p[i] = x.lane[i];
    }
#endif
}

/* The low bytes of the first n lanes. */
TG_INLINE void tg_store_bytes_s32x4(int8_t *p, tg_s32x4 x, int32_t n)
{
#if defined(TG_MVE_NATIVE)
    if (TG_MVE_ALL(n, 4)) {
        vstrbq_s32(p, x);
    } else {
        vstrbq_p_s32(p, x, vctp32q((uint32_t)n));
    }
#else
    for (int32_t i = 0; i < 4 && i < n; ++i) {
        p[i] = (int8_t)(uint8_t)((uint32_t)x.lane[i] & 0xffu);
    }
#endif
}

TG_INLINE void tg_store_bytes_s16x8(int8_t *p, tg_s16x8 x, int32_t n)
{
#if defined(TG_MVE_NATIVE)
    if (TG_MVE_ALL(n, 8)) {
        vstrbq_s16(p, x);
    } else {
        vstrbq_p_s16(p, x, vctp16q((uint32_t)n));
    }
#else
    for (int32_t i = 0; i < 8 && i < n; ++i) {
        p[i] = (int8_t)(uint8_t)((uint32_t)x.lane[i] & 0xffu);
    }
#endif
}

#if !defined(TG_MVE_NATIVE)
TG_INLINE int32_t tg_wrapped_sum(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

TG_INLINE int32_t tg_saturated(int64_t x)
{
    return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (int32_t)x;
}

/* a * b / 2^31, halves up, saturated. */
TG_INLINE int32_t tg_saturated_high_mul(int32_t a, int32_t b)
{
    return tg_saturated(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x * 2^shift, rounded down and saturated; -32 < shift < 32. */
TG_INLINE int32_t tg_saturated_shift(int32_t x, int32_t shift)
{
    return shift < 0 ? x >> -shift : tg_saturated((int64_t)x * ((int64_t)1 << shift));
}
#endif

/* acc + the sum of all products of lanes. */
TG_INLINE int32_t tg_add_dot_s8x16(int32_t acc, tg_s8x16 a, tg_s8x16 b)
{
#if defined(TG_MVE_NATIVE)
    return vmladavaq_s8(acc, a, b);
#else
    for (int32_t i = 0; i < 16; ++i) {
        acc = tg_wrapped_sum(acc, a.lane[i] * b.lane[i]);
    }
    return acc;
#endif
}

/* Four integers as the lanes of a vector. */
TG_INLINE tg_s32x4 tg_lanes_s32x4(int32_t a, int32_t b, int32_t c, int32_t d)
{
#if defined(TG_MVE_NATIVE)
    tg_s32x4 y = vdupq_n_s32(a);
    y = vsetq_lane_s32(b, y, 1);
    y = vsetq_lane_s32(c, y, 2);
    return vsetq_lane_s32(d, y, 3);
#else
    const tg_s32x4 y = {{a, b, c, d}};
    return y;
#endif
}

TG_INLINE tg_s32x4 tg_add_s32x4(tg_s32x4 a, tg_s32x4 b)
{
    TG_MVE_LANES(tg_s32x4, 4, vaddq_s32(a, b), tg_wrapped_sum(a.lane[i], b.lane[i]))
}

TG_INLINE tg_s32x4 tg_max_s32x4(tg_s32x4 a, tg_s32x4 b)
{
    TG_MVE_LANES(tg_s32x4, 4, vmaxq_s32(a, b), tg_max(a.lane[i], b.lane[i]))
}

TG_INLINE tg_s32x4 tg_min_s32x4(tg_s32x4 a, tg_s32x4 b)
{
    TG_MVE_LANES(tg_s32x4, 4, vminq_s32(a, b), tg_min(a.lane[i], b.lane[i]))
}

/* a * b / 2^31, halves up, saturated: gemmlowp's doubling product where neither is INT32_MIN. */
TG_INLINE tg_s32x4 tg_doubling_high_mul_s32x4(tg_s32x4 a, tg_s32x4 b)
{
    TG_MVE_LANES(tg_s32x4, 4, vqrdmulhq_s32(a, b), tg_saturated_high_mul(a.lane[i], b.lane[i]))
}

/* acc + a * b. */
TG_INLINE tg_s32x4 tg_add_scaled_s32x4(tg_s32x4 acc, tg_s32x4 a, int32_t b)
{
    TG_MVE_LANES(tg_s32x4, 4, vmlaq_n_s32(acc, a, b),
                 (int32_t)((uint32_t)acc.lane[i] + (uint32_t)a.lane[i] * (uint32_t)b))
}

/* a * 2^shift, rounded down, saturated; -32 < shift < 32. */
TG_INLINE tg_s32x4 tg_saturating_shift_by_s32x4(tg_s32x4 a, int32_t shift)
{
    TG_MVE_LANES(tg_s32x4, 4, vqshlq_r_s32(a, shift), tg_saturated_shift(a.lane[i], shift))
}

TG_INLINE tg_s32x4 tg_saturating_shift_s32x4(tg_s32x4 a, tg_s32x4 shift)
{
    TG_MVE_LANES(tg_s32x4, 4, vqshlq_s32(a, shift), tg_saturated_shift(a.lane[i], shift.lane[i]))
}

/* The sign of each lane: 0 or -1. */
TG_INLINE tg_s32x4 tg_sign_s32x4(tg_s32x4 a)
{
    TG_MVE_LANES(tg_s32x4, 4, vshrq_n_s32(a, 31), a.lane[i] >> 31)
}

/* The products of the even lanes, and of the odd ones. */
TG_INLINE tg_s16x8 tg_mul_even_s8x16(tg_s8x16 a, tg_s8x16 b)
{
    TG_MVE_LANES(tg_s16x8, 8, vmullbq_int_s8(a, b), (int16_t)(a.lane[2 * i] * b.lane[2 * i]))
}

TG_INLINE tg_s16x8 tg_mul_odd_s8x16(tg_s8x16 a, tg_s8x16 b)
{
    TG_MVE_LANES(tg_s16x8, 8, vmulltq_int_s8(a, b),
                 (int16_t)(a.lane[2 * i + 1] * b.lane[2 * i + 1]))
}

TG_INLINE tg_s16x8 tg_add_s16x8(tg_s16x8 a, tg_s16x8 b)
{
    TG_MVE_LANES(tg_s16x8, 8, vaddq_s16(a, b),
                 (int16_t)(uint16_t)((uint32_t)(a.lane[i] + b.lane[i]) & 0xffffu))
}

TG_INLINE tg_s16x8 tg_max_s16x8(tg_s16x8 a, tg_s16x8 b)
{
    TG_MVE_LANES(tg_s16x8, 8, vmaxq_s16(a, b), (int16_t)tg_max(a.lane[i], b.lane[i]))
}

TG_INLINE tg_s16x8 tg_min_s16x8(tg_s16x8 a, tg_s16x8 b)
{
    TG_MVE_LANES(tg_s16x8, 8, vminq_s16(a, b), (int16_t)tg_min(a.lane[i], b.lane[i]))
}

/* Magnitudes of lanes above INT16_MIN. */
TG_INLINE tg_s16x8 tg_abs_s16x8(tg_s16x8 a)
{
    TG_MVE_LANES(tg_s16x8, 8, vabsq_s16(a), (int16_t)tg_max(a.lane[i], -a.lane[i]))
}

/* a * b / 2^16, rounded down, for lanes that are not negative; 0 <= b < 2^16. */
TG_INLINE tg_s16x8 tg_high_mul_u16x8(tg_s16x8 a, int32_t b)
{
    TG_MVE_LANES(tg_s16x8, 8,
                 vreinterpretq_s16_u16(
                     vmulhq_u16(vreinterpretq_u16_s16(a), vdupq_n_u16((uint16_t)b))),
                 (int16_t)(((uint32_t)a.lane[i] * (uint32_t)b) >> 16))
}

/* a / 2^shift, rounded down; 0 <= shift < 16. */
TG_INLINE tg_s16x8 tg_shift_right_s16x8(tg_s16x8 a, int32_t shift)
{
    TG_MVE_LANES(tg_s16x8, 8, vshlq_r_s16(a, -shift), (int16_t)(a.lane[i] >> shift))
}

/* a, negated where sign is negative. */
TG_INLINE tg_s16x8 tg_with_sign_s16x8(tg_s16x8 a, tg_s16x8 sign)
{
    TG_MVE_LANES(tg_s16x8, 8, vnegq_m_s16(a, a, vcmpltq_n_s16(sign, 0)),
                 (int16_t)(sign.lane[i] < 0 ? -a.lane[i] : a.lane[i]))
}

/* The even lanes, and the odd ones, each widened. */
TG_INLINE tg_s32x4 tg_even_s16x8(tg_s16x8 a)
{
    TG_MVE_LANES(tg_s32x4, 4, vmovlbq_s16(a), a.lane[2 * i])
}

TG_INLINE tg_s32x4 tg_odd_s16x8(tg_s16x8 a)
{
    TG_MVE_LANES(tg_s32x4, 4, vmovltq_s16(a), a.lane[2 * i + 1])
}

TG_INLINE tg_s8x16 tg_max_s8x16(tg_s8x16 a, tg_s8x16 b)
{
    TG_MVE_LANES(tg_s8x16, 16, vmaxq_s8(a, b), (int8_t)tg_max(a.lane[i], b.lane[i]))
}

TG_INLINE tg_s8x16 tg_min_s8x16(tg_s8x16 a, tg_s8x16 b)
{
    TG_MVE_LANES(tg_s8x16, 16, vminq_s8(a, b), (int8_t)tg_min(a.lane[i], b.lane[i]))
}

/* The highest bytes of all lanes: of a[0], b[0], c[0], d[0], a[1] and so on. */
TG_INLINE tg_s8x16 tg_high_bytes_s32x4(tg_s32x4 a, tg_s32x4 b, tg_s32x4 c, tg_s32x4 d)
{
#if defined(TG_MVE_NATIVE)
    d = vsriq_n_s32(d, c, 8);
    d = vsriq_n_s32(d, b, 16);
    return vreinterpretq_s8_s32(vsriq_n_s32(d, a, 24));
#else
    tg_s8x16 y;
    for (int32_t i = 0; i < 4; ++i) {
        y.lane[4 * i] = (int8_t)(a.lane[i] >> 24);
        y.lane[4 * i + 1] = (int8_t)(b.lane[i] >> 24);
        y.lane[4 * i + 2] = (int8_t)(c.lane[i] >> 24);
        y.lane[4 * i + 3] = (int8_t)(d.lane[i] >> 24);
    }
    return y;
#endif
}

/* The highest byte of each lane. */
TG_INLINE tg_s32x4 tg_high_byte_s32x4(tg_s32x4 a)
{
    TG_MVE_LANES(tg_s32x4, 4, vshrq_n_s32(a, 24), a.lane[i] >> 24)
}

/* Copies bytes, none beyond. */
TG_INLINE void tg_copy_by_vectors(int8_t *to, const int8_t *from, int32_t bytes)
{
    int32_t i = 0;
    TG_UNROLL(4)
    for (; i + 16 <= bytes; i += 16) {
        tg_store_s8x16(to + i, tg_load_s8x16(from + i));
    }
    if (i < bytes) {
        tg_store_first_s8x16(to + i, tg_load_first_s8x16(from + i, bytes - i), bytes - i);
    }
}

/* Writes value to bytes, none beyond. */
TG_INLINE void tg_fill_by_vectors(int8_t *to, int32_t value, int32_t bytes)
{
    const tg_s8x16 values = tg_dup_s8x16(value);
    for (int32_t i = 0; i < bytes; i += 16) {
        tg_store_first_s8x16(to + i, values, bytes - i);
    }
}

#endif
