/* The setting that the port reads. */
#ifndef SDKCONFIG_H
#define SDKCONFIG_H

#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 8192

#endif
