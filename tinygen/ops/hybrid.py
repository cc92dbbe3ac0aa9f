"""float32 activations with int8 weights, as LiteRT's kernels compute them; TFLite Micro has none.

Each image, or row of a matrix product, is quantized to int8 when it arrives; the sums are exact.
Both numerics have LiteRT's numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Call, Kernel, describe, only_for
from tinygen.ops.conv2d_lowering import Convolution, dilation_fields, window_fields
from tinygen.ops.convolution import Fields, WeightedOp, exact_matmul
from tinygen.ops.floating import Floats, bias_of, clamp_fields, clamped, is_float
from tinygen.ops.window import patches

W = TypeVar("W", bound=WeightedOp)
C = TypeVar("C", bound=Convolution)
Quantized = npt.NDArray[np.int64]
LIMIT = float(1 << 17)  # of quotients, in tg_quantize_round
MOST_PRODUCTS = 1 << 16  # of -255..255 and -128..127, in 32 bits


@dataclass(frozen=True, slots=True)
class Scheme:
    """How images are quantized, symmetric or not, and how sums become real.

    ``one_by_one`` says that a sum is multiplied with the weights' scale, then with the image's;
    else it is with the product of both.
    """

    asymmetric: bool
    one_by_one: bool = False


def is_hybrid(op: WeightedOp) -> bool:
    """Whether float32 activations meet int8 weights."""
    return is_float(op) and op.weights.dtype is DType.INT8


def float_or_hybrid(op: WeightedOp) -> str:
    """Where the input is float32, so are output and bias; weights are too, or int8, zero point 0.

    Convert the model without quantization, with that of its weights, or with full integer
    quantization.
    """
    if not is_float(op):
        return ""
    others = (op.y, *(() if op.bias is None else (op.bias,)))
    wrong = [t for t in others if t.dtype is not DType.FLOAT32]
    weights = op.weights
    symmetric = weights.quant is not None and not any(weights.quant.zero_point)
    if weights.dtype is not DType.FLOAT32 and not (is_hybrid(op) and symmetric):
        wrong.append(weights)
    return describe(wrong[0]) if wrong else ""


def hybrid_scales(op: WeightedOp) -> str:
    """Hybrid weights have one scale, or one for each output channel.

    Convert the model again; this one's quantization parameters contradict its shapes.
    """
    if not is_hybrid(op) or op.weights.quant is None:
        return ""
    count = len(op.weights.quant.scale)
    return "" if count in (1, op.y.shape[-1]) else f"{describe(op.weights)}"


def hybrid_sums(op: WeightedOp) -> str:
    """A sum of float32 inputs times int8 weights has at most 65536 products.

    Beyond that 32 bits do not hold it; split the layer.
    """
    if not is_hybrid(op):
        return ""
    products = op.weights.elements // op.y.shape[-1]
    return str(products) if products > MOST_PRODUCTS else ""


def scales_of(op: WeightedOp) -> Floats:
    """The weights' scale for each output channel."""
    assert op.weights.quant is not None
    scales = np.array(op.weights.quant.scale, np.float32)
    return np.broadcast_to(scales, op.y.shape[-1:]).copy()


def quantized(x: Array, *, asymmetric: bool) -> tuple[Quantized, Floats]:
    """Rows [n, size] as integers without their zero points, and the scale [n, 1] of each.

    Source: LiteRT's PortableSymmetricQuantizeFloats and PortableAsymmetricQuantizeFloats, of which
    newer versions subtract the ends in float32; the zero point is computed in double.
    """
    least, most = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        if not asymmetric:
            largest = np.maximum(most, -least)
            steps = rounded(x * (np.float32(127) / largest)).clip(-127, 127)
            flat, scale = largest == 0, largest / np.float32(127)
        else:
            low, high = np.minimum(least, 0), np.maximum(most, 0)
            exact = (high - low).astype(np.float64) / 255
            flat, scale = low == high, exact.astype(np.float32)
            below, above = low / exact, high / exact
            nearer = 128 - below < 127 + above
            zero = rounded(np.where(nearer, -128 - below, 127 - above).clip(-128, 127))
            moved = zero.astype(np.float32) + x * (np.float32(1) / scale)
            steps = rounded(moved).clip(-128, 127) - zero
    return np.where(flat, 0, steps), np.where(flat, np.float32(1), scale).astype(np.float32)


def rounded(values: Array) -> Quantized:
    """The nearest integers, halves away from zero."""
    bounded = np.clip(np.nan_to_num(values, nan=0.0), -LIMIT, LIMIT).astype(np.float64)
    return np.asarray(np.copysign(np.floor(np.abs(bounded) + 0.5), bounded), np.int64)


def real_results(op: WeightedOp, sums: Array, scale: Array, scheme: Scheme) -> Floats:
    """Integer sums [n, .., out_c] times the scales of images [n, 1] and weights, plus the bias."""
    scale = scale.reshape(-1, *(1,) * (sums.ndim - 1))
    real = sums.astype(np.int32).astype(np.float32)
    of_weights = scales_of(op)
    scaled = real * of_weights * scale if scheme.one_by_one else real * (scale * of_weights)
    return np.asarray(scaled + bias_of(op.bias, op.y.shape[-1]), np.float32)


def convolved(op: Convolution, x: Array, weights: Array, groups: int, scheme: Scheme) -> Floats:
    """The results for ``weights`` [out_c, kernel_h, kernel_w, in_c / groups]."""
    n, out_h, out_w, out_c = op.y.shape
    steps, scale = quantized(x.reshape(n, -1), asymmetric=scheme.asymmetric)
    taken = patches(steps.reshape(x.shape), op.window, (out_h, out_w), 0)
    per_group = out_c // groups
    parts = [
        exact_matmul(
            group.reshape(n, out_h * out_w, -1),
            weights[g * per_group : (g + 1) * per_group].reshape(per_group, -1).T,
        )
        for g, group in enumerate(np.split(taken, groups, axis=-1))
    ]
    results = real_results(op, np.concatenate(parts, axis=-1), scale, scheme)
    return clamped(results, op.activation).reshape(op.y.shape)


def hybrid_kernel(lower: Callable[[W], tuple[Call, ...]]) -> Kernel[W]:
    """The row of ``tg_conv2d_hybrid``."""
    name = "tg_conv2d_hybrid"
    row: Kernel[W] = Kernel(name, f"{name}.h", name, lower, fits=is_hybrid, scratch=True)
    return only_for(DType.FLOAT32, row)[0]


def hybrid_row(
    grouped: Callable[[C], tuple[Array, int]], scheme: Callable[[C], Scheme]
) -> Kernel[C]:
    """The row of a convolution; ``grouped`` gives the weights as ``convolved`` takes them, and
    the groups."""

    def lower(op: C) -> tuple[Call, ...]:
        geometry = (*window_fields(op.x, op.y, op.window), *dilation_fields(op.window))
        images = op.x.shape[0]
        return (hybrid_call(op, op.activation, geometry, images, *grouped(op), scheme(op)),)

    return hybrid_kernel(lower)


def hybrid_call(
    op: WeightedOp,
    activation: Activation,
    geometry: Fields,
    images: int,
    weights: Array,
    groups: int,
    scheme: Scheme,
) -> Call:
    """The call of ``tg_conv2d_hybrid`` for ``weights`` [out_c, ...] and a given geometry.

    The scratch holds one of ``images``, quantized.
    """
    out_c = len(weights)
    shape = (
        *geometry,
        ("in_c", groups * weights.shape[-1]),
        ("out_c", out_c),
        ("groups", groups),
        ("asymmetric", int(scheme.asymmetric)),
        ("one_by_one", int(scheme.one_by_one)),
    )
    params = (
        ("weights", weights.reshape(out_c, -1)),
        ("scale", scales_of(op)),
        ("bias", bias_of(op.bias, out_c)),
        *clamp_fields(activation),
    )
    return Call(shape, params, (op.x,), (op.y,), scratch_bytes=op.x.elements // images)


HYBRID_RULES = (float_or_hybrid, hybrid_scales, hybrid_sums)
