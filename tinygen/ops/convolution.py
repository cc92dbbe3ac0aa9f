"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: weights, biases, requantization."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.errors import ModelError, UnsupportedError
from tinygen.ir import Activation, Array, DType, Numerics, Op, Tensor
from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, Node, Rule, Value, describe, is_integer
from tinygen.ops.floating import unless_float
from tinygen.ops.window import Window, window_of
from tinygen.quant import (
    activation_range,
    dtype_range,
    multiply_by_quantized_multiplier,
    multiply_wide,
    quantize_multiplier,
)

Fields = tuple[tuple[str, int], ...]
Params = tuple[tuple[str, Value], ...]


class Activated(Protocol):
    """An operator with a fused activation."""

    @property
    def activation(self) -> Activation: ...  # noqa: D102


class Weighted(Activated, Protocol):
    """An operator with an activation, constant weights and perhaps a bias."""

    @property
    def x(self) -> Tensor: ...  # noqa: D102
    @property
    def y(self) -> Tensor: ...  # noqa: D102
    @property
    def weights(self) -> Tensor: ...  # noqa: D102
    @property
    def weights_zero_point(self) -> int: ...  # noqa: D102
    @property
    def bias(self) -> Tensor | None: ...  # noqa: D102
    @property
    def wide_biases(self) -> tuple[DType, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class WeightedOp(Op):
    """An operator whose inputs are an activation, weights, and perhaps a bias.

    ``wide_biases`` are the types that the bias can have where activations are int16.
    """

    wide_biases: ClassVar[tuple[DType, ...]] = (DType.INT64,)

    @property
    def weights(self) -> Tensor:
        """int8, or uint8 with a zero point; the operator's class says in which order."""
        return self.inputs[1]

    @property
    def weights_zero_point(self) -> int:
        """What is subtracted from all weights; zero where they are quantized per channel."""
        quant = self.weights.quant
        return quant.zero_point[0] if quant and not quant.per_channel else 0

    @property
    def effective_weights(self) -> npt.NDArray[np.int64]:
        """The weights minus their zero point: -255 to 255."""
        return self.weights.values.astype(np.int64) - self.weights_zero_point

    @property
    def bias(self) -> Tensor | None:
        """[out_c], if the model has one; int32 where activations are int8."""
        return self.inputs[2] if len(self.inputs) > 2 else None


W = TypeVar("W", bound=WeightedOp)
NARROW_BIASES = (DType.INT32, DType.INT16)


class ConvolutionOptions(Protocol):
    """What the schema's tables of both convolutions have in common, under its names."""

    def StrideH(self) -> int: ...  # noqa: D102, N802
    def StrideW(self) -> int: ...  # noqa: D102, N802
    def DilationHFactor(self) -> int: ...  # noqa: D102, N802
    def DilationWFactor(self) -> int: ...  # noqa: D102, N802
    def Padding(self) -> int: ...  # noqa: D102, N802


def convolution_inputs(node: Node, options: ConvolutionOptions) -> tuple[Tensor, Tensor, Window]:
    """Input, weights and window of a convolution whose weights are [_, kernel_h, kernel_w, _].

    Raises ModelError where the shapes cannot be a convolution's.
    """
    y = node.outputs[0]
    x, weights = weighted_inputs(node, channels=y.shape[-1] if y.shape else 0)
    if len(weights.shape) != 4:
        raise ModelError(
            f"{node.kind} '{node.name}': weights have {len(weights.shape)} dimensions, not 4"
        )
    window = window_of(
        node,
        x,
        y,
        kernel=(weights.shape[1], weights.shape[2]),
        stride=(options.StrideH(), options.StrideW()),
        dilation=(options.DilationHFactor(), options.DilationWFactor()),
        scheme=options.Padding(),
    )
    return x, weights, window


def weighted_inputs(node: Node, channels: int) -> tuple[Tensor, Tensor]:
    """Input and weights of ``node``, whose bias, if any, is one value per channel.

    Raises ModelError where an input is missing or the bias has another shape, UnsupportedError
    where ``check_wide_bias`` does.
    """
    node.arity(range(2, 4))
    x, weights = node.inputs[:2]
    if x is None or weights is None:
        raise ModelError(f"{node.kind} '{node.name}' lacks its input or its weights")
    if len(node.present) > 2 and node.present[2].shape != (channels,):
        raise ModelError(
            f"{node.kind} '{node.name}': bias {node.present[2].shape} is not ({channels},)"
        )
    check_wide_bias(node, x)
    return x, weights


def check_wide_bias(node: Node, x: Tensor) -> None:
    """Check that LiteRT reads the bias, the last input of ``node``, as what it is.

    With int16 activations its reference kernels take every bias for int64. Raises UnsupportedError.
    """
    bias = node.present[-1]
    if (node.numerics, x.dtype) == (Numerics.LITERT, DType.INT16) and bias.dtype in NARROW_BIASES:
        raise UnsupportedError(
            f"{node.kind} '{node.name}': LiteRT's reference kernel reads {describe(bias)} as int64",
            "use --numerics tflm, or convert the model with int64 biases",
        )


def check_bias_type(node: Node, code: int) -> None:
    """Check the options' type ``code`` for a bias that is left out, which is that of the sums.

    Raises UnsupportedError where int16 activations would be summed in 32 bits without a bias.
    """
    import tflite

    without = len(node.present) == 2 and node.present[0].dtype is DType.INT16
    if without and code == tflite.TensorType.INT32:
        raise UnsupportedError(
            f"{node.kind} '{node.name}': its sums are declared int32, and it has no bias",
            "convert the model with biases, or with 64-bit sums",
        )


def integer_ends(op: Op) -> str:
    """Activations are float32, or int8 with one scale and zero point, or int16, zero point 0.

    Convert the model with full integer post-training quantization (int8, or 16x8), or without any.
    """
    wrong = (t for t in (op.x, op.y) if not is_integer(t) or t.dtype is not op.y.dtype)
    return next((describe(t) for t in wrong), "")


def constant_weights(op: Weighted) -> str:
    """Weights and bias are constants of the model.

    Freeze the model before converting it.
    """
    tensors = [op.weights] + ([op.bias] if op.bias else [])
    return next((describe(t) for t in tensors if not t.is_constant), "")


def int8_weights(op: Weighted) -> str:
    """Weights are int8, symmetric (zero point 0), and the bias is int32 (with int16: int64).

    Those of uint8 models are uint8 with one scale and zero point.
    Convert the model with full integer post-training quantization (int8, or 16x8).
    """
    weights = op.weights
    if has_old_weights(op):
        return wrong_bias(op)
    if weights.dtype is not DType.INT8 or weights.quant is None or any(weights.quant.zero_point):
        return describe(weights)
    return wrong_bias(op)


def has_old_weights(op: Weighted) -> bool:
    """Whether activations are the int8 twins of uint8 tensors (``frontend/unsigned.py``), and the
    weights uint8 with one scale and zero point."""
    quant = op.weights.quant
    per_tensor = quant is not None and not quant.per_channel
    return op.x.dtype is DType.INT8 and op.weights.dtype is DType.UINT8 and per_tensor


def wrong_bias(op: Weighted) -> str:
    """The bias, if its type is none that goes with the activations."""
    biases = op.wide_biases if op.x.dtype is DType.INT16 else (DType.INT32,)
    return "" if op.bias is None or op.bias.dtype in biases else describe(op.bias)


def fused_clamp(op: Activated) -> str:
    """The fused activation is none, RELU, RELU6 or RELU_N1_TO_1.

    Use one of these, or the activation as an operator of its own.
    """
    if op.activation in (Activation.TANH, Activation.SIGN_BIT):
        return str(op.activation.value)
    return ""


def channel_scales(op: Weighted) -> str:
    """Weights have one scale, or one for each output channel.

    Convert the model again; this one's quantization parameters contradict its shapes.
    """
    quant = op.weights.quant
    assert quant is not None
    if not quant.per_channel:
        return ""
    along = dict(enumerate(op.weights.shape)).get(quant.axis or 0)
    if len(quant.scale) == op.y.shape[-1] == along:
        return ""
    return f"{describe(op.weights)} for {op.y.shape[-1]} channels"


def scaling_in_range(op: Weighted) -> str:
    """The scale factor, input scale * weight scale / output scale, is below 2**30.

    The reference's arithmetic is undefined beyond; convert the model with sane ranges.
    """
    largest = max(real_multipliers(op))
    return "" if largest < 2**30 else f"{largest:g}"


def wide_sums(op: Weighted) -> str:
    """Sums of int16 activations stay below 2**46, and the scale factor below 2**7.

    The reference's arithmetic is undefined beyond; convert the model with sane ranges.
    """
    if op.x.dtype is not DType.INT16 or is_narrow(op):
        return ""
    largest = max(real_multipliers(op))
    if largest >= 2**7:
        return f"a factor of {largest:g}"
    # A shorter axis is the depth or the channels; either bounds the products of a sum.
    products = op.weights.elements * 2**22
    bias = max((abs(int(b)) for b in bias_values(op, op.y.shape[-1])), default=0)
    return "" if products + bias < 2**46 else f"a bias of {bias}"


def real_multipliers(op: Weighted) -> tuple[float, ...]:
    """input_scale * weight_scale / output_scale, one or one per channel.

    Source: ``PopulateConvolutionQuantizationParams``: products in double; with uint8 weights in
    single precision, as ``GetQuantizedConvolutionMultipler`` takes them.
    """
    assert op.weights.quant is not None
    if op.weights.dtype is DType.UINT8:
        return (single_product(op) / op.y.scale,)
    return tuple(op.x.scale * s / op.y.scale for s in op.weights.quant.scale)


def single_product(op: Weighted) -> float:
    """input_scale * weight_scale, rounded to float32."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(op.x.scale) * np.float32(op.weights.scale))


@dataclass(frozen=True, slots=True)
class Reach:
    """Bounds, one per output channel, on every accumulator and on every sum on the way to it."""

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scaling:
    """Fixed-point multipliers and shifts, one per output channel; positive shifts are to the left.

    Source of both: TFLite's ``QuantizeMultiplier``.
    """

    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]

    def short(self, reach: Reach) -> npt.NDArray[np.bool_]:
        """For each channel whether tg_output_s8's short way takes accumulators within ``reach``.

        A multiplier of zero gives zero whatever the accumulator and the shift.
        """
        small = (self.shift < 0) & (reach.low > -(2**30)) & (reach.high < 2**30)
        return np.asarray((self.multiplier == 0) | small)

    @property
    def bits_beyond_first(self) -> npt.NDArray[np.int8]:
        """What tg_output_s8's short way takes for the shift."""
        return np.where(self.multiplier == 0, 0, -1 - self.shift).astype(np.int8)


def scaling_of(reals: Sequence[float], channels: int) -> Scaling:
    """The scaling by ``reals``, of which there is one, or one per channel."""
    pairs = [quantize_multiplier(real) for real in reals]
    if len(pairs) == 1:
        pairs *= channels
    return Scaling(
        np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.int8)
    )


def bias_values(op: Weighted, channels: int) -> Array:
    """The bias, or zeros; int64 where activations are int16."""
    dtype = np.int64 if op.x.dtype is DType.INT16 else np.int32
    return np.asarray(op.bias.values.reshape(-1) if op.bias else np.zeros(channels), dtype)


def folded_bias(op: Weighted, weight_sums: Array) -> npt.NDArray[np.int32]:
    """bias - input_zero_point * sum of the channel's weights, modulo 2**32.

    The reference adds (x - zero_point) * w in int32; sums in another order give the same bits.
    """
    total = bias_values(op, len(weight_sums)) - op.x.zero_point * weight_sums.astype(np.int64)
    return total.astype(np.int32)


def results_of(op: Weighted, sums: Array, scaling: Scaling) -> Array:
    """Sums [..., channels] in int64, bias included, to the output: requantized and clamped."""
    if op.x.dtype is DType.INT16 and not is_narrow(op):
        return finished(op, multiply_wide(sums, scaling.multiplier, scaling.shift))
    return requantized(op, wrap_int32(sums), scaling)


def is_narrow(op: Weighted) -> bool:
    """Whether sums of int16 activations wrap in 32 bits, which those with an int32 bias do.

    Others have 64 bits, and a requantization of their own.
    """
    return op.bias is not None and op.bias.dtype is DType.INT32


def requantized(op: Weighted, accumulators: Array, scaling: Scaling) -> Array:
    """int32 accumulators [..., channels] to the output, double rounding, clamped."""
    scaled = multiply_by_quantized_multiplier(accumulators, scaling.multiplier, scaling.shift)
    return finished(op, scaled)


def finished(op: Weighted, scaled: Array) -> Array:
    """Add the output's zero point, modulo 2**32 as compiled references do, and clamp."""
    low, high = activation_range(op.activation, op.y)
    moved = wrap_int32(scaled.astype(np.int64) + op.y.zero_point)
    return np.clip(moved, low, high).astype(op.y.dtype.numpy)


def reach_of(bias: Array, weights: Array, largest: int = 128) -> Reach:
    """What bias[c] + sum(x * weights[c]) can reach for |x| <= ``largest``, added in any order.

    ``bias`` has the offset folded in; ``weights`` is [channels, depth].
    """
    reach = np.abs(weights.astype(np.int64)).sum(axis=1) * largest
    wide = bias.astype(np.int64)
    return Reach(np.minimum(wide, 0) - reach, np.maximum(wide, 0) + reach)


def tamed(
    op: Weighted, scaling: Scaling, bias: Array, weights: Array
) -> tuple[Scaling, npt.NDArray[np.int32]]:
    """Scaling and bias with others for dead channels that would bar the short requantization.

    Training leaves channels whose bias, often near the limits of int32, drowns all that the weights
    add: the output is one value v. As requantization is monotone while nothing wraps, it is so if
    the least and the greatest accumulator both give v. A bias of (v - zero point) * 2**bits, scaled
    by 2**-bits, then gives the same, as the weights' part stays below a quarter.
    """
    spread = np.abs(weights.astype(np.int64)).sum(axis=1) * 128
    ends = np.stack([bias - spread, bias + spread])
    low, high = requantized(op, wrap_int32(ends), scaling).astype(np.int64)
    bits = np.array([int(s).bit_length() + 2 for s in spread])
    dead = (low == high) & (np.abs(ends) < 2**31).all(axis=0) & (scaling.shift <= 0) & (bits <= 22)
    chosen = dead & ~scaling.short(reach_of(bias, weights))
    multiplier = np.where(chosen, 1 << 30, scaling.multiplier).astype(np.int32)
    shift = np.where(chosen, 1 - bits, scaling.shift).astype(np.int8)
    constant = np.where(chosen, (low - op.y.zero_point) << bits, bias).astype(np.int32)
    return Scaling(multiplier, shift), constant


def output_fields(
    op: Weighted, scaling: Scaling, bias: Array, weights: Array
) -> tuple[Fields, Params]:
    """The fields of a kernel's shape and params that take accumulators to int8.

    ``bias`` has the offset folded in; ``weights`` is [channels, depth].
    """
    low, high = activation_range(op.activation, op.y)
    scaling, bias = tamed(op, scaling, bias, weights)
    right_only = bool(scaling.short(reach_of(bias, weights)).all())
    shape = (
        ("right_only", int(right_only)),
        ("full_range", int((low, high) == dtype_range(DType.INT8))),
    )
    params = (
        ("bias", bias),
        ("multiplier", scaling.multiplier),
        ("shift", scaling.bits_beyond_first if right_only else scaling.shift),
        ("output_zero_point", op.y.zero_point),
        ("output_min", low),
        ("output_max", high),
    )
    return shape, params


def matmul_call(op: Weighted, weights: Array, scaling: Scaling) -> Call:
    """The call of ``tg_matmul_s8``: rows of ``op.x`` times ``weights`` [channels, depth]."""
    channels, depth = weights.shape
    bias = folded_bias(op, weights.sum(axis=1, dtype=np.int64))
    output_shape, output_params = output_fields(op, scaling, bias, weights)
    rows = op.x.elements // depth
    shape = (("rows", rows), ("depth", depth), ("out_c", channels), *output_shape)
    return Call(shape, (("weights", weights), *output_params), (op.x,), (op.y,))


def exact_matmul(a: Array, b: Array) -> npt.NDArray[np.int64]:
    """Integer product through double-precision BLAS: exact, sums stay far below 2**53."""
    return np.asarray(a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)


def wrap_int32(value: Array) -> npt.NDArray[np.int32]:
    """Two's complement modulo 2**32, as the reference's int32 accumulator does on every target."""
    return value.astype(np.int64).astype(np.int32)


def matmul_row(
    lower: Callable[[W], tuple[Call, ...]], fits: Callable[[W], bool], needs: Isa = Isa.ANY
) -> Kernel[W]:
    """The row for what is a matrix product; with and without the DSP extension."""
    types = "tg_matmul_s8"
    name = f"{types}_dsp" if needs else types
    return Kernel(name, f"{name}.h", types, lower, needs, fits)


def for_int8(*rows: Kernel[W]) -> tuple[Kernel[W], ...]:
    """``rows``, which fit operators of int8 activations and int8 weights only."""

    def restricted(fits: Callable[[W], bool]) -> Callable[[W], bool]:
        return lambda op: op.x.dtype is op.weights.dtype is DType.INT8 and fits(op)

    return tuple(replace(row, fits=restricted(row.fits)) for row in rows)


CONVOLUTION_RULES: tuple[Rule[Any], ...] = (
    constant_weights,
    fused_clamp,
    *unless_float(integer_ends, int8_weights, channel_scales, scaling_in_range, wide_sums),
)
