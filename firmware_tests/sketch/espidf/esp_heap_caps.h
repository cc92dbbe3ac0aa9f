/* ESP-IDF's allocator, as far as the port uses it; the capabilities have the real values. */
#ifndef ESP_HEAP_CAPS_H
#define ESP_HEAP_CAPS_H

#include <stddef.h>
#include <stdint.h>

#define MALLOC_CAP_8BIT (1u << 2)
#define MALLOC_CAP_SPIRAM (1u << 10)
#define MALLOC_CAP_INTERNAL (1u << 11)

#ifdef __cplusplus
extern "C" {
#endif

void *heap_caps_aligned_alloc(size_t alignment, size_t bytes, uint32_t capabilities);

#ifdef __cplusplus
}
#endif

#endif
