/* What the start-up code of all architectures shares. The architecture's own file has the entry
 * after reset, the entry of faults and platform_reset(); it calls what is here. */
#ifndef START_H
#define START_H

#include <stdint.h>

#include "device/app.h"
#include "device/platform.h"

/* From the linker script. */
extern uint32_t stack_bottom[], stack_top[];

/* The bit of crash_report's status that says so on every architecture: the one of Arm's CFSR. */
#define CRASH_STACK_OVERFLOW (1u << 20)

/* Which architecture's numbers crash_report's exception is one of; Arm's come without an offset. */
enum { CRASH_RISCV = 0x100, CRASH_XTENSA = 0x200 };

/* Where the architecture's reset code ends: make the memory as C expects it, and run main(). */
NO_RETURN void start_firmware(void);

/* Tell the host. An emulator then ends; a board tells whoever asks later. */
NO_RETURN void start_crash(const crash_report *report);

#endif
