/* UART of Nordic's nRF51 and nRF52, polled. Source: nRF51 reference manual, section 29; nRF52840
 * product specification, "UART". Its crystal and the mode of its pins are the board's business
 * (board_setup.c). */
#include "device/board.h"
#include "device/uart.h"
#include "mmio.h"

#define TASKS_STARTRX MMIO(UART_ORIGIN + 0x000u)
#define TASKS_STARTTX MMIO(UART_ORIGIN + 0x008u)
#define EVENTS_RXDRDY MMIO(UART_ORIGIN + 0x108u)
#define EVENTS_TXDRDY MMIO(UART_ORIGIN + 0x11Cu)
#define ENABLE MMIO(UART_ORIGIN + 0x500u)
#define PSELTXD MMIO(UART_ORIGIN + 0x50Cu)
#define PSELRXD MMIO(UART_ORIGIN + 0x514u)
#define RXD MMIO(UART_ORIGIN + 0x518u)
#define TXD MMIO(UART_ORIGIN + 0x51Cu)
#define BAUDRATE MMIO(UART_ORIGIN + 0x524u)

#define ENABLE_ENABLED 4u

void wire_init(void)
{
    /* Pin 40 is P1.08: the port is bit 5. */
    PSELTXD = UART_TX_PIN;
    PSELRXD = UART_RX_PIN;
    /* The register holds baud * 2^32 / 16 MHz, rounded to a multiple of 2^12. */
    BAUDRATE = (uint32_t)((((uint64_t)UART_BAUD << 32) / UART_CLOCK_HZ + 0x800u) & 0xFFFFF000u);
    ENABLE = ENABLE_ENABLED;
    EVENTS_RXDRDY = 0u;
    EVENTS_TXDRDY = 0u;
    TASKS_STARTTX = 1u;
    TASKS_STARTRX = 1u;
}

/* The event goes down before the byte is taken: up to six wait, and the next raises it again. */
uint8_t wire_read(void)
{
    while (EVENTS_RXDRDY == 0u) {
    }
    EVENTS_RXDRDY = 0u;
    return (uint8_t)RXD;
}

void wire_write(uint8_t byte)
{
    EVENTS_TXDRDY = 0u;
    TXD = byte;
    while (EVENTS_TXDRDY == 0u) {
    }
}

void wire_flush(void)
{
}
