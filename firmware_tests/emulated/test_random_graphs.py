"""Random graphs on every emulated core, against the numpy reference.

Graphs share an image: side by side they make one larger graph, compiled as any model is.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_tests.emulated.test_kernel_battery import room
from firmware_tests.golden.corpus import BOARDS
from firmware_tests.kernels.harness import assert_equal, expected
from firmware_tests.models.random_graphs import random_graph
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.compile import Options, compile_graph
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.instances import Optimize
from tinygen.ir import Graph, Numerics
from tinygen.run.device import Expected
from tinygen.run.runners import open_device
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.emulated

GRAPHS = 3  # in one image, and there are two images for each core
VECTORS = 6


def graphs_from(seed: int, numerics: Numerics, limit_bytes: int) -> Iterator[Graph]:
    """Graphs whose tensors fit ``limit_bytes`` together."""
    while True:
        graph = random_graph(seed, numerics, most_ops=8)
        seed += 1
        need = sum(t.nbytes for t in graph.inputs) + sum(
            t.nbytes for op in graph.ops for t in op.outputs
        )
        if need <= limit_bytes // GRAPHS:
            yield graph


def side_by_side(seed: int, numerics: Numerics, limit_bytes: int) -> Graph:
    """Some graphs as one."""
    found = graphs_from(seed, numerics, limit_bytes)
    graphs = [next(found) for _ in range(GRAPHS)]
    return Graph(
        "graphs",
        tuple(t for graph in graphs for t in graph.inputs),
        tuple(t for graph in graphs for t in graph.outputs),
        tuple(op for graph in graphs for op in graph.ops),
    )


@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
@pytest.mark.parametrize("name", BOARDS)
def test_graphs_give_the_references_bytes(name: str, numerics: Numerics, tmp_path: Path) -> None:
    board, seed = load_board(name), 5000 + 100 * BOARDS.index(name)
    graph = side_by_side(seed, numerics, room(board))
    optimize = Optimize.SIZE if numerics is Numerics.LITERT else Optimize.SPEED
    program = compile_graph(
        graph, "graphs.tflite", "0" * 64, board.core.name, board.core.isa,
        Options(optimize=optimize, numerics=numerics),
    )  # fmt: skip
    write_project(program, choose_target(board), tmp_path)
    inputs = draw_vectors(graph, VECTORS, seed).inputs
    inputs = (*inputs, *reversed(inputs))  # no run may leave a trace in the arena
    with open_device(board, build(tmp_path).image, Expected(model_sha256="0" * 64)) as device:
        got = [device.run(vector).outputs for vector in inputs]
    assert_equal(program.graph, inputs, got, expected(graph, inputs))
