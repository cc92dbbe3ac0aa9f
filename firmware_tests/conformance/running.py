"""Drawn models as firmware: compiled in groups, on the host under sanitizers or on a board.

Side by side, the models of a group are one larger graph, compiled as any model is. Where a group
fails, its models run one by one, so that each finding is of one model.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_tests.conformance.checking import Case, Finding, Vectors, difference
from firmware_tests.conformance.tally import HOST
from firmware_tests.emulated.test_kernel_battery import room
from firmware_tests.kernels.harness import RowChoice, compile_cases, graph_of, run_native
from firmware_tests.kernels.whole_graphs import ISAS
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.compile import Options, compile_graph
from tinygen.emit import ArenaKind
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.instances import Optimize
from tinygen.ir import Array, Graph, Tensor
from tinygen.isa import Isa
from tinygen.run.device import Expected
from tinygen.run.runners import open_device

ROWS = 4  # the best row that fits, and as many after it
MOST_BYTES = 96 * 1024  # of activations in one image
BOARD_VECTORS = 5  # on boards: the four extremes and one uniform

Run = Callable[[Sequence[Case]], Vectors]


@dataclass(frozen=True)
class Way:
    """How a group is compiled: many groups together take every way."""

    optimize: Optimize
    arena: ArenaKind
    isa: Isa
    row: int

    @classmethod
    def numbered(cls, number: int) -> "Way":
        """The way of group ``number``."""
        return cls(
            Optimize.SPEED if number % 4 == 3 else Optimize.SIZE,
            list(ArenaKind)[number % 2],
            ISAS[-number % len(ISAS)],
            number // 2 % ROWS,
        )


def on_host(cases: Sequence[Case], way: Way) -> list[Finding]:
    """Run ``cases`` under AddressSanitizer and UndefinedBehaviorSanitizer."""

    def run(group: Sequence[Case]) -> Vectors:
        graph, inputs = side_by_side(group)
        # The numerics are the operators' own; the option only labels the program.
        options = Options(optimize=way.optimize, arena=way.arena)
        program = compile_cases(graph, way.isa, options, RowChoice(way.row))
        return run_native(program, inputs)

    return list(_findings(cases, run, "host"))


def on_board(cases: Sequence[Case], name: str, way: Way) -> list[Finding]:
    """Run ``cases`` in one image on the emulated board ``name``."""
    board = load_board(name)

    def run(group: Sequence[Case]) -> Vectors:
        with tempfile.TemporaryDirectory(prefix="tinygen-conformance-") as directory:
            return _emulated(group, board, way, Path(directory))

    return list(_findings([_shorter(case) for case in cases], run, name))


def _emulated(cases: Sequence[Case], board: Board, way: Way, directory: Path) -> Vectors:
    graph, inputs = side_by_side(cases)
    program = compile_graph(
        graph, "cases.tflite", "0" * 64, board.core.name, board.core.isa,
        Options(optimize=way.optimize), choose=RowChoice(way.row), spare=False,
    )  # fmt: skip
    write_project(program, choose_target(board), directory)
    image = build(directory).image
    with open_device(board, image, Expected(model_sha256="0" * 64)) as device:
        return [device.run(vector).outputs for vector in inputs]


def _shorter(case: Case) -> Case:
    return Case(
        case.name, case.model, case.graph, case.inputs[:BOARD_VECTORS], case.want[:BOARD_VECTORS]
    )


def side_by_side(cases: Sequence[Case]) -> tuple[Graph, Vectors]:
    """The operators of ``cases`` as one graph, and its inputs; all have as many vectors."""
    graph = graph_of([op for case in cases for op in case.graph.ops])
    rows = []
    for vectors in zip(*(case.inputs for case in cases), strict=True):
        given: dict[Tensor, Array] = {}
        for case, vector in zip(cases, vectors, strict=True):
            given |= dict(zip(case.graph.inputs, vector, strict=True))
        rows.append([given[tensor] for tensor in graph.inputs])
    return graph, rows


def _findings(cases: Sequence[Case], run: Run, place: str) -> Iterator[Finding]:
    try:
        got = run(cases)
    except Exception as error:
        if len(cases) == 1:
            lines = f"{type(error).__name__}: {error}".strip()[:2000]
            yield Finding(cases[0].name, place, lines)
            return
        for case in cases:
            yield from _findings([case], run, place)
        return
    first = 0
    for case in cases:
        last = first + len(case.graph.outputs)
        if found := difference(case, place, [row[first:last] for row in got]):
            yield found
        first = last


def limit_bytes(place: str) -> int:
    """Bytes of activations that a group at ``place`` may have."""
    return MOST_BYTES if place == HOST else min(MOST_BYTES, room(load_board(place)))


def grouped(cases: Sequence[Case], limit: int) -> Iterator[list[Case]]:
    """Groups of cases whose activations fit ``limit`` bytes; what alone does not is left out."""
    group: list[Case] = []
    used = 0
    for case in cases:
        need = sum(t.nbytes + 8 for t in (*case.graph.sources, *case.graph.results))
        if need > limit:
            continue
        if group and used + need > limit:
            yield group
            group, used = [], 0
        group.append(case)
        used += need
    if group:
        yield group
