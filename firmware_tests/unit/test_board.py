"""Board files: the named ones are sound, and a wrong one is refused with the nearest right word."""

from pathlib import Path

import pytest

from tinygen.board import Board, MemoryKind, all_boards, load_board, read_board
from tinygen.errors import BoardError
from tinygen.isa import Isa
from tinygen.resources import data_dir

CORES = {
    "native": "host",
    "microbit": "cortex-m0",
    "mps2-an385": "cortex-m3",
    "mps2-an386": "cortex-m4",
    "mps2-an500": "cortex-m7",
    "mps2-an505": "cortex-m33",
    "mps3-an547": "cortex-m55",
    "netduinoplus2": "cortex-m4",
}


def made_up(tmp_path: Path, change: tuple[str, str] = ("", "")) -> Path:
    """A board of nobody's, as a file of its own; ``change`` replaces a text in it."""
    text = (data_dir("boards") / "mps2-an386.toml").read_text(encoding="utf-8")
    assert change[0] in text
    file = tmp_path / "made-up.toml"
    file.write_text(text.replace('name = "mps2-an386"', 'name = "made-up"').replace(*change, 1))
    return file


def test_each_named_board_has_its_core() -> None:
    assert {b.name: b.core.name for b in all_boards()} == CORES


@pytest.mark.parametrize(
    "name", ["mps2-an386", "mps2_an386", "qemu-mps2-an386", "qemu_mps2_an386", "MPS2-AN386"]
)
def test_a_board_is_found_under_each_spelling(name: str) -> None:
    assert load_board(name).name == "mps2-an386"


def test_a_misspelt_board_is_corrected() -> None:
    with pytest.raises(BoardError, match="did you mean 'microbit'"):
        load_board("mircobit")


def test_instruction_sets_follow_the_core() -> None:
    assert load_board("microbit").core.isa is Isa.ANY
    assert load_board("mps2-an386").core.isa is Isa.DSP
    assert Isa.MVE in load_board("mps3-an547").core.isa


@pytest.mark.parametrize("board", [b for b in all_boards() if b.layout], ids=lambda b: b.name)
def test_a_bare_board_has_all_that_firmware_needs(board: Board) -> None:
    layout = board.layout
    assert layout is not None and board.uart is not None and board.timer is not None
    assert layout.code.kind is MemoryKind.FLASH
    assert layout.data.kind is layout.arena.kind is MemoryKind.RAM
    assert layout.stack_bytes < layout.data.size
    for kind, driver in (("uart", board.uart.driver), ("timer", board.timer.driver)):
        assert (data_dir("templates") / "firmware" / f"{kind}_{driver}.c").is_file()
    assert board.clock_hz > 0


def test_the_m55_board_holds_models_that_its_tcm_does_not() -> None:
    board = load_board("mps3-an547")
    assert board.layout is not None
    assert board.layout.code.size >= 1 << 20
    assert board.layout.arena.size >= 1 << 20


def test_a_new_board_needs_its_file_alone(tmp_path: Path) -> None:
    board = read_board(made_up(tmp_path))
    assert (board.name, board.flash_bytes, board.ram_bytes) == ("made-up", 4 << 20, 4 << 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("clock_hz", "clock_khz"), "'clock_hz' is missing"),
        (('framework = "bare"', 'framework = "bear"'), "did you mean 'bare'"),
        (('core = "cortex-m4"', 'core = "cortex-m44"'), "did you mean 'cortex-m4'"),
        (('fpu = "single"', 'fpu = "double"'), "'fpu' is 'double'"),
        (("window = 8", "window = 0"), "'window' is 0; it must be from 1 to 64"),
        (("window = 8", 'payload = "64"'), "'payload' is 64; it must be from 256 to 32768"),
        (("window = 8", "baud = 0"), "'baud' is 0"),
        (("hz = 25_000_000\n\n[qemu]", "hz = 0\n\n[qemu]"), "'hz' is 0; it must be from 1"),
        (("window = 8", "windows = 8"), r"unknown key 'windows'\n  hint: did you mean 'window'"),
        (('size = "4M"', 'size = "4MB"'), "'size' is '4MB'"),
        (('size = "4M"', 'size = "0K"'), "'size' is '0K'"),
        (("origin = 0x2000_0000", "origin = 0x0010_0000"), "'ram' and 'flash' overlap"),
        (('stack = "8K"', 'stack = "8K"\ncode = "flush"'), "did you mean 'flash'"),
        (('kind = "ram"', "kind = 7"), "'kind' is 7; it must be a string"),
        (("hz = 25_000_000", "hz = true"), "must be an integer"),
        (("hz = 25_000_000", "hz = -1"), "cannot be negative"),
        (("[qemu]", "[qmeu]"), "runner 'qemu' needs|unknown key 'qmeu'"),
        (("[memory.flash]", "[memory.flash"), "not a TOML file"),
    ],
)
def test_a_wrong_board_file_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(BoardError, match=message) as error:
        read_board(made_up(tmp_path, change))
    assert "made-up.toml" in str(error.value)


def test_a_board_file_is_named_as_its_board(tmp_path: Path) -> None:
    file = made_up(tmp_path).rename(tmp_path / "other.toml")
    with pytest.raises(BoardError, match="'made-up' is not the file's"):
        read_board(file)
