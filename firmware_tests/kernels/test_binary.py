"""ADD, SUB and MUL: every row against the reference, the reference against the interpreters."""

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import ALL_ISAS, check_native, compile_cases, graph_of
from firmware_tests.kernels.tensors import (
    any_scale,
    any_zero_point,
    constant,
    float32,
    quantized,
    twin,
)
from tinygen.compile import Options
from tinygen.ir import Activation, Numerics, Op
from tinygen.ops.add import Add
from tinygen.ops.binary import Binary, broadcast_loops, few_loops
from tinygen.ops.binary_sum import linear_form
from tinygen.ops.binary_sum_kernels import elementwise_sum, sum_of_operands
from tinygen.ops.mul import Mul
from tinygen.ops.sub import Sub
from tinygen.select import best

CLASSES: tuple[type[Binary], ...] = (Add, Sub, Mul)
CLAMPS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
SHAPES = (
    ((1, 5, 7, 3), (1, 5, 7, 3)),
    ((33,), (33,)),
    ((1,), (1,)),
    ((), ()),
    ((1, 4, 4, 6), (6,)),
    ((6,), (1, 4, 4, 6)),
    ((2, 3, 4, 5), (2, 1, 1, 5)),
    ((2, 3, 4, 5), (1, 3, 4, 1)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
    ((1, 3, 1, 5), (2, 1, 4, 1)),
    ((2, 3, 4, 5), (3, 1, 5)),
    ((1, 1, 1, 1), (1, 3, 3, 2)),
    ((2, 3, 2, 2, 3), (1, 3, 1, 2, 3)),
    ((1, 2, 3, 1, 2, 3), (1, 1, 3, 2, 1, 1)),
)


def drawn(op: type[Binary], index: int, seed: int) -> Binary:
    """A case of ``op``: shapes in turn, quantization drawn, constants at times."""
    rng = np.random.default_rng((seed, index))
    shapes = SHAPES[index % len(SHAPES)]
    scales = [any_scale(rng), any_scale(rng)]
    if index % 4 == 0:
        scales[1] = scales[0]
    zeros = [any_zero_point(rng) for _ in range(3)]
    name = f"{op.kind.lower()}{seed}_{index}"
    operands = [
        quantized(f"{name}_{side}", shape, scale, zero)
        for side, shape, scale, zero in zip("ab", shapes, scales, zeros, strict=False)
    ]
    role = index % 3
    if role < 2 and index % 2:
        old = operands[role]
        operands[role] = constant(f"{name}_c", old.shape, old.scale, old.zero_point, rng)
    out_scale = (
        sum(scales) * rng.uniform(0.3, 1.2) if op is not Mul else scales[0] * rng.uniform(0.2, 3)
    )
    if index % 7 == 0:
        out_scale = scales[0] * float(rng.choice([0.5, 1, 2, 4]))
    y = quantized(name, np.broadcast_shapes(*shapes), out_scale, zeros[2])
    return op(name, (operands[0], operands[1]), (y,), CLAMPS[index % len(CLAMPS)])


def same_tensor(op: type[Binary]) -> Binary:
    """Both operands are one tensor."""
    x = quantized(f"{op.kind}_same_x", (2, 9), 0.03, 5)
    y = quantized(f"{op.kind}_same", (2, 9), 0.045, -7)
    return op(y.name, (x, x), (y,), Activation.NONE)


def scalar_constant(op: type[Binary], left: bool) -> Binary:
    """One operand is a single constant, on the left or on the right."""
    name = f"{op.kind}_scalar_{'left' if left else 'right'}"
    x = quantized(f"{name}_x", (3, 5), 0.03, 5)
    c = quantized(f"{name}_c", (1, 1), 0.01, -3, np.array([[77]], np.int8))
    y = quantized(name, (3, 5), 0.02, -7)
    return op(name, (c, x) if left else (x, c), (y,), Activation.RELU)


def extreme(op: type[Binary], index: int, ratio: float, out: float) -> Binary:
    """Scales far apart."""
    name = f"{op.kind}_extreme_{index}"
    a = quantized(f"{name}_a", (257,), 0.1, (-128, 127)[index % 2])
    b = quantized(f"{name}_b", (257,), 0.1 * ratio, (127, -128, 0)[index % 3])
    y = quantized(name, (257,), out, (-128, 127, 3)[index % 3])
    return op(name, (a, b), (y,), CLAMPS[index % 4])


# Scales and zero points of x, w and y for which no short linear form equals the reference.
WITHOUT_LINEAR_FORM = (
    (Add, (0.0759788379, 0.0847497806, 0.0145285483), (69, 8, 63)),
    (Add, (0.0264006983, 0.0313778184, 0.0565198995), (-13, 75, -94)),
    (Sub, (0.0330746733, 0.0286114477, 0.0490292870), (-81, -24, -34)),
    (Sub, (0.0376600623, 0.0507879965, 0.0105922827), (-4, -49, 49)),
)


def without_linear_form(index: int) -> Binary:
    """Operands that only the table's kernel adds, over every pair of 16 values of each."""
    op, scales, zeros = WITHOUT_LINEAR_FORM[index]
    name = f"{op.kind}_table_{index}"
    shapes = (16, 1, 3), (1, 16, 3), (16, 16, 3)
    a, b, y = (
        quantized(f"{name}{end}", shape, float32(scale), zero)
        for end, shape, scale, zero in zip(("_a", "_b", ""), shapes, scales, zeros, strict=True)
    )
    return op(name, (a, b), (y,), Activation.NONE)


EXTREMES = (
    (1e-6, 0.1), (1e6, 1.0), (1.0, 1e-4), (1.0, 100.0), (2.0**-20, 0.1), (1e-9, 0.1), (0.5, 0.3),
    (1e3, 1.0),
)  # fmt: skip

CASES: tuple[Op, ...] = (
    *(drawn(op, i, 1) for op in CLASSES for i in range(2 * len(SHAPES))),
    *(same_tensor(op) for op in CLASSES),
    *(scalar_constant(op, left) for op in CLASSES for left in (True, False)),
    *(extreme(op, i, *pair) for op in CLASSES for i, pair in enumerate(EXTREMES)),
    *(without_linear_form(i) for i in range(len(WITHOUT_LINEAR_FORM))),
)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(CASES)


def test_results_are_the_same_in_place_and_not() -> None:
    same_size = [op for op in CASES if any(t.shape == op.y.shape for t in op.activations)][::5]
    check_native([case for op in same_size for case in (twin(op), op)], count=4)


@pytest.mark.parametrize("op", CLASSES, ids=lambda op: op.kind)
def test_a_sum_overwrites_an_operand_that_dies(op: type[Binary]) -> None:
    case = drawn(op, 0, 1)
    graph = graph_of([twin(case), case])
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    places = program.memory.tensors
    first, last = program.graph.ops
    assert places[last.y] == places[case.a]
    assert places[first.y] != places[case.a]


def test_the_linear_form_is_found_and_exact_for_usual_scales() -> None:
    rng = np.random.default_rng(3)
    x, w = (v.astype(np.int64).reshape(-1) for v in np.mgrid[-128:128, -128:128])
    found = 0
    for index in range(40):
        op = drawn((Add, Sub)[index % 2], 4 * index + 1, int(rng.integers(1000)))
        sum_ = sum_of_operands(op, sign=1 if index % 2 == 0 else -1)
        form = linear_form(sum_)
        if form is not None:
            got = np.clip((form.a * x + form.b * w + form.c) >> form.shift, sum_.low, sum_.high)
            assert np.array_equal(got, elementwise_sum(sum_, x, w))
            assert abs(form.c) + 128 * (abs(form.a) + abs(form.b)) < 2**31
            found += 1
    assert found == 40


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(CASES, numerics)


@pytest.mark.parametrize("op", CLASSES, ids=lambda op: op.kind)
def test_more_than_four_loops_are_refused(op: type[Binary]) -> None:
    shapes = (2, 1, 2, 1, 2), (1, 2, 1, 2, 1)
    a, b = (quantized(n, s, 0.1, 0) for n, s in zip("ab", shapes, strict=True))
    case = op("y", (a, b), (quantized("y", (2,) * 5, float32(0.2), 0),), Activation.NONE)
    assert "(2, 1, 2, 1, 2) with (1, 2, 1, 2, 1)" in few_loops(case)


def test_neighbouring_axes_merge_into_one_loop() -> None:
    loops = broadcast_loops((2, 3, 4, 5), (2, 1, 1, 5), (2, 3, 4, 5))
    assert [(loop.size, loop.a_stride, loop.b_stride) for loop in loops] == [
        (2, 60, 5), (12, 5, 0), (5, 1, 1),
    ]  # fmt: skip
