"""int16 activations, with int8 weights where there are any: what int8 cases become."""

from collections.abc import Sequence

import pytest

from firmware_tests.kernels import (
    test_conv2d,
    test_depthwise_conv2d,
    test_fully_connected,
    test_pool2d,
    test_transpose_conv,
)
from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.weighted import ONE_INSTANCE
from firmware_tests.kernels.widened import widened
from firmware_tests.models.writer import to_tflite
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Numerics, Op
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.fully_connected import FullyConnected, Rounding

CONVOLUTIONS = (*test_conv2d.NAMED, *test_conv2d.GROUPED, *test_conv2d.DRAWN)
NARROW = tuple(op for op in widened(test_conv2d.DRAWN[::3], DType.INT32) if op.bias)
WIDE: dict[str, tuple[Op, ...]] = {
    "convolution": (*widened(CONVOLUTIONS), *NARROW),
    "depthwise": widened((*test_depthwise_conv2d.NAMED, *test_depthwise_conv2d.DRAWN)),
    "fully_connected": (
        *widened(test_fully_connected.CASES),
        *widened(test_fully_connected.CASES[::4], DType.INT32),
    ),
    "transpose_conv": widened(test_transpose_conv.CASES + test_transpose_conv.MORE[::3]),
    "pool": widened(test_pool2d.CASES),
}
# Few, for the emulated cores.
CASES: tuple[Op, ...] = (
    *widened(test_conv2d.NAMED[::6]),
    *NARROW[:2],
    *(op for ops in WIDE.values() for op in ops[1::12]),
)


@pytest.mark.parametrize("family", WIDE)
def test_the_kernel_gives_the_references_bytes(family: str) -> None:
    check_native(WIDE[family], options=ONE_INSTANCE, every_row=False)


def test_instances_for_one_geometry_give_the_references_bytes() -> None:
    check_native(CASES, every_row=False)


def test_a_bias_that_litert_misreads_is_refused() -> None:
    data = to_tflite(graph_of([NARROW[0]]))
    assert read_model(data, "m.tflite", Numerics.TFLM).ops
    with pytest.raises(UnsupportedError, match="int64"):
        read_model(data, "m.tflite", Numerics.LITERT)


def agreeing(ops: Sequence[Op], numerics: Numerics) -> list[Op]:
    """Those that the interpreter of ``numerics`` runs."""
    if numerics is Numerics.TFLM:
        return [op for op in ops if getattr(op, "rounding", Rounding.TWICE) is Rounding.TWICE]
    return [op for op in ops if has_litert_form(op)]


def has_litert_form(op: Op) -> bool:
    """LiteRT's convolutions ask for a bias, of int64; its FULLY_CONNECTED rounds once."""
    if not isinstance(op, WeightedOp):
        return True
    if isinstance(op, FullyConnected) and op.rounding is Rounding.TWICE:
        return False
    return isinstance(op, FullyConnected) if op.bias is None else op.bias.dtype is DType.INT64


@pytest.mark.reference
@pytest.mark.parametrize("numerics", list(Numerics), ids=lambda n: n.value)
@pytest.mark.parametrize("family", WIDE)
def test_the_reference_is_the_interpreters(family: str, numerics: Numerics) -> None:
    assert_interpreter_agrees(agreeing(WIDE[family], numerics), numerics)
