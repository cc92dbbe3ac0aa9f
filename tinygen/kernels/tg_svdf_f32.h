/* SVDF on float32: tg_svdf.h explains the layer and the shift of its state.
 *
 * The answers of a filter times its time weights are summed first, from 0 on; then a unit adds the
 * sums of its filters to its bias. `before` and `after` may be one buffer. The fused activation is a
 * clamp.
 */
#ifndef TG_SVDF_F32_H
#define TG_SVDF_F32_H

#include "tg_f32.h"

typedef struct {
    int32_t batches, features, units, rank, memory;
} tg_svdf_f32_shape;

typedef struct {
    const float *feature; /* units * rank filters, by features */
    const float *time;    /* units * rank filters, by memory */
    const float *bias;    /* per unit */
    float output_min;
    float output_max;
} tg_svdf_f32_params;

TG_INLINE void tg_svdf_f32(const tg_svdf_f32_shape *shape, const tg_svdf_f32_params *params,
                           const float *x, const float *before, float *y, float *after)
{
    const int32_t filters = shape->units * shape->rank;
    const size_t answers = (size_t)(shape->batches * filters * shape->memory);
    float *state = after;
    memmove(state, before + 1, (answers - 1u) * sizeof(float));
    for (int32_t b = 0; b < shape->batches; ++b, x += shape->features) {
        const float *feature = params->feature, *time = params->time;
        for (int32_t unit = 0; unit < shape->units; ++unit) {
            float sum = params->bias[unit];
            for (int32_t r = 0; r < shape->rank; ++r) {
                state[shape->memory - 1] = tg_dot_f32(0.0f, shape->features, feature, x);
                sum += tg_dot_f32(0.0f, shape->memory, time, state);
                feature += shape->features;
                state += shape->memory;
                time += shape->memory;
            }
            *y++ = tg_clamp_f32(sum, params->output_min, params->output_max);
        }
    }
}

#endif
