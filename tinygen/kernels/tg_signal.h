/* The front of an audio front end, on int16 samples: window, scaling, and the energy of a spectrum.
 *
 * Windowing multiplies each frame by the same weights. Scaling shifts a frame to the left as far as
 * its loudest sample allows, so that a transform in 16 bits keeps what precision there is. Energy is
 * the squared magnitude of each complex number of a spectrum, real and imaginary part in turn.
 */
#ifndef TG_SIGNAL_H
#define TG_SIGNAL_H

#include "tg_types.h"

typedef struct {
    int32_t frames, size;
} tg_signal_window_shape;

typedef struct {
    int32_t shift;
} tg_signal_window_params;

TG_INLINE void tg_signal_window(const tg_signal_window_shape *shape,
                                const tg_signal_window_params *params, const int16_t *x,
                                const int16_t *window, int16_t *y)
{
    for (int32_t frame = 0; frame < shape->frames; ++frame) {
        for (int32_t i = 0; i < shape->size; ++i) {
            const int32_t product = (*x++ * window[i]) >> params->shift;
            *y++ = (int16_t)tg_clamp(product, INT16_MIN, INT16_MAX);
        }
    }
}

typedef struct {
    int32_t size;
} tg_signal_auto_scale_shape;

typedef struct {
    int32_t unused;
} tg_signal_auto_scale_params;

/* The magnitude of -32768 is cut to 16 bits: as the reference has it, that sample counts as the
 * smallest there is, and whichever comes next is the loudest so far. */
TG_INLINE void tg_signal_auto_scale(const tg_signal_auto_scale_shape *shape,
                                    const tg_signal_auto_scale_params *params, const int16_t *x,
                                    int16_t *y, int32_t *bits)
{
    (void)params;
    int32_t loudest = 0;
    for (int32_t i = 0; i < shape->size; ++i) {
        if (x[i] > loudest) {
            loudest = x[i];
        } else if (-x[i] > loudest) {
            loudest = x[i] > INT16_MIN ? -x[i] : INT16_MIN;
        }
    }
    int32_t shift = 0;
    while (loudest > 0 && (loudest << shift) < 1 << 14) {
        ++shift;
    }
    for (int32_t i = 0; i < shape->size; ++i) {
        y[i] = (int16_t)(uint16_t)((uint32_t)x[i] << shift);
    }
    *bits = shift;
}

typedef struct {
    int32_t size, start, end;
} tg_signal_energy_shape;

typedef struct {
    int32_t unused;
} tg_signal_energy_params;

TG_INLINE void tg_signal_energy(const tg_signal_energy_shape *shape,
                                const tg_signal_energy_params *params, const int16_t *x,
                                uint32_t *y)
{
    (void)params;
    for (int32_t i = 0; i < shape->size; ++i) {
        const int32_t real = x[2 * i], imaginary = x[2 * i + 1];
        const int wanted = i >= shape->start && i < shape->end;
        y[i] = wanted ? (uint32_t)(real * real) + (uint32_t)(imaginary * imaginary) : 0u;
    }
}

#endif
