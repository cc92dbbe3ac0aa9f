/* Calls to the host: how the program ends, and its files. By Arm's semihosting, which RISC-V has
 * taken over, with an emulator; without one nobody would listen. */
#include "device/board.h"
#include "device/platform.h"

#if BOARD_EMULATED

#include <string.h>

#define STOPPED_APPLICATION_EXIT 0x20026u
#define OPEN_READ_BINARY 1u

/* Source: "Semihosting for AArch32 and AArch64", Arm, section 5. */
enum {
    CALL_OPEN = 0x01,
    CALL_CLOSE = 0x02,
    CALL_READ = 0x06,
    CALL_SEEK = 0x0A,
    CALL_EXIT_EXTENDED = 0x20
};

#if defined(__riscv)

/* Three instructions are the sign, never compressed and all in one page: "RISC-V Semihosting",
 * section 2. Hence the alignment, and no copies of them elsewhere. */
static NO_INLINE __attribute__((aligned(16))) int32_t call(uint32_t number, const uintptr_t *block)
{
    register uint32_t operation __asm("a0") = number;
    register const uintptr_t *arguments __asm("a1") = block;
    __asm volatile(".option push\n\t"
                   ".option norvc\n\t"
                   "slli zero, zero, 0x1f\n\t"
                   "ebreak\n\t"
                   "srai zero, zero, 7\n\t"
                   ".option pop"
                   : "+r"(operation)
                   : "r"(arguments)
                   : "memory");
    return (int32_t)operation;
}

#else

static int32_t call(uint32_t number, const uintptr_t *block)
{
    register uint32_t operation __asm("r0") = number;
    register const uintptr_t *arguments __asm("r1") = block;
    __asm volatile("bkpt 0xAB" : "+r"(operation) : "r"(arguments) : "memory");
    return (int32_t)operation;
}

#endif

NO_RETURN void platform_exit(int status)
{
    const uintptr_t arguments[2] = {STOPPED_APPLICATION_EXIT, (uintptr_t)status};
    call(CALL_EXIT_EXTENDED, arguments);
    for (;;) {
    }
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    const uintptr_t name[3] = {(uintptr_t)path, OPEN_READ_BINARY, strlen(path)};
    const int32_t file = call(CALL_OPEN, name);
    if (file < 0) {
        return false;
    }
    const uintptr_t place[2] = {(uintptr_t)file, offset};
    const uintptr_t span[3] = {(uintptr_t)file, (uintptr_t)data, bytes};
    /* READ returns the number of bytes that it did not read. */
    const bool done = call(CALL_SEEK, place) == 0 && call(CALL_READ, span) == 0;
    call(CALL_CLOSE, place);
    return done;
}

#else

NO_RETURN void platform_exit(int status)
{
    (void)status;
    for (;;) {
    }
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    (void)path;
    (void)offset;
    (void)data;
    (void)bytes;
    return false;
}

#endif
