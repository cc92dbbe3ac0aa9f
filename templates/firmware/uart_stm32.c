/* USART of the STM32F1, F2 and F4, polled. Source: ST RM0090, section 30. Its clock and pins are
 * what board_setup.c gives it. */
#include "device/board.h"
#include "device/uart.h"
#include "mmio.h"

#define SR MMIO(UART_ORIGIN + 0x00u)
#define DR MMIO(UART_ORIGIN + 0x04u)
#define BRR MMIO(UART_ORIGIN + 0x08u)
#define CR1 MMIO(UART_ORIGIN + 0x0Cu)

#define SR_ORE (1u << 3)
#define SR_RXNE (1u << 5)
#define SR_TC (1u << 6)
#define SR_TXE (1u << 7)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR1_UE (1u << 13)

/* A whole divider is off by half a count at most, which may be 2%. */
#if UART_CLOCK_HZ < 25u * UART_BAUD
#error "the UART's clock is too slow for its baud rate"
#endif

void wire_init(void)
{
    BRR = (UART_CLOCK_HZ + UART_BAUD / 2u) / UART_BAUD;
    CR1 = CR1_UE | CR1_TE | CR1_RE;
    (void)SR;
    (void)DR; /* drop what was received before; it also wakes QEMU's receiver */
}

/* After an overrun the receiver stands still until SR and then DR are read, and no byte need be
 * there: one that comes between those two reads is lost, and leaves SR_ORE alone behind. So DR is
 * read for either flag; what was lost shows as a damaged frame. */
uint8_t wire_read(void)
{
    for (;;) {
        const uint32_t state = SR;
        if ((state & (SR_RXNE | SR_ORE)) != 0u) {
            const uint8_t byte = (uint8_t)DR;
            if ((state & SR_RXNE) != 0u) {
                return byte;
            }
        }
    }
}

void wire_write(uint8_t byte)
{
    while ((SR & SR_TXE) == 0u) {
    }
    DR = byte;
}

void wire_flush(void)
{
    while ((SR & SR_TC) == 0u) {
    }
}
