"""Drivers and setup of boards that no emulator here has, on made-up registers of this computer."""

import subprocess
from pathlib import Path

import pytest

from tinygen.board import Board
from tinygen.board.file import all_boards, load_board
from tinygen.compile import Options
from tinygen.firmware.files import project_files
from tinygen.firmware.target import choose_target
from tinygen.model import compile_file

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"

# Registers that keep what is written; UART_STATUS is all ones, so that nobody waits for the line.
MMIO = """
#ifndef MMIO_H
#define MMIO_H
#include <stdint.h>
volatile uint32_t *touch(uint32_t address);
#define MMIO(address) (*touch(address))
#endif
"""
MODEL = """
#include <stdio.h>
#include "board.h"
#include "mmio.h"
#include "setup.h"
#include "uart.h"

static struct { uint32_t address, value; } registers[64];
static unsigned count;

volatile uint32_t *touch(uint32_t address)
{
    unsigned i = 0;
    while (i < count && registers[i].address != address) {
        ++i;
    }
    if (i == count) {
        registers[count].address = address;
        registers[count++].value = 0;
    }
    return &registers[i].value;
}

int main(void)
{
    board_setup();
    *touch(UART_ORIGIN + UART_STATUS) = 0xFFFFFFFFu;
    wire_init();
    wire_write(0xA5u);
    wire_flush();
    *touch(UART_ORIGIN + UART_RECEIVED) = 0x5Au;
    if (wire_read() != 0x5Au) {
        return 1;
    }
    for (unsigned i = 0; i < count; ++i) {
        printf("%x %x\\n", (unsigned)registers[i].address, (unsigned)registers[i].value);
    }
    return 0;
}
"""


# An older STM32's receiver that lost a byte between the driver's reads of SR and DR: there is no
# byte, and none comes before SR and then DR have been read again.
OVERRUN = """
#include <stdio.h>
#include "board.h"
#include "mmio.h"
#include "uart.h"

enum { ORE = 1 << 3, RXNE = 1 << 5, DATA = 0x04 };

volatile uint32_t *touch(uint32_t address)
{
    static uint32_t status = ORE, seen, shown, data;
    if (address == UART_ORIGIN) {
        seen = shown = status;
        return &shown;
    }
    if (address == UART_ORIGIN + DATA) {
        data = status == RXNE ? 0x5Au : 0xEEu;
        status = seen == ORE ? RXNE : status;
    }
    return &data;
}

int main(void)
{
    printf("%x\\n", (unsigned)wire_read());
    return 0;
}
"""


def run_driver(board: Board, directory: Path, program: str, *flags: str) -> str:
    """What ``program`` prints, which has the board's setup and UART driver, and the registers."""
    target = choose_target(board, "bare")
    files = project_files(compile_file(DIGITS, target, Options()), target)
    assert board.uart is not None
    sources = {
        "board_setup.c": files["bare/board_setup.c"],
        "setup.h": files["bare/setup.h"],
        "uart.c": files[f"bare/uart_{board.uart.driver}.c"].replace("device/", ""),
        "board.h": files["src/device/board.h"],
        "uart.h": files["src/device/uart.h"],
        "mmio.h": MMIO,
        "model.c": program,
    }
    for name, text in sources.items():
        (directory / name).write_text(text)
    subprocess.run(
        ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", *flags, "-o", "model", "board_setup.c",
         "uart.c", "model.c"],
        cwd=directory, check=True,
    )  # fmt: skip
    # No clock ever says that it runs: the waits must end by themselves.
    return subprocess.run(
        [directory / "model"], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    ).stdout


def registers_after(board: Board, directory: Path, status: int, received: int) -> dict[int, int]:
    """What board_setup(), wire_init() and one byte each way leave in the registers."""
    flags = (f"-DUART_STATUS={status}u", f"-DUART_RECEIVED={received}u")
    lines = run_driver(board, directory, MODEL, *flags).splitlines()
    pairs = (line.split() for line in lines)
    return {int(address, 16): int(value, 16) for address, value in pairs}


@pytest.mark.parametrize(
    ("board", "divider"),
    [
        ("nucleo_f746zg", 139),  # 16 MHz / 115,200 = 138.9
        ("nucleo_h743zi", 556),  # 64 MHz / 115,200 = 555.6
        ("nucleo_u575zi_q", 139),
        ("nucleo_l4r5zi", 35556),  # an LPUART's: 256 * 16 MHz / 115,200 = 35,555.6
    ],
)
def test_the_newer_stm32_uart_is_set_up(board: str, divider: int, tmp_path: Path) -> None:
    uart = load_board(board).uart
    assert uart is not None
    found = registers_after(load_board(board), tmp_path, status=0x1C, received=0x24)
    at = uart.origin
    assert found[at + 0x00] == 0b1101, "CR1: UE, RE, TE"
    assert found[at + 0x08] == 1 << 12, "CR3: OVRDIS"
    assert found[at + 0x0C] == divider, "BRR"
    assert found[at + 0x28] == 0xA5, "TDR"


def test_the_older_stm32_uart_is_set_up(tmp_path: Path) -> None:
    found = registers_after(load_board("nucleo_f446re"), tmp_path, status=0x00, received=0x04)
    assert found[0x40004408] == 139
    assert found[0x4000440C] == 1 << 13 | 1 << 3 | 1 << 2, "CR1: UE, TE, RE"


def test_the_older_stm32_uart_receives_again_after_an_overrun(tmp_path: Path) -> None:
    assert run_driver(load_board("nucleo_f446re"), tmp_path, OVERRUN) == "5a\n"


SET_UP = [b for b in all_boards() if b.bare and b.setup and b.uart and b.uart.driver != "nrf"]


@pytest.mark.parametrize("board", SET_UP, ids=lambda b: b.name)
def test_setup_in_c_does_what_the_board_file_says(board: Board, tmp_path: Path) -> None:
    old = board.uart is not None and board.uart.driver == "stm32"
    found = registers_after(board, tmp_path, *((0x00, 0x04) if old else (0x1C, 0x24)))
    want: dict[int, int] = {}
    for step in board.setup:
        want[step.at] = want.get(step.at, 0) & ~step.clear | step.set
    assert {at: found[at] for at in want} == want
    assert board.uart is not None
    counts = board.uart.clock_hz * (256 if board.uart.low_power else 1)
    baud = counts / found[board.uart.origin + (0x08 if old else 0x0C)]
    assert baud == pytest.approx(board.serial.baud, rel=0.01), "the clock may be off by 1% itself"
