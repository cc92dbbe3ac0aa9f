"""For size, a layer gets scratch where the arena has room for it, and a slower row where not."""

import pytest

from firmware_tests.kernels.harness import graph_of
from firmware_tests.kernels.test_conv2d import conv
from firmware_tests.kernels.weighted import without_least
from tinygen.compile import Options, compile_graph
from tinygen.frugal import FEW_BYTES, scratch_room
from tinygen.ir import Graph
from tinygen.isa import Isa
from tinygen.ops.conv2d import Conv2D
from tinygen.optimize import Optimize


def deep(seed: int = 50) -> Conv2D:
    """A small layer with patches of 252 bytes, four times that as pairs."""
    return without_least(conv("deep", seed, channels=(28, 4)))


def large(side: int) -> Conv2D:
    """A layer before whose output ``deep``'s scratch is small, or is not."""
    return without_least(conv("large", 51, size=(side, side), channels=(4, 4), kernel=(1, 1)))


def chosen(graph: Graph) -> dict[str, str]:
    """The row of each operator, by its name."""
    program = compile_graph(
        graph, "g.tflite", "0" * 64, "host", Isa.DSP, Options(optimize=Optimize.SIZE)
    )
    return {step.op.name: step.kernel.function for step in program.steps if step.kernel}


def test_scratch_that_would_raise_the_arena_is_done_without() -> None:
    assert chosen(graph_of([deep()])) == {"deep": "tg_conv2d_lean_s8_dsp"}


@pytest.mark.parametrize(
    ("side", "function"), [(40, "tg_conv2d_compact_s8_dsp"), (16, "tg_conv2d_lean_s8_dsp")]
)
def test_a_later_layer_that_needs_more_makes_room(side: int, function: str) -> None:
    assert chosen(graph_of([deep(), large(side)]))["deep"] == function


def test_the_fullest_step_has_little_room_and_the_others_what_is_left() -> None:
    small, big = deep(), large(64)
    room = scratch_room(graph_of([small, big]))
    live_first = small.x.nbytes + small.y.nbytes + big.x.nbytes
    live_second = small.y.nbytes + big.x.nbytes + big.y.nbytes
    assert room[big] == max(live_second // 64, FEW_BYTES)
    assert room[small] == room[big] + live_second - live_first


def test_no_operators_need_no_room() -> None:
    assert scratch_room(Graph("empty", (), (), ())) == {}
