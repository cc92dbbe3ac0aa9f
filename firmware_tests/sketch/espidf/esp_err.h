/* Error codes; a failed check ends the process. */
#ifndef ESP_ERR_H
#define ESP_ERR_H

#include <stdio.h>
#include <stdlib.h>

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERROR_CHECK(expression)                                                                \
    do {                                                                                           \
        if ((expression) != ESP_OK) {                                                              \
            fprintf(stderr, "sketch: failed: %s\n", #expression);                                  \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)

#endif
