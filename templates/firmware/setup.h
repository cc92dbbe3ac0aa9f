/* What the chip needs before its serial port works: clocks, pins, supplies. It runs before any
 * variable has its value. */
#ifndef SETUP_H
#define SETUP_H

void board_setup(void);

#endif
