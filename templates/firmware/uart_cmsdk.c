/* UART of Arm's Cortex-M System Design Kit, polled. Source: Arm DDI 0479, section 4.3. */
#include "device/board.h"
#include "device/uart.h"
#include "mmio.h"

#define DATA MMIO(UART_ORIGIN + 0x00u)
#define STATE MMIO(UART_ORIGIN + 0x04u)
#define CTRL MMIO(UART_ORIGIN + 0x08u)
#define BAUDDIV MMIO(UART_ORIGIN + 0x10u)

#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define CTRL_TX_ENABLE 1u
#define CTRL_RX_ENABLE 2u
#define BAUDDIV_MINIMUM 16u

void wire_init(void)
{
    const uint32_t divider = BOARD_CLOCK_HZ / UART_BAUD;
    BAUDDIV = divider < BAUDDIV_MINIMUM ? BAUDDIV_MINIMUM : divider;
    CTRL = CTRL_TX_ENABLE | CTRL_RX_ENABLE;
    (void)DATA; /* drop what was received before; it also wakes QEMU's receiver */
    /* QEMU stops polling a serial port that did not take a byte while the receiver was off, and
     * looks again only when a byte has been read. The host repeats what this may drop. */
    (void)DATA;
}

uint8_t wire_read(void)
{
    while ((STATE & STATE_RX_FULL) == 0u) {
    }
    return (uint8_t)DATA;
}

void wire_write(uint8_t byte)
{
    while ((STATE & STATE_TX_FULL) != 0u) {
    }
    DATA = byte;
}

void wire_flush(void)
{
    while ((STATE & STATE_TX_FULL) != 0u) {
    }
}
