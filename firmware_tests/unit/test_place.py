"""Kernels in RAM: where that is known, how, and what is said where it is not."""

from pathlib import Path

import pytest

from tinygen.board.file import load_board
from tinygen.compile import Options
from tinygen.emit import Place
from tinygen.errors import OptionError
from tinygen.firmware.files import project_files
from tinygen.firmware.target import choose_target
from tinygen.model import compile_file

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"


def files(board: str, framework: str | None = None, place: Place = Place.RAM) -> dict[str, str]:
    target = choose_target(load_board(board), framework)
    return project_files(compile_file(DIGITS, target, Options(place=place)), target)


def test_only_kernels_that_multiply_are_marked() -> None:
    text = files("mps2-an386")["lib/digits/digits.c"]
    marked = [line for line in text.splitlines() if line.startswith("static DIGITS_HOT ")]
    assert any("conv2d" in line for line in marked)
    assert not any("pool" in line or "softmax" in line or "layer_" in line for line in marked)
    assert "--place kernels=ram" in text


def test_nothing_of_it_is_in_a_project_that_does_not_ask() -> None:
    plain = files("mps2-an386", place=Place.FLASH)
    assert not any("_HOT " in text for name, text in plain.items() if name.endswith("digits.c"))
    assert "hot" not in plain["linker.ld"]
    assert "#define BOARD_HOT 0" in plain["src/device/board.h"]


@pytest.mark.parametrize("framework", ["arduino", "espidf"])
@pytest.mark.parametrize("board", ["esp32dev", "esp32-s3-devkitc-1", "esp32-c3-devkitm-1"])
def test_espressifs_frameworks_have_a_section_for_it(board: str, framework: str) -> None:
    text = files(board, framework)["lib/digits/digits.c"]
    assert '__attribute__((section(".iram1.tinygen")))' in text


@pytest.mark.parametrize(
    ("board", "framework", "words"),
    [
        ("native", None, "how host puts code of native into RAM"),
        ("teensy41", None, "how arduino puts code of teensy41 into RAM"),
        ("nucleo_f446re", "stm32cube", "how stm32cube puts code"),
        ("qemu-lx106", None, "too far from its flash"),
        ("nucleo_f746zg", None, "from which RAM nucleo_f746zg runs code"),
    ],
)
def test_a_board_that_cannot_is_refused_with_the_reason(
    board: str, framework: str | None, words: str
) -> None:
    with pytest.raises(OptionError, match=words) as error:
        files(board, framework)
    assert "leave --place out" in error.value.hint


def test_a_board_file_names_the_ram_where_data_alone_is_not_enough() -> None:
    assert load_board("nucleo_f746zg").layout.kernels is None  # type: ignore[union-attr]
    for name in ("mps2-an500", "nucleo_h743zi", "mps2-an386"):
        layout = load_board(name).layout
        assert layout is not None and layout.kernels is not None
