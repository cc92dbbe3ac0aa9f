"""Kernels in RAM, run there: the linked image's addresses, the outputs, and the bytes of each."""

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tinygen.board import MemoryKind, MemoryRegion
from tinygen.board.file import load_board
from tinygen.compile import Options
from tinygen.emit import Place
from tinygen.firmware.target import choose_target
from tinygen.report import TestReport
from tinygen.validate import validate

pytestmark = pytest.mark.emulated

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
BOARDS = ("mps2-an386", "mps2-an500", "mps2-an505", "mps2-an385-m0", "qemu-rv32imc")


def kinds_of_functions(image: Path, regions: tuple[MemoryRegion, ...]) -> dict[str, MemoryKind]:
    """For each function of the image the kind of memory that it runs from."""
    with image.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab")
        return {
            symbol.name: next(r.kind for r in regions if r.origin <= symbol["st_value"] < r.end)
            for symbol in symbols.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"] > 0
        }


def measured(board: str, place: Place, directory: Path) -> TestReport:
    return validate(
        DIGITS, choose_target(load_board(board)), Options(place=place),
        vectors=None, count=2, seed=0, directory=directory,
    )  # fmt: skip


@pytest.mark.parametrize("name", BOARDS)
def test_kernels_that_multiply_run_from_ram_and_give_the_same_bytes(
    name: str, tmp_path: Path
) -> None:
    in_flash = measured(name, Place.FLASH, tmp_path / "flash")
    in_ram = measured(name, Place.RAM, tmp_path / "ram")
    assert in_flash.passed and in_ram.passed

    regions = load_board(name).regions
    functions = kinds_of_functions(tmp_path / "ram" / "build" / "firmware.elf", regions)
    hot = {n for n in functions if n.startswith(("conv2d", "depthwise", "matmul", "fully_"))}
    assert hot and all(functions[n] is MemoryKind.RAM for n in hot)
    others = {n: kind for n, kind in functions.items() if n.startswith(("layer_", "max_pool"))}
    assert others and set(others.values()) == {MemoryKind.FLASH}

    assert "code" not in in_flash.ram_bytes
    assert in_ram.ram_bytes["code"] > 1000
    assert in_ram.ram_bytes["total"] == in_flash.ram_bytes["total"] + in_ram.ram_bytes["code"]
    # What is copied lies in flash too.
    assert in_ram.flash_bytes["code"] >= in_ram.ram_bytes["code"]
