/* The application under ESP-IDF: it waits for requests on the serial port and answers them. The
 * model is in lib/, what it is asked in src/device/, and ESP-IDF's part in port_espidf.c. */
#include "device/app.h"
#include "port.h"

void app_main(void);

void app_main(void)
{
    port_start();
    app_start();
    app_serve();
}
