/* The generated model as the firmware sees it: tables instead of names. */
#ifndef FIRMWARE_MODEL_H
#define FIRMWARE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint32_t *dims;
    uint32_t bytes;
    float scale;
    int32_t zero_point;
    uint8_t rank;
    uint8_t dtype; /* index into the host's list of types; see protocol.h */
    bool quantized;
} model_tensor;

typedef struct {
    const char *name;
    const char *sha256;
    const char *tinygen_version;
    const char *options; /* of the command line that generated it */
    uint32_t arena_bytes;
    uint16_t inputs;
    uint16_t outputs;
    uint16_t layers;
    const model_tensor *tensors; /* the inputs, then the outputs */
} model_facts;

extern const model_facts model;

/* Bytes that the arena needs from the heap; 0 where the arena is a variable. A port whose arena is
 * on the heap finds the memory, aligned for any type and zeroed, before the first request is
 * answered. */
extern const uint32_t model_heap_bytes;
void model_place_arena(void *memory);

uint8_t *model_input(uint32_t index);
const uint8_t *model_output(uint32_t index);

/* Give the model's state, if it has any, the values that it has before the first inference. */
void firmware_reset(void);

/* Run one inference. The only caller of the model's invoke function, and never inlined: what is
 * counted between its entry and its return is the inference. */
void firmware_invoke(void);

#endif
