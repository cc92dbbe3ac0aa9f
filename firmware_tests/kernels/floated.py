"""float32 cases from int8 ones: the same geometry, constants drawn anew."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from zlib import crc32

import numpy as np

from firmware_tests.kernels.weighted import without_least
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.convolution import WeightedOp

O = TypeVar("O", bound=Op)  # noqa: E741 - an operator
W = TypeVar("W", bound=WeightedOp)


def floated(ops: Sequence[O]) -> tuple[O, ...]:
    """Those of ``ops`` that are within the rules with float32."""
    found = tuple(_floated(op) for op in ops)
    return tuple(op for op in found if not definition_of(op).violations(op))


def hybridized(ops: Sequence[W]) -> tuple[W, ...]:
    """Those of ``ops`` that are within the rules with float32 but for their weights.

    None of these is -128: LiteRT's vector instructions sum no such products.
    """
    ops = [without_least(op) for op in ops]
    floats = tuple(_floated(op) for op in ops)
    found = tuple(
        replace(
            made,
            name=f"{made.name}_hybrid",
            inputs=(made.x, op.weights, *made.inputs[2:]),
            outputs=(replace(made.y, name=f"{made.name}_hybrid"),),
        )
        for op, made in zip(ops, floats, strict=True)
    )
    return tuple(op for op in found if not definition_of(op).violations(op))


def _floated(op: O) -> O:
    made: dict[Tensor, Tensor] = {}
    for tensor in (*op.inputs, *op.outputs):
        made[tensor] = float_tensor(tensor) if tensor.quant is not None else tensor
    inputs, outputs = (tuple(made[t] for t in side) for side in (op.inputs, op.outputs))
    return replace(op, name=outputs[0].name, inputs=inputs, outputs=outputs)


def float_tensor(tensor: Tensor) -> Tensor:
    """A float32 tensor of the same shape."""
    data: Array | None = None
    if tensor.is_constant:
        rng = np.random.default_rng(crc32(tensor.name.encode()))
        data = rng.normal(0, 0.3, tensor.shape).astype(np.float32)
    name = tensor.name.replace("/after", "") + "_f32" + "/after" * ("/after" in tensor.name)
    return replace(tensor, name=name, dtype=DType.FLOAT32, quant=None, data=data, bounds=None)
