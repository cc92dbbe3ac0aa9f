/* The names of STM32Cube's HAL that the generated port uses, with the values that matter to it. The
 * families differ as the real ones do: an F1 has no alternate functions to choose, an F1 and an F4
 * one data register for both directions, and only the others can let an overrun pass. */
#ifndef STM32_HAL_H
#define STM32_HAL_H

#include <stdint.h>

typedef enum { RESET = 0, SET = 1 } FlagStatus;
typedef enum { HAL_OK = 0, HAL_ERROR = 1, HAL_BUSY = 2, HAL_TIMEOUT = 3 } HAL_StatusTypeDef;

typedef struct {
    int clock_on;
    int pins_open;
} GPIO_TypeDef;

typedef struct {
    uint32_t Pin, Mode, Pull, Speed;
#if !defined(STM32F1)
    uint32_t Alternate;
#endif
} GPIO_InitTypeDef;

/* A read of the data register takes the byte. */
typedef struct {
    uint32_t (*taken)(void);
    int clock_on;
} USART_TypeDef;

#if defined(STM32F1) || defined(STM32F4)
#define DR taken()
#define UART_FLAG_ORE 0x08u
#define __HAL_UART_CLEAR_OREFLAG(handle) ((void)(handle), cube_overrun = 0)
#else
#define RDR taken()
#define USART_RDR_RDR 0xFFu
#define UART_ADVFEATURE_RXOVERRUNDISABLE_INIT 0x10u
#define UART_ADVFEATURE_OVERRUN_DISABLE 0x1000u
#endif

typedef struct {
    uint32_t BaudRate, WordLength, StopBits, Parity, Mode, HwFlowCtl;
} UART_InitTypeDef;

typedef struct {
    USART_TypeDef *Instance;
    UART_InitTypeDef Init;
#if defined(UART_ADVFEATURE_OVERRUN_DISABLE)
    struct {
        uint32_t AdvFeatureInit, OverrunDisable;
    } AdvancedInit;
#endif
} UART_HandleTypeDef;

#define GPIO_MODE_INPUT 0x0u
#define GPIO_MODE_AF_PP 0x2u
#define GPIO_PULLUP 0x1u
#define GPIO_SPEED_FREQ_HIGH 0x2u
#define UART_WORDLENGTH_8B 0x0u
#define UART_STOPBITS_1 0x0u
#define UART_PARITY_NONE 0x0u
#define UART_MODE_TX_RX 0xCu
#define UART_HWCONTROL_NONE 0x0u
#define UART_FLAG_RXNE 0x20u

#define GPIO_PIN_2 0x0004u
#define GPIO_PIN_3 0x0008u
#define GPIO_PIN_6 0x0040u
#define GPIO_PIN_7 0x0080u
#define GPIO_PIN_8 0x0100u
#define GPIO_PIN_9 0x0200u
#define GPIO_PIN_10 0x0400u
#define GPIO_PIN_15 0x8000u

extern GPIO_TypeDef cube_gpio[26];
extern USART_TypeDef cube_uart;
extern uint32_t SystemCoreClock;
extern int cube_overrun; /* while it is there, nothing more is received */

#define GPIOA (&cube_gpio[0])
#define GPIOB (&cube_gpio[1])
#define GPIOD (&cube_gpio[3])
#define GPIOG (&cube_gpio[6])
#define USART1 (&cube_uart)
#define USART2 (&cube_uart)
#define USART3 (&cube_uart)
#define LPUART1 (&cube_uart)

#define __HAL_RCC_GPIOA_CLK_ENABLE() (GPIOA->clock_on = 1)
#define __HAL_RCC_GPIOB_CLK_ENABLE() (GPIOB->clock_on = 1)
#define __HAL_RCC_GPIOD_CLK_ENABLE() (GPIOD->clock_on = 1)
#define __HAL_RCC_GPIOG_CLK_ENABLE() (GPIOG->clock_on = 1)
#define __HAL_RCC_USART1_CLK_ENABLE() (cube_uart.clock_on = 1)
#define __HAL_RCC_USART2_CLK_ENABLE() (cube_uart.clock_on = 1)
#define __HAL_RCC_USART3_CLK_ENABLE() (cube_uart.clock_on = 1)
#define __HAL_RCC_LPUART1_CLK_ENABLE() (cube_uart.clock_on = 1)
#define __HAL_RCC_PWR_CLK_ENABLE() ((void)0)

#define __HAL_UART_GET_FLAG(handle, flag) cube_flag((handle), (flag))

FlagStatus cube_flag(const UART_HandleTypeDef *handle, uint32_t flag);

HAL_StatusTypeDef HAL_Init(void);
void HAL_IncTick(void);
uint32_t HAL_GetTick(void);
void HAL_Delay(uint32_t milliseconds);
void HAL_GPIO_Init(GPIO_TypeDef *port, GPIO_InitTypeDef *pin);
HAL_StatusTypeDef HAL_UART_Init(UART_HandleTypeDef *handle);
HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *handle, uint8_t *data, uint16_t bytes,
                                    uint32_t timeout);
void HAL_PWREx_EnableVddIO2(void);
void NVIC_SystemReset(void);

#endif
