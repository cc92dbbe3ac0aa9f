"""What ADD_N and CUMSUM share: sums of differences from the zero point, requantized.

TFLite Micro keeps the differences times 2**19 and starts every sum not at zero but at minus the
zero point, so results are lower by that; as LiteRT has neither operator for int8, these are the
numbers.
"""

import numpy as np

from tinygen.ir import Array, Op
from tinygen.ops.base import Value
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

FRACTION_BITS = 19  # the left shift of 20 and the input's multiplier of one half


def multiplier_of(op: Op) -> tuple[int, int]:
    """(multiplier, shift) of a sum. Source: TFLite Micro's ``CalculateOpData``: doubles."""
    return quantize_multiplier(2 * op.x.scale / ((1 << (FRACTION_BITS + 1)) * op.y.scale))


def finished(op: Op, sums: Array) -> Array:
    """int8 results of sums of differences. A sum that leaves 32 bits wraps."""
    raw = ((sums - op.x.zero_point) << FRACTION_BITS).astype(np.int32)
    scaled = multiply_by_quantized_multiplier(raw, *multiplier_of(op)).astype(np.int64)
    return np.clip(scaled + op.y.zero_point, -128, 127).astype(np.int8)


def sum_params(op: Op) -> tuple[tuple[str, Value], ...]:
    """The fields of ``tg_running_sum_params``."""
    multiplier, shift = multiplier_of(op)
    return (
        ("zero_point", op.x.zero_point),
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_zero_point", op.y.zero_point),
    )


def sum_in_range(op: Op) -> str:
    """The input's scale is less than 2**19 times the output's.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    fits = op.x.scale < 2**19 * op.y.scale
    return "" if fits else f"{op.x.scale:g} against {op.y.scale:g}"
