/* Proven short requantizations: how an accumulator becomes int8 by few instructions.
 *
 * The compiler knows which accumulators can occur, and has proved for each channel that the
 * arithmetic below equals the reference's two roundings and clamp on all of them, by checking both
 * sides of each of its at most 255 steps (tinygen/requant_proof.py). There are two forms:
 *
 * TG_HIGH_WORD, where a core multiplies to 64 bits by one instruction:
 *     clamp((high_word((acc << left) * multiplier) + constant [+ step if acc < 0]) >> shift)
 *
 * TG_SPLIT, where a product has 32 bits. The sum has started lower by a base, so that acc is
 * 0 .. top where the clamp does not decide; beyond, the output is a limit at once, which is most
 * of the work saved after a RELU. Else, in two products with 32 bits each,
 *     ((acc * multiplier >> 8) + constant [+ step if acc < zero]) >> shift
 *
 * Use: put TG_SHORT_OUTPUT_FIELDS into the shape (filled by ShortLayer.fields()), make a
 * tg_short_output by TG_SHORT_OUTPUT(shape), start each sum at the channel's ShortLayer.start, and
 * hand the channel's tg_short_words() words of ShortLayer.constants() to tg_short_s8.
 */
#ifndef TG_SHORT_REQUANT_H
#define TG_SHORT_REQUANT_H

#include "tg_simd.h"

#define TG_HIGH_WORD 0
#define TG_SPLIT 1

/* Fields of a shape. */
#define TG_SHORT_OUTPUT_FIELDS                                                                     \
    int32_t form;     /* TG_HIGH_WORD or TG_SPLIT */                                               \
    int32_t left;     /* TG_HIGH_WORD: what the accumulators are shifted by */                     \
    int32_t shift;    /* of all channels; 0 where each channel has its own */                      \
    int32_t has_step; /* whether negative accumulators are rounded by another constant */          \
    int32_t output_min, output_max;

typedef struct {
    TG_SHORT_OUTPUT_FIELDS
} tg_short_output;

/* Initializes one from a shape. */
#define TG_SHORT_OUTPUT(shape)                                                                     \
    {                                                                                              \
        .form = (shape)->form, .left = (shape)->left, .shift = (shape)->shift,                     \
        .has_step = (shape)->has_step, .output_min = (shape)->output_min,                          \
        .output_max = (shape)->output_max                                                          \
    }

#define TG_SHORT_MOST_WORDS 6

/* Words of constants that each channel has: multiplier, constant, top if split, step if there is
 * one and then zero if split, shift if it is the channel's own. */
TG_INLINE int32_t tg_short_words(const tg_short_output *output)
{
    const int32_t split = output->form == TG_SPLIT;
    return 2 + split + (output->has_step ? 1 + split : 0) + (output->shift == 0 ? 1 : 0);
}

/* clamp(x >> shift); shift is at least 1. */
TG_INLINE int32_t tg_shifted_s8(int32_t x, int32_t shift, int32_t low, int32_t high)
{
#if defined(__ARM_FEATURE_SAT) && defined(__ARM_ARCH_PROFILE) && defined(__GNUC__) &&              \
    defined(__OPTIMIZE__)
    /* GCC does not find this instruction with its shift in loops. */
    if (__builtin_constant_p(shift)) {
        int32_t y;
        __asm__("ssat %0, #8, %1, asr %2" : "=r"(y) : "r"(x), "n"(shift));
        /* As compilers do not know what it saturates to. */
        y = low > INT8_MIN ? tg_max(y, low) : y;
        return high < INT8_MAX ? tg_min(y, high) : y;
    }
#endif
    return tg_clamp(x >> shift, low, high);
}

TG_INLINE int32_t tg_high_word_s8(const tg_short_output *output, int32_t acc,
                                 const int32_t *constants)
{
    const int32_t shift = output->shift ? output->shift : constants[output->has_step ? 3 : 2];
    const int32_t scaled = (int32_t)((uint32_t)acc << output->left);
    uint32_t sum = (uint32_t)constants[1];
    if (output->has_step) {
        sum += (uint32_t)(constants[2] & (acc >> 31));
    }
    sum += (uint32_t)(((int64_t)scaled * constants[0]) >> 32);
    return tg_shifted_s8((int32_t)sum, shift, output->output_min, output->output_max);
}

TG_INLINE int32_t tg_split_s8(const tg_short_output *output, int32_t acc, const int32_t *constants)
{
    const int32_t shift = output->shift ? output->shift : constants[output->has_step ? 5 : 3];
    const uint32_t t = (uint32_t)acc;
    const uint32_t multiplier = (uint32_t)constants[0];
    if (t > (uint32_t)constants[2]) {
        return acc < 0 ? output->output_min : output->output_max;
    }
    uint32_t sum = (t >> 8) * multiplier + (((uint32_t)(uint8_t)t * multiplier) >> 8);
    sum += (uint32_t)constants[1];
    if (output->has_step && t < (uint32_t)constants[4]) {
        sum += (uint32_t)constants[3];
    }
    return (int32_t)sum >> shift;
}

/* The output of one accumulator, given its channel's constants. */
TG_INLINE int8_t tg_short_s8(const tg_short_output *output, int32_t acc, const int32_t *constants)
{
    return (int8_t)(output->form == TG_SPLIT ? tg_split_s8(output, acc, constants)
                                             : tg_high_word_s8(output, acc, constants));
}

#endif
