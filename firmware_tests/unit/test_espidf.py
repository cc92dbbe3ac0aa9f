"""What an ESP-IDF project tells ESP-IDF's build: settings and the partition table."""

import json
from dataclasses import replace

import pytest

from firmware_tests.models.residual import residual_program
from tinygen.board import Board, Framework, MemoryKind
from tinygen.board.file import all_boards, load_board
from tinygen.firmware.files import project_files
from tinygen.firmware.project import place_arena
from tinygen.firmware.target import choose_target

BOARDS = [b for b in all_boards() if Framework.ESPIDF in b.frameworks]
WITH_PSRAM = [b for b in BOARDS if any(r.kind is MemoryKind.PSRAM for r in b.regions)]
APPLICATION_START, FLASH_BYTES, PAGE = 0x10000, 4 << 20, 0x10000


def files_of(board: Board, *, psram: bool = False) -> dict[str, str]:
    program = residual_program(board)
    target = choose_target(board, "espidf", psram=psram)
    return project_files(place_arena(program, target), target)


def settings_of(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.name)
def test_the_settings_are_the_boards(board: Board) -> None:
    assert board.layout is not None
    settings = settings_of(files_of(board)["sdkconfig.defaults"])
    chips = {"ESP32": "esp32", "ESP32-S3": "esp32s3", "ESP32-C3": "esp32c3"}
    assert settings["CONFIG_IDF_TARGET"] == f'"{chips[board.mcu]}"'
    clock = {"ESP32": 240, "ESP32-S3": 240, "ESP32-C3": 160}[board.mcu]
    assert settings[f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{clock}"] == "y"
    assert settings["CONFIG_ESP_MAIN_TASK_STACK_SIZE"] == str(board.layout.stack_bytes)
    assert settings["CONFIG_LOG_DEFAULT_LEVEL_NONE"] == "y"
    assert settings["CONFIG_ESP_TASK_WDT_INIT"] == "n"
    assert not any("SPIRAM" in key for key in settings)


@pytest.mark.parametrize(
    ("port", "console"),
    [("", "UART_DEFAULT"), ("uart0", "UART_DEFAULT"), ("usb", "USB_SERIAL_JTAG")],
)
def test_a_panic_is_told_where_the_host_listens(port: str, console: str) -> None:
    board = load_board("esp32-s3-devkitc-1")
    files = files_of(replace(board, serial=replace(board.serial, port=port)))
    consoles = [k for k in settings_of(files["sdkconfig.defaults"]) if "_CONSOLE_" in k]
    assert consoles == [f"CONFIG_ESP_CONSOLE_{console}"]
    assert f"#define BOARD_SERIAL_USB {int(port == 'usb')} " in files["src/device/board.h"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.name)
def test_the_application_has_the_flash_that_the_board_file_promises(board: Board) -> None:
    assert board.layout is not None
    lines = files_of(board)["partitions.csv"].splitlines()
    rows = [[c.strip() for c in line.split(",")] for line in lines if not line.startswith("#")]
    (factory,) = [row for row in rows if row[0] == "factory"]
    start, size = int(factory[3], 16), int(factory[4], 16)
    assert (start, size) == (APPLICATION_START, board.layout.code.size)
    assert size % PAGE == 0
    assert start + size <= FLASH_BYTES
    ends = [int(row[3], 16) + int(row[4], 16) for row in rows]
    assert [int(row[3], 16) for row in rows[1:]] == ends[:-1]


@pytest.mark.parametrize("board", WITH_PSRAM, ids=lambda b: b.name)
def test_external_ram_is_switched_on_by_request(board: Board) -> None:
    files = files_of(board, psram=True)
    settings = settings_of(files["sdkconfig.defaults"])
    assert settings["CONFIG_SPIRAM"] == "y"
    # Without it, a board that lacks the memory would not start, and could not say why.
    assert settings["CONFIG_SPIRAM_IGNORE_NOTFOUND"] == "y"
    # The ESP32-S3's memory of 8 MB and more has eight data lines.
    assert ("CONFIG_SPIRAM_MODE_OCT" in settings) == (board.mcu == "ESP32-S3")
    assert "#define BOARD_PSRAM 1 " in files["src/device/board.h"]


def test_the_manifest_tells_of_an_arena_that_the_linker_does_not_see() -> None:
    board = load_board("esp32cam")
    assert board.layout is not None
    small = replace(board, layout=replace(board.layout, static_limit=1))
    found = [
        json.loads(files_of(b, psram=psram)["tinygen.json"])
        for b, psram in ((board, False), (small, False), (board, True))
    ]
    arena = found[0]["arena_bytes"]
    assert [(m["heap_region"], m["heap_bytes"]) for m in found] == [
        ("", 0),
        ("heap", arena),
        ("psram", arena),
    ]
