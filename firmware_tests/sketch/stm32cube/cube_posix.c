/* STM32Cube as a process: the UART is standard input and output, behind which a test puts a
 * pseudo-terminal. What a chip would not do without, clocks and pins first, ends it with a word. */
#define _POSIX_C_SOURCE 200809L

#include "stm32_hal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PINS = 2 };

static uint32_t take(void);

GPIO_TypeDef cube_gpio[26];
USART_TypeDef cube_uart = {.taken = take};
uint32_t SystemCoreClock = 16000000u;

#if defined(UART_FLAG_ORE)
int cube_overrun = 1;
#else
int cube_overrun; /* the port has told the UART not to mind */
#define UART_FLAG_ORE 0u
#endif

static int started, open_pins, open;

static void fail(const char *what)
{
    fprintf(stderr, "cube: %s\n", what);
    exit(EXIT_FAILURE);
}

static void check(int condition, const char *what)
{
    if (!condition) {
        fail(what);
    }
}

HAL_StatusTypeDef HAL_Init(void)
{
    started = 1;
    return HAL_OK;
}

void HAL_IncTick(void)
{
}

uint32_t HAL_GetTick(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

void HAL_Delay(uint32_t milliseconds)
{
    const struct timespec time = {(long)milliseconds / 1000, (long)milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

void HAL_GPIO_Init(GPIO_TypeDef *port, GPIO_InitTypeDef *pin)
{
    check(started, "HAL_Init() comes first");
    check(port->clock_on, "a port's clock comes before its pins");
    check(pin->Pull == GPIO_PULLUP, "an open line is noise");
#if defined(STM32F1)
    check(pin->Mode == (open_pins == 0 ? GPIO_MODE_AF_PP : GPIO_MODE_INPUT), "a pin's mode");
#else
    check(pin->Mode == GPIO_MODE_AF_PP && pin->Alternate > 0u, "a pin's mode");
#endif
    ++open_pins;
}

HAL_StatusTypeDef HAL_UART_Init(UART_HandleTypeDef *handle)
{
    check(open_pins == PINS, "the pins come before the UART");
    check(handle->Instance->clock_on, "the UART's clock comes before the UART");
    check(handle->Init.BaudRate > 0u && handle->Init.Mode == UART_MODE_TX_RX, "the UART's mode");
#if defined(UART_ADVFEATURE_OVERRUN_DISABLE)
    check(handle->AdvancedInit.OverrunDisable == UART_ADVFEATURE_OVERRUN_DISABLE, "overruns");
#endif
    open = 1;
    return HAL_OK;
}

FlagStatus cube_flag(const UART_HandleTypeDef *handle, uint32_t flag)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    check(open && handle->Instance == &cube_uart, "the UART is closed");
    if (flag == UART_FLAG_ORE) {
        return cube_overrun ? SET : RESET;
    }
    check(flag == UART_FLAG_RXNE, "which flag?");
    if (!cube_overrun && poll(&input, 1, 100) > 0) {
        if ((input.revents & POLLIN) != 0) {
            return SET;
        }
        HAL_Delay(1); /* hung up: the host has closed the port, and may open it again */
    }
    return RESET;
}

static uint32_t take(void)
{
    uint8_t byte;
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count != 1) {
        exit(count == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return byte;
}

HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *handle, uint8_t *data, uint16_t bytes,
                                    uint32_t timeout)
{
    check(open && handle->Instance == &cube_uart && timeout > 0u, "the UART is closed");
    for (uint16_t sent = 0; sent < bytes;) {
        const ssize_t count = write(STDOUT_FILENO, data + sent, (size_t)(bytes - sent));
        if (count <= 0) {
            return HAL_TIMEOUT;
        }
        sent = (uint16_t)(sent + count);
    }
    return HAL_OK;
}

void HAL_PWREx_EnableVddIO2(void)
{
}

void NVIC_SystemReset(void)
{
    execl("/proc/self/exe", "cube", (char *)NULL);
    fail("cannot start again");
}
