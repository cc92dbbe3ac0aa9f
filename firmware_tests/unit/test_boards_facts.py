"""Board files against the table of facts that was read from PlatformIO's own board files."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinygen.board import Board, Framework
from tinygen.board.cores import Fpu
from tinygen.board.file import all_boards

CORES = {
    "Cortex-M0": "cortex-m0",
    "Cortex-M0+": "cortex-m0plus",
    "Cortex-M3": "cortex-m3",
    "Cortex-M4F": "cortex-m4",
    "Cortex-M7": "cortex-m7",
    "Cortex-M33": "cortex-m33",
    "Xtensa LX6 x2": "lx6",
    "Xtensa LX7 x2": "lx7",
    "RV32IMC": "riscv32imc",
}

# Where a board file says something else than PlatformIO's, and why.
BOOT2 = "the second stage of the boot loader has 256 bytes"
PARTITION = "the application's part in the partition table"
OTHER_FLASH = {
    "pico": BOOT2,
    "nanorp2040connect": BOOT2,
    "uno_r4_minima": "a boot loader has 16K",
    "seeed_xiao": "a boot loader has 8K",
    "uno_r4_wifi": "a boot loader has 16K",
    "nano_33_iot": "a boot loader has 8K",
    "adafruit_feather_m4": "a boot loader has 16K",
    "esp32dev": PARTITION,
    "esp32cam": PARTITION,
    "esp32-s3-devkitc-1": PARTITION,
    "esp32-c3-devkitm-1": PARTITION,
    "seeed_xiao_esp32s3": PARTITION,
    "seeed_xiao_esp32c3": PARTITION,
}
SRAM2 = "SRAM2 counts too: stack and data lie there"
OTHER_RAM = {
    "nucleo_h743zi": "DTCM counts too: stack and data lie there",
    "disco_l475vg_iot01a": SRAM2,
    "nucleo_l476rg": SRAM2,
    "nano33ble": "vectors and crash data have 512 bytes",
    "pico": "the stacks of the two cores have 8K",
    "nanorp2040connect": "the stacks of the two cores have 8K",
    "teensy40": "code takes 64K of what it shares with data",
    "teensy41": "code takes 64K of what it shares with data",
    "esp32dev": "one span for variables, and the largest block of the heap",
    "esp32cam": "one span for variables, and the largest block of the heap",
    "esp32-c3-devkitm-1": "what the linker script leaves to variables",
    "seeed_xiao_esp32c3": "what the linker script leaves to variables",
}
LARGER_RAM = {"nucleo_h743zi", "disco_l475vg_iot01a", "nucleo_l476rg"}
OTHER_UPLOAD = {
    "teensy40": "teensy-gui opens a window",
    "teensy41": "teensy-gui opens a window",
}
ARDUINO = "Arduino's own list has more of them"
OTHER_IDS = {
    "portenta_h7_m7": ARDUINO,
    "giga_r1_m7": ARDUINO,
    "nicla_vision": ARDUINO,
    "nano33ble": ARDUINO,
    "nanorp2040connect": ARDUINO,
    "seeed_xiao_esp32s3": "the sketch uses the chip's own USB, whose id is Espressif's",
    "teensy41": "PlatformIO gives the id to the Teensy 4.0 alone; all Teensys have it",
    "seeed_wio_terminal": "PlatformIO gives one id twice; the boot loader's is the other",
}


@dataclass(frozen=True)
class Facts:
    """One row of the table, in its own words."""

    mcu: str
    core: str
    clock_hz: int
    flash: int
    ram: int
    platform: str
    frameworks: tuple[str, ...]
    upload_protocol: str
    usb: tuple[str, ...]


def table(text: str) -> dict[tuple[str, str], Facts]:
    """The rows of the first table, by board id and platform."""
    rows = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) != 11 or not cells[0].startswith("`"):
            continue
        default = re.search(r"\*\*(.+?)\*\*", cells[9])
        assert default is not None, line
        facts = Facts(
            mcu=cells[2],
            core=cells[3],
            clock_hz=int(cells[4]) * 1_000_000,
            flash=int(cells[5]),
            ram=int(cells[6]),
            platform=cells[7],
            frameworks=tuple(cells[8].split(", ")),
            upload_protocol=default[1],
            usb=tuple(re.findall(r"[0-9A-F]{4}:[0-9A-F]{4}", cells[10])),
        )
        rows[cells[0].strip("`"), facts.platform] = facts
    return rows


NAMED = [b for b in all_boards() if b.platformio is not None]


@pytest.fixture(scope="module")
def text(corpus: Path) -> str:
    """The file of facts, which lies beside the models."""
    return (corpus.parent / "boards.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("board", NAMED, ids=lambda b: b.name)
def test_a_board_file_says_what_platformio_says(board: Board, text: str) -> None:
    assert board.platformio is not None
    platform, _, version = board.platformio.platform.partition(" @ ~")
    facts = table(text)[board.platformio.board, platform]
    assert f"{platform} {version}" in text.split("Platform versions read: ")[1].splitlines()[0]
    mcu = facts.mcu.lower().replace("-", "")
    assert mcu in board.mcu.lower().replace("-", "")
    assert board.core.name == CORES[facts.core]
    assert (board.fpu is Fpu.NONE) == (
        facts.core in ("Cortex-M0", "Cortex-M0+", "Cortex-M3", "RV32IMC")
    )
    assert board.clock_hz == facts.clock_hz
    vendors = {f.value for f in board.frameworks if f is not Framework.BARE}
    assert vendors <= set(facts.frameworks)
    assert ("arduino" in vendors) == ("arduino" in facts.frameworks)
    assert_same(board, OTHER_UPLOAD, board.platformio.upload_protocol, facts.upload_protocol)
    assert_same(board, OTHER_IDS, set(board.usb.ids), set(facts.usb))
    assert board.flash_bytes is not None and board.ram_bytes is not None
    assert_same(board, OTHER_FLASH, board.flash_bytes, facts.flash)
    assert board.flash_bytes <= facts.flash
    assert_same(board, OTHER_RAM, board.ram_bytes, facts.ram)
    assert (board.ram_bytes > facts.ram) == (board.name in LARGER_RAM)


def assert_same(board: Board, other: dict[str, str], ours: object, theirs: object) -> None:
    """What the file and the table say is the same, unless a reason is given why not."""
    assert (ours != theirs) == (board.name in other), (board.name, ours, theirs)


REQUIRED = (
    "nucleo_l4r5zi", "nucleo_f446re", "nucleo_f746zg", "disco_f746ng", "nucleo_h743zi",
    "disco_l475vg_iot01a", "nucleo_u575zi_q", "bluepill_f103c8", "disco_f407vg", "nano33ble",
    "nrf52840_dk", "bbcmicrobit_v2", "pico", "teensy41", "uno_r4_minima", "seeed_wio_terminal",
    "esp32dev", "esp32cam", "esp32-s3-devkitc-1", "esp32-c3-devkitm-1",
)  # fmt: skip


def test_the_boards_that_people_own_are_named() -> None:
    assert set(REQUIRED) <= {b.name for b in NAMED}


def test_each_board_with_platformio_bears_its_id() -> None:
    assert [b.name for b in NAMED if b.platformio and b.platformio.board != b.name] == []


def test_no_two_boards_claim_one_board_code() -> None:
    codes = [code for b in NAMED for code in b.usb.codes]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("board", NAMED, ids=lambda b: b.name)
def test_a_board_on_a_desk_can_be_found_by_its_usb(board: Board) -> None:
    assert board.runner == "serial"
    assert board.usb.ids or board.usb.probe or board.usb.bridge


@pytest.mark.parametrize("board", NAMED, ids=lambda b: b.name)
def test_the_arena_and_the_stack_lie_in_ram(board: Board) -> None:
    layout = board.layout
    assert layout is not None
    assert layout.code.kind.value == "flash"
    assert layout.data.kind.value == layout.arena.kind.value == "ram"
    assert layout.stack_bytes * 2 <= layout.data.size
    if layout.static_limit is not None:
        assert layout.static_limit <= layout.arena.size
        assert layout.static_limit <= layout.data.size
