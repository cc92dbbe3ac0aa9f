"""SignalRfft and SignalIrfft: from samples to a spectrum and back, int16, int32 and float32."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from tinygen.errors import ModelError, UnsupportedError
from tinygen.ir import Array, DType
from tinygen.ops import fft
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, require
from tinygen.ops.tolerance import SUM

SHORT = {DType.INT16: "s16", DType.INT32: "s32", DType.FLOAT32: "f32"}
LONGEST = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class SignalTransform(SignalOp):
    """A transform along the last axis, of so many samples: a spectrum has ``length`` + 2 elements,
    real and imaginary parts in turn."""

    length: int


@dataclass(frozen=True, slots=True, eq=False)
class SignalRfft(SignalTransform):
    """From samples, after which zeros come; in fixed point, divided by the length."""

    kind: ClassVar[str] = "SignalRfft"


@dataclass(frozen=True, slots=True, eq=False)
class SignalIrfft(SignalTransform):
    """From a spectrum; in fixed point as the forward transform scales it, in float its inverse."""

    kind: ClassVar[str] = "SignalIrfft"


T = TypeVar("T", bound=SignalTransform)


def _read(node: Node, kind: type[T]) -> T:
    """Raises ModelError, UnsupportedError for lengths that the reference does not transform."""
    if not node.present or node.present[0].dtype not in SHORT:
        raise ModelError(f"{node.kind} '{node.name}' transforms int16, int32 or float32")
    dtype = node.present[0].dtype
    check(node, (dtype,), (dtype,))
    length = node.number("fft_length", 2, LONGEST)
    (x,), (y,) = node.present, node.outputs
    samples, spectrum = (x, y) if kind is SignalRfft else (y, x)
    fits = bool(x.shape) and x.shape[:-1] == y.shape[:-1] and spectrum.shape[-1] == length + 2
    fits = fits and samples.shape[-1] <= length
    fits = fits and (kind is SignalRfft or samples.shape[-1] == length)
    require(node, fits, f"they should be samples and a spectrum of a transform of {length}")
    if length % 2 or not fft.factors(length // 2):
        raise UnsupportedError(
            f"{node.kind} '{node.name}': a transform of {length} samples.",
            "Take an even length whose half is a product of 2, 3 and 5.",
        )
    return kind(node.name, node.present, node.outputs, length)


def parse_rfft(node: Node) -> SignalRfft:
    """Read the node. Raises ModelError, UnsupportedError."""
    return _read(node, SignalRfft)


def parse_irfft(node: Node) -> SignalIrfft:
    """Read the node. Raises ModelError, UnsupportedError."""
    return _read(node, SignalIrfft)


def reference_rfft(op: SignalRfft, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: RfftEval."""
    return (fft.rfft(values[0], op.length, op.x.dtype),)


def reference_irfft(op: SignalIrfft, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: IrfftEval."""
    return (fft.irfft(values[0], op.length, op.x.dtype),)


def lower(op: SignalTransform) -> tuple[Call, ...]:
    """The one call."""
    half, inverse = op.length // 2, isinstance(op, SignalIrfft)
    numbers = fft.Numbers(op.x.dtype)
    stages = fft.factors(half)
    shape = (
        ("signals", op.x.elements // op.x.shape[-1]),
        ("half", half),
        ("size", (op.y if inverse else op.x).shape[-1]),
        ("inverse", int(inverse)),
        ("stages", len(stages)),
    )

    def pairs(circle: fft.Complex) -> Array:
        return np.stack(circle, axis=-1).astype(op.x.dtype.numpy)

    params = (
        ("order", fft.order(half)),
        ("factors", np.array(stages, np.int16)),
        ("turns", pairs(fft.turns(numbers, half, inverse=inverse))),
        ("mirror", pairs(fft.mirror_turns(numbers, half, inverse=inverse))),
    )
    return (Call(shape, params, op.inputs, op.outputs, op.length * op.x.dtype.size),)


def _rows(name: str) -> tuple[Kernel[Any], ...]:
    return tuple(
        Kernel(
            f"tg_{name}_{short}",
            "tg_fft.h",
            f"tg_fft_{short}",
            lower,
            fits=lambda op, dtype=dtype: op.x.dtype is dtype,  # type: ignore[misc]
            scratch=True,
        )
        for dtype, short in SHORT.items()
    )


SIGNAL_RFFT: OpDef[SignalRfft] = OpDef(
    op=SignalRfft,
    parse=parse_rfft,
    dtypes=tuple(SHORT),
    tolerance=SUM,
    rules=(),
    reference=reference_rfft,
    kernels=_rows("rfft"),
)
SIGNAL_IRFFT: OpDef[SignalIrfft] = OpDef(
    op=SignalIrfft,
    parse=parse_irfft,
    dtypes=tuple(SHORT),
    tolerance=SUM,
    rules=(),
    reference=reference_irfft,
    kernels=_rows("irfft"),
)
