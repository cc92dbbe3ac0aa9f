"""The row of a convolution that keeps three sums in two words, for cores without DSP extension."""

from collections.abc import Callable
from typing import TypeVar

from tinygen.ir import Array
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution, trio_call
from tinygen.ops.trio import LANES

C = TypeVar("C", bound=Convolution)

FEWEST_CHANNELS = 2


def trio_row(grouped: Callable[[C], tuple[Array, int]]) -> Kernel[C]:
    """The row, for images of at least six pixels."""
    name = "tg_conv2d_trio_s8"

    def fits(op: C) -> bool:
        weights, groups = grouped(op)
        pixels = op.y.shape[1] * op.y.shape[2]
        return pixels >= LANES and len(weights) // groups >= FEWEST_CHANNELS

    def lower(op: C) -> tuple[Call, ...]:
        return (trio_call(op, op.window, *grouped(op)),)

    return Kernel(name, f"{name}.h", "tg_conv2d_s8", lower, fits=fits, scratch=True, packs=True)
