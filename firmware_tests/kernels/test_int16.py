"""int16 activations, with int8 weights where there are any: what int8 cases become."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels import (
    test_binary,
    test_conv2d,
    test_depthwise_conv2d,
    test_fully_connected,
    test_mean,
    test_pool2d,
    test_transpose_conv,
)
from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    check_native,
    compile_cases,
    expected,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import any_scale, any_zero_point, float32, plain, quantized
from firmware_tests.kernels.weighted import ONE_INSTANCE
from firmware_tests.kernels.widened import widened
from firmware_tests.models.writer import to_tflite
from tinygen.compile import Options
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Activation, Array, DType, Graph, Numerics, Op, QuantParams, Tensor
from tinygen.ops import definition_of
from tinygen.ops.add import Add
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.logistic import Logistic
from tinygen.ops.mul import Mul
from tinygen.ops.pad import Pad
from tinygen.ops.quantize import COMPUTED, Quantize
from tinygen.ops.softmax import Softmax
from tinygen.ops.sub import Sub
from tinygen.ops.sum import Sum
from tinygen.ops.tanh import Tanh
from tinygen.ops.window import Window
from tinygen.select import best
from tinygen.vectors import draw_vectors

PAIRS = sorted(COMPUTED, key=str)


def leaky_relu(index: int) -> LeakyRelu:
    """A slope of either sign, and the scales of int16."""
    rng = np.random.default_rng(index)
    name, scale = f"leaky_wide{index}", any_scale(rng)
    ratio = 1.0 if index % 3 == 0 else float(rng.choice([0.01, 0.7, 1.9, 60.0]))
    x = quantized(f"{name}_x", (3, 333), scale, 0, dtype=DType.INT16)
    y = quantized(name, (3, 333), scale * ratio, 0, dtype=DType.INT16)
    alpha = float32(rng.choice([0.01, 0.2, 0.3, -0.4, 1.5, 0.0]))
    return LeakyRelu(name, (x,), (y,), Numerics.TFLM, alpha)


def sigmoid(op: type[Logistic] | type[Tanh], index: int) -> Op:
    """Scales that are powers of two or nearly, and others."""
    rng = np.random.default_rng(index)
    scales = (2.0**-12, 2.0**-11, 2.0**-12 * 1.0005, 2.0**-15, 2.0**-10, 2.6, 1e-4, 2.0**-28)
    scale = scales[index] if index < len(scales) else any_scale(rng, 1e-5, 1e-2)
    name = f"{op.kind.lower()}_wide{index}"
    x = quantized(f"{name}_x", (5, 2000), scale, 0, dtype=DType.INT16)
    y = quantized(name, (5, 2000), 2.0**-15, 0, dtype=DType.INT16)
    return op(name, (x,), (y,))


def softmax(index: int) -> Softmax:
    """Rows of all lengths, steps of all sizes."""
    rng = np.random.default_rng(index)
    name, shape = f"softmax_wide{index}", ((3, 10), (1, 1), (2, 2, 300), (5, 4))[index % 4]
    scale = any_scale(rng, 1e-6, 1.0) if index % 3 else 2.0**-12
    x = quantized(f"{name}_x", shape, scale, 0, dtype=DType.INT16)
    y = quantized(name, shape, 2.0**-15, 0, dtype=DType.INT16)
    return Softmax(name, (x,), (y,), float32((1.0, 0.5, 2.3)[index % 3]))


def from_float(index: int) -> Quantize:
    """Float inputs; vectors are drawn around what the output holds."""
    name, scale = f"from_float_wide{index}", any_scale(np.random.default_rng(index), 1e-5, 0.1)
    x = plain(f"{name}_x", (3, 101), DType.FLOAT32)
    y = quantized(name, (3, 101), scale, 0, dtype=DType.INT16)
    return Quantize(name, (x,), (y,))


def drawn_zero_point(dtype: DType, index: int, rng: np.random.Generator) -> int:
    """None for int32, for int16 in every second round, that of a SOFTMAX among them."""
    if dtype is DType.INT16 and index // len(PAIRS) % 2:
        return int(rng.choice([-(2**15), 2**15 - 1, -777]))
    bytewise = {DType.INT8: 0, DType.UINT8: 128}
    return any_zero_point(rng) + bytewise[dtype] if dtype in bytewise else 0


def requantize(index: int) -> Quantize:
    """Each pair of types in turn, int16 with and without a zero point."""
    rng = np.random.default_rng(index)
    name, (source, target) = f"requantize_wide{index}", PAIRS[index % len(PAIRS)]
    bits = {DType.INT8: 8, DType.UINT8: 8, DType.INT16: 16, DType.INT32: 28}
    scales = [rng.uniform(0.3, 1.0) * 2.0 ** -bits[dtype] for dtype in (source, target)]
    zeros = [drawn_zero_point(dtype, index, rng) for dtype in (source, target)]
    x = quantized(f"{name}_x", (5, 99), scales[0], zeros[0], dtype=source)
    y = quantized(name, (5, 99), scales[1], zeros[1], dtype=target)
    return Quantize(name, (x,), (y,))


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
    "binary": widened([op for op in test_binary.CASES if isinstance(op, Add | Sub | Mul)]),
    "leaky_relu": tuple(leaky_relu(index) for index in range(12)),
    "sigmoid": tuple(sigmoid(op, index) for op in (Logistic, Tanh) for index in range(10)),
    "softmax": tuple(softmax(index) for index in range(16)),
    "mean": (*widened(test_mean.MEANS), *widened([*map(test_mean.total, test_mean.MEANS)])),
    "quantize": (
        *(requantize(index) for index in range(28)),
        *(from_float(index) for index in range(6)),
    ),
}
# Few, for the emulated cores.
CASES: tuple[Op, ...] = (
    *widened(test_conv2d.NAMED[::6]),
    *NARROW[:2],
    *(op for family, ops in WIDE.items() if family != "quantize" for op in ops[1::12]),
    *WIDE["quantize"][: len(PAIRS)],
    WIDE["quantize"][-1],
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
    """Those that the interpreter of ``numerics`` runs, with its numerics."""
    ops = [
        replace(op, numerics=numerics) if isinstance(op, LeakyRelu | Mul | Softmax) else op
        for op in ops
    ]
    if numerics is Numerics.TFLM:
        return [
            op
            for op in ops
            if getattr(op, "rounding", Rounding.TWICE) is Rounding.TWICE
            and op.x.dtype is not DType.UINT8
        ]
    return [op for op in ops if has_litert_form(op)]


def has_litert_form(op: Op) -> bool:
    """LiteRT's convolutions ask for a bias, of int64; its FULLY_CONNECTED rounds once; it takes no
    int8 to int32, zero points of int16 to int32 only, and its quantized SUM is refused."""
    if isinstance(op, Sum):
        return False
    if isinstance(op, Quantize):
        types = (op.x.dtype, op.y.dtype)
        zeros = [t.zero_point for t in (op.x, op.y) if t.dtype is DType.INT16]
        narrow = types != (DType.INT16, DType.INT32) and any(zeros)
        return types != (DType.INT8, DType.INT32) and not narrow
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


def chain() -> Graph:
    """int16 layers in which each pass would find something if they were int8.

    A pad; channels that are equal, constant or not read; an idle activation; a sum that adds zeros.
    """
    rng = np.random.default_rng(5)

    def wide(name: str, channels: int, size: int = 6) -> Tensor:
        return quantized(name, (1, size, size, channels), 2.0**-10, 0, dtype=DType.INT16)

    def weights(name: str, data: Array, bias: Array) -> tuple[Tensor, Tensor]:
        quant = QuantParams((2.0**-6,), (0,))
        return (
            Tensor(f"{name}_w", data.shape, DType.INT8, quant, data.astype(np.int8)),
            Tensor(f"{name}_b", bias.shape, DType.INT64, quant, bias.astype(np.int64)),
        )

    x, padded = wide("x", 3), wide("padded", 3, 8)
    first, leaky, moved, second = (wide(n, 6) for n in ("first", "leaky", "moved", "second"))
    out = quantized("y", second.shape, 0.5, 0, dtype=DType.INT16)
    kernel = rng.integers(-127, 128, (6, 3, 3, 3))
    kernel[1], kernel[2] = kernel[0], 0
    bias = np.array([500, 500, 1 << 20, -7, 0, 9])
    reader = rng.integers(-127, 128, (6, 1, 1, 6))
    reader[..., 4] = 0
    vector = quantized(
        "c", (6,), 2.0**-10, 0, np.array([0, 0, 0, 0, 0, 0], np.int16), dtype=DType.INT16
    )
    window = Window((3, 3), (1, 1), (1, 1), (0, 0))
    one = Window((1, 1), (1, 1), (1, 1), (0, 0))
    nothing, relu = Activation.NONE, Activation.RELU6
    ops: tuple[Op, ...] = (
        Pad("padded", (x,), (padded,), ((0, 0), (1, 1), (1, 1), (0, 0))),
        Conv2D("first", (padded, *weights("first", kernel, bias)), (first,), window, relu),
        LeakyRelu("leaky", (first,), (leaky,), Numerics.TFLM, 0.5),
        Add("moved", (leaky, vector), (moved,), nothing),
        Conv2D("second", (moved, *weights("second", reader, bias * 3)), (second,), one, nothing),
        Mul("y", (second, second), (out,), nothing),
    )
    return Graph("chain", (x,), (out,), ops)


def test_passes_change_no_byte_of_an_int16_model() -> None:
    graph = chain()
    assert not [line for op in graph.ops for line in definition_of(op).violations(op)]
    inputs = draw_vectors(graph, 9, 3).inputs
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    assert_equal(program.graph, inputs, run_native(program, inputs), expected(graph, inputs))
