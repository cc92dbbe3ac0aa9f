"""Differences found in the references themselves, where their answers do not count.

``docs/reference-differences.md`` records each row with a minimal model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygen.ir import DType, Numerics, Op


@dataclass(frozen=True)
class Known:
    """``title`` is the heading in the document; ``applies`` tells which operators are meant."""

    title: str
    kind: str
    reference: Numerics
    applies: Callable[[Any], bool]


def shifts_far(op: Any) -> bool:
    """Whether a divisor may be above the ratio of a DIV's scales."""
    if op.y.dtype not in (DType.INT8, DType.INT16):
        return False
    largest = 2.0 ** (8 * op.b.dtype.size)
    if op.b.is_constant:
        largest = np.abs(op.b.values.astype(np.int64) - op.b.zero_point).max()
    return bool(op.a.scale / (op.b.scale * op.y.scale) <= largest)


KNOWN = (
    *(
        Known(
            "DIV: quotients that are shifted right by more than 31 bits",
            "DIV",
            numerics,
            shifts_far,
        )
        for numerics in Numerics
    ),
    Known(
        "GREATER: TFLite Micro compares int16 by factors that it never sets",
        "GREATER",
        Numerics.TFLM,
        lambda op: op.a.dtype is DType.INT16,
    ),
    Known(
        "SPACE_TO_BATCH_ND: TFLite Micro never sets the border",
        "SPACE_TO_BATCH_ND",
        Numerics.TFLM,
        lambda op: any(map(any, op.paddings)),
    ),
    Known(
        "STRIDED_SLICE: TFLite Micro ignores the ellipsis and new axes",
        "STRIDED_SLICE",
        Numerics.TFLM,
        lambda op: bool(op.masks.ellipsis or op.masks.new_axis),
    ),
    Known(
        "SVDF: LiteRT takes a state of int8 for int16",
        "SVDF",
        Numerics.LITERT,
        lambda op: op.state.dtype is DType.INT8,
    ),
    Known(
        "SVDF: TFLite Micro crashes without a bias",
        "SVDF",
        Numerics.TFLM,
        lambda op: len(op.inputs) < 5,
    ),
)


def known_difference(op: Op, reference: Numerics) -> str:
    """The title of what is known of ``reference``'s answer to ``op``; '' where it counts."""
    for known in KNOWN:
        if (known.kind, known.reference) == (op.kind, reference) and known.applies(op):
            return known.title
    return ""
