/* One number per layer of one inference, taken in the hook that the generated code calls. */
#ifndef LAYERS_H
#define LAYERS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    LAYERS_OFF,   /* nothing */
    LAYERS_TICKS, /* ticks that the layer took, without the hook's own */
    LAYERS_CRC,   /* CRC-32 of the layer's output */
    LAYERS_MODES
} layers_mode;

/* Choose what the next inference records; call it right before. */
void layers_start(layers_mode mode);

/* The number of a layer, from the last inference that recorded any. */
uint32_t layers_value(uint32_t layer);

/* The hook: the generated code is compiled with -D<MODEL>_LAYER_HOOK=firmware_layer_hook. */
void firmware_layer_hook(int layer, const void *output, size_t bytes);

#endif
