/* tg_matmul_s8 by blocks of six channels, for cores without the DSP extension and few rows.
 *
 * The weights of three channels were packed into two words (see tg_trio.h), so that a step is an
 * activation and a weight of six channels each. A last block of fewer channels begins among those
 * already done.
 */
#ifndef TG_MATMUL_TRIO_S8_H
#define TG_MATMUL_TRIO_S8_H

#include "tg_requant.h"
#include "tg_trio.h"

typedef struct {
    int32_t rows;
    int32_t depth;      /* bytes of a row of x */
    int32_t out_c;      /* bytes of a row of y, at least six */
    int32_t chunk;      /* products of which each sum fits its field */
    int32_t right_only; /* see tg_output_s8 */
    int32_t full_range; /* see tg_make_output */
} tg_matmul_trio_s8_shape;

typedef struct {
    const uint32_t *weights;   /* for each block of channels depth steps */
    const int32_t *bias;       /* per output channel; bias - input_zero_point * sum(weights) */
    const int32_t *multiplier; /* per output channel */
    const int8_t *shift;       /* per output channel, see tg_output_s8 */
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} tg_matmul_trio_s8_params;

/* Adds the products of a row with six channels' weights, chunk by chunk. */
TG_INLINE void tg_matmul_trio_block(const tg_matmul_trio_s8_shape *shape, const uint32_t *words,
                                    const int8_t *x, int32_t sums[TG_TRIO_LANES])
{
    uint32_t acc[TG_TRIO_WORDS];
    for (int32_t i = 0; i < shape->depth / shape->chunk; ++i) {
        tg_trio_1x4(shape->chunk, words, x, acc);
        tg_trio_take(acc[0], acc[1], sums);
        tg_trio_take(acc[2], acc[3], sums + 3);
        x += shape->chunk;
        words += TG_TRIO_WORDS * shape->chunk;
    }
    if (shape->depth % shape->chunk) {
        tg_trio_1x4(shape->depth % shape->chunk, words, x, acc);
        tg_trio_take(acc[0], acc[1], sums);
        tg_trio_take(acc[2], acc[3], sums + 3);
    }
}

TG_INLINE void tg_matmul_trio_s8(const tg_matmul_trio_s8_shape *shape,
                                 const tg_matmul_trio_s8_params *params, const int8_t *restrict x,
                                 int8_t *restrict y)
{
    const tg_output output =
        tg_make_output(shape->right_only, shape->full_range, params->output_zero_point,
                       params->output_min, params->output_max);
    for (int32_t row = 0; row < shape->rows; ++row, x += shape->depth, y += shape->out_c) {
        const uint32_t *words = params->weights;
        for (int32_t done = 0; done < shape->out_c; done += TG_TRIO_LANES) {
            const int32_t c = tg_min(done, shape->out_c - TG_TRIO_LANES);
            int32_t sums[TG_TRIO_LANES];
            for (int32_t i = 0; i < TG_TRIO_LANES; ++i) {
                sums[i] = params->bias[c + i];
            }
            tg_matmul_trio_block(shape, words, x, sums);
            for (int32_t i = 0; i < TG_TRIO_LANES; ++i) {
                y[c + i] = tg_output_s8(&output, sums[i], params->multiplier[c + i],
                                        params->shift[c + i]);
            }
            words += TG_TRIO_WORDS * shape->depth;
        }
    }
}

#endif
