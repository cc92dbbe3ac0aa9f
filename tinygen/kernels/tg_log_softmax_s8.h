/* LOG_SOFTMAX over rows of int8: x - max - log(sum of exp(x - max)), in the reference's fixed point.
 *
 * x - max takes 256 values at most, so the compiler tabulated it and its exp. What remains: the sum
 * of a row and its logarithm, once per row. tinygen/ops/fixedpoint.py has the numpy twin of the
 * logarithm. x and y may be the same.
 */
#ifndef TG_LOG_SOFTMAX_S8_H
#define TG_LOG_SOFTMAX_S8_H

#include "tg_softmax_s8.h"

typedef struct {
    int32_t rows;
    int32_t depth; /* elements of a row */
} tg_log_softmax_s8_shape;

typedef struct {
    const int32_t *exponentials; /* exp of minus the index, Q0.31 */
    const int32_t *differences;  /* minus the index, Q5.26 */
    int32_t count;               /* entries of either; beyond, exp is 0 and the result the least */
    int32_t multiplier, shift;   /* from Q5.26 back to steps of the input */
} tg_log_softmax_s8_params;

/* log(x) as Q5.26 for x >= 1 as Q12.19: that of a power of two, plus a rational approximation around
 * 2^(-1/4) of what remains, which is x or x * sqrt(1/2), whichever is smaller. The second factor of
 * each product is not negative; a square is that of the absolute value. */
TG_INLINE int32_t tg_log_of_sum(int32_t x)
{
    const int32_t sqrt_half = 1518500250;
    const int32_t quarter_root = 1805811301; /* 2^(-1/4) */
    const int32_t lead = tg_leading_zeros((uint32_t)x);
    const int32_t half = tg_doubling_high_mul(x << (lead - 1), sqrt_half);
    const int32_t r_a = half > (INT32_MAX >> 1) ? INT32_MAX : half * 2;
    const int32_t power_a = (12 - lead) * (1 << 25) + (1 << 23);
    const int32_t smaller = tg_doubling_high_mul(x, sqrt_half);
    const int32_t headroom = tg_leading_zeros((uint32_t)smaller) - 1;
    const int32_t r_b = x > (INT32_MAX >> headroom) ? INT32_MAX : x << headroom;
    const int32_t power_b = (12 - headroom) * (1 << 25) - (1 << 23);
    const int32_t r = tg_min(r_a, r_b);
    const int32_t power = tg_max(power_a, power_b);

    const int32_t middle = (int32_t)(((uint32_t)r + (uint32_t)quarter_root + 1u) >> 1);
    const int32_t q = 2 * (r - quarter_root);
    const int32_t magnitude = q < 0 ? -q : q;
    const int32_t square = tg_doubling_high_mul(magnitude, magnitude);
    const int32_t numerator = tg_doubling_high_mul(q, r) +
                              tg_doubling_high_mul(tg_doubling_high_mul(q, square), 117049297);
    const int32_t inner = 1057819769 + q + tg_doubling_high_mul(square, 127690142);
    const int32_t denominator =
        tg_doubling_high_mul(middle, inner) + tg_doubling_high_mul(q, 638450708);
    const int32_t rest = tg_doubling_high_mul(tg_rounding_shift_right(numerator, 6),
                                              tg_inverse_one_plus(denominator));
    return (tg_doubling_high_mul(power, 1488522236) + rest) * 2; /* log(2); below 2^31: x < 2^12 */
}

TG_INLINE void tg_log_softmax_s8(const tg_log_softmax_s8_shape *shape,
                                 const tg_log_softmax_s8_params *params, const int8_t *x, int8_t *y)
{
    const tg_log_softmax_s8_params p = *params;
    for (int32_t r = 0; r < shape->rows; ++r) {
        int32_t max = x[0];
        for (int32_t i = 1; i < shape->depth; ++i) {
            max = tg_max(max, x[i]);
        }
        uint32_t sum = 0;
        for (int32_t i = 0; i < shape->depth; ++i) {
            const int32_t below = max - x[i];
            sum += below < p.count ? ((uint32_t)p.exponentials[below] + (1u << 11)) >> 12 : 0;
        }
        const int32_t log = tg_log_of_sum((int32_t)sum);
        const int32_t least = tg_requant(log + INT32_MIN, p.multiplier, p.shift);
        for (int32_t i = 0; i < shape->depth; ++i) {
            const int32_t below = max - x[i];
            int32_t result = INT8_MIN;
            if (below < p.count && -below > least) {
                const int32_t raw = (int32_t)((uint32_t)p.differences[below] - (uint32_t)log);
                result = tg_clamp(tg_rounding_shift_right(raw, 22) + 127, INT8_MIN, INT8_MAX);
            }
            y[i] = (int8_t)result;
        }
        x += shape->depth;
        y += shape->depth;
    }
}

#endif
