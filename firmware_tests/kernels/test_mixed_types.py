"""One graph through int8, float32 and back: passes may do to each type what is exact for it."""

import numpy as np

from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    compile_cases,
    expected,
    run_native,
)
from firmware_tests.kernels.tensors import constant, plain, quantized
from firmware_tests.models.parts import bias
from tinygen.compile import Options
from tinygen.ir import Activation, DType, Graph, Op, Tensor
from tinygen.ops.add import Add
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.div import Div
from tinygen.ops.floor_div import FloorDiv
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.maximum import Maximum
from tinygen.ops.prelu import Prelu
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6
from tinygen.passes import run_pipeline
from tinygen.select import best
from tinygen.vectors import draw_vectors

NONE, RELU = Activation.NONE, Activation.RELU
F32, S16, S32 = DType.FLOAT32, DType.INT16, DType.INT32
SHAPE = (3, 5)


def vector(name: str, dtype: DType, *values: float) -> Tensor:
    """A constant for each channel, without a scale."""
    return Tensor(name, (len(values),), dtype, None, np.array(values, dtype.numpy))


def mixed() -> Graph:
    """Two matrix products, of which the second does not read channel 2 of what is between, and
    limits on int16 and int32."""
    rng = np.random.default_rng(0)
    x, h = quantized("x", (3, 6), 0.05, -3), quantized("h", SHAPE, 0.2, 1)
    by = quantized("by", (5,), 0.001, 0, np.array([3, -7, 100, 50, 9], np.int8))
    steps = quantized("steps", (5,), 0.1, 0, np.array([1, 1, 1, 2, 1], np.int8))
    d, e = quantized("d", SHAPE, 2.0, 4), quantized("e", SHAPE, 0.3, 0)
    q = quantized("q", SHAPE, 0.05, -10)
    f, g, r, p = (plain(name, SHAPE, F32) for name in "fgrp")
    rows = rng.integers(-127, 128, (4, 5)).astype(np.int8)
    rows[:, 2] = 0
    y = quantized("y", (3, 4), 0.1, 0)
    weights = constant("w", (5, 6), 0.01, 0, rng), quantized("v", (4, 5), 0.01, 0, rows)
    wide, more, least = (quantized(name, SHAPE, 1e-3, 0, dtype=S16) for name in ("x16", "m", "l"))
    five = quantized("five", (1,), 1e-3, 0, np.array([5], np.int16), S16)
    whole, sum_ = plain("x32", SHAPE, S32), plain("sum", SHAPE, S32)
    ops: tuple[Op, ...] = (
        FullyConnected("h", (x, weights[0], bias("b", 5)), (h,), NONE, False),
        Div("d", (h, by), (d,), RELU),
        FloorDiv("e", (d, steps), (e,), NONE),
        Dequantize("f", (e,), (f,)),
        Add("g", (f, vector("c", F32, 1, 2, 3, 4, 5)), (g,), NONE),
        Relu6("r", (g,), (r,)),
        Prelu("p", (r, vector("a", F32, 0, 1, -1, 0.5, 2)), (p,), NONE),
        Quantize("q", (p,), (q,)),
        FullyConnected("y", (q, weights[1], bias("b2", 4)), (y,), NONE, False),
        Maximum("m", (wide, five), (more,), NONE),
        Relu("l", (more,), (least,)),
        Add("sum", (whole, vector("zero", S32, 0)), (sum_,), RELU),
    )
    return Graph("mixed", (x, wide, whole), (y, least, sum_), ops)


def test_passes_keep_every_byte_of_a_graph_of_several_types() -> None:
    before = mixed()
    after = run_pipeline(before)
    kinds = [op.kind for op in after.ops]
    # float32 fuses, int16 does not; int32 plus zero is no copy, for it has limits.
    assert [kind for kind in kinds if kind.startswith("RELU")] == ["RELU"]
    assert next(op.y.shape for op in after.ops if op.kind == "DIV") == (3, 4)
    inputs = draw_vectors(before, 20, seed=1).inputs
    program = compile_cases(before, ALL_ISAS, Options(), best)
    assert_equal(program.graph, inputs, run_native(program, inputs), expected(before, inputs))
