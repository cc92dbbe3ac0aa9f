/* The firmware without a framework: answers its host over the serial port. */
#include "device/app.h"
#include "device/uart.h"
#include "timer.h"

int main(void)
{
    wire_init();
    timer_init();
    app_start();
    app_serve();
    return 0;
}
