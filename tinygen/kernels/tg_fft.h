/* Fourier transforms of real signals, and back, in fixed point of 16 or 32 bits or in float.
 *
 * Two neighbouring samples are taken for one complex number. A complex transform of half the length
 * follows, of which the spectrum of the samples is a sum of mirrored elements, and the other way
 * round on the way back.
 *
 * The complex transform of n = p * m elements is p transforms of m elements each, of every p-th
 * element, and then m butterflies that join one element of each: sums of the p elements, turned by
 * powers of exp(-2 pi i / n). Done for all factors of n, that is: put the elements in `order`, then
 * join neighbours by the last factor, those results by the factor before it, and so on. Factors are
 * 4, 2, 3 and 5.
 *
 * In fixed point a sum of p elements could leave the range: each is first multiplied by
 * (2^bits - 1) / p. Every product is rounded, halves up, every sum wraps in its width. The float
 * transform does neither, and its inverse divides by the length in the end.
 */
#ifndef TG_FFT_H
#define TG_FFT_H

#include "tg_types.h"

typedef struct {
    int32_t signals;
    int32_t half;                  /* of the transform's length */
    int32_t size;                  /* samples that are given; the rest is 0 */
    int32_t inverse;
    int32_t stages;                /* factors */
} tg_fft_shape;

typedef struct {
    int16_t r, i;
} tg_complex_s16;

typedef struct {
    int32_t r, i;
} tg_complex_s32;

typedef struct {
    float r, i;
} tg_complex_f32;

/* Numbers: a product of two, a product of two less one of two others, a p-th, sums, half a sum. */
TG_INLINE int16_t tg_fft_round_s16(uint32_t x)
{
    return (int16_t)((int32_t)(x + (1u << 14)) >> 15);
}

TG_INLINE int16_t tg_fft_times_s16(int16_t a, int16_t b)
{
    return tg_fft_round_s16((uint32_t)(a * b));
}

TG_INLINE int16_t tg_fft_cross_s16(int16_t a, int16_t b, int16_t c, int16_t d)
{
    return tg_fft_round_s16((uint32_t)(a * b) - (uint32_t)(c * d));
}

TG_INLINE int16_t tg_fft_along_s16(int16_t a, int16_t b, int16_t c, int16_t d)
{
    return tg_fft_round_s16((uint32_t)(a * b) + (uint32_t)(c * d));
}

TG_INLINE int16_t tg_fft_part_s16(int16_t x, int32_t p)
{
    return tg_fft_times_s16(x, (int16_t)(INT16_MAX / p));
}

TG_INLINE int16_t tg_fft_add_s16(int16_t a, int16_t b)
{
    return (int16_t)(uint16_t)(uint32_t)(a + b);
}

TG_INLINE int16_t tg_fft_sub_s16(int16_t a, int16_t b)
{
    return (int16_t)(uint16_t)(uint32_t)(a - b);
}

TG_INLINE int16_t tg_fft_half_s16(int16_t a, int16_t b)
{
    return (int16_t)((a + b) >> 1);
}

TG_INLINE int16_t tg_fft_half_difference_s16(int16_t a, int16_t b)
{
    return (int16_t)((a - b) >> 1);
}

TG_INLINE int32_t tg_fft_round_s32(uint64_t x)
{
    return (int32_t)(uint32_t)((x + ((uint64_t)1 << 30)) >> 31);
}

TG_INLINE int32_t tg_fft_times_s32(int32_t a, int32_t b)
{
    return tg_fft_round_s32((uint64_t)((int64_t)a * b));
}

TG_INLINE int32_t tg_fft_cross_s32(int32_t a, int32_t b, int32_t c, int32_t d)
{
    return tg_fft_round_s32((uint64_t)((int64_t)a * b) - (uint64_t)((int64_t)c * d));
}

TG_INLINE int32_t tg_fft_along_s32(int32_t a, int32_t b, int32_t c, int32_t d)
{
    return tg_fft_round_s32((uint64_t)((int64_t)a * b) + (uint64_t)((int64_t)c * d));
}

TG_INLINE int32_t tg_fft_part_s32(int32_t x, int32_t p)
{
    return tg_fft_times_s32(x, INT32_MAX / p);
}

TG_INLINE int32_t tg_fft_add_s32(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

TG_INLINE int32_t tg_fft_sub_s32(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

TG_INLINE int32_t tg_fft_half_s32(int32_t a, int32_t b)
{
    return tg_fft_add_s32(a, b) >> 1;
}

TG_INLINE int32_t tg_fft_half_difference_s32(int32_t a, int32_t b)
{
    return tg_fft_sub_s32(a, b) >> 1;
}

TG_INLINE float tg_fft_times_f32(float a, float b)
{
    return a * b;
}

TG_INLINE float tg_fft_cross_f32(float a, float b, float c, float d)
{
    return a * b - c * d;
}

TG_INLINE float tg_fft_along_f32(float a, float b, float c, float d)
{
    return a * b + c * d;
}

TG_INLINE float tg_fft_part_f32(float x, int32_t p)
{
    (void)p;
    return x;
}

TG_INLINE float tg_fft_add_f32(float a, float b)
{
    return a + b;
}

TG_INLINE float tg_fft_sub_f32(float a, float b)
{
    return a - b;
}

TG_INLINE float tg_fft_half_f32(float a, float b)
{
    return (a + b) * 0.5f;
}

TG_INLINE float tg_fft_half_difference_f32(float a, float b)
{
    return (a - b) * 0.5f;
}

/* Complex numbers of a type, and the butterflies on them: `f` are p elements m apart, `step` of the
 * turns is one of the butterfly's length. */
#define TG_FFT_COMPLEX(s, type)                                                                   \
    typedef struct {                                                                              \
        const uint16_t *order;                                                                    \
        const int16_t *factors; /* of the outermost join first */                                 \
        const type *turns;      /* half complex numbers on the circle */                          \
        const type *mirror;     /* half / 2 more, between the signal's and the complex spectrum */\
    } tg_fft_##s##_params;                                                                        \
                                                                                                  \
    TG_INLINE tg_complex_##s tg_fft_turned_##s(tg_complex_##s a, const type *by)                  \
    {                                                                                             \
        const tg_complex_##s result = {tg_fft_cross_##s(a.r, by[0], a.i, by[1]),                  \
                                       tg_fft_along_##s(a.r, by[1], a.i, by[0])};                 \
        return result;                                                                            \
    }                                                                                             \
                                                                                                  \
    TG_INLINE tg_complex_##s tg_fft_shared_##s(tg_complex_##s a, int32_t p)                       \
    {                                                                                             \
        const tg_complex_##s result = {tg_fft_part_##s(a.r, p), tg_fft_part_##s(a.i, p)};         \
        return result;                                                                            \
    }                                                                                             \
                                                                                                  \
    TG_INLINE tg_complex_##s tg_fft_sum_##s(tg_complex_##s a, tg_complex_##s b)                   \
    {                                                                                             \
        const tg_complex_##s result = {tg_fft_add_##s(a.r, b.r), tg_fft_add_##s(a.i, b.i)};       \
        return result;                                                                            \
    }                                                                                             \
                                                                                                  \
    TG_INLINE tg_complex_##s tg_fft_difference_##s(tg_complex_##s a, tg_complex_##s b)            \
    {                                                                                             \
        const tg_complex_##s result = {tg_fft_sub_##s(a.r, b.r), tg_fft_sub_##s(a.i, b.i)};       \
        return result;                                                                            \
    }                                                                                             \
                                                                                                  \
    /* a + i b */                                                                                 \
    TG_INLINE tg_complex_##s tg_fft_up_##s(tg_complex_##s a, tg_complex_##s b)                    \
    {                                                                                             \
        const tg_complex_##s result = {tg_fft_sub_##s(a.r, b.i), tg_fft_add_##s(a.i, b.r)};       \
        return result;                                                                            \
    }                                                                                             \
                                                                                                  \
    /* a - i b */                                                                                 \
    TG_INLINE tg_complex_##s tg_fft_down_##s(tg_complex_##s a, tg_complex_##s b)                  \
    {                                                                                             \
        const tg_complex_##s result = {tg_fft_add_##s(a.r, b.i), tg_fft_sub_##s(a.i, b.r)};       \
        return result;                                                                            \
    }                                                                                             \
                                                                                                  \
    TG_INLINE void tg_fft_join2_##s(tg_complex_##s *f, int32_t m, const type *turn)               \
    {                                                                                             \
        const tg_complex_##s t = tg_fft_turned_##s(tg_fft_shared_##s(f[m], 2), turn);             \
        const tg_complex_##s a = tg_fft_shared_##s(f[0], 2);                                      \
        f[m] = tg_fft_difference_##s(a, t);                                                       \
        f[0] = tg_fft_sum_##s(a, t);                                                              \
    }                                                                                             \
                                                                                                  \
    TG_INLINE void tg_fft_join3_##s(tg_complex_##s *f, int32_t m, const type *turn, int32_t step, \
                                    const type *third)                                            \
    {                                                                                             \
        const tg_complex_##s a = tg_fft_shared_##s(f[0], 3);                                      \
        const tg_complex_##s b = tg_fft_turned_##s(tg_fft_shared_##s(f[m], 3), turn);             \
        const tg_complex_##s c = tg_fft_turned_##s(tg_fft_shared_##s(f[2 * m], 3), turn + step);  \
        const tg_complex_##s sum = tg_fft_sum_##s(b, c);                                          \
        const tg_complex_##s d = tg_fft_difference_##s(b, c);                                     \
        const tg_complex_##s turned = {tg_fft_times_##s(d.r, third[1]),                           \
                                       tg_fft_times_##s(d.i, third[1])};                          \
        const tg_complex_##s rest = {tg_fft_sub_##s(a.r, tg_fft_half_##s(sum.r, 0)),              \
                                     tg_fft_sub_##s(a.i, tg_fft_half_##s(sum.i, 0))};             \
        f[0] = tg_fft_sum_##s(a, sum);                                                            \
        f[m] = tg_fft_up_##s(rest, turned);                                                       \
        f[2 * m] = tg_fft_down_##s(rest, turned);                                                 \
    }                                                                                             \
                                                                                                  \
    TG_INLINE void tg_fft_join4_##s(tg_complex_##s *f, int32_t m, const type *turn, int32_t step, \
                                    int32_t inverse)                                              \
    {                                                                                             \
        const tg_complex_##s a = tg_fft_shared_##s(f[0], 4);                                      \
        const tg_complex_##s b = tg_fft_turned_##s(tg_fft_shared_##s(f[m], 4), turn);             \
        const tg_complex_##s c = tg_fft_turned_##s(tg_fft_shared_##s(f[2 * m], 4), turn + step);  \
        const tg_complex_##s d =                                                                  \
            tg_fft_turned_##s(tg_fft_shared_##s(f[3 * m], 4), turn + 2 * step);                   \
        const tg_complex_##s even = tg_fft_sum_##s(a, c), odd = tg_fft_sum_##s(b, d);             \
        const tg_complex_##s across = tg_fft_difference_##s(a, c);                                \
        const tg_complex_##s beside = tg_fft_difference_##s(b, d);                                \
        f[0] = tg_fft_sum_##s(even, odd);                                                         \
        f[2 * m] = tg_fft_difference_##s(even, odd);                                              \
        f[inverse ? m : 3 * m] = tg_fft_up_##s(across, beside);                                   \
        f[inverse ? 3 * m : m] = tg_fft_down_##s(across, beside);                                 \
    }                                                                                             \
                                                                                                  \
    TG_INLINE type tg_fft_weighed_##s(type a, type b, type by_b, type c, type by_c)               \
    {                                                                                             \
        return tg_fft_add_##s(tg_fft_add_##s(a, tg_fft_times_##s(b, by_b)),                       \
                              tg_fft_times_##s(c, by_c));                                         \
    }                                                                                             \
                                                                                                  \
    TG_INLINE void tg_fft_join5_##s(tg_complex_##s *f, int32_t m, const type *turn, int32_t step, \
                                    const type *fifth, const type *fifths)                        \
    {                                                                                             \
        const tg_complex_##s a = tg_fft_shared_##s(f[0], 5);                                      \
        tg_complex_##s b[5];                                                                      \
        for (int32_t q = 1; q < 5; ++q) {                                                         \
            b[q] = tg_fft_turned_##s(tg_fft_shared_##s(f[q * m], 5), turn + (q - 1) * step);      \
        }                                                                                         \
        const tg_complex_##s outer = tg_fft_sum_##s(b[1], b[4]);                                  \
        const tg_complex_##s inner = tg_fft_sum_##s(b[2], b[3]);                                  \
        const tg_complex_##s apart = tg_fft_difference_##s(b[1], b[4]);                           \
        const tg_complex_##s between = tg_fft_difference_##s(b[2], b[3]);                         \
        f[0] = tg_fft_sum_##s(a, tg_fft_sum_##s(outer, inner));                                   \
        const tg_complex_##s first = {                                                            \
            tg_fft_weighed_##s(a.r, outer.r, fifth[0], inner.r, fifths[0]),                       \
            tg_fft_weighed_##s(a.i, outer.i, fifth[0], inner.i, fifths[0])};                      \
        const tg_complex_##s first_odd = {                                                        \
            tg_fft_weighed_##s(0, apart.r, fifth[1], between.r, fifths[1]),                       \
            tg_fft_weighed_##s(0, apart.i, fifth[1], between.i, fifths[1])};                      \
        f[m] = tg_fft_up_##s(first, first_odd);                                                   \
        f[4 * m] = tg_fft_down_##s(first, first_odd);                                             \
        const tg_complex_##s second = {                                                           \
            tg_fft_weighed_##s(a.r, outer.r, fifths[0], inner.r, fifth[0]),                       \
            tg_fft_weighed_##s(a.i, outer.i, fifths[0], inner.i, fifth[0])};                      \
        const tg_complex_##s second_odd = {                                                       \
            tg_fft_sub_##s(tg_fft_times_##s(apart.r, fifths[1]),                                  \
                           tg_fft_times_##s(between.r, fifth[1])),                                \
            tg_fft_sub_##s(tg_fft_times_##s(apart.i, fifths[1]),                                  \
                           tg_fft_times_##s(between.i, fifth[1]))};                               \
        f[2 * m] = tg_fft_up_##s(second, second_odd);                                             \
        f[3 * m] = tg_fft_down_##s(second, second_odd);                                           \
    }                                                                                             \
                                                                                                  \
    /* The complex transform of elements that are in order. */                                    \
    TG_INLINE void tg_fft_joined_##s(const tg_fft_shape *shape,                                   \
                                     const tg_fft_##s##_params *params, tg_complex_##s *f)        \
    {                                                                                             \
        int32_t m = 1;                                                                            \
        for (int32_t stage = shape->stages - 1; stage >= 0; --stage) {                            \
            const int32_t p = params->factors[stage];                                             \
            const int32_t stride = shape->half / (p * m);                                         \
            const type *const circle = params->turns;                                             \
            for (int32_t group = 0; group < shape->half; group += p * m) {                        \
                for (int32_t u = 0; u < m; ++u) {                                                 \
                    tg_complex_##s *const at = f + group + u;                                     \
                    const int32_t step = 2 * stride * u;                                          \
                    const type *const turn = circle + step;                                       \
                    if (p == 4) {                                                                 \
                        tg_fft_join4_##s(at, m, turn, step, shape->inverse);                      \
                    } else if (p == 2) {                                                          \
                        tg_fft_join2_##s(at, m, turn);                                            \
                    } else if (p == 3) {                                                          \
                        tg_fft_join3_##s(at, m, turn, step, circle + 2 * stride * m);             \
                    } else {                                                                      \
                        tg_fft_join5_##s(at, m, turn, step, circle + 2 * stride * m,              \
                                         circle + 4 * stride * m);                                \
                    }                                                                             \
                }                                                                                 \
            }                                                                                     \
            m *= p;                                                                               \
        }                                                                                         \
    }                                                                                             \
                                                                                                  \
    /* From samples to a spectrum of half + 1 complex numbers. */                                 \
    TG_INLINE void tg_rfft_##s(const tg_fft_shape *shape, const tg_fft_##s##_params *params,      \
                               const type *x, type *y, int8_t *scratch)                           \
    {                                                                                             \
        tg_complex_##s *const f = (tg_complex_##s *)(void *)scratch;                              \
        const int32_t half = shape->half;                                                         \
        for (int32_t signal = 0; signal < shape->signals; ++signal) {                             \
            tg_complex_##s *const spectrum = (tg_complex_##s *)(void *)y;                         \
            for (int32_t k = 0; k < half; ++k) {                                                  \
                const int32_t at = 2 * params->order[k];                                          \
                f[k].r = at < shape->size ? x[at] : 0;                                            \
                f[k].i = at + 1 < shape->size ? x[at + 1] : 0;                                    \
            }                                                                                     \
            tg_fft_joined_##s(shape, params, f);                                                  \
            const tg_complex_##s zero = tg_fft_shared_##s(f[0], 2);                               \
            spectrum[0].r = tg_fft_add_##s(zero.r, zero.i);                                       \
            spectrum[half].r = tg_fft_sub_##s(zero.r, zero.i);                                    \
            spectrum[0].i = spectrum[half].i = 0;                                                 \
            for (int32_t k = 1; k <= half / 2; ++k) {                                             \
                const tg_complex_##s other = {f[half - k].r, tg_fft_sub_##s(0, f[half - k].i)};   \
                const tg_complex_##s a = tg_fft_shared_##s(f[k], 2);                              \
                const tg_complex_##s b = tg_fft_shared_##s(other, 2);                             \
                const tg_complex_##s sum = tg_fft_sum_##s(a, b);                                  \
                const tg_complex_##s t = tg_fft_turned_##s(tg_fft_difference_##s(a, b),           \
                                                           params->mirror + 2 * (k - 1));         \
                spectrum[k].r = tg_fft_half_##s(sum.r, t.r);                                      \
                spectrum[k].i = tg_fft_half_##s(sum.i, t.i);                                      \
                spectrum[half - k].r = tg_fft_half_difference_##s(sum.r, t.r);                    \
                spectrum[half - k].i = tg_fft_half_difference_##s(t.i, sum.i);                    \
            }                                                                                     \
            x += shape->size;                                                                     \
            y += 2 * (half + 1);                                                                  \
        }                                                                                         \
    }                                                                                             \
                                                                                                  \
    /* From a spectrum to samples. */                                                             \
    TG_INLINE void tg_irfft_##s(const tg_fft_shape *shape, const tg_fft_##s##_params *params,     \
                                const type *x, type *y, int8_t *scratch)                          \
    {                                                                                             \
        tg_complex_##s *const f = (tg_complex_##s *)(void *)scratch;                              \
        const int32_t half = shape->half;                                                         \
        for (int32_t signal = 0; signal < shape->signals; ++signal) {                             \
            const tg_complex_##s *const spectrum = (const tg_complex_##s *)(const void *)x;       \
            tg_complex_##s *const samples = (tg_complex_##s *)(void *)y;                          \
            const tg_complex_##s ends = {tg_fft_add_##s(spectrum[0].r, spectrum[half].r),         \
                                         tg_fft_sub_##s(spectrum[0].r, spectrum[half].r)};        \
            f[0] = tg_fft_shared_##s(ends, 2);                                                    \
            for (int32_t k = 1; k <= half / 2; ++k) {                                             \
                const tg_complex_##s other = {spectrum[half - k].r,                               \
                                              tg_fft_sub_##s(0, spectrum[half - k].i)};           \
                const tg_complex_##s a = tg_fft_shared_##s(spectrum[k], 2);                       \
                const tg_complex_##s b = tg_fft_shared_##s(other, 2);                             \
                const tg_complex_##s sum = tg_fft_sum_##s(a, b);                                  \
                const tg_complex_##s t = tg_fft_turned_##s(tg_fft_difference_##s(a, b),           \
                                                           params->mirror + 2 * (k - 1));         \
                f[k] = tg_fft_sum_##s(sum, t);                                                    \
                f[half - k].r = tg_fft_sub_##s(sum.r, t.r);                                       \
                f[half - k].i = tg_fft_sub_##s(t.i, sum.i);                                       \
            }                                                                                     \
            for (int32_t k = 0; k < half; ++k) {                                                  \
                samples[k] = f[params->order[k]];                                                 \
            }                                                                                     \
            tg_fft_joined_##s(shape, params, samples);                                            \
            tg_fft_finish_##s(y, 2 * half);                                                       \
            x += 2 * (half + 1);                                                                  \
            y += 2 * half;                                                                        \
        }                                                                                         \
    }

TG_INLINE void tg_fft_finish_s16(int16_t *y, int32_t length)
{
    (void)y;
    (void)length;
}

TG_INLINE void tg_fft_finish_s32(int32_t *y, int32_t length)
{
    (void)y;
    (void)length;
}

TG_INLINE void tg_fft_finish_f32(float *y, int32_t length)
{
    for (int32_t k = 0; k < length; ++k) {
        y[k] /= (float)length;
    }
}

TG_FFT_COMPLEX(s16, int16_t)
TG_FFT_COMPLEX(s32, int32_t)
TG_FFT_COMPLEX(f32, float)

typedef tg_fft_shape tg_fft_s16_shape;
typedef tg_fft_shape tg_fft_s32_shape;
typedef tg_fft_shape tg_fft_f32_shape;

#endif
