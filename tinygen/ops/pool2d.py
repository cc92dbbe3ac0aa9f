"""AVERAGE_POOL_2D and MAX_POOL_2D, NHWC, int8, int16 and float32; L2_POOL_2D, float32 alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Activation, Array, DType, Op
from tinygen.isa import Isa
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, Rule, only_for
from tinygen.ops.conv2d_lowering import WORD, window_fields
from tinygen.ops.convolution import fused_clamp, integer_ends
from tinygen.ops.floating import (
    LARGEST,
    all_float,
    clamp_fields,
    is_float,
    ordered_sum,
    other_than_float,
    unless_float,
)
from tinygen.ops.floating import clamped as clamped_floats
from tinygen.ops.tolerance import SUM
from tinygen.ops.window import Window, patches, window_of
from tinygen.quant import activation_range, dtype_range

LARGEST_WINDOW = 1 << 16
MOST_TAPS = 255  # of int8 whose sum int16 holds


@dataclass(frozen=True, slots=True, eq=False)
class Pool2D(Op):
    """A window sliding over each channel; what hangs over the border does not count."""

    window: Window
    activation: Activation


@dataclass(frozen=True, slots=True, eq=False)
class AveragePool2D(Pool2D):
    """The mean of the window's elements inside the image, halves away from zero.

    ``unsigned`` means that they stand for uint8 (``frontend/unsigned.py``): then halves go up.
    """

    kind: ClassVar[str] = "AVERAGE_POOL_2D"

    unsigned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool2D(Pool2D):
    """The largest of the window's elements inside the image."""

    kind: ClassVar[str] = "MAX_POOL_2D"


@dataclass(frozen=True, slots=True, eq=False)
class L2Pool2D(Pool2D):
    """The root of the mean square of the window's elements inside the image."""

    kind: ClassVar[str] = "L2_POOL_2D"


P = TypeVar("P", bound=Pool2D)


def parse(kind: type[P]) -> Callable[[Node], P]:
    """A reader of nodes of ``kind``; it raises ModelError where the shapes cannot be a pool's."""

    def read(node: Node) -> P:
        import tflite

        node.arity(1)
        x, y = node.present[0], node.outputs[0]
        options = node.options(tflite.Pool2DOptions)
        window = window_of(
            node,
            x,
            y,
            kernel=(options.FilterHeight(), options.FilterWidth()),
            stride=(options.StrideH(), options.StrideW()),
            dilation=(1, 1),
            scheme=options.Padding(),
        )
        if x.shape[3] != y.shape[3]:
            raise ModelError(
                f"{node.kind} '{node.name}': {x.shape[3]} input and {y.shape[3]} output channels"
            )
        activation = node.activation(options.FusedActivationFunction())
        return kind(node.name, node.present, node.outputs, window, activation)

    return read


def parse_average(node: Node) -> AveragePool2D:
    """Read the node. Raises as ``parse``."""
    return replace(parse(AveragePool2D)(node), unsigned=node.unsigned)


def window_on_image(op: Pool2D) -> str:
    """The window has at most 65536 positions, or lies inside the image.

    With int16, less than 65536 positions lie inside.
    Use a window of the image's size: a larger one only covers more padding.
    """
    kernel, image = op.window.kernel, op.x.shape[1:3]
    inside = all(k <= size for k, size in zip(kernel, image, strict=True))
    sums_fit = op.x.dtype is not DType.INT16 or taps(op) < LARGEST_WINDOW
    if sums_fit and (inside or kernel[0] * kernel[1] <= LARGEST_WINDOW):
        return ""
    return f"{kernel[0]}x{kernel[1]} on {image[0]}x{image[1]}"


def same_scale(op: Pool2D) -> str:
    """Input and output share scale and zero point.

    The reference refuses others (scales may differ by 1e-6); convert the model again.
    """
    close = abs(np.float32(op.x.scale) - np.float32(op.y.scale)) <= 1e-6
    if close and op.x.zero_point == op.y.zero_point:
        return ""
    return f"{op.x.quant} and {op.y.quant}"


def reference_average(op: AveragePool2D, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::AveragePool; reference_ops' for the others."""
    if is_float(op):
        return (
            clamped_floats(ordered_sum(taps_of(op, values[0])) / tap_counts(op), op.activation),
        )
    out = (op.y.shape[1], op.y.shape[2])
    total = patches(values[0].astype(np.int64), op.window, out, 0).sum(axis=(3, 4))
    count = patches(np.ones_like(values[0], np.int64), op.window, out, 0).sum(axis=(3, 4))
    if op.unsigned:
        return (clamped(op, (total + count // 2) // count),)
    magnitude = (np.abs(total) + count // 2) // count
    return (clamped(op, np.where(total > 0, magnitude, -magnitude)),)


def reference_max(op: MaxPool2D, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::MaxPool, reference_ops::MaxPool."""
    if is_float(op):
        # A value replaces the largest so far where that is less, so NaN never does.
        most = np.fmax.reduce(taps_of(op, values[0], -LARGEST), axis=0, initial=-LARGEST)
        return (clamped_floats(most, op.activation),)
    out = (op.y.shape[1], op.y.shape[2])
    taken = patches(values[0], op.window, out, dtype_range(op.x.dtype)[0])
    return (clamped(op, taken.max(axis=(3, 4))),)


def reference_l2(op: L2Pool2D, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::L2Pool."""
    with np.errstate(over="ignore"):
        squares = ordered_sum(np.square(taps_of(op, values[0])))
    return (clamped_floats(np.sqrt(squares / tap_counts(op)), op.activation),)


def taps_of(op: Pool2D, x: Array, fill: float = 0.0) -> Array:
    """Each output's window as [taps, ...], row by row; ``fill`` outside the image."""
    taken = patches(x, op.window, (op.y.shape[1], op.y.shape[2]), fill)
    return np.moveaxis(taken, (3, 4), (0, 1)).reshape(-1, *op.y.shape)


def tap_counts(op: Pool2D) -> Array:
    """How many positions of each output's window lie inside the image, as float32."""
    return np.asarray(taps_of(op, np.ones(op.x.shape, np.float32)).sum(axis=0))


def clamped(op: Pool2D, result: Array) -> Array:
    """``result`` within the fused activation's bounds."""
    return np.clip(result, *activation_range(op.activation, op.y)).astype(op.y.dtype.numpy)


def bounds(op: Pool2D, bounds_of: BoundsOf) -> Interval:
    """The mean and the maximum of values lie between the least and the greatest of them."""
    return bounds_of(op.x).clipped(*activation_range(op.activation, op.y))


def lower(op: Pool2D) -> tuple[Call, ...]:
    """The call of either pool's kernel."""
    low, high = activation_range(op.activation, op.y)
    shape = (*window_fields(op.x, op.y, op.window), ("channels", op.x.shape[3]))
    return (Call(shape, (("output_min", low), ("output_max", high)), (op.x,), (op.y,)),)


def takes_words(op: Pool2D) -> bool:
    """Whether channels fill a word, and sums of the window 16 bits at most."""
    return (
        is_signed(op)
        and op.x.shape[3] >= WORD
        and op.window.kernel[0] * op.window.kernel[1] <= MOST_TAPS
    )


def few_taps(op: Pool2D) -> bool:
    """Whether ``tg_average_pool2d_s8_mve`` takes it: the sums fit 16 bits."""
    return is_signed(op) and taps(op) <= 255


def taps(op: Pool2D) -> int:
    """The most positions of the window that lie inside the image."""
    return prod(min(k, n) for k, n in zip(op.window.kernel, op.x.shape[1:3], strict=True))


def lower_float(op: Pool2D) -> tuple[Call, ...]:
    """The call of any pool's float32 kernel."""
    shape = (*window_fields(op.x, op.y, op.window), ("channels", op.x.shape[3]))
    return (Call(shape, clamp_fields(op.activation), (op.x,), (op.y,)),)


def float_row(name: str) -> Kernel[P]:
    """The row of a pool on float32."""
    row: Kernel[P] = Kernel(f"{name}_f32", "tg_pool2d_f32.h", "tg_pool2d_f32", lower_float)
    return only_for(DType.FLOAT32, row)[0]


def is_signed(op: Pool2D) -> bool:
    """Whether int8 values are what they are."""
    return not (isinstance(op, AveragePool2D) and op.unsigned)


def pool_rows(
    name: str, fits_lanes: Callable[[P], bool], *others: Kernel[P]
) -> tuple[Kernel[P], ...]:
    """The rows of either pool: Helium's lanes, words of channels, any int8; int16; float32.

    ``others`` are for int8, too."""
    types, s8, wide = "tg_pool2d_s8", f"{name}_s8", "tg_pool2d_s16"
    bytes_: tuple[Kernel[P], ...] = (
        Kernel(f"{s8}_mve", f"{types}_mve.h", types, lower, Isa.MVE, fits_lanes),
        Kernel(f"{s8}_dsp", f"{types}_dsp.h", types, lower, Isa.DSP, takes_words, packs=True),
        Kernel(s8, f"{types}.h", types, lower, fits=is_signed),
        *others,
    )
    words: Kernel[P] = Kernel(f"{name}_s16", f"{wide}.h", wide, lower)
    return (*only_for(DType.INT8, *bytes_), *only_for(DType.INT16, words), float_row(name))


POOL_RULES: tuple[Rule[Pool2D], ...] = (
    all_float,
    fused_clamp,
    *unless_float(integer_ends, same_scale),
    window_on_image,
)


UPWARD: Kernel[AveragePool2D] = Kernel(
    "tg_average_pool2d_s8_up",
    "tg_pool2d_s8.h",
    "tg_pool2d_s8",
    lower,
    fits=lambda op: op.unsigned,
)

AVERAGE_POOL_2D: OpDef[AveragePool2D] = OpDef(
    op=AveragePool2D,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse_average,
    rules=POOL_RULES,
    reference=reference_average,
    kernels=pool_rows("tg_average_pool2d", few_taps, UPWARD),
    bounds=bounds,
    tolerance=SUM,
)

MAX_POOL_2D: OpDef[MaxPool2D] = OpDef(
    op=MaxPool2D,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse(MaxPool2D),
    rules=POOL_RULES,
    reference=reference_max,
    kernels=pool_rows("tg_max_pool2d", lambda op: True),
    bounds=bounds,
)


def float_only(op: L2Pool2D) -> str:
    """Input and output are float32.

    No reference has a kernel of another type; leave the operator out of the quantization.
    """
    return other_than_float((op.x, op.y))


L2_POOL_2D: OpDef[L2Pool2D] = OpDef(
    op=L2Pool2D,
    dtypes=(DType.FLOAT32,),
    parse=parse(L2Pool2D),
    rules=(float_only, fused_clamp, window_on_image),
    reference=reference_l2,
    kernels=(float_row("tg_l2_pool2d"),),
    tolerance=SUM,
)
