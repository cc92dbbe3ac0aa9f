/* The sketch: it waits for requests on Serial and answers them. The model is in lib/, what it is
 * asked in src/device/, and how an Arduino core does its part in port_arduino.cpp. */
#include <Arduino.h>

#include "device/app.h"
#include "port.h"

void setup()
{
    port_start();
    app_start();
}

void loop()
{
    app_poll();
}
