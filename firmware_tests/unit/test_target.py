"""What a board leaves open, and what follows from the choice."""

from dataclasses import replace

import pytest

from firmware_tests.models.residual import residual_program
from tinygen.board import Board, Framework, MemoryKind, MemoryRegion
from tinygen.board.file import load_board
from tinygen.errors import BoardError, BudgetError
from tinygen.firmware.fit import check_fits
from tinygen.firmware.target import App, choose_target


def vendor_board(static_limit: int | None = None, psram: bool = False) -> Board:
    board = load_board("mps2-an386")
    assert board.layout is not None
    external = (MemoryRegion("psram", 0x90000000, 4 << 20, MemoryKind.PSRAM),) if psram else ()
    return replace(
        board,
        frameworks=(Framework.ARDUINO, Framework.BARE),
        regions=(*board.regions, *external),
        layout=replace(board.layout, static_limit=static_limit),
    )


def test_the_first_framework_is_the_default() -> None:
    board = vendor_board()
    assert choose_target(board).framework is Framework.ARDUINO
    assert choose_target(board, "bare").framework is Framework.BARE
    assert choose_target(board, app=App.MLPERF_TINY).app is App.MLPERF_TINY


def test_a_framework_that_the_board_lacks_is_refused() -> None:
    with pytest.raises(BoardError, match="mps2-an386 has no framework 'espidf'") as raised:
        choose_target(vendor_board(), "espidf")
    assert raised.value.hint == "it has: arduino, bare"


def test_psram_that_the_board_lacks_is_refused() -> None:
    with pytest.raises(BoardError, match="has no PSRAM"):
        choose_target(vendor_board(), psram=True)


@pytest.mark.parametrize(
    ("framework", "arena_bytes", "heap"),
    [("arduino", 1024, False), ("arduino", 1025, True), ("bare", 1025, False)],
)
def test_a_large_arena_comes_from_the_frameworks_heap(
    framework: str, arena_bytes: int, heap: bool
) -> None:
    target = choose_target(vendor_board(static_limit=1024), framework)
    assert target.heap_arena(arena_bytes) == heap


def test_psram_holds_the_arena() -> None:
    board = vendor_board(psram=True)
    region = choose_target(board, psram=True).arena_region
    assert region is not None and region.kind is MemoryKind.PSRAM
    assert choose_target(board, psram=True).heap_arena(1)
    inside = choose_target(board).arena_region
    assert inside is not None and inside.kind is MemoryKind.RAM


def test_nothing_is_said_of_the_hosts_memory() -> None:
    target = choose_target(load_board("native"))
    assert target.arena_region is None and not target.heap_arena(1 << 30)


@pytest.mark.parametrize("runner", ["qemu", "renode"])
def test_a_vendors_framework_does_not_run_in_an_emulator(runner: str) -> None:
    with pytest.raises(BoardError, match=f"{runner} does not emulate what arduino needs"):
        choose_target(vendor_board()).in_runner(runner)
    target = choose_target(vendor_board(), "bare").in_runner(runner)
    assert target.emulated == (runner == "qemu")


def test_constants_that_a_framework_copies_count_as_ram() -> None:
    board = load_board("teensy41")
    layout = board.layout
    assert layout is not None and layout.constants == layout.arena
    program = residual_program(board)
    check_fits(program, choose_target(board))
    room = program.memory.arena_bytes + program.constant_bytes + layout.stack_bytes
    small = replace(layout.arena, size=room)
    tight = replace(layout, data=small, arena=small, constants=small)
    check_fits(program, choose_target(replace(board, layout=tight)))
    small = replace(small, size=room - 1)
    tight = replace(layout, data=small, arena=small, constants=small)
    with pytest.raises(BudgetError, match=r"1 more than .* and the weights, which lie in RAM too"):
        check_fits(program, choose_target(replace(board, layout=tight)))
