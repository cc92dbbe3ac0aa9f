/* A device register at an address. */
#ifndef MMIO_H
#define MMIO_H

#include <stdint.h>

#define MMIO(address) (*(volatile uint32_t *)(uintptr_t)(address))

#endif
