"""Kernels that are one function for each element type, told apart by the ends of their names."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from tinygen.ir import DType, Op
from tinygen.ops.base import Call, Kernel, describe, only_for

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout

SUFFIXES = {
    DType.INT8: "s8",
    DType.UINT8: "u8",
    DType.INT16: "s16",
    DType.INT32: "s32",
    DType.INT64: "s64",
    DType.FLOAT32: "f32",
    DType.BOOL: "bool",
}


def typed_rows(
    name: str,
    header: str,
    types: str,
    lower: Callable[[O], tuple[Call, ...]],
    dtypes: Iterable[DType],
) -> tuple[Kernel[O], ...]:
    """A row for each of ``dtypes``, which are those of the first input: ``<name>_<suffix>``."""
    rows: list[Kernel[O]] = []
    for dtype in dtypes:
        row: Kernel[O] = Kernel(f"{name}_{SUFFIXES[dtype]}", header, types, lower)
        rows += only_for(dtype, row)
    return tuple(rows)


def one_quantization(op: Op) -> str:
    """Input and output have one type, and where they are quantized one scale and zero point.

    The reference kernels ask for it; insert a QUANTIZE behind the operator.
    """
    same = op.x.dtype is op.y.dtype and op.x.quant == op.y.quant
    return "" if same else f"{describe(op.x)} to {describe(op.y)}"
