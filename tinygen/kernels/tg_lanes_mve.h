/* From int32 accumulators to int8, four output channels at a time, for Helium.
 *
 * The reference rounds twice: h = x * multiplier / 2^31, halves up, then h / 2^n, halves away from
 * zero, plus the zero point z, clamped to [low, high]. VQRDMULH is the first step as it stands.
 * With one constant for both the rounding and the zero point the second is
 *
 *     (h - (h < 0) + (z << n) + (1 << (n - 1))) >> n
 *
 * and the correction of negative values is not needed where the output ends at z, as after a RELU:
 * no h below zero can then be told apart. To clamp for nothing, the sum is not shifted right by n
 * but left by 24 - n, which saturates at the ends of int32: its highest byte is the result. The
 * compiler has proved that nothing else saturates or wraps (tinygen/ops/lanes.py), and gives dead
 * channels a multiplier of zero.
 */
#ifndef TG_LANES_MVE_H
#define TG_LANES_MVE_H

#include "tg_mve.h"
#include "tg_require_mve.h"

/* Constants of the shape. */
typedef struct {
    int32_t has_step; /* whether negative values are corrected */
    int32_t low, high;
} tg_lane_output;

#define TG_LANE_OUTPUT(shape)                                                                      \
    {                                                                                              \
        .has_step = (shape)->has_step, .low = (shape)->output_min, .high = (shape)->output_max     \
    }

/* What four channels have: arrays of four, one after the other. */
typedef struct {
    tg_s32x4 bias, multiplier, constant, left;
} tg_lane_constants;

#define TG_LANE_WORDS 16

TG_INLINE tg_lane_constants tg_load_lane_constants(const int32_t *words)
{
    const tg_lane_constants constants = {
        .bias = tg_load_s32x4(words),
        .multiplier = tg_load_s32x4(words + 4),
        .constant = tg_load_s32x4(words + 8),
        .left = tg_load_s32x4(words + 12),
    };
    return constants;
}

/* The results but for output->low and high, each in the highest byte of its lane. */
TG_INLINE tg_s32x4 tg_requant_high(const tg_lane_output *output,
                                   const tg_lane_constants *constants, tg_s32x4 sum)
{
    tg_s32x4 h = tg_add_s32x4(sum, constants->bias);
    h = tg_doubling_high_mul_s32x4(h, constants->multiplier);
    if (output->has_step) {
        h = tg_add_s32x4(h, tg_sign_s32x4(h));
    }
    return tg_saturating_shift_s32x4(tg_add_s32x4(h, constants->constant), constants->left);
}

/* The results, each in the low byte of its lane. */
TG_INLINE tg_s32x4 tg_requant_lanes(const tg_lane_output *output,
                                    const tg_lane_constants *constants, tg_s32x4 sum)
{
    tg_s32x4 y = tg_high_byte_s32x4(tg_requant_high(output, constants, sum));
    if (output->low > INT8_MIN) {
        y = tg_max_s32x4(y, tg_dup_s32x4(output->low));
    }
    if (output->high < INT8_MAX) {
        y = tg_min_s32x4(y, tg_dup_s32x4(output->high));
    }
    return y;
}

/* The results of 16 channels: sums[i] are those of channels i, i + 4, i + 8 and i + 12, and so are
 * the constants from words on. */
TG_INLINE tg_s8x16 tg_requant_16(const tg_lane_output *output, const int32_t *words,
                                 const tg_s32x4 *sums)
{
    tg_s32x4 high[4];
    TG_UNROLL(4)
    for (int32_t i = 0; i < 4; ++i) {
        const tg_lane_constants own = tg_load_lane_constants(words + i * TG_LANE_WORDS);
        high[i] = tg_requant_high(output, &own, sums[i]);
    }
    tg_s8x16 y = tg_high_bytes_s32x4(high[0], high[1], high[2], high[3]);
    if (output->low > INT8_MIN) {
        y = tg_max_s8x16(y, tg_dup_s8x16(output->low));
    }
    if (output->high < INT8_MAX) {
        y = tg_min_s8x16(y, tg_dup_s8x16(output->high));
    }
    return y;
}

#endif
