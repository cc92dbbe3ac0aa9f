/* One number per layer; MODEL_LAYERS comes from the Makefile. */
#include "layers.h"

#include "board.h"
#include "crc32.h"
#include "platform.h"

static layers_mode active = LAYERS_OFF;
static uint32_t values[MODEL_LAYERS > 0 ? MODEL_LAYERS : 1];
static uint64_t mark;

void layers_start(layers_mode mode)
{
    active = mode;
    mark = mode == LAYERS_TICKS ? platform_ticks() : 0u;
}

uint32_t layers_value(uint32_t layer)
{
    return values[layer];
}

NO_INLINE void firmware_layer_hook(int layer, const void *output, size_t bytes)
{
    if (active == LAYERS_TICKS) {
        const uint64_t elapsed = platform_ticks() - mark;
        values[layer] = elapsed < UINT32_MAX ? (uint32_t)elapsed : UINT32_MAX;
        mark = platform_ticks();
        return;
    }
    if (active == LAYERS_CRC) {
        values[layer] = crc32_update(0, output, bytes);
    }
#if !BOARD_EMULATED
    /* A cycle counter of 32 bits lasts some seconds, a large model runs longer: look at it between
     * the layers, so that it never wraps unseen. Emulated, it would be counted for nothing. */
    (void)platform_ticks();
#endif
}
