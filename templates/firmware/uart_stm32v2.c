/* USART and LPUART of the newer STM32 (F0, F3, F7, G0, G4, H7, L0, L4, L5, U5), polled. Source: ST
 * RM0351, sections 40 and 41; RM0433, sections 48 and 49. Clock and pins are the board's business
 * (board_setup.c). */
#include "device/board.h"
#include "device/uart.h"
#include "mmio.h"

#define CR1 MMIO(UART_ORIGIN + 0x00u)
#define CR3 MMIO(UART_ORIGIN + 0x08u)
#define BRR MMIO(UART_ORIGIN + 0x0Cu)
#define ISR MMIO(UART_ORIGIN + 0x1Cu)
#define RDR MMIO(UART_ORIGIN + 0x24u)
#define TDR MMIO(UART_ORIGIN + 0x28u)

#define CR1_UE (1u << 0)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR3_OVRDIS (1u << 12)
#define ISR_RXNE (1u << 5)
#define ISR_TC (1u << 6)
#define ISR_TXE (1u << 7)

/* An LPUART's divider counts in 1/256, and cannot be less than 3. A USART's is whole, and off by half
 * a count at most, which may be 2%. */
#define DIVIDED_HZ ((UART_LOW_POWER ? 256ull : 1ull) * UART_CLOCK_HZ)
#if UART_CLOCK_HZ < (UART_LOW_POWER ? 3u : 25u) * UART_BAUD
#error "the UART's clock is too slow for its baud rate"
#endif

void wire_init(void)
{
    CR1 = 0u; /* the rest can be written only while it is off */
    /* After an overrun the receiver would stand still; without that rule it goes on, and what was
     * lost shows as a damaged frame. */
    CR3 = CR3_OVRDIS;
    BRR = (uint32_t)((DIVIDED_HZ + UART_BAUD / 2u) / UART_BAUD);
    CR1 = CR1_UE | CR1_TE | CR1_RE;
    (void)RDR;
}

uint8_t wire_read(void)
{
    while ((ISR & ISR_RXNE) == 0u) {
    }
    return (uint8_t)RDR;
}

void wire_write(uint8_t byte)
{
    while ((ISR & ISR_TXE) == 0u) {
    }
    TDR = byte;
}

void wire_flush(void)
{
    while ((ISR & ISR_TC) == 0u) {
    }
}
