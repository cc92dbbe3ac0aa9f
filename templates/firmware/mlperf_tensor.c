/* Elements of the model's tensors as numbers; see mlperf_tensor.h. */
#include "mlperf_tensor.h"

#include <math.h>
#include <string.h>

/* Types of elements, in the order of protocol.h. */
enum {
    TYPE_INT8 = 0,
    TYPE_UINT8 = 1,
    TYPE_INT16 = 2,
    TYPE_INT32 = 3,
    TYPE_INT64 = 4,
    TYPE_FLOAT32 = 5,
    TYPE_BOOL = 6,
    TYPE_UINT32 = 7,
    TYPE_UINT64 = 8
};

static uint32_t element_bytes(uint8_t type)
{
    static const uint8_t bytes[] = {1, 1, 2, 4, 8, 4, 1, 4, 8};
    return bytes[type];
}

uint32_t tensor_elements(const model_tensor *tensor)
{
    return tensor->bytes / element_bytes(tensor->dtype);
}

static int64_t integer(uint8_t type, const uint8_t *element)
{
    int16_t s16;
    int32_t s32;
    int64_t s64;
    uint32_t u32;
    switch (type) {
    case TYPE_INT8:
        return (int8_t)*element;
    case TYPE_INT16:
        memcpy(&s16, element, sizeof(s16));
        return s16;
    case TYPE_INT32:
        memcpy(&s32, element, sizeof(s32));
        return s32;
    case TYPE_INT64:
        memcpy(&s64, element, sizeof(s64));
        return s64;
    case TYPE_UINT32:
        memcpy(&u32, element, sizeof(u32));
        return u32;
    default: /* uint8 and bool */
        return *element;
    }
}

/* Both halves of 64 bits, to within a bit. */
static float joined(float high, uint32_t low)
{
    return high * 4294967296.0f + (float)low;
}

/* Large ones to within a bit: libgcc's own conversion costs 4 KiB of code without an FPU. */
static float real(int64_t number)
{
    if (number >= INT32_MIN && number <= INT32_MAX) {
        return (float)(int32_t)number;
    }
    return joined((float)(int32_t)(number >> 32), (uint32_t)number);
}

float tensor_value(const model_tensor *tensor, const uint8_t *data, uint32_t index)
{
    const uint8_t *element = data + (size_t)index * element_bytes(tensor->dtype);
    float value;
    if (tensor->dtype == TYPE_FLOAT32) {
        memcpy(&value, element, sizeof(value));
        return value;
    }
    if (tensor->dtype == TYPE_UINT64) {
        uint64_t u64;
        memcpy(&u64, element, sizeof(u64));
        return joined((float)(uint32_t)(u64 >> 32), (uint32_t)u64);
    }
    const int64_t number = integer(tensor->dtype, element);
    return tensor->quantized ? real(number - tensor->zero_point) * tensor->scale : real(number);
}

void tensor_store(const model_tensor *tensor, uint8_t *data, uint32_t index, float value)
{
    if (tensor->dtype == TYPE_FLOAT32) {
        memcpy(data + (size_t)index * sizeof(value), &value, sizeof(value));
        return;
    }
    float steps = roundf(value / tensor->scale) + (float)tensor->zero_point;
    /* Written so that a value that is no number becomes one. */
    steps = steps < (float)INT8_MAX ? steps : (float)INT8_MAX;
    steps = steps > (float)INT8_MIN ? steps : (float)INT8_MIN;
    data[index] = (uint8_t)(int8_t)steps;
}
