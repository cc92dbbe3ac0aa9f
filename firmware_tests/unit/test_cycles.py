"""cycles.h: the cycle counter is unlocked, started, and believed only if it counts."""

import subprocess
from pathlib import Path

import pytest

from tinygen.resources import data_dir

# The registers of a processor, as much as there is: CPUID's part, whether there is a counter, and
# whether it counts.
PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>

static uint32_t *at(uint32_t address);
#define CYCLES_REGISTER(address) (*at(address))
#include "cycles.h"

static uint32_t part, missing, runs, demcr, ctrl, count, lock;

static uint32_t *at(uint32_t address)
{
    static uint32_t scratch;
    const int unlocked = part != 0xC270u || lock == 0xC5ACCE55u;
    switch (address) {
    case CYCLES_DEMCR:
        return &demcr;
    case CYCLES_CPUID:
        scratch = 0x410F0000u | part;
        return &scratch;
    case CYCLES_DWT_LAR:
        if (part != 0xC270u) {
            printf("touched the lock of another core\\n");
        }
        return &lock;
    case CYCLES_DWT_CTRL:
        scratch = missing << 25;
        return unlocked && demcr == 1u << 24 ? &ctrl : &scratch;
    default:
        count += runs & ctrl & 1u;
        scratch = count;
        return &scratch;
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    part = (uint32_t)strtoul(argv[1], NULL, 16);
    missing = (uint32_t)atoi(argv[2]);
    runs = (uint32_t)atoi(argv[3]);
    ctrl = missing << 25;
    printf("%s\\n", cycles_start() ? "counts" : "does not count");
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cycles")
    (folder / "main.c").write_text(PROGRAM)
    firmware = str(data_dir("templates") / "firmware")
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = ["cc", "-D__ARM_ARCH_7EM__", *warnings, f"-I{firmware}", "main.c", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder / "main"


@pytest.mark.parametrize("part", ["C230", "C240", "C270", "D210"])
@pytest.mark.parametrize(
    ("missing", "runs", "words"),
    [(0, 1, "counts"), (0, 0, "does not count"), (1, 1, "does not count")],
    ids=["running", "standing still", "missing"],
)
def test_a_counter_is_believed_if_it_counts(
    program: Path, part: str, missing: int, runs: int, words: str
) -> None:
    command = [str(program), part, str(missing), str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    assert done.stdout == words + "\n"
