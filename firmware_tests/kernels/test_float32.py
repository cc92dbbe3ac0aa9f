"""float32: what int8 cases become, and what only floats can do."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels import (
    test_batch_matmul,
    test_conv2d,
    test_depthwise_conv2d,
    test_fully_connected,
    test_normalizing,
    test_pool2d,
    test_softmax,
    test_svdf,
    test_transpose_conv,
)
from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.floated import floated
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    check_native,
    compile_cases,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import plain
from firmware_tests.kernels.weighted import ONE_INSTANCE
from tinygen import reference
from tinygen.compile import Options
from tinygen.ir import Activation, Array, DType, Numerics, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.pool2d import AveragePool2D, L2Pool2D
from tinygen.ops.softmax import Softmax
from tinygen.ops.svdf import Svdf
from tinygen.ops.transpose_conv import TransposeConv
from tinygen.ops.window import FARTHEST, Window
from tinygen.select import best

POOLS = floated(test_pool2d.CASES)
L2_POOLS = tuple(
    L2Pool2D(f"l2_{op.name}", op.inputs, (replace(op.y, name=f"l2_{op.name}"),), op.window, a)
    for op in POOLS
    if isinstance(op, AveragePool2D)
    for a in [op.activation]
)
SVDFS = tuple(
    replace(op, activation=activation)
    for op, activation in zip(
        floated((*test_svdf.CASES[:6], *test_svdf.MORE[:6])),
        [Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1] * 3,
        strict=True,
    )
)
CONVOLUTIONS = (*test_conv2d.NAMED, *test_conv2d.GROUPED, *test_conv2d.DRAWN)
FLOAT: dict[str, tuple[Op, ...]] = {
    "convolution": floated(CONVOLUTIONS),
    "depthwise": floated((*test_depthwise_conv2d.NAMED, *test_depthwise_conv2d.DRAWN)),
    "fully_connected": floated(test_fully_connected.CASES),
    "transpose_conv": floated(test_transpose_conv.CASES + test_transpose_conv.MORE[::3]),
    "pool": (*POOLS, *L2_POOLS),
    "batch_matmul": floated((*test_batch_matmul.CASES, *test_batch_matmul.MORE)),
    "softmax": floated(test_softmax.CASES),
    "normalizing": floated((*test_normalizing.CASES, *test_normalizing.MORE[::3])),
    "svdf": SVDFS,
}
# Few, for the emulated cores.
CASES: tuple[Op, ...] = (
    *(op for ops in FLOAT.values() for op in ops[1 :: len(ops) // 3]),
    L2_POOLS[0],
)


@pytest.mark.parametrize("family", FLOAT)
def test_the_kernel_agrees_with_the_reference(family: str) -> None:
    check_native(FLOAT[family], options=ONE_INSTANCE, every_row=False)


def test_instances_for_one_geometry_agree_with_the_reference() -> None:
    check_native(CASES, every_row=False)


def test_steps_far_beyond_the_image_do_not_overflow() -> None:
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> Tensor:
        data = rng.normal(0, 1, shape).astype(np.float32)
        return replace(plain("w", shape, DType.FLOAT32), data=data)

    x, seed = (plain(n, (1, s, s, 2), DType.FLOAT32) for n, s in (("x", 4), ("seed", 1)))
    ops: list[Op] = []
    for kernel, dilation in ((1, FARTHEST), (3, FARTHEST // 2 - 1)):
        pad = (kernel - 1) * dilation // 2
        window = Window((kernel, kernel), (1, 1), (dilation, dilation), (pad, pad))
        y = plain(f"conv{kernel}", (1, 4, 4, 3), DType.FLOAT32)
        w = weights(3, kernel, kernel, 2)
        ops.append(Conv2D(y.name, (x, w), (y,), window, Activation.NONE))
    window = Window((2, 2), (FARTHEST, FARTHEST), (1, 1), (0, 0))
    y = plain("far", (1, 5, 5, 3), DType.FLOAT32)
    ops.append(TransposeConv("far", (seed, weights(3, 2, 2, 2)), (y,), window, Activation.NONE))
    check_native(ops, every_row=False)


def test_a_pool_of_little_but_padding_is_refused() -> None:
    pool = L2_POOLS[0]
    wide = replace(pool, window=replace(pool.window, kernel=(2**16, 2)))
    assert "65536 positions" in definition_of(wide).violations(wide)[0]


@pytest.mark.reference
@pytest.mark.parametrize("numerics", list(Numerics), ids=lambda n: n.value)
@pytest.mark.parametrize("family", FLOAT)
def test_the_reference_agrees_with_the_interpreters(family: str, numerics: Numerics) -> None:
    assert_interpreter_agrees(agreeing(FLOAT[family], numerics), numerics)


def agreeing(ops: Sequence[Op], numerics: Numerics) -> list[Op]:
    """Those that the interpreter of ``numerics`` runs, with its numerics.

    LiteRT's float convolutions ask for a bias.
    """
    if numerics is Numerics.LITERT:
        ops = [op for op in ops if not isinstance(op, Conv2D | DepthwiseConv2D) or op.bias]
    rounding = Rounding.ONCE if numerics is Numerics.LITERT else Rounding.TWICE
    ops = [replace(op, rounding=rounding) if isinstance(op, FullyConnected) else op for op in ops]
    return [replace(op, numerics=numerics) if isinstance(op, Softmax) else op for op in ops]


def test_infinities_and_nan_pass_as_the_reference_says() -> None:
    ops = [
        next(op for op in FLOAT["pool"] if op.kind == kind and op.x.elements > 20)
        for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D")
    ]
    ops = [*ops, FLOAT["softmax"][3], FLOAT["normalizing"][0], FLOAT["fully_connected"][0]]
    graph = graph_of(ops)
    rng = np.random.default_rng(1)
    vectors = []
    for special in (np.inf, -np.inf, np.nan):
        arrays: list[Array] = [rng.normal(0, 1, t.shape).astype(np.float32) for t in graph.inputs]
        for values in arrays:
            values.reshape(-1)[values.size // 2] = special
        vectors.append(arrays)
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    with np.errstate(all="ignore"):
        want = reference.run_all(graph, vectors)
    assert_equal(program.graph, vectors, run_native(program, vectors), want)


def test_a_mixture_of_types_is_refused() -> None:
    op = FLOAT["convolution"][0]
    assert isinstance(op, Conv2D)
    mixed = replace(op, inputs=(op.x, plain("w", op.weights.shape, DType.INT16), *op.inputs[2:]))
    mixed = replace(
        mixed,
        inputs=(op.x, replace(mixed.inputs[1], data=np.zeros(op.weights.shape, np.int16))),
    )
    assert "float32" in definition_of(op).violations(mixed)[0]
    pool = replace(L2_POOLS[0], inputs=test_pool2d.CASES[0].inputs)
    assert "float32" in definition_of(pool).violations(pool)[0]


def test_a_fused_tanh_is_refused() -> None:
    for op in (FLOAT["convolution"][0], SVDFS[0], POOLS[0]):
        assert isinstance(op, Conv2D | Svdf | AveragePool2D)
        fused = replace(op, activation=Activation.TANH)
        assert "TANH" in definition_of(op).violations(fused)[0]
