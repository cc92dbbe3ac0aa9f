/* The application under STM32Cube: it waits for requests on the serial port and answers them. The
 * model is in lib/, what it is asked in src/device/, and what the HAL does in port_stm32cube.c. */
#include "device/app.h"
#include "port.h"

int main(void)
{
    port_start();
    app_start();
    app_serve();
    return 0;
}
