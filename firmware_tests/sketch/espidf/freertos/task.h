/* What the port asks of its task. */
#ifndef TASK_H
#define TASK_H

#include "FreeRTOS.h"

void vTaskDelay(TickType_t ticks);
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);

#endif
