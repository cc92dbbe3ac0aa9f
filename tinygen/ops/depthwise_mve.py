"""The row of a depthwise convolution with channels across lanes, for Helium."""

from math import gcd
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution
from tinygen.ops.lanes import LANES, VECTOR, Int64s, Lanes, lanes_of
from tinygen.ops.twist import convolution_scaling

C = TypeVar("C", bound=Convolution)

CHANNEL_AXIS = 3  # of the weights
MOST_TAPS = 32  # written out: 20 bytes of code for each
MOST_OFFSET = 4095  # of an addition
MOST_PAIR = 255  # of the magnitudes of two weights: their products' sum fits 16 bits


def layer_of(op: Convolution) -> Lanes | None:
    """The layer with its requantization."""
    return lanes_of(op, convolution_scaling, CHANNEL_AXIS)


def pixels_of(op: Convolution) -> int:
    """Neighbouring pixels of the output that share a vector."""
    channels, out_w = op.y.shape[3], op.y.shape[2]
    if op.window.stride[1] != 1 or VECTOR % channels:
        return 1
    return gcd(VECTOR // channels, out_w)


def fits(op: Convolution) -> bool:
    """Whether ``tg_depthwise_s8_mve`` takes it: one output channel for each input channel."""
    taps = op.weights.values.reshape(-1, op.y.shape[3]).astype(np.int64)
    pairs = np.abs(np.pad(taps, ((0, len(taps) % 2), (0, 0)))).reshape(-1, 2, op.y.shape[3])
    return (
        op.x.shape[3] == op.y.shape[3]
        and len(taps) <= MOST_TAPS
        and op.window.kernel[1] * op.window.dilation[1] * op.x.shape[3] <= MOST_OFFSET
        and int(pairs.sum(axis=1).max()) <= MOST_PAIR
        and layer_of(op) is not None
    )


def pack_taps(weights: Int64s) -> npt.NDArray[np.int8]:
    """Weights [channels, taps]: for each 16 channels 16 of each tap."""
    channels, taps = weights.shape
    padded = np.pad(weights, ((0, -channels % VECTOR), (0, 0)))
    blocks = padded.reshape(-1, VECTOR, taps).transpose(0, 2, 1)
    return np.ascontiguousarray(blocks, np.int8)


def interleaved(values: Int64s) -> Int64s:
    """Values by channels, 16 at a time as ``tg_requant_16`` takes them: 0, 4, 8, 12, 1, 5, .."""
    padded = np.pad(values, (0, -len(values) % VECTOR))
    return padded.reshape(-1, VECTOR // LANES, LANES).transpose(0, 2, 1).reshape(-1)


def lower(op: Convolution) -> tuple[Call, ...]:
    """The call of ``tg_depthwise_s8_mve``; the scratch holds the taps of a step."""
    layer = layer_of(op)
    assert layer is not None, "the row was chosen, so the proof exists"
    window, in_c = op.window, op.x.shape[3]
    pixels = pixels_of(op)
    channels = pixels * in_c
    tap_bytes = window.dilation[1] * in_c
    shape = (
        ("batches", op.x.shape[0]),
        ("in_h", op.x.shape[1]),
        ("row_bytes", op.x.shape[2] * in_c),
        ("out_h", op.y.shape[1]),
        ("steps", op.y.shape[2] // pixels),
        ("kernel_h", window.kernel[0]),
        ("kernel_w", window.kernel[1]),
        ("stride_h", window.stride[0]),
        ("step_bytes", window.stride[1] * channels),
        ("dilation_h", window.dilation[0]),
        ("tap_bytes", tap_bytes),
        ("pad_top", window.pad[0]),
        ("pad_bytes", window.pad[1] * in_c),
        ("channels", channels),
        *layer.fields(),
    )
    params = (
        ("weights", pack_taps(np.tile(layer.weights, (pixels, 1)))),
        ("constants", layer.constants(lambda values: interleaved(np.tile(values, pixels)))),
        ("input_zero_point", op.x.zero_point),
    )
    beyond = -channels % VECTOR
    scratch_bytes = window.kernel[0] * ((window.kernel[1] - 1) * tap_bytes + channels) + beyond
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)


def depthwise_mve_row() -> Kernel[C]:
    """The row, best of all where it fits."""
    name = "tg_depthwise_s8_mve"
    return Kernel(name, f"{name}.h", name, lower, Isa.MVE, fits, scratch=True, packs=True)
