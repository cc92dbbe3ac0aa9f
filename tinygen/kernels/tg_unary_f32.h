/* Operators on one float32 operand, element by element.
 *
 * Each is an expression of v in the reference's order of operations; TG_UNARY_F32 makes the loop
 * around it. Curves are the C library's float functions. Nothing here multiplies and then adds but
 * GELU's polynomial, so a compiler that contracts the two into one instruction changes no other.
 *
 * x and y may be the same.
 */
#ifndef TG_UNARY_F32_H
#define TG_UNARY_F32_H

#include <math.h>

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_unary_f32_shape;

typedef struct {
    float alpha; /* the slope of LEAKY_RELU below zero; others do not read it */
} tg_unary_f32_params;

/* Halves to the even neighbour; what rounds to zero is +0. */
TG_INLINE float tg_round_f32_one(float v)
{
    const float whole = floorf(v);
    const float rest = v - whole;
    const int even = whole == 2.0f * floorf(0.5f * whole);
    return rest < 0.5f || (rest == 0.5f && even) ? whole : whole + 1.0f;
}

/* Beyond these limits float32 tells no difference from exp(v), and from 1. */
TG_INLINE float tg_logistic_f32_one(float v)
{
    if (v > 16.619047164916992188f) {
        return 1.0f;
    }
    return v < -9.0f ? expf(v) : 1.0f / (1.0f + expf(-v));
}

/* The factor from 0 to 6; NaN gives 0, and the product NaN again. */
TG_INLINE float tg_hard_swish_f32_one(float v)
{
    const float moved = v + 3.0f;
    const float raised = 0.0f < moved ? moved : 0.0f;
    return v * (raised < 6.0f ? raised : 6.0f) / 6.0f;
}

/* x * (1 + erf(x / sqrt(2))) / 2, without the difference of two like numbers. */
TG_INLINE float tg_gelu_f32_one(float v)
{
    return 0.5f * v * erfcf(v * -0.70710678118654752440f);
}

TG_INLINE float tg_gelu_tanh_f32_one(float v)
{
    const float inner = 0.79788456080286535588f * (v + 0.044715f * (v * v * v));
    return 0.5f * v * (1.0f + tanhf(inner));
}

#define TG_UNARY_F32(name, result)                                                                 \
    TG_INLINE void name(const tg_unary_f32_shape *shape, const tg_unary_f32_params *params,        \
                        const float *x, float *y)                                                  \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            const float v = x[i];                                                                  \
            y[i] = result;                                                                         \
        }                                                                                          \
    }

TG_UNARY_F32(tg_abs_f32, fabsf(v))
TG_UNARY_F32(tg_ceil_f32, ceilf(v))
TG_UNARY_F32(tg_cos_f32, cosf(v))
TG_UNARY_F32(tg_elu_f32, v < 0.0f ? expm1f(v) : v)
TG_UNARY_F32(tg_exp_f32, expf(v))
TG_UNARY_F32(tg_floor_f32, floorf(v))
TG_UNARY_F32(tg_gelu_f32, tg_gelu_f32_one(v))
TG_UNARY_F32(tg_gelu_tanh_f32, tg_gelu_tanh_f32_one(v))
TG_UNARY_F32(tg_hard_swish_f32, tg_hard_swish_f32_one(v))
TG_UNARY_F32(tg_leaky_relu_f32, v > 0.0f ? v : v * params->alpha)
TG_UNARY_F32(tg_log_f32, logf(v))
TG_UNARY_F32(tg_logistic_f32, tg_logistic_f32_one(v))
TG_UNARY_F32(tg_neg_f32, -v)
TG_UNARY_F32(tg_relu_f32, v < 0.0f ? 0.0f : v)
TG_UNARY_F32(tg_relu6_f32, v > 6.0f ? 6.0f : v < 0.0f ? 0.0f : v)
TG_UNARY_F32(tg_relu_0_to_1_f32, v > 1.0f ? 1.0f : v < 0.0f ? 0.0f : v)
TG_UNARY_F32(tg_relu_n1_to_1_f32, v > 1.0f ? 1.0f : v < -1.0f ? -1.0f : v)
TG_UNARY_F32(tg_round_f32, tg_round_f32_one(v))
TG_UNARY_F32(tg_rsqrt_f32, 1.0f / sqrtf(v))
TG_UNARY_F32(tg_sign_f32, (float)((v > 0.0f) - (v < 0.0f)))
TG_UNARY_F32(tg_sin_f32, sinf(v))
TG_UNARY_F32(tg_sqrt_f32, sqrtf(v))
TG_UNARY_F32(tg_square_f32, v * v)
TG_UNARY_F32(tg_tanh_f32, tanhf(v))

#endif
