"""Counting on RISC-V and Xtensa: the same program by hand in both, whose counts are known."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tinygen.board.file import load_board
from tinygen.run import counting
from tinygen.run.counting_regions import CodeLayout

pytestmark = pytest.mark.emulated

LAYOUT = CodeLayout("demo_invoke", ("layer_00_loop", "layer_01_shared"))

# helper:      1 + 2 * 10 + 1                       = 22
# layer 0:     3 + 2 * loops + 1 + helper + 3       = 29 + 2 * loops
# layer 1:     2 + 2 * (1 + helper) + 3             = 51
# demo_invoke: two, three calls, three              = 8
HELPER, LAYER_1, DISPATCH = 22, 51, 8
LOOPS, INFERENCES = 100, 4


def layer_0(loops: int) -> int:
    return 7 + 2 * loops + HELPER


@dataclass(frozen=True)
class Demo:
    """A program in assembly that runs ``demo_invoke`` INFERENCES times; each loops once more.

    ``words`` are the architecture's own instructions for those in ``PROGRAM``.
    """

    board: str
    words: dict[str, str] = field(hash=False)


# firmware_invoke ends with a jump, so demo_invoke returns to where that was called. The hook, and
# the helper that is called outside, are no part of an inference.
PROGRAM = """
    .macro function name
    .balign 4
    .global \\name
    .type \\name, %function
\\name:
    .endm
    .macro done name
    .size \\name, . - \\name
    .endm
    .macro save
    {save}
    .endm
    .macro leave
    {leave}
    .endm

    .section .text
    function _start
    {start}
1:  {call} firmware_invoke
    {call} helper
    {longer}
    {next_inference}
    {exit}
2:  j 2b
    done _start

    function firmware_invoke
    j demo_invoke
    done firmware_invoke

    function demo_invoke
    save
    {call} layer_00_loop
    {call} firmware_hook
    {call} layer_01_shared{separator}constprop{separator}0
    leave
    done demo_invoke

    function firmware_hook
    save
    {call} helper
    leave
    done firmware_hook

    function layer_00_loop
    save
    {copy_loops}
1:  {count_down}
    {call} helper
    leave
    done layer_00_loop

    function layer_01_shared{separator}constprop{separator}0
    save
    {call} helper
    {call} helper
    leave
    done layer_01_shared{separator}constprop{separator}0

    function helper
    {ten}
1:  {count_down}
    ret
    done helper
"""

RISCV = Demo(
    "qemu-rv32imc",
    {
        "save": "addi sp, sp, -16\n sw ra, 12(sp)",
        "leave": "lw ra, 12(sp)\n addi sp, sp, 16\n ret",
        "start": f"la sp, 0x80010000\n li s0, {INFERENCES}\n li s1, {LOOPS}",
        "call": "jal",
        "longer": "addi s1, s1, 1",
        "next_inference": "addi s0, s0, -1\n bnez s0, 1b",
        "exit": "li t0, 0x5555\n li t1, 0x100000\n sw t0, 0(t1)",
        "copy_loops": "mv t0, s1",
        "count_down": "addi t0, t0, -1\n bnez t0, 1b",
        "ten": "li t0, 10",
        "separator": ".",
    },
)
XTENSA = Demo(
    "qemu-lx106",
    {
        "save": "addi a1, a1, -16\n s32i a0, a1, 12",
        "leave": "l32i a0, a1, 12\n addi a1, a1, 16\n ret",
        "start": (
            "j 4f\n .balign 4\n3: .word 0x60010000\n"
            f"4: l32r a1, 3b\n movi a12, {INFERENCES}\n movi a13, {LOOPS}"
        ),
        "call": "_call0",  # the assembler would make an indirect one of call0
        "longer": "addi a13, a13, 1",
        "next_inference": "addi a12, a12, -1\n bnez a12, 1b",
        "exit": "movi a2, 1\n movi a3, 0\n simcall",
        "copy_loops": "mov a3, a13",
        "count_down": "addi a3, a3, -1\n bnez a3, 1b",
        "ten": "movi a3, 10",
        "separator": "$",  # as GCC writes it where the assembler takes no dots
    },
)
DEMOS = pytest.mark.parametrize("demo", [RISCV, XTENSA], ids=lambda d: d.board)


def counted(demo: Demo, folder: Path) -> counting.Counter:
    board = load_board(demo.board)
    compiler = f"{board.core.cross}gcc"
    for tool in (compiler, board.core.qemu):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    assert board.layout is not None and board.qemu is not None
    (folder / "demo.S").write_text(PROGRAM.format(**demo.words))
    elf = folder / "demo.elf"
    place = f"-Wl,-Ttext={board.layout.code.origin:#x}"
    # Without the C library, whose flag brings a linker script.
    flags = [flag for flag in board.cflags if not flag.startswith("--specs")]
    command = [compiler, *flags, "-nostdlib", "-nostartfiles", "-Wl,-e,_start", place]
    subprocess.run([*command, "demo.S", "-o", str(elf)], cwd=folder, check=True, timeout=60)
    counter = counting.prepare(elf, LAYOUT, folder, board.core)
    assert counter.method == counting.PLUGIN, counter.reason
    emulator = [
        board.core.qemu, "-machine", board.machine, *board.qemu.options, "-kernel", str(elf),
        "-nodefaults", "-display", "none", "-semihosting-config", "enable=on,target=native",
    ]  # fmt: skip
    subprocess.run(
        [*emulator, *counter.arguments], stdin=subprocess.DEVNULL, check=True, timeout=60
    )
    return counter


@DEMOS
def test_instructions_are_counted_exactly_and_by_layer(demo: Demo, tmp_path: Path) -> None:
    counts = counting.collect(counted(demo, tmp_path))
    assert counts.inferences == INFERENCES
    fixed = LAYER_1 + DISPATCH
    assert counts.fewest == layer_0(LOOPS) + fixed
    assert counts.most == layer_0(LOOPS + INFERENCES - 1) + fixed
    middle = layer_0(LOOPS) + INFERENCES - 1  # half of the range, two instructions a turn
    assert [layer.instructions for layer in counts.layers] == [middle, LAYER_1]
    assert counts.instructions == middle + fixed


@DEMOS
def test_cycles_are_unknown_where_there_is_no_table(demo: Demo, tmp_path: Path) -> None:
    counts = counting.collect(counted(demo, tmp_path))
    assert counts.cycles is None
    assert all(layer.cycles is None for layer in counts.layers)


@DEMOS
def test_two_runs_count_the_same(demo: Demo, tmp_path: Path) -> None:
    texts = [counted(demo, tmp_path).output.read_text() for _ in range(2)]
    assert len({tuple(sorted(t.splitlines())) for t in texts}) == 1
