/* Dot products of int8 with one widening instead of two, for the Arm DSP extension.
 *
 * SMLAD multiplies two pairs of int16 and adds both products; int8 has to be widened first. Take a
 * word of four activations x0, x1, x2, x3 of which the even ones are stored as u = x + 128,
 * unsigned ("mixed"). Read as two signed halves it already is
 *
 *     (u0 + 256 * x1, u2 + 256 * x3)
 *
 * and one SMLAD of it with the pair of weights (w1, w3) gives u0 w1 + u2 w3 + 256 (x1 w1 + x3 w3).
 * UXTB16 of the same word is (u0, u2), and its SMLAD with (256 w0 - w1, 256 w2 - w3) adds
 * 256 (u0 w0 + u2 w2) - u0 w1 - u2 w3. What is unwanted cancels: the sum is 256 times the dot
 * product. UXTB16 serves all channels that are computed at once, and the weights' pairs are made
 * when compiling. The 128 of the even activations, the input's zero point and the bias are one
 * constant for each output channel, where the sum starts.
 *
 * The factor of 256 is welcome: it makes room for the exact rounding constant in the requantization
 * of two instructions, see tinygen/requant_proof.py.
 */
#ifndef TG_TWIST_H
#define TG_TWIST_H

#include "tg_simd.h"

/* What turns the even ones of four activations into unsigned bytes, if the first one's place is
 * even, or odd. */
TG_INLINE uint32_t tg_mixed(int32_t odd)
{
    return odd ? 0x80008000u : 0x00800080u;
}

TG_INLINE int8_t tg_mixed_byte(int8_t value, int32_t odd)
{
    return odd ? value : (int8_t)(value < 0 ? value + 128 : value - 128);
}

/* How 256 times an accumulator becomes int8: constants of the shape. */
typedef struct {
    int32_t shift;    /* of all channels; 0 where each channel has its own */
    int32_t has_step; /* whether negative accumulators are rounded by another constant */
    int32_t low, high;
} tg_twist_output;

/* Initializes one from a shape of any of these kernels. */
#define TG_TWIST_OUTPUT(shape)                                                                     \
    {                                                                                              \
        .shift = (shape)->shift, .has_step = (shape)->has_step, .low = (shape)->output_min,        \
        .high = (shape)->output_max                                                                \
    }

/* Words of constants that each channel has. */
TG_INLINE int32_t tg_twist_constants(const tg_twist_output *output)
{
    return 2 + (output->has_step ? 1 : 0) + (output->shift == 0 ? 1 : 0);
}

#if defined(TG_DSP_ASSEMBLY)
/* The kernels' inner loops as assembly: compilers spill some of the accumulators that fill the
 * registers, which costs a third of the speed. What these blocks compute is written in C beside
 * them, for other compilers and machines. */
#define TG_TWIST_ASSEMBLY

/* What tg_twist_s8 shifts, in register a in place. Leaves the flags alone. */
#define TG_TWIST_SCALE(a, m, c, d, t)                                                              \
    ".if %c[has_step]\n\t"                                                                         \
    "and " t ", " d ", " a ", asr #31\n\t"                                                         \
    "add " t ", " t ", " c "\n\t"                                                                  \
    "smmla " a ", " a ", " m ", " t "\n\t"                                                         \
    ".else\n\t"                                                                                    \
    "smmla " a ", " a ", " m ", " c "\n\t"                                                         \
    ".endif\n\t"

/* tg_twist_s8 on register a in place, with the constants in m (multiplier), c, d (step), n (shift)
 * and t free. For use with TG_TWIST_OPERANDS. */
#define TG_TWIST_REQUANT(a, m, c, d, n, t)                                                         \
    TG_TWIST_SCALE(a, m, c, d, t)                                                                  \
    ".if %c[shift]\n\t"                                                                            \
    "ssat " a ", #8, " a ", asr #%c[shift]\n\t"                                                    \
    ".else\n\t"                                                                                    \
    "asr " a ", " a ", " n "\n\t"                                                                  \
    "ssat " a ", #8, " a "\n\t"                                                                    \
    ".endif\n\t"                                                                                   \
    ".if %c[low] > -128\n\t"                                                                       \
    "cmp " a ", #%c[low]\n\t"                                                                      \
    "it lt\n\t"                                                                                    \
    "movlt " a ", #%c[low]\n\t"                                                                    \
    ".endif\n\t"                                                                                   \
    ".if %c[high] < 127\n\t"                                                                       \
    "cmp " a ", #%c[high]\n\t"                                                                     \
    "it gt\n\t"                                                                                    \
    "movgt " a ", #%c[high]\n\t"                                                                   \
    ".endif\n\t"

/* Loads a channel's constants. */
#define TG_TWIST_CONSTANTS(from, m, c, d, n)                                                       \
    "ldr " m ", [" from "], #4\n\t"                                                                \
    "ldr " c ", [" from "], #4\n\t"                                                                \
    ".if %c[has_step]\n\t"                                                                         \
    "ldr " d ", [" from "], #4\n\t"                                                                \
    ".endif\n\t"                                                                                   \
    ".if %c[shift] == 0\n\t"                                                                       \
    "ldr " n ", [" from "], #4\n\t"                                                                \
    ".endif\n\t"

#define TG_TWIST_OPERANDS(output)                                                                  \
    [shift] "n"((output)->shift), [has_step] "n"((output)->has_step), [low] "n"((output)->low),    \
        [high] "n"((output)->high)
#endif

#if defined(TG_TWIST_ASSEMBLY)
/* tg_twist_s8 where the output's fields are constants. */
TG_INLINE int32_t tg_twist_assembly(const tg_twist_output *output, int32_t acc,
                                    const int32_t *constants)
{
    const int32_t step = output->has_step ? constants[2] : 0;
    const int32_t shift = output->shift == 0 ? constants[output->has_step ? 3 : 2] : 0;
    int32_t free;
    __asm__(TG_TWIST_REQUANT("%[a]", "%[m]", "%[c]", "%[d]", "%[n]", "%[t]")
            : [a] "+r"(acc), [t] "=&r"(free)
            : [m] "r"(constants[0]), [c] "r"(constants[1]), [d] "r"(step), [n] "r"(shift),
              TG_TWIST_OPERANDS(output)
            : "cc");
    (void)free;
    return acc;
}
#endif

/* Requantizes acc; a channel's constants are multiplier, constant, and, where the output has them,
 * step and shift. */
TG_INLINE int8_t tg_twist_s8(const tg_twist_output *output, int32_t acc, const int32_t *constants)
{
#if defined(TG_TWIST_ASSEMBLY)
    if (__builtin_constant_p(output->shift) && __builtin_constant_p(output->has_step)) {
        return (int8_t)tg_twist_assembly(output, acc, constants);
    }
#endif
    const int32_t *next = constants + 2;
    uint32_t constant = (uint32_t)constants[1];
    if (output->has_step) {
        constant += acc < 0 ? (uint32_t)*next : 0u;
        ++next;
    }
    const int32_t shift = output->shift == 0 ? *next : output->shift;
    const int32_t high = (int32_t)(((int64_t)acc * constants[0]) >> 32);
    return (int8_t)tg_clamp((int32_t)((uint32_t)high + constant) >> shift, output->low,
                            output->high);
}

#endif
