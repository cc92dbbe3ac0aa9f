/* UART of Nordic's nRF51 on the micro:bit's pins, polled. Source: nRF51 reference manual, 29. */
#include "board.h"
#include "mmio.h"
#include "uart.h"

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
#define TX_PIN 24u
#define RX_PIN 25u

void uart_init(void)
{
    PSELTXD = TX_PIN;
    PSELRXD = RX_PIN;
    /* The register holds baud * 2^32 / 16 MHz, rounded to a multiple of 2^12. */
    BAUDRATE = (uint32_t)((((uint64_t)UART_BAUD << 32) / 16000000u + 0x800u) & 0xFFFFF000u);
    ENABLE = ENABLE_ENABLED;
    EVENTS_RXDRDY = 0u;
    EVENTS_TXDRDY = 0u;
    TASKS_STARTTX = 1u;
    TASKS_STARTRX = 1u;
}

uint8_t uart_read(void)
{
    while (EVENTS_RXDRDY == 0u) {
    }
    EVENTS_RXDRDY = 0u;
    return (uint8_t)RXD;
}

void uart_write(uint8_t byte)
{
    EVENTS_TXDRDY = 0u;
    TXD = byte;
    while (EVENTS_TXDRDY == 0u) {
    }
}

void uart_flush(void)
{
}
