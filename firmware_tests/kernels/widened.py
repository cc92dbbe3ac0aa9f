"""int16 cases from int8 ones: the same geometry and ratios of scales, zero points 0."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from firmware_tests.kernels.tensors import float32
from tinygen.ir import DType, Op, QuantParams, Tensor
from tinygen.ops import definition_of
from tinygen.ops.convolution import WeightedOp

O = TypeVar("O", bound=Op)  # noqa: E741 - an operator
STEPS = 256  # of int16 in one of int8


def widened(ops: Sequence[O], bias: DType = DType.INT64) -> tuple[O, ...]:
    """Those of ``ops`` that are within the rules with int16 activations, and biases of a type."""
    found = tuple(_widened(op, bias) for op in ops)
    return tuple(op for op in found if not definition_of(op).violations(op))


def _widened(op: O, bias: DType) -> O:
    inputs = list(op.inputs)
    for index, tensor in enumerate(op.inputs):
        if isinstance(op, WeightedOp) and index:
            inputs[index] = _bias(tensor, bias) if index == 2 else tensor
        elif tensor.dtype is DType.INT8:
            inputs[index] = wide_tensor(tensor)
    outputs = tuple(wide_tensor(t) if t.dtype is DType.INT8 else t for t in op.outputs)
    return replace(op, name=outputs[0].name, inputs=tuple(inputs), outputs=outputs)


def wide_tensor(tensor: Tensor) -> Tensor:
    """The int16 tensor of the same range, its zero point in the middle."""
    assert tensor.quant is not None
    quant = QuantParams((float32(tensor.scale / STEPS),), (0,))
    data = tensor.data
    if data is not None:
        low = np.arange(data.size, dtype=np.int16).reshape(data.shape) * 37 % STEPS
        data = data.astype(np.int16) * STEPS + low
    return replace(
        tensor, name=f"{tensor.name}_wide", dtype=DType.INT16, quant=quant, data=data, bounds=None
    )


def _bias(tensor: Tensor, dtype: DType) -> Tensor:
    """The bias, larger with the activations as far as its type goes."""
    info = np.iinfo(dtype.numpy)
    data = np.clip(tensor.values.astype(np.int64) * STEPS - 77, info.min, info.max)
    assert tensor.quant is not None
    scales = tuple(float32(scale / STEPS) for scale in tensor.quant.scale)
    quant = replace(tensor.quant, scale=scales)
    return replace(tensor, dtype=dtype, quant=quant, data=data.astype(dtype.numpy))
