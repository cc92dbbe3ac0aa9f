/* DEPTHWISE_CONV_2D on int8, NHWC, with a channel in each of 16 lanes, for Helium.
 *
 * VMULLB and VMULLT multiply the even and the odd lanes of 16 int8 to 16 bits. Helium has no
 * product of two vectors that adds to 32 bits without adding up the lanes, but the products of two
 * taps fit 16 bits together: for |w0| + |w1| <= 255, which the compiler checks,
 * |x0 w0 + x1 w1| < 2^15. So two taps at a time are added up in 16 bits, then widened (VMOVLB,
 * VMOVLT: the even lanes and the odd ones of those) and added to four vectors of 32 bits. Sum i
 * then belongs to channels i, i + 4, i + 8, i + 12; the constants lie so, too, and the four results
 * of a lane are packed into its four bytes, which puts the channels back in order.
 *
 * A step is what is computed between two loads of constants: a pixel; or, where 16 is a multiple of
 * the channels and the stride is 1, as many neighbouring pixels as fill a vector, whose channels
 * are treated as channels of one. Where the kernel hangs over the border its patch is gathered into
 * scratch, with the input's zero point outside.
 */
#ifndef TG_DEPTHWISE_S8_MVE_H
#define TG_DEPTHWISE_S8_MVE_H

#include "tg_lanes_mve.h"

typedef struct {
    int32_t batches;
    int32_t in_h, row_bytes; /* of the input */
    int32_t out_h, steps;    /* rows of the output, and steps of each */
    int32_t kernel_h, kernel_w;
    int32_t stride_h, step_bytes; /* input rows, and bytes, between steps */
    int32_t dilation_h, tap_bytes; /* input rows, and bytes, between taps */
    int32_t pad_top, pad_bytes;
    int32_t channels; /* of a step */
    int32_t has_step; /* see tg_lanes_mve.h */
    int32_t output_min, output_max;
} tg_depthwise_s8_mve_shape;

typedef struct {
    const int8_t *weights; /* for each 16 channels 16 bytes for each tap */
    const int32_t *constants; /* see tg_requant_16 */
    int32_t input_zero_point;
} tg_depthwise_s8_mve_params;

/* Where the taps of a step are: the first one, and bytes between rows of the kernel. */
typedef struct {
    const int8_t *first;
    int32_t pitch;
} tg_depthwise_patch;

#if defined(TG_MVE_ASSEMBLY)
/* Assembly, as compilers load too early and run out of the eight vectors; below is the same in C.
 *
 * q4 to q7 are the sums, q0 and q1 what two taps add up to in 16 bits, q2 the input and q3 the
 * weights. For the second tap there is no vector left for the first product, so its weights are
 * loaded twice. gas counts taps and columns while it writes the loop's body out. */
#define TG_DEPTHWISE_LOAD                                                                          \
    ".set tg_offset, (tg_kx - %c[middle]) * %c[tap_bytes]\n\t"                                     \
    ".if tg_offset >= -127 && tg_offset <= 127\n\t"                                                \
    "vldrb.8 q2, [%[row], #tg_offset]\n\t"                                                         \
    ".else\n\t"                                                                                    \
    ".if tg_offset >= 0\n\t"                                                                       \
    "add.w %[far], %[row], #tg_offset\n\t"                                                         \
    ".else\n\t"                                                                                    \
    "sub.w %[far], %[row], #-tg_offset\n\t"                                                        \
    ".endif\n\t"                                                                                   \
    "vldrb.8 q2, [%[far]]\n\t"                                                                     \
    ".endif\n\t"

#define TG_DEPTHWISE_FIRST_TAP                                                                     \
    "vldrb.8 q3, [%[w]], #16\n\t"                                                                  \
    "vmullb.s8 q0, q2, q3\n\t"                                                                     \
    "vmullt.s8 q1, q2, q3\n\t"

#define TG_DEPTHWISE_SECOND_TAP                                                                    \
    "vldrb.8 q3, [%[w]]\n\t"                                                                       \
    "vmullb.s8 q3, q2, q3\n\t"                                                                     \
    "vadd.i16 q0, q0, q3\n\t"                                                                      \
    "vldrb.8 q3, [%[w]], #16\n\t"                                                                  \
    "vmullt.s8 q2, q2, q3\n\t"                                                                     \
    "vadd.i16 q1, q1, q2\n\t"

/* The first pair starts the sums. */
#define TG_DEPTHWISE_WIDEN                                                                         \
    ".if tg_tap < 2\n\t"                                                                           \
    "vmovlb.s16 q4, q0\n\t"                                                                        \
    "vmovlb.s16 q5, q1\n\t"                                                                        \
    "vmovlt.s16 q6, q0\n\t"                                                                        \
    "vmovlt.s16 q7, q1\n\t"                                                                        \
    ".else\n\t"                                                                                    \
    "vmovlb.s16 q2, q0\n\t"                                                                        \
    "vmovlb.s16 q3, q1\n\t"                                                                        \
    "vadd.i32 q4, q4, q2\n\t"                                                                      \
    "vmovlt.s16 q0, q0\n\t"                                                                        \
    "vadd.i32 q5, q5, q3\n\t"                                                                      \
    "vmovlt.s16 q1, q1\n\t"                                                                        \
    "vadd.i32 q6, q6, q0\n\t"                                                                      \
    "vadd.i32 q7, q7, q1\n\t"                                                                      \
    ".endif\n\t"

#define TG_DEPTHWISE_TAP                                                                           \
    TG_DEPTHWISE_LOAD                                                                              \
    ".if tg_tap %% 2\n\t" TG_DEPTHWISE_SECOND_TAP ".else\n\t" TG_DEPTHWISE_FIRST_TAP ".endif\n\t"  \
    ".if tg_tap %% 2 || tg_tap == %c[taps] - 1\n\t" TG_DEPTHWISE_WIDEN ".endif\n\t"                \
    ".set tg_tap, tg_tap + 1\n\t"                                                                  \
    ".set tg_kx, tg_kx + 1\n\t"

/* tg_requant_high on vector q. */
#define TG_DEPTHWISE_REQUANT(q)                                                                    \
    "vldrw.32 q0, [%[k]], #16\n\t"                                                                 \
    "vadd.i32 " q ", " q ", q0\n\t"                                                                \
    "vldrw.32 q1, [%[k]], #16\n\t"                                                                 \
    "vqrdmulh.s32 " q ", " q ", q1\n\t"                                                            \
    ".if %c[has_step]\n\t"                                                                         \
    "vshr.s32 q2, " q ", #31\n\t"                                                                  \
    "vadd.i32 " q ", " q ", q2\n\t"                                                                \
    ".endif\n\t"                                                                                   \
    "vldrw.32 q0, [%[k]], #16\n\t"                                                                 \
    "vadd.i32 " q ", " q ", q0\n\t"                                                                \
    "vldrw.32 q1, [%[k]], #16\n\t"                                                                 \
    "vqshl.s32 " q ", " q ", q1\n\t"

/* tg_high_bytes_s32x4 and the limits. */
#define TG_DEPTHWISE_PACK                                                                          \
    "vsri.32 q7, q6, #8\n\t"                                                                       \
    "vsri.32 q7, q5, #16\n\t"                                                                      \
    "vsri.32 q7, q4, #24\n\t"                                                                      \
    ".if %c[low] > -128\n\t"                                                                       \
    "vmov.i8 q0, #(%c[low] & 255)\n\t"                                                             \
    "vmax.s8 q7, q7, q0\n\t"                                                                       \
    ".endif\n\t"                                                                                   \
    ".if %c[high] < 127\n\t"                                                                       \
    "vmov.i8 q0, #(%c[high] & 255)\n\t"                                                            \
    "vmin.s8 q7, q7, q0\n\t"                                                                       \
    ".endif\n\t"

/* All channels of a step. Up to 15 bytes beyond the taps of the last channel are read. */
TG_INLINE void tg_depthwise_step(const tg_depthwise_s8_mve_shape *shape,
                                 const tg_depthwise_s8_mve_params *params,
                                 tg_depthwise_patch patch, int8_t *y)
{
    const int8_t *weights = params->weights;
    const int32_t *constants = params->constants;
    const int8_t *base = patch.first + shape->kernel_w / 2 * shape->tap_bytes;
    const int8_t *row, *far;
    int32_t left = shape->channels;
    __asm__ volatile("0:\n\t"
                     "mov %[row], %[base]\n\t"
                     ".set tg_tap, 0\n\t"
                     ".rept %c[kernel_h]\n\t"
                     ".set tg_kx, 0\n\t"
                     ".rept %c[kernel_w]\n\t" TG_DEPTHWISE_TAP
                     ".endr\n\t"
                     "add %[row], %[pitch]\n\t"
                     ".endr\n\t"
                     "add %[base], #16\n\t" TG_DEPTHWISE_REQUANT("q4") TG_DEPTHWISE_REQUANT("q5")
                         TG_DEPTHWISE_REQUANT("q6") TG_DEPTHWISE_REQUANT("q7") TG_DEPTHWISE_PACK
                     ".if %c[channels] %% 16\n\t"
                     "vctp.8 %[left]\n\t"
                     "vpst\n\t"
                     "vstrbt.8 q7, [%[y]], #16\n\t"
                     ".else\n\t"
                     "vstrb.8 q7, [%[y]], #16\n\t"
                     ".endif\n\t"
                     ".if %c[channels] > 16\n\t"
                     "subs %[left], #16\n\t"
                     "bgt 0b\n\t"
                     ".endif"
                     /* Early clobbers, or an input of the same value shares its register. */
                     : [base] "+&r"(base), [w] "+&r"(weights), [k] "+&r"(constants), [y] "+&r"(y),
                       [left] "+&r"(left), [row] "=&r"(row), [far] "=&r"(far)
                     : [pitch] "r"(patch.pitch), [kernel_h] "n"(shape->kernel_h),
                       [kernel_w] "n"(shape->kernel_w), [tap_bytes] "n"(shape->tap_bytes),
                       [middle] "n"(shape->kernel_w / 2),
                       [taps] "n"(shape->kernel_h * shape->kernel_w),
                       [channels] "n"(shape->channels), [has_step] "n"(shape->has_step),
                       [low] "n"(shape->output_min), [high] "n"(shape->output_max)
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "p0", "memory");
    (void)row;
    (void)far;
}
#else
/* The product sums of count channels, at most 16, whose first one's taps are at patch. */
TG_INLINE void tg_depthwise_sums_16(const tg_depthwise_s8_mve_shape *shape,
                                    const tg_depthwise_patch *patch, int32_t count,
                                    const int8_t *weights, tg_s32x4 *sums)
{
    const int32_t taps = shape->kernel_h * shape->kernel_w;
    const int32_t middle = shape->kernel_w / 2; /* from where offsets in instructions reach far */
    const int8_t *row = patch->first + middle * shape->tap_bytes;
    tg_s16x8 even, odd;
    int32_t kx = 0;
    TG_UNROLL(32)
    for (int32_t tap = 0; tap < taps; ++tap) {
        const int8_t *const at = row + (kx - middle) * shape->tap_bytes;
        const tg_s8x16 x = count == 16 ? tg_load_s8x16(at) : tg_load_first_s8x16(at, count);
        const tg_s8x16 w = tg_load_s8x16(weights + 16 * tap);
        if (tap % 2 == 0) {
            even = tg_mul_even_s8x16(x, w);
            odd = tg_mul_odd_s8x16(x, w);
        } else {
            even = tg_add_s16x8(even, tg_mul_even_s8x16(x, w));
            odd = tg_add_s16x8(odd, tg_mul_odd_s8x16(x, w));
        }
        if (tap < 2 && (tap == 1 || taps == 1)) {
            sums[0] = tg_even_s16x8(even);
            sums[1] = tg_even_s16x8(odd);
            sums[2] = tg_odd_s16x8(even);
            sums[3] = tg_odd_s16x8(odd);
        } else if (tap % 2 == 1 || tap == taps - 1) {
            sums[0] = tg_add_s32x4(sums[0], tg_even_s16x8(even));
            sums[1] = tg_add_s32x4(sums[1], tg_even_s16x8(odd));
            sums[2] = tg_add_s32x4(sums[2], tg_odd_s16x8(even));
            sums[3] = tg_add_s32x4(sums[3], tg_odd_s16x8(odd));
        }
        if (++kx == shape->kernel_w) {
            kx = 0;
            row += patch->pitch;
        }
    }
}

/* All channels of a step. */
TG_INLINE void tg_depthwise_step(const tg_depthwise_s8_mve_shape *shape,
                                 const tg_depthwise_s8_mve_params *params,
                                 tg_depthwise_patch patch, int8_t *y)
{
    const tg_lane_output output = TG_LANE_OUTPUT(shape);
    const int32_t taps = shape->kernel_h * shape->kernel_w;
    const int32_t rest = shape->channels % 16;
    const int8_t *weights = params->weights;
    const int32_t *constants = params->constants;
    tg_s32x4 sums[4];
    TG_UNROLL(1)
    for (int32_t c = 16; c <= shape->channels; c += 16) {
        tg_depthwise_sums_16(shape, &patch, 16, weights, sums);
        tg_store_s8x16(y, tg_requant_16(&output, constants, sums));
        patch.first += 16;
        weights += 16 * taps;
        constants += 4 * TG_LANE_WORDS;
        y += 16;
    }
    if (rest) {
        tg_depthwise_sums_16(shape, &patch, rest, weights, sums);
        tg_store_first_s8x16(y, tg_requant_16(&output, constants, sums), rest);
    }
}
#endif

/* Gathers the taps of the step that begins in row top and byte left, either perhaps outside. */
TG_INLINE tg_depthwise_patch tg_depthwise_gather(const tg_depthwise_s8_mve_shape *shape,
                                                 const int8_t *x, int32_t top, int32_t left,
                                                 int32_t zero_point, int8_t *scratch)
{
    const int32_t bytes = (shape->kernel_w - 1) * shape->tap_bytes + shape->channels;
    const tg_depthwise_patch patch = {scratch, bytes};
    const int32_t before = tg_clamp(-left, 0, bytes);
    const int32_t end = tg_clamp(shape->row_bytes - left, before, bytes);
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, scratch += bytes) {
        const int32_t iy = top + ky * shape->dilation_h;
        if (iy < 0 || iy >= shape->in_h) {
            tg_fill_by_vectors(scratch, zero_point, bytes);
        } else {
            tg_fill_by_vectors(scratch, zero_point, before);
            tg_copy_by_vectors(scratch + before, x + iy * shape->row_bytes + left + before,
                               end - before);
            tg_fill_by_vectors(scratch + end, zero_point, bytes - end);
        }
    }
    return patch;
}

TG_INLINE void tg_depthwise_s8_mve(const tg_depthwise_s8_mve_shape *shape,
                                   const tg_depthwise_s8_mve_params *params,
                                   const int8_t *restrict x, int8_t *restrict y,
                                   int8_t *restrict scratch)
{
    const int32_t high = (shape->kernel_h - 1) * shape->dilation_h + 1;
    const int32_t wide = (shape->kernel_w - 1) * shape->tap_bytes + shape->channels;
    const int32_t beyond = -shape->channels & 15; /* what a last vector reads past its taps */
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        int32_t top = -shape->pad_top;
        for (int32_t oy = 0; oy < shape->out_h; ++oy, top += shape->stride_h) {
            int32_t left = -shape->pad_bytes;
            TG_UNROLL(1)
            for (int32_t step = 0; step < shape->steps; ++step, left += shape->step_bytes) {
                tg_depthwise_patch patch = {x + top * shape->row_bytes + left,
                                            shape->dilation_h * shape->row_bytes};
                const int32_t last = (top + high - 1) * shape->row_bytes + left + wide + beyond;
                if (top < 0 || top + high > shape->in_h || left < 0 ||
                    left + wide > shape->row_bytes || last > shape->in_h * shape->row_bytes) {
                    patch = tg_depthwise_gather(shape, x, top, left, params->input_zero_point,
                                                scratch);
                }
                tg_depthwise_step(shape, params, patch, y);
                y += shape->channels;
            }
        }
        x += shape->in_h * shape->row_bytes;
    }
}

#endif
