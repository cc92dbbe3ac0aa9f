/* Reset. */
#ifndef ESP_SYSTEM_H
#define ESP_SYSTEM_H

#include <stdint.h>

__attribute__((noreturn)) void esp_restart(void);

#endif
