"""What operators share that read or write where indices say, which may be computed by the model."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Rule, describe
from tinygen.ops.strided import dense_strides
from tinygen.ops.typed import SUFFIXES

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout

INDICES = (DType.INT32, DType.INT64)


def index_rows(
    name: str,
    header: str,
    types: str,
    lower: Callable[[O], tuple[Call, ...]],
    indices: Callable[[O], Tensor],
    *,
    in_place: bool = False,
) -> tuple[Kernel[O], ...]:
    """A row for each type that ``indices`` can have: ``<name>_<suffix>``."""

    def row(dtype: DType) -> Kernel[O]:
        def fits(op: O) -> bool:
            return indices(op).dtype is dtype

        function = f"{name}_{SUFFIXES[dtype]}"
        return Kernel(function, header, types, lower, fits=fits, in_place=in_place)

    return tuple(map(row, INDICES))


def integer_indices(indices: Callable[[O], Tensor]) -> Rule[O]:
    """The rule that ``indices`` are of a type that kernels take."""

    def integers(op: O) -> str:
        """Indices are int32 or int64.

        Convert the model anew.
        """
        found = indices(op)
        return "" if found.dtype in INDICES else describe(found)

    return integers


def steps_and_ends(
    shape: tuple[int, ...], block: tuple[int, ...], element: int
) -> tuple[tuple[str, Array], tuple[str, Array]]:
    """The parameters ``last``, the largest index along each axis at which ``block`` lies inside of
    a tensor of ``shape``, and ``step``, the bytes from one index to the next."""
    last = np.array(shape[: len(block)], np.int32) - np.array(block, np.int32)
    step = np.array(dense_strides(shape)[: len(block)], np.int32) * np.int32(element)
    return ("last", last), ("step", step)


def clamped(values: Array, last: Integers | int) -> Integers:
    """Indices as kernels take them: the nearest from 0 to ``last``."""
    return np.asarray(np.clip(values.astype(np.int64), 0, last))
