"""Operators with two inputs on values that are what they stand for: float32, or whole numbers
without a scale.

Both references compute float32 in float32, one rounding for each operation, so results are equal
bit for bit (but for the sign of a NaN, which processors choose). Sums and products of whole numbers
wrap. Where only one of the references has a type, its numbers hold under both numerics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from tinygen.ir import Activation, Array, DType, Op
from tinygen.ops.base import Call, Kernel, Rule, Value, describe, only_for
from tinygen.ops.binary import B, geometry_of, pair_call
from tinygen.ops.floating import CLAMPS
from tinygen.quant import dtype_range

Function = Callable[[Array, Array], Array]
SUFFIXES = {
    DType.FLOAT32: "f32",
    DType.INT8: "s8",
    DType.UINT8: "u8",
    DType.INT16: "s16",
    DType.INT32: "s32",
    DType.INT64: "s64",
}


@dataclass(frozen=True, slots=True)
class Plain(Generic[B]):
    """How an operator computes values of ``dtypes``: numpy's ``function``, and a kernel for each.

    ``function`` may warn and wrap. ``name`` is what the kernels' names begin with.
    ``activation_of`` gives the fused activation of operators that have one.
    """

    name: str
    dtypes: tuple[DType, ...]
    function: Function
    activation_of: Callable[[B], Activation] | None = None

    def takes(self, op: B) -> bool:
        """Whether ``op`` computes such values."""
        return op.y.dtype in self.dtypes

    def elementwise(self, op: B, a: Array, b: Array) -> Array:
        """The results for values that broadcast against each other."""
        dtype = op.y.dtype.numpy
        with np.errstate(all="ignore"):
            found = np.asarray(self.function(np.asarray(a), np.asarray(b)), dtype)
        if self.activation_of is None:
            return found
        low, high = (dtype.type(end) for end in limits(self.activation_of(op), op.y.dtype))
        raised = np.where(found < low, low, found)
        return np.asarray(np.where(high < raised, high, raised), dtype)

    def or_else(
        self, elementwise: Callable[[B, Array, Array], Array]
    ) -> Callable[[B, Array, Array], Array]:
        """This for its types, ``elementwise`` for others."""
        return lambda op, a, b: (self.elementwise if self.takes(op) else elementwise)(op, a, b)

    @property
    def kernels(self) -> tuple[Kernel[B], ...]:
        """A row for each type."""
        return tuple(row for dtype in self.dtypes for row in only_for(dtype, self._row(dtype)))

    def _row(self, dtype: DType) -> Kernel[B]:
        suffix = SUFFIXES[dtype]
        limited = self.activation_of is not None
        types = f"tg_binary_{suffix if limited else 'plain'}"
        function = f"tg_{self.name}_{suffix}"
        return Kernel(function, "tg_binary_plain.h", types, self._lower, in_place=True)

    def _lower(self, op: B) -> tuple[Call, ...]:
        params: tuple[tuple[str, Value], ...] = (("swapped", int(geometry_of(op).swapped)),)
        if self.activation_of is not None:
            low, high = limits(self.activation_of(op), op.y.dtype)
            params = (("output_min", low), ("output_max", high), *params)
        return (pair_call(op, params),)


def limits(activation: Activation, dtype: DType) -> tuple[Value, Value]:
    """The range of a fused activation on values without a scale: finite, also for float32.

    Source: TFLite's ``CalculateActivationRange``.
    """
    if dtype is DType.FLOAT32:
        return CLAMPS[activation]
    low, high = dtype_range(dtype)
    least, most = CLAMPS[activation]
    return int(max(low, least)), int(min(high, most))


def operands(
    plain: tuple[DType, ...], quantized: Rule[Any] | None = None, which: str = ""
) -> Rule[Any]:
    """The rule that operands and output are all of one type of ``plain``.

    Where there is ``quantized``, they may keep that rule instead, which says ``which`` types those
    are; int32 and int64 then have no scale.
    """

    def operand_types(op: Op) -> str:
        if quantized is not None and op.y.dtype not in plain:
            return quantized(op)
        unscaled = quantized is not None and op.y.dtype in (DType.INT32, DType.INT64)
        for tensor in (*op.inputs, op.y):
            known = tensor.dtype is op.y.dtype and tensor.dtype in plain
            if not known or (unscaled and tensor.quant is not None):
                return describe(tensor)
        return ""

    *most, last = (dtype.value for dtype in plain)
    names = f"{', '.join(most)} or {last}" if most else last
    before = f"{which}, or " if quantized else ""
    after = " without a scale" if quantized else ""
    operand_types.__doc__ = (
        f"Operands and output are {before}all {names}{after}.\n\n"
        "    Convert the model with full integer post-training quantization, or not at all.\n    "
    )
    return operand_types
