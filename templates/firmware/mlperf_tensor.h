/* Elements of the model's tensors as numbers. */
#ifndef MLPERF_TENSOR_H
#define MLPERF_TENSOR_H

#include <stdint.h>

#include "firmware_model.h"

uint32_t tensor_elements(const model_tensor *tensor);

/* An element's value; that of a quantized tensor is (element - zero point) * scale. */
float tensor_value(const model_tensor *tensor, const uint8_t *data, uint32_t index);

/* Store a value as an element: quantized to nearest (half away from zero) within int8, or as it is
 * in a tensor of floats. */
void tensor_store(const model_tensor *tensor, uint8_t *data, uint32_t index, float value);

#endif
