"""What reductions share that take stored values as they are: one kernel for each type."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Kernel, Node, OpDef, Rule, describe
from tinygen.ops.mean import Mean, few_groups, in_order, lower_plain, parse_reduction
from tinygen.ops.strided import moved_bounds
from tinygen.ops.typed import one_quantization, typed_rows

M = TypeVar("M", bound=Mean)

ORDERED = (
    DType.INT8,
    DType.UINT8,
    DType.INT16,
    DType.INT32,
    DType.INT64,
    DType.FLOAT32,
)


def value_rows(name: str, dtypes: tuple[DType, ...]) -> tuple[Kernel[Any], ...]:
    """The rows of ``tg_reduce_values.h`` for ``name`` on ``dtypes``."""
    return typed_rows(f"tg_reduce_{name}", "tg_reduce_values.h", "tg_reduce", lower_plain, dtypes)


def one_of(dtypes: tuple[DType, ...]) -> Rule[Op]:
    """The rule that the operator takes ``dtypes`` only."""

    def supported(op: Op) -> str:
        return "" if op.x.dtype in dtypes else describe(op.x)

    names = [dtype.value for dtype in dtypes]
    listed = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    supported.__doc__ = f"The input is {listed}.\n\nTFLite has no kernel for others."
    return supported


def extreme(op: Mean, values: Array, beats: Callable[[Array, Array], Array], start: Any) -> Array:
    """What is left of each set after each value in turn that ``beats`` the one before.

    Source: TFLite's reference_ops::ReduceGeneric, which begins with ``start``: NaN beats nothing.
    """
    left = np.full(op.y.elements, start, values.dtype)
    with np.errstate(invalid="ignore"):
        for row in in_order(op, values):
            left = np.where(beats(row, left), row, left)
    return left.reshape(op.y.shape)


def extreme_definition(op: type[M], name: str, choose: Callable[..., Any]) -> OpDef[M]:
    """The operator that takes numpy's ``choose`` of all values, or the C functions of ``name``."""
    beats, start = {
        "max": (np.greater, np.finfo(np.float32).min),
        "min": (np.less, np.finfo(np.float32).max),
    }[name]

    def reference(op: M, values: tuple[Array, ...]) -> tuple[Array, ...]:
        if op.x.dtype is DType.FLOAT32:
            return (extreme(op, values[0], beats, start),)
        return (np.asarray(choose(values[0], axis=op.axes)).reshape(op.y.shape),)

    return value_definition(op, name, ORDERED, reference)


def value_definition(
    op: type[M],
    name: str,
    dtypes: tuple[DType, ...],
    reference: Callable[[M, tuple[Array, ...]], tuple[Array, ...]],
) -> OpDef[M]:
    """The operator that the C functions of ``name`` compute on ``dtypes``."""

    def parse(node: Node) -> M:
        return parse_reduction(node, op)

    return OpDef(
        op=op,
        dtypes=dtypes,
        parse=parse,
        rules=(one_of(dtypes), one_quantization, few_groups),
        reference=reference,
        kernels=value_rows(name, dtypes),
        bounds=moved_bounds,
    )
