/* What the protocol needs of the machine beneath it: a board, or the host's operating system. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NO_RETURN __attribute__((noreturn))
#define NO_INLINE __attribute__((noinline))
#else
#define NO_RETURN
#define NO_INLINE
#endif

/* Counts up at platform_timer_hz() and never wraps, if read at least once while the timer's 32 bits
 * last. */
uint64_t platform_ticks(void);
uint32_t platform_timer_hz(void);

/* Bytes reserved for the stack, and the most that was ever in use; 0 where that is not known. */
uint32_t platform_stack_bytes(void);
uint32_t platform_stack_used(void);

/* Report a crash, and do not return, if the stack has run over. */
void platform_check_stack(void);

/* Read from a file of the host; false where there is no such file, or no way to it. */
bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes);

/* Start again as after power-up. */
NO_RETURN void platform_reset(void);

/* End the program where its status can be told (to an emulator, a host), else stand still. */
NO_RETURN void platform_exit(int status);

#endif
