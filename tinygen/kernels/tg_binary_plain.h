/* Operators with two inputs on values that are what they stand for: float32, and whole numbers
 * without a scale.
 *
 * Each is an expression of a and b, the operator's left and right operand. TG_BINARY_PLAIN makes the
 * kernel around it: the rows of a broadcast (tg_binary.h) and, as the compiler may have swapped the
 * operands for their sake, which of the two is which. Where an operator has a fused activation, its
 * limits are in the parameters; without one they are the type's, so that an infinite sum becomes the
 * largest number, as the reference does it. A NaN stays one.
 *
 * Sums and products of whole numbers wrap, also those that C leaves undefined. What a whole number
 * divided by zero is, no reference says (they stop): here it is 0, as Arm's SDIV has it.
 *
 * x and y may be the same.
 */
#ifndef TG_BINARY_PLAIN_H
#define TG_BINARY_PLAIN_H

#include <math.h>

#include "tg_binary.h"
#include "tg_f32.h"

typedef tg_binary_shape tg_binary_plain_shape;
typedef tg_binary_shape tg_binary_f32_shape;
typedef tg_binary_shape tg_binary_s32_shape;
typedef tg_binary_shape tg_binary_s64_shape;

/* Of operators without an activation. */
typedef struct {
    int32_t swapped; /* whether x is the right operand, and w the left one */
} tg_binary_plain_params;

typedef struct {
    float output_min, output_max;
    int32_t swapped;
} tg_binary_f32_params;

typedef struct {
    int32_t output_min, output_max;
    int32_t swapped;
} tg_binary_s32_params;

typedef struct {
    int64_t output_min, output_max;
    int32_t swapped;
} tg_binary_s64_params;

#define TG_BINARY_PLAIN(name, types, type, result)                                                 \
    TG_INLINE void name(const types##_shape *shape, const types##_params *params, const type *x,   \
                        const type *w, type *y)                                                    \
    {                                                                                              \
        const types##_params p = *params;                                                          \
        for (tg_binary_rows r = tg_binary_first(shape); r.left > 0; tg_binary_next(shape, &r)) {   \
            const type *xr = x + r.x;                                                              \
            const type *wr = w + r.w;                                                              \
            for (int32_t i = 0; i < shape->size; ++i) {                                            \
                const type a = p.swapped ? *wr : xr[i];                                            \
                const type b = p.swapped ? xr[i] : *wr;                                            \
                y[i] = result;                                                                     \
                wr += shape->w_step;                                                               \
            }                                                                                      \
            y += shape->size;                                                                      \
        }                                                                                          \
    }

#define TG_LIMITED(name, type)                                                                     \
    TG_INLINE type name(type value, type low, type high)                                           \
    {                                                                                              \
        const type raised = value < low ? low : value;                                             \
        return high < raised ? high : raised;                                                      \
    }

TG_LIMITED(tg_limited_s32, int32_t)
TG_LIMITED(tg_limited_s64, int64_t)

TG_INLINE int32_t tg_sum_s32(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

TG_INLINE int32_t tg_difference_s32(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

TG_INLINE int32_t tg_product_s32(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

TG_INLINE int64_t tg_sum_s64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

TG_INLINE int64_t tg_difference_s64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

TG_INLINE int64_t tg_product_s64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Rounded towards zero. By -1 it may wrap, so it is a difference. */
TG_INLINE int32_t tg_quotient_s32(int32_t a, int32_t b)
{
    return b == 0 ? 0 : b == -1 ? tg_difference_s32(0, a) : a / b;
}

/* Rounded down: one less where the quotient lost a fraction and is negative. */
TG_INLINE int32_t tg_floor_quotient_s32(int32_t a, int32_t b)
{
    if (b == 0 || b == -1) {
        return tg_quotient_s32(a, b);
    }
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/* What is left of a after that; it has the divisor's sign. */
#define TG_FLOOR_REMAINDER(name, type)                                                             \
    TG_INLINE type name(type a, type b)                                                            \
    {                                                                                              \
        const type rest = b == 0 || b == -1 ? 0 : a % b;                                           \
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;                               \
    }

TG_FLOOR_REMAINDER(tg_floor_remainder_s32, int32_t)
TG_FLOOR_REMAINDER(tg_floor_remainder_s64, int64_t)

TG_INLINE float tg_floor_remainder_f32(float a, float b)
{
    const float rest = fmodf(a, b);
    return (rest < 0.0f || rest > 0.0f) && (rest < 0.0f) != (b < 0.0f) ? rest + b : rest;
}

/* a to the power of b, squared for each bit of b; 0 for exponents below zero, as for no divisor. */
TG_INLINE int32_t tg_power_s32(int32_t a, int32_t b)
{
    int32_t result = b < 0 ? 0 : 1;
    for (; b > 0; b >>= 1) {
        if (b & 1) {
            result = tg_product_s32(result, a);
        }
        a = tg_product_s32(a, a);
    }
    return result;
}

TG_INLINE float tg_squared_f32(float value)
{
    return value * value;
}

TG_INLINE int32_t tg_squared_s32(int32_t value)
{
    return tg_product_s32(value, value);
}

TG_BINARY_PLAIN(tg_add_f32, tg_binary_f32, float,
                tg_clamp_f32(a + b, p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_add_s32, tg_binary_s32, int32_t,
                tg_limited_s32(tg_sum_s32(a, b), p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_add_s64, tg_binary_s64, int64_t,
                tg_limited_s64(tg_sum_s64(a, b), p.output_min, p.output_max))

TG_BINARY_PLAIN(tg_sub_f32, tg_binary_f32, float,
                tg_clamp_f32(a - b, p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_sub_s32, tg_binary_s32, int32_t,
                tg_limited_s32(tg_difference_s32(a, b), p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_sub_s64, tg_binary_s64, int64_t,
                tg_limited_s64(tg_difference_s64(a, b), p.output_min, p.output_max))

TG_BINARY_PLAIN(tg_mul_f32, tg_binary_f32, float,
                tg_clamp_f32(a * b, p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_mul_s32, tg_binary_s32, int32_t,
                tg_limited_s32(tg_product_s32(a, b), p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_mul_s64, tg_binary_s64, int64_t,
                tg_limited_s64(tg_product_s64(a, b), p.output_min, p.output_max))

TG_BINARY_PLAIN(tg_div_f32, tg_binary_f32, float,
                tg_clamp_f32(a / b, p.output_min, p.output_max))
TG_BINARY_PLAIN(tg_div_s32, tg_binary_s32, int32_t,
                tg_limited_s32(tg_quotient_s32(a, b), p.output_min, p.output_max))

/* The reference divides float32 in double, whose quotient is rounded less, before it rounds down. */
TG_BINARY_PLAIN(tg_floor_div_f32, tg_binary_plain, float, (float)floor((double)a / (double)b))
TG_BINARY_PLAIN(tg_floor_div_s8, tg_binary_plain, int8_t, (int8_t)tg_floor_quotient_s32(a, b))
TG_BINARY_PLAIN(tg_floor_div_s16, tg_binary_plain, int16_t, (int16_t)tg_floor_quotient_s32(a, b))
TG_BINARY_PLAIN(tg_floor_div_s32, tg_binary_plain, int32_t, tg_floor_quotient_s32(a, b))

TG_BINARY_PLAIN(tg_floor_mod_f32, tg_binary_plain, float, tg_floor_remainder_f32(a, b))
TG_BINARY_PLAIN(tg_floor_mod_s8, tg_binary_plain, int8_t, (int8_t)tg_floor_remainder_s32(a, b))
TG_BINARY_PLAIN(tg_floor_mod_s16, tg_binary_plain, int16_t, (int16_t)tg_floor_remainder_s32(a, b))
TG_BINARY_PLAIN(tg_floor_mod_s32, tg_binary_plain, int32_t, tg_floor_remainder_s32(a, b))
TG_BINARY_PLAIN(tg_floor_mod_s64, tg_binary_plain, int64_t, tg_floor_remainder_s64(a, b))

TG_BINARY_PLAIN(tg_pow_f32, tg_binary_plain, float, powf(a, b))
TG_BINARY_PLAIN(tg_pow_s32, tg_binary_plain, int32_t, tg_power_s32(a, b))

TG_BINARY_PLAIN(tg_atan2_f32, tg_binary_plain, float, atan2f(a, b))

TG_BINARY_PLAIN(tg_maximum_f32, tg_binary_plain, float, a > b ? a : b)
TG_BINARY_PLAIN(tg_maximum_u8, tg_binary_plain, uint8_t, a > b ? a : b)
TG_BINARY_PLAIN(tg_maximum_s16, tg_binary_plain, int16_t, a > b ? a : b)
TG_BINARY_PLAIN(tg_maximum_s32, tg_binary_plain, int32_t, a > b ? a : b)
TG_BINARY_PLAIN(tg_maximum_s64, tg_binary_plain, int64_t, a > b ? a : b)

TG_BINARY_PLAIN(tg_minimum_f32, tg_binary_plain, float, a < b ? a : b)
TG_BINARY_PLAIN(tg_minimum_u8, tg_binary_plain, uint8_t, a < b ? a : b)
TG_BINARY_PLAIN(tg_minimum_s16, tg_binary_plain, int16_t, a < b ? a : b)
TG_BINARY_PLAIN(tg_minimum_s32, tg_binary_plain, int32_t, a < b ? a : b)
TG_BINARY_PLAIN(tg_minimum_s64, tg_binary_plain, int64_t, a < b ? a : b)

TG_BINARY_PLAIN(tg_squared_difference_f32, tg_binary_plain, float, tg_squared_f32(a - b))
TG_BINARY_PLAIN(tg_squared_difference_s32, tg_binary_plain, int32_t,
                tg_squared_s32(tg_difference_s32(a, b)))

TG_BINARY_PLAIN(tg_prelu_f32, tg_binary_plain, float, a >= 0.0f ? a : a * b)

#endif
