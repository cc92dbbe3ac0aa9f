"""Sizes from the linked ELF: by address against the board, whoever wrote the linker script."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tinygen.board import Board, Framework
from tinygen.board.file import load_board
from tinygen.build.sizes import image_sizes
from tinygen.errors import BudgetError, BuildError
from tinygen.firmware.manifest import Manifest
from tinygen.firmware.target import App

MANIFEST = Manifest(
    name="m", board="esp32dev", framework=Framework.ARDUINO, app=App.DEVICE, options="",
    model_sha256="", image="", arena_symbol="arena", constants=("weights",), layers=(), files=(),
)  # fmt: skip

# As ESP-IDF lays an image out: constants and code in mapped flash, fast code in IRAM, and data in
# DRAM; the addresses are those of the ESP32.
SECTIONS = {
    ".flash.rodata": 0x3F40_0020,
    ".flash.text": 0x400D_0020,
    ".iram0.text": 0x4008_0000,
    ".dram0.data": 0x3FFB_0000,
    ".dram0.bss": 0x3FFB_2000,
}
SOURCE = """
#define IN(name) __attribute__((used, section(name)))
IN(".flash.rodata") const char weights[4000] = {1};
IN(".flash.text,\\"ax\\",%progbits//") const char code[3000] = {1};
IN(".iram0.text,\\"ax\\",%progbits//") const char fast[500] = {1};
IN(".dram0.data") char data[100] = {1};
IN(".dram0.bss,\\"aw\\",%nobits//") char arena[ARENA];
"""


def linked(directory: Path, arena_bytes: int) -> Path:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    (directory / "a.c").write_text(SOURCE.replace("//", " @"))
    image = directory / "firmware.elf"
    places = [f"-Wl,--section-start={name}={at:#x}" for name, at in SECTIONS.items()]
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-nostdlib", "-Wl,-e0",
         f"-DARENA={arena_bytes}", *places, "a.c", "-o", image],
        cwd=directory, check=True, timeout=60,
    )  # fmt: skip
    return image


def test_a_section_counts_where_it_lies(tmp_path: Path) -> None:
    flash, ram = image_sizes(linked(tmp_path, 2000), MANIFEST, load_board("esp32dev"))
    assert flash["weights"] == 4000
    assert flash["total"] == 4000 + 3000 + 500 + 100  # what is initialized lies in flash
    assert (ram["total"], ram["arena"], ram["other"]) == (2100, 2000, 100)


def test_an_arena_that_comes_from_the_heap_counts_though_it_is_no_symbol(tmp_path: Path) -> None:
    board, image = load_board("esp32cam"), linked(tmp_path, 0)
    on_heap = replace(MANIFEST, heap_region="heap", heap_bytes=90_000)
    _, ram = image_sizes(image, on_heap, board)
    assert (ram["total"], ram["arena"], ram["other"]) == (90_100, 90_000, 100)
    external = replace(on_heap, heap_region="psram", heap_bytes=3 << 20)
    assert image_sizes(image, external, board)[1]["total"] == 100
    with pytest.raises(BudgetError, match=r"ram 'heap' has 109,568 bytes; 200,000 are needed"):
        image_sizes(image, replace(on_heap, heap_bytes=200_000), board)


def test_an_image_that_is_larger_than_a_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match=r"ram 'ram' has 180,224 bytes; 200,100 are needed"):
        image_sizes(linked(tmp_path, 200_000), MANIFEST, load_board("esp32dev"))


def test_an_image_that_is_larger_than_the_flash_is_refused(tmp_path: Path) -> None:
    board = load_board("esp32dev")
    small = smaller_flash(board, 4096)
    with pytest.raises(BudgetError, match=r"has 4,096 bytes of flash; 7,600 are needed") as error:
        image_sizes(linked(tmp_path, 2000), MANIFEST, small)
    assert "--optimize size" in error.value.hint


def smaller_flash(board: Board, size: int) -> Board:
    assert board.layout is not None
    flash = replace(board.layout.code, size=size)
    regions = tuple(flash if r == board.layout.code else r for r in board.regions)
    layout = replace(board.layout, code=flash, vectors=flash)
    return replace(board, regions=regions, layout=layout)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no image at all" * 100])
def test_a_damaged_image_is_told(content: bytes, tmp_path: Path) -> None:
    image = tmp_path / "firmware.elf"
    image.write_bytes(content)
    with pytest.raises(BuildError, match="cannot read the sizes of"):
        image_sizes(image, MANIFEST, load_board("esp32dev"))


def test_an_image_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot read the sizes of"):
        image_sizes(tmp_path / "firmware.elf", MANIFEST, load_board("esp32dev"))
