/* Ticks of 1 ms, as sdkconfig.defaults has them. */
#ifndef FREERTOS_H
#define FREERTOS_H

#include <stdint.h>

typedef uint32_t TickType_t;
typedef unsigned int UBaseType_t;
typedef void *QueueHandle_t;
typedef void *TaskHandle_t;

#define portMAX_DELAY ((TickType_t)0xFFFFFFFFu)
#define pdMS_TO_TICKS(milliseconds) ((TickType_t)(milliseconds))

#endif
