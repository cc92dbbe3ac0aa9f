"""Rows for the DSP extension whose weights stay a byte each, and whose code serves all shapes.

See ``tg_compact.h`` for the arithmetic. Each channel has its weights, where its sum starts, and two
to four words of a proven requantization.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution, is_inside, window_fields
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.twist import WORD, Int64s, ScalingOf, Twisted, as_int32, padded, twisted
from tinygen.requant_proof import FACTOR

C = TypeVar("C", bound=Convolution)
W = TypeVar("W", bound=WeightedOp)

PATCHES = 2  # of a convolution, at a time
PAIR_BYTES = 2  # of pairs that a byte of activations becomes
CONVOLUTION_GROUP = 3  # channels at a time
MATMUL_GROUP = 4


def bytes_fit(weights: Array) -> bool:
    """Whether 256 * w1 + w0 of neighbouring weights fits 16 bits: no -128 after a negative."""
    even, odd = _even_and_odd(weights)
    return not ((odd == -128) & (even < 0)).any()


def _even_and_odd(weights: Array) -> tuple[Int64s, Int64s]:
    filled = padded(weights)
    return filled[:, 0::2], filled[:, 1::2]


def pack_bytes(layer: Twisted, group: int) -> npt.NDArray[np.int32]:
    """Channels by groups of ``group``, then one by one, in the order of ``tg_compact.h``."""
    even, odd = _even_and_odd(layer.weights)
    channels = len(even)
    start = layer.start + FACTOR * 127 * odd.sum(axis=1)
    halves = (FACTOR * odd + even) & 0xFFFF
    words = halves[:, 0::2] | halves[:, 1::2] << 16
    constants = layer.constants()
    whole = channels - channels % group
    groups = [slice(c, c + group) for c in range(0, whole, group)]
    singles = [slice(c, c + 1) for c in range(whole, channels)]
    parts = [
        part.reshape(-1)
        for chosen in (*groups, *singles)
        for part in (start[chosen], words[chosen].T, constants[chosen])
    ]
    return as_int32(np.concatenate(parts))


def padded_depth(op: WeightedOp) -> int:
    """Bytes of an output channel's weights, padded to words."""
    depth = int(op.weights.values[0].size)
    return -(-depth // WORD) * WORD


def conv2d_compact_row() -> Kernel[C]:
    """The row of convolutions of at least two pixels without dilation along rows."""

    def fits(op: C) -> bool:
        return op.y.shape[1] * op.y.shape[2] >= PATCHES and _fits_conv2d(op)

    return _conv2d_row("tg_conv2d_compact_s8_dsp", _lower_pairs, fits)


def conv2d_lean_row() -> Kernel[C]:
    """The same of any size, slower and with less scratch."""
    return _conv2d_row("tg_conv2d_lean_s8_dsp", _lower_bytes, _fits_conv2d)


def _conv2d_row(
    name: str, lower: Callable[[C], tuple[Call, ...]], fits: Callable[[C], bool]
) -> Kernel[C]:
    return Kernel(name, f"{name}.h", "tg_conv2d_compact_s8", lower, Isa.DSP, fits, scratch=True)


def _fits_conv2d(op: Convolution) -> bool:
    channels = op.y.shape[3]
    return (
        op.weights.shape[3] == op.x.shape[3]
        and op.window.dilation[1] == 1
        and bytes_fit(op.weights.values.reshape(channels, -1))
        and twisted(op) is not None
    )


def _lower_pairs(op: Convolution) -> tuple[Call, ...]:
    """Two patches as pairs, and one as it is where a pixel's channels are no whole words."""
    depth = padded_depth(op)
    raw_bytes = depth if op.x.shape[3] % WORD else 0
    return _conv2d_call(op, CONVOLUTION_GROUP, PATCHES * PAIR_BYTES * depth + raw_bytes)


def _lower_bytes(op: Convolution) -> tuple[Call, ...]:
    """One patch as it is, unless all can be read in the image."""
    is_run = op.window.kernel[0] == 1 and (op.window.kernel[1] * op.x.shape[3]) % WORD == 0
    in_place = is_run and is_inside(op.x, op.y, op.window)
    return _conv2d_call(op, MATMUL_GROUP, 0 if in_place else padded_depth(op))


def _conv2d_call(op: Convolution, group: int, scratch_bytes: int) -> tuple[Call, ...]:
    layer = twisted(op)
    assert layer is not None, "the row was chosen, so the proof exists"
    shape = (
        *window_fields(op.x, op.y, op.window),
        ("dilation_h", op.window.dilation[0]),
        ("in_c", op.x.shape[3]),
        ("out_c", op.y.shape[3]),
        ("depth", padded_depth(op)),
        *layer.fields(),
    )
    params = (("weights", pack_bytes(layer, group)), ("input_zero_point", op.x.zero_point))
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)


def matmul_compact_row(is_matmul: Callable[[W], bool], scaling: ScalingOf) -> Kernel[W]:
    """The row of what is a matrix product with fixed-point ``scaling``."""
    name, types = "tg_matmul_compact_s8_dsp", "tg_matmul_compact_s8"

    def fits(op: W) -> bool:
        weights = op.weights.values.reshape(len(op.weights.values), -1)
        return is_matmul(op) and bytes_fit(weights) and twisted(op, scaling) is not None

    def lower(op: W) -> tuple[Call, ...]:
        layer = twisted(op, scaling)
        assert layer is not None, "the row was chosen, so the proof exists"
        channels, depth = layer.weights.shape
        shape = (
            ("rows", op.x.elements // depth),
            ("depth", depth),
            ("out_c", channels),
            *layer.fields(),
        )
        params = (("weights", pack_bytes(layer, MATMUL_GROUP)),)
        scratch_bytes = padded_depth(op) if depth % WORD else 0
        return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)

    return Kernel(name, f"{name}.h", types, lower, Isa.DSP, fits, scratch=True)
