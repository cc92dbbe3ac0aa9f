"""Every kernel row over all of its cases, on every emulated core, against the numpy reference.

The cases are those of the host's tests. Operators that fit a board's RAM together share an image:
the image is a graph of independent operators, compiled as any model is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_tests.golden.corpus import BOARDS
from firmware_tests.kernels.cases import all_cases, batches
from firmware_tests.kernels.harness import (
    TheRow,
    assert_equal,
    expected,
    graph_of,
    vector_ops,
)
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.compile import Options, compile_graph
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.instances import Optimize
from tinygen.ir import Op
from tinygen.run.device import Expected
from tinygen.run.runners import open_device
from tinygen.select import candidates
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.emulated

VECTORS = 5  # the four extremes and one uniform
# Without --whole every so many cases of a row are run. Some cores have the Cortex-M4's
# instructions, for which the compiler makes the same code as for the M4: fewer cases show that they
# run it.
SAMPLE, SMALL_SAMPLE = 8, 32
SAME_CODE = ("mps2-an500", "mps2-an505")


def room(board: Board) -> int:
    """Bytes of activations that one image of cases may have."""
    assert board.ram_bytes is not None
    return min(board.ram_bytes // 2, 256 * 1024)


def has_row(op: Op, board: Board, row: int) -> bool:
    """Whether ``row`` is not the same choice for ``op`` as an earlier one, and its scratch leaves
    room for activations."""
    rows = candidates(op, board.core.isa)
    if row >= max(1, len(rows)):
        return False
    calls = rows[row].lower(op) if rows else ()
    return max((call.scratch_bytes for call in calls), default=0) <= room(board) // 2


def sample(ops: Sequence[Op], board: Board, row: int, step: int) -> tuple[Op, ...]:
    """Every ``step``th of the operators that one kernel computes; at least the first."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for op in ops:
        rows = candidates(op, board.core.isa)
        key = op.kind, rows[row].label if rows else ""
        if seen[key] % step == 0:
            found.append(op)
        seen[key] += 1
    return tuple(found)


RUNS = [
    (name, row)
    for name in BOARDS
    for row in range(max(len(candidates(op, load_board(name).core.isa)) for op in all_cases()))
]


@pytest.mark.parametrize(("name", "row"), RUNS)
def test_every_row_gives_the_references_bytes(
    name: str, row: int, whole: bool, tmp_path: Path
) -> None:
    board = load_board(name)
    ops = tuple(op for op in all_cases() if has_row(op, board, row))
    if not whole:
        ops = sample(ops, board, row, SMALL_SAMPLE if name in SAME_CODE else SAMPLE)
    # Both ways to instantiate take turns; a function for each of hundreds of geometries takes the
    # compiler long, and whole models are run so on every core as well. Some rows know one way only.
    optimize = Optimize.SPEED if (row + BOARDS.index(board.name)) % 3 == 1 else Optimize.SIZE
    vectors = vector_ops(ops, board.core.isa, row) if optimize is Optimize.SIZE else ()
    for number, group in enumerate(batches(ops, room(board))):
        run_on(board, group, row, optimize, tmp_path / str(number))
    for number, group in enumerate(batches(vectors, room(board))):
        run_on(board, group, row, Optimize.SPEED, tmp_path / f"vectors_{number}")


def run_on(board: Board, ops: Sequence[Op], row: int, optimize: Optimize, directory: Path) -> None:
    """Compile ``ops`` with the row numbered ``row``, run them on ``board``, and compare."""
    graph = graph_of(ops)
    program = compile_graph(
        graph, "cases.tflite", "0" * 64, board.core.name, board.core.isa,
        Options(optimize=optimize), choose=TheRow(row, board.core.isa), spare=False,
    )  # fmt: skip
    write_project(program, choose_target(board), directory)
    image = build(directory).image
    inputs = draw_vectors(graph, VECTORS, seed=row).inputs
    with open_device(board, image, Expected(model_sha256="0" * 64)) as device:
        got = [device.run(vector).outputs for vector in inputs]
    same_order = replace(program.graph, inputs=graph.inputs)
    assert_equal(same_order, inputs, got, expected(graph, inputs))
