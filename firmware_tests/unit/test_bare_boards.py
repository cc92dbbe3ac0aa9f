"""Firmware without a framework for every board: built, and linked where its memory is."""

import struct
from pathlib import Path

import pytest
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinygen.board import Board, MemoryKind
from tinygen.board.file import BOARDS_VARIABLE, all_boards, load_board
from tinygen.build.image import build
from tinygen.compile import Options
from tinygen.errors import BuildError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.model import compile_file

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
BARE = [b for b in all_boards() if b.bare]


def built(board: Board, directory: Path) -> Path:
    """The image of the digits example; warnings are errors in the generated Makefile."""
    target = choose_target(board, "bare")
    write_project(compile_file(DIGITS, target, Options()), target, directory)
    assert "-Wall -Wextra -Wconversion -Wshadow -Werror" in (directory / "Makefile").read_text()
    return build(directory).image


def assert_inside(board: Board, image: Path) -> None:
    """Every byte that is loaded or reserved lies in a region of the board, of the right kind."""
    assert board.layout is not None
    with image.open("rb") as file:
        elf = ELFFile(file)
        sections = {s.name: s for s in elf.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC}
        for name, section in sections.items():
            start, size = section["sh_addr"], section["sh_size"]
            if size == 0:
                continue
            homes = [r for r in board.regions if r.origin <= start and start + size <= r.end]
            assert len(homes) == 1, (name, hex(start), size)
            written = bool(section["sh_flags"] & SH_FLAGS.SHF_WRITE)
            assert homes[0].kind is (MemoryKind.RAM if written else MemoryKind.FLASH), name
            if name == ".arena":
                assert homes[0] == board.layout.arena
        # What is in the file goes to flash, the first values of variables too.
        for segment in elf.iter_segments("PT_LOAD"):
            start, size = segment["p_paddr"], segment["p_filesz"]
            flash = [r for r in board.regions if r.kind is MemoryKind.FLASH]
            assert size == 0 or any(r.origin <= start and start + size <= r.end for r in flash)
        if board.core.arch == "cortex_m":
            stack, reset = struct.unpack("<2I", sections[".vectors"].data()[:8])
            data, code = board.layout.data, board.layout.code
            assert data.origin + board.layout.stack_bytes == stack
            assert reset & 1 and code.origin <= reset < code.end
            assert sections[".vectors"]["sh_addr"] == board.layout.vectors.origin


@pytest.mark.parametrize("board", BARE, ids=lambda b: b.name)
def test_firmware_is_linked_inside_the_boards_memory(board: Board, tmp_path: Path) -> None:
    assert_inside(board, built(board, tmp_path))


MADE_UP = """
name = "made_up_m33"
title = "A board of nobody's"
mcu = "STM32U599"
core = "cortex-m33"
fpu = "single"
clock_hz = 160_000_000
frameworks = ["bare"]
runner = "serial"

[memory.rom]
origin = 0x0C01_0000
size = "192K"
kind = "flash"

[memory.fast]
origin = 0x2000_0400
size = "24K"
kind = "ram"

[memory.slow]
origin = 0x6000_0000
size = "3M"
kind = "ram"

[layout]
code = "rom"
data = "fast"
arena = "slow"
stack = "3K"

[serial]
baud = 921_600

[uart]
driver = "stm32v2"
origin = 0x4000_8000
clock_hz = 16_000_000
peripheral = "LPUART1"

[timer]
driver = "dwt"
hz = 16_000_000

[[setup]]
at = 0x4600_0000
set = 0x0000_0100
why = "start a clock"

[[setup]]
at = 0x4600_0004
clear = 0x0000_00F0
set = 0x0000_0050
wait = 0x0000_0400
why = "and take it"

[[setup]]
at = 0x4600_0008
wait = 0x0000_0001
why = "look, and do not touch"
"""


def test_a_new_board_needs_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "made_up_m33.toml").write_text(MADE_UP)
    monkeypatch.setenv(BOARDS_VARIABLE, str(tmp_path / "boards"))
    board = load_board("made-up-m33")
    image = built(board, tmp_path / "project")
    assert_inside(board, image)
    assert address_of(image, "digits_arena") == 0x60000000
    assert address_of(image, "stack_bottom") == 0x20000400
    assert address_of(image, "reset_handler") & ~1 in range(0x0C010000, 0x0C040000)
    setup = (tmp_path / "project" / "bare" / "board_setup.c").read_text()
    assert body(setup) == [
        "/* start a clock */",
        "change(0x46000000u, 0x00000000u, 0x00000100u);",
        "/* and take it */",
        "change(0x46000004u, 0x000000F0u, 0x00000050u);",
        "wait_for(0x46000004u, 0x00000400u);",
        "/* look, and do not touch */",
        "wait_for(0x46000008u, 0x00000001u);",
    ]
    # The project goes on without the file: it has its own copy.
    monkeypatch.delenv(BOARDS_VARIABLE)
    assert build(tmp_path / "project").board == "made_up_m33"


@pytest.mark.parametrize(
    ("driver", "peripheral", "baud"),
    [
        ("stm32", "USART1", 921_600),
        ("stm32v2", "USART1", 921_600),
        ("stm32v2", "LPUART1", 6_000_000),
    ],
)
def test_a_baud_rate_that_the_clock_cannot_give_is_no_firmware(
    driver: str, peripheral: str, baud: int, tmp_path: Path
) -> None:
    text = MADE_UP.replace('"stm32v2"', f'"{driver}"').replace("LPUART1", peripheral)
    file = tmp_path / "made_up_m33.toml"
    file.write_text(text.replace("921_600", str(baud)))
    with pytest.raises(BuildError, match="clock is too slow for its baud rate"):
        built(load_board(str(file)), tmp_path / "project")


def address_of(image: Path, symbol: str) -> int:
    """The address of the one symbol of that name."""
    with image.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        (found,) = table.get_symbol_by_name(symbol)
        return int(found["st_value"])


def body(setup: str) -> list[str]:
    """The statements of board_setup()."""
    return [
        line.strip() for line in setup.split("void board_setup(void)\n{\n")[1].splitlines()[:-1]
    ]
