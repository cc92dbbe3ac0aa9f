/* The firmware: answers the host over the serial port. */
#include "protocol.h"
#include "timer.h"
#include "uart.h"

int main(void)
{
    uart_init();
    timer_init();
    protocol_serve();
    return 0;
}
