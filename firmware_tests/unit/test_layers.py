"""The hook between layers: what it records, and that a short cycle counter never wraps unseen."""

import subprocess
import zlib
from pathlib import Path

import pytest

from tinygen.resources import data_dir

FIRMWARE = Path(str(data_dir("templates"))) / "firmware"

PROGRAM = r"""
#include <inttypes.h>
#include <stdio.h>

#include "layers.h"
#include "platform.h"

static unsigned reads;

/* Each look at the clock finds it a thousand ticks later. */
uint64_t platform_ticks(void)
{
    return 1000u * ++reads;
}

int main(void)
{
    static const uint8_t output[] = "output";
    for (int mode = 0; mode < LAYERS_MODES; ++mode) {
        reads = 0;
        layers_start((layers_mode)mode);
        firmware_layer_hook(0, output, 6);
        firmware_layer_hook(1, output, 3);
        printf("%u %" PRIu32 " %" PRIu32 "\n", reads, layers_value(0), layers_value(1));
    }
    return 0;
}
"""


@pytest.mark.parametrize(("emulated", "looks"), [(1, 0), (0, 2)])
def test_the_hook_looks_at_the_clock_of_a_board_in_every_mode(
    emulated: int, looks: int, tmp_path: Path
) -> None:
    """An emulator's timers last longer than any run, and its instructions are counted."""
    (tmp_path / "main.c").write_text(PROGRAM)
    (tmp_path / "board.h").write_text(f"#define BOARD_EMULATED {emulated}\n")
    subprocess.run(
        ["cc", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{tmp_path}",
         f"-I{FIRMWARE}", "-DMODEL_LAYERS=2", str(tmp_path / "main.c"), str(FIRMWARE / "layers.c"),
         str(FIRMWARE / "crc32.c"), "-o", str(tmp_path / "program")],
        check=True,
    )  # fmt: skip
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    off, ticks, crc = (line.split() for line in done.stdout.splitlines())
    assert off == [str(looks), "0", "0"]
    assert ticks == [str(1 + 2 * 2), "1000", "1000"]
    assert crc == [str(looks), str(zlib.crc32(b"output")), str(zlib.crc32(b"out"))]
