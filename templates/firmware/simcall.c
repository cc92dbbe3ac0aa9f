/* Calls to the host: how the program ends, and its files. */
#include "simcall.h"

#include "device/platform.h"

enum { OPEN_READ_ONLY = 0, SEEK_FROM_START = 0 };

NO_RETURN void platform_exit(int status)
{
    simcall(SIMCALL_EXIT, (uintptr_t)status, 0, 0);
    for (;;) {
    }
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    const int32_t file = simcall(SIMCALL_OPEN, (uintptr_t)path, OPEN_READ_ONLY, 0);
    if (file < 0) {
        return false;
    }
    const uintptr_t handle = (uintptr_t)file;
    bool done = simcall(SIMCALL_SEEK, handle, offset, SEEK_FROM_START) == (int32_t)offset;
    while (done && bytes > 0u) {
        const int32_t count = simcall(SIMCALL_READ, handle, (uintptr_t)data, bytes);
        done = count > 0;
        if (done) {
            data += count;
            bytes -= (uint32_t)count;
        }
    }
    simcall(SIMCALL_CLOSE, handle, 0, 0);
    return done;
}
