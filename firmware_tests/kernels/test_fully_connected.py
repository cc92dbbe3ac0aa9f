"""FULLY_CONNECTED: every row against the reference, the reference against the interpreters."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import float32
from firmware_tests.kernels.weighted import (
    CLAMPS,
    ONE_INSTANCE,
    Range,
    is_of_int8,
    scales_apart,
    weighted_tensors,
)
from tinygen.ir import Activation, Numerics, QuantParams
from tinygen.isa import Isa
from tinygen.ops.fully_connected import FULLY_CONNECTED, FullyConnected, Rounding, reals
from tinygen.select import candidates


def dense(
    name: str,
    seed: int,
    *,
    kind: Range = Range.USUAL,
    rows: tuple[int, ...] = (1,),
    depth: int = 16,
    channels: int = 8,
    per_channel: bool = False,
    has_bias: bool = True,
    keep: bool = False,
    activation: Activation = Activation.NONE,
    weights_zero_point: int = 0,
) -> FullyConnected:
    """One layer with drawn weights; ``rows`` are the input's leading dimensions."""
    count = int(np.prod(rows))
    y_shape = (*rows, channels) if keep else (count, channels)
    shapes = ((*rows, depth), (channels, depth), y_shape)
    rng = np.random.default_rng(seed)
    axis = 0 if per_channel else None
    inputs, y = weighted_tensors(name, kind, shapes, depth, axis, has_bias, rng)
    if weights_zero_point:
        quant = QuantParams((inputs[1].scale,), (weights_zero_point,))
        inputs = (inputs[0], replace(inputs[1], quant=quant), *inputs[2:])
    return FullyConnected(name, inputs, (y,), activation, keep)


def drawn(index: int, kind: Range) -> FullyConnected:
    """A case with everything drawn."""
    rng = np.random.default_rng((17, index))
    return dense(
        f"{kind.value}_{index}",
        index,
        kind=kind,
        rows=(int(rng.integers(1, 6)),),
        depth=int(rng.integers(1, 40)),
        channels=int(rng.integers(1, 12)),
        per_channel=bool(index % 2),
        has_bias=bool(index % 4),
        activation=CLAMPS[index % len(CLAMPS)],
        weights_zero_point=0 if index % 6 else int(rng.integers(-128, 128)),
    )


def once(op: FullyConnected) -> FullyConnected:
    """The same layer with LiteRT's numbers, under names of its own."""
    x, y = (replace(t, name=f"{t.name}_once") for t in (op.x, op.y))
    inputs = (x, *op.inputs[1:])
    return replace(op, name=y.name, inputs=inputs, outputs=(y,), rounding=Rounding.ONCE)


def halves() -> FullyConnected:
    """A layer half of whose results are ties, of either sign."""
    op = dense("halves", 12, rows=(64,), depth=1, channels=3, has_bias=False)
    x = replace(op.x, quant=QuantParams((0.5,), (3,)))
    whole, data = QuantParams((1.0,), (0,)), np.array([[1], [-1], [3]], np.int8)
    weights = replace(op.weights, quant=whole, data=data)
    return replace(op, inputs=(x, weights), outputs=(replace(op.y, quant=whole),))


NAMED = (
    halves(),
    dense("one_row", 1),
    dense("odd", 2, depth=13, channels=7, activation=Activation.RELU),
    dense("two_rows", 3, rows=(2,), depth=7, channels=5),
    dense("three_rows", 4, rows=(3,), channels=3, per_channel=True),
    dense("kept_dimensions", 5, rows=(2, 3), keep=True, activation=Activation.RELU6),
    dense("flattened", 6, rows=(2, 2)),
    dense("one_by_one", 7, depth=1, channels=1),
    dense("long", 8, depth=643, channels=6, per_channel=True),
    dense("without_bias", 9, has_bias=False),
    dense("relu", 13, depth=70, channels=12, activation=Activation.RELU),
    scales_apart(dense("scales", 14, depth=22, channels=9, per_channel=True)),
    dense("asymmetric_weights", 10, weights_zero_point=-128, rows=(3,), channels=6),
    dense("asymmetric_weights_odd", 11, weights_zero_point=127, depth=15, channels=3),
)
TWICE = (*NAMED, *(drawn(i, kind) for kind in Range for i in range(12)))
# Without the ranges in which LiteRT's conversion to int32 may be undefined.
ONCE = tuple(
    once(op)
    for op in (*NAMED, *(drawn(i, k) for k in (Range.USUAL, Range.TINY) for i in range(24)))
)
CASES = (*TWICE, *ONCE)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(CASES, options=ONE_INSTANCE)


@pytest.mark.parametrize("isa", [Isa.ANY, Isa.DSP], ids=str)
def test_instances_for_one_geometry_give_the_references_bytes(isa: Isa) -> None:
    check_native((*NAMED, *ONCE[:4]), isa=isa, every_row=False, seed=3)


def test_every_row_is_the_best_for_some_case() -> None:
    cases = (*NAMED, *ONCE)
    isas = (Isa.ANY, Isa.DSP, Isa.DSP | Isa.MVE)
    chosen = {candidates(op, isa)[0].function for op in cases for isa in isas}
    assert chosen == {r.function for r in FULLY_CONNECTED.kernels if is_of_int8(r)}


def test_one_scale_is_multiplied_in_single_precision_by_tflite_micro_only() -> None:
    op = dense("scales", 1)
    assert op.weights.quant is not None
    product = float32(op.x.scale * op.weights.scale)
    assert list(reals(op)) == [product / op.y.scale]
    assert list(reals(replace(op, rounding=Rounding.ONCE))) == [
        op.x.scale * op.weights.scale / op.y.scale
    ]


def test_numbers_that_litert_leaves_undefined_are_refused() -> None:
    op = replace(dense("huge", 1, kind=Range.DEAD), rounding=Rounding.ONCE)
    assert op.bias is not None
    loud = replace(op.y, quant=QuantParams((float32(op.y.scale / 2**20),), (0,)))
    (message,) = FULLY_CONNECTED.violations(replace(op, outputs=(loud,)))
    assert "2**31" in message
    assert "--numerics tflm" in message


@pytest.mark.reference
def test_the_reference_is_tflite_micros() -> None:
    assert_interpreter_agrees(TWICE, Numerics.TFLM)


@pytest.mark.reference
def test_the_reference_is_litert_s() -> None:
    assert_interpreter_agrees(ONCE, Numerics.LITERT)
