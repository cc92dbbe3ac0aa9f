/* ESP-IDF's heap with the memory that a test gives it: SKETCH_HEAP bytes inside the chip, and
 * SKETCH_PSRAM bytes outside; without the variable, none. */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "esp_heap_caps.h"

static inline void *heap_allocate(size_t alignment, size_t bytes, uint32_t capabilities)
{
    const bool outside = (capabilities & MALLOC_CAP_SPIRAM) != 0u;
    const char *const name = outside ? "SKETCH_PSRAM" : "SKETCH_HEAP";
    const char *const room = getenv(name);
    if (room == NULL || strtoul(room, NULL, 10) < bytes) {
        return NULL;
    }
    return aligned_alloc(alignment, (bytes + alignment - 1u) / alignment * alignment);
}

#endif
