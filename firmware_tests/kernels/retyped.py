"""Operators on one element type from the same on int8: the shapes and attributes are the same."""

from dataclasses import replace
from typing import TypeVar

from firmware_tests.kernels.tensors import plain, quantized
from tinygen.ir import DType, Op, Tensor

O = TypeVar("O", bound=Op)  # noqa: E741 - an operator
QUANTIZED = (DType.INT8, DType.UINT8, DType.INT16)


def retyped_tensor(tensor: Tensor, dtype: DType) -> Tensor:
    """``tensor`` with elements of ``dtype``; those that can be quantized keep the scale."""
    name = f"{tensor.name}_{dtype.value}"
    if dtype in QUANTIZED and tensor.quant is not None:
        zero = 0 if dtype is DType.INT16 else abs(tensor.zero_point)
        made = quantized(name, tensor.shape, tensor.scale, zero, dtype=dtype)
    else:
        made = plain(name, tensor.shape, dtype)
    data = tensor.data
    return made if data is None else replace(made, data=data.astype(dtype.numpy))


def retyped(op: O, dtype: DType, source: DType = DType.INT8) -> O:
    """``op`` with ``dtype`` in the place of ``source``."""
    changed = {t: retyped_tensor(t, dtype) for t in (*op.inputs, *op.outputs) if t.dtype is source}
    return replace(
        op,
        name=f"{op.name}_{dtype.value}",
        inputs=tuple(changed.get(t, t) for t in op.inputs),
        outputs=tuple(changed.get(t, t) for t in op.outputs),
    )
