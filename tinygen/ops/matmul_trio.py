"""The row of matrix products with few rows that keeps three sums in two words."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.ops.base import Call, Kernel
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.trio import LANES, chunk_of, packed

W = TypeVar("W", bound=WeightedOp)


def matmul_trio_row(
    lower_matmul: Callable[[W], tuple[Call, ...]], is_matmul: Callable[[W], bool]
) -> Kernel[W]:
    """The row for what ``lower_matmul`` lowers to ``tg_matmul_s8``; a weight takes 2.7 bytes."""
    name = "tg_matmul_trio_s8"

    def fits(op: W) -> bool:
        return is_matmul(op) and len(op.weights.values) >= LANES

    def lower(op: W) -> tuple[Call, ...]:
        (call,) = lower_matmul(op)
        params = dict(call.params)
        weights = np.asarray(params.pop("weights"))
        shape = (*call.shape, ("chunk", chunk_of(weights)))
        packs = (("weights", packed(weights)), *params.items())
        return (Call(shape, packs, call.operands, call.results),)

    return Kernel(name, f"{name}.h", name, lower, fits=fits, packs=True, bulky=True)
