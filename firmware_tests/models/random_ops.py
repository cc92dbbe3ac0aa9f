"""Random operators on the tensors of a graph in the making: one function for each kind of operator.

A function picks operands that it can use, draws the rest, and raises ``Illegal`` where it finds no
operand or where a rule of the operator table forbids what it drew.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_tests.kernels.tensors import constant, float32, quantized
from firmware_tests.kernels.weighted import (
    LEAST_SCALE,
    Range,
    bias_of,
    multiplier_of,
    weights_of,
    window_for,
)
from firmware_tests.models.random_curves import CURVES
from firmware_tests.models.random_moves import MOVES
from firmware_tests.models.random_pairs import PAIRS
from firmware_tests.models.scene import (
    MAX_RANK,
    Illegal,
    Scene,
    Shape,
    is_image,
    is_int8,
    is_vector,
    thinned,
)
from tinygen.ir import Activation, DType, Numerics, Op, QuantParams, Tensor
from tinygen.ops.add import Add
from tinygen.ops.binary import Binary
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.expand_dims import ExpandDims
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.logistic import Logistic
from tinygen.ops.mean import Mean
from tinygen.ops.mul import Mul
from tinygen.ops.pad import Pad, PadV2
from tinygen.ops.pool2d import AveragePool2D, MaxPool2D, Pool2D
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6, ReluN1To1
from tinygen.ops.reshape import Reshape
from tinygen.ops.softmax import Softmax
from tinygen.ops.squeeze import Squeeze
from tinygen.ops.sub import Sub
from tinygen.ops.sum import Sum
from tinygen.ops.tanh import Tanh
from tinygen.ops.transpose_conv import TransposeConv
from tinygen.ops.window import Pair, Window


def add_window(scene: Scene, size: Pair, dilated: bool) -> tuple[Window, Pair]:
    """A window over an image of ``size``, and the size of the result."""
    kernel = (scene.integer(1, 4), scene.integer(1, 4))
    if scene.chance(0.1) and max(size) <= 6:
        kernel = size
    stride = scene.choice(((1, 1), (1, 1), (2, 2), (scene.integer(1, 3), scene.integer(1, 3))))
    dilation = (scene.integer(1, 3), scene.integer(1, 3)) if dilated else (1, 1)
    same = scene.chance(0.5)
    reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    if not same and (reach[0] >= size[0] or reach[1] >= size[1]):
        raise Illegal
    return window_for(size, kernel, stride, dilation, same)


def weights_and_result(
    scene: Scene,
    x: Tensor,
    shapes: tuple[Shape, Shape],
    depth: int,
    axis: int | None,
    *,
    bias_is_optional: bool = True,
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Inputs and result of an operator with weights; ``shapes`` are the weights' and the result's.

    The multiplier from accumulator to result is drawn, and the weights' scale follows from it.
    """
    rng, name = scene.rng, scene.name()
    kind = scene.choice((*[Range.USUAL] * 7, *Range))
    y = scene.tensor(shapes[1])
    if y.scale < LEAST_SCALE:
        raise Illegal
    scale = multiplier_of(kind, depth, rng) * y.scale / x.scale
    weights = weights_of(f"{name}_w", shapes[0], axis, rng, scale)
    if scene.chance(0.15) and bias_is_optional:
        return (x, weights), y
    span = 2**31 if kind is Range.DEAD else 40 * depth**2
    return (x, weights, bias_of(f"{name}_b", shapes[1][-1], x, weights, span, rng)), y


def conv2d(scene: Scene, x: Tensor | None = None) -> Tensor:
    x = x or scene.pick(is_image)
    window, out = add_window(scene, x.shape[1:3], dilated=scene.chance(0.2))  # type: ignore[arg-type]
    in_c, out_c = x.shape[3], scene.integer(1, 9)
    groups = 1
    if scene.chance(0.1):
        groups = scene.choice([g for g in range(1, in_c + 1) if in_c % g == 0])
        out_c = groups * scene.integer(1, 3)
    kernel_shape = (out_c, *window.kernel, in_c // groups)
    depth = int(np.prod(kernel_shape[1:]))
    shapes = (kernel_shape, (x.shape[0], *out, out_c))
    axis = 0 if scene.chance(0.7) else None
    optional = scene.numerics is Numerics.TFLM  # LiteRT's CONV_2D wants a bias
    inputs, y = weights_and_result(scene, x, shapes, depth, axis, bias_is_optional=optional)
    return scene.add(Conv2D(y.name, inputs, (y,), window, scene.clamp()))


def depthwise_conv2d(scene: Scene, x: Tensor | None = None) -> Tensor:
    x = x or scene.pick(is_image)
    window, out = add_window(scene, x.shape[1:3], dilated=scene.chance(0.2))  # type: ignore[arg-type]
    out_c = x.shape[3] * scene.choice((1, 1, 1, 2, 3))
    shapes = ((1, *window.kernel, out_c), (x.shape[0], *out, out_c))
    depth = window.kernel[0] * window.kernel[1]
    axis = 3 if scene.chance(0.7) else None
    inputs, y = weights_and_result(scene, x, shapes, depth, axis)
    return scene.add(DepthwiseConv2D(y.name, inputs, (y,), window, scene.clamp()))


def transpose_conv(scene: Scene) -> Tensor:
    x = scene.pick(is_image)
    height, width = (scene.choice((n, 2 * n, scene.integer(1, 9))) for n in x.shape[1:3])
    size = (height, width)
    window, source = add_window(scene, size, dilated=False)
    if source != x.shape[1:3]:
        raise Illegal
    in_c, out_c = x.shape[3], scene.integer(1, 5)
    shapes = ((out_c, *window.kernel, in_c), (x.shape[0], *size, out_c))
    depth = int(np.prod(shapes[0][1:]))
    inputs, y = weights_and_result(scene, x, shapes, depth, scene.choice((0, None)))
    return scene.add(TransposeConv(y.name, inputs, (y,), window, scene.clamp()))


def fully_connected(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    channels, keep = scene.integer(1, 9), scene.chance(0.4)
    depth = x.shape[-1]
    if not keep and scene.chance(0.6):
        depth = scene.choice([n for n in range(1, x.elements + 1) if x.elements % n == 0])
    y_shape = (*x.shape[:-1], channels) if keep else (x.elements // depth, channels)
    axis = 0 if scene.chance(0.4) else None
    inputs, y = weights_and_result(scene, x, ((channels, depth), y_shape), depth, axis)
    if axis is None and scene.chance(0.2):
        quant = QuantParams((inputs[1].scale,), (scene.zero_point(),))
        inputs = (x, replace(inputs[1], quant=quant), *inputs[2:])
    rounding = Rounding.ONCE if scene.numerics is Numerics.LITERT else Rounding.TWICE
    clamp = scene.clamp()
    return scene.add(FullyConnected(y.name, inputs, (y,), clamp, keep, rounding=rounding))


def pool(scene: Scene) -> Tensor:
    x = scene.pick(is_image)
    window, out = add_window(scene, x.shape[1:3], dilated=False)  # type: ignore[arg-type]
    y = scene.like(x, (x.shape[0], *out, x.shape[3]))
    kind: type[Pool2D] = scene.choice((AveragePool2D, MaxPool2D))
    return scene.add(kind(y.name, (x,), (y,), window, scene.clamp()))


def broadcasts(a: Shape, b: Shape) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def binary(scene: Scene) -> Tensor:
    kind: type[Binary] = scene.choice((Add, Add, Sub, Mul))
    a = scene.pick(is_int8)
    role = scene.choice(("tensor", "tensor", "tensor", "constant", "scalar", "same"))
    if role == "same":
        b = a
    elif role == "tensor":
        b = scene.pick(lambda t: is_int8(t) and t is not a and broadcasts(a.shape, t.shape))
    else:
        shape = thinned(scene, a.shape) if role == "constant" else (1,) * scene.integer(0, 2)
        b = constant(f"{scene.name()}_c", shape, scene.scale(), scene.zero_point(), scene.rng)
    if scene.chance(0.4):
        a, b = b, a
    real = (a.scale + b.scale) * scene.rng.uniform(0.3, 1.2)
    if kind is Mul:
        real = a.scale * b.scale * scene.rng.uniform(10, 150)
    if scene.chance(0.2):
        real = a.scale * scene.choice((0.5, 1.0, 2.0))
    if not 1e-7 < real < 1e6:
        raise Illegal
    shape = np.broadcast_shapes(a.shape, b.shape)
    y = scene.tensor(shape, None if scene.chance(0.1) else float(real))
    made = kind(y.name, (a, b), (y,), scene.clamp())
    return scene.add(replace(made, numerics=scene.numerics) if isinstance(made, Mul) else made)


def residual(scene: Scene) -> Tensor:
    """A branch of one or two operators that comes back to the tensor it started from."""
    x = scene.pick(is_image)
    branch = x
    for _ in range(scene.integer(1, 2)):
        window, out = window_for(x.shape[1:3], scene.choice(((1, 1), (3, 3))), (1, 1), (1, 1), True)  # type: ignore[arg-type]
        shapes = ((x.shape[3], *window.kernel, x.shape[3]), (x.shape[0], *out, x.shape[3]))
        depth = window.kernel[0] * window.kernel[1] * x.shape[3]
        inputs, y = weights_and_result(scene, branch, shapes, depth, 0, bias_is_optional=False)
        branch = scene.add(Conv2D(y.name, inputs, (y,), window, scene.clamp()))
    pair = (x, branch) if scene.chance(0.5) else (branch, x)
    y = scene.tensor(x.shape, 0.8 * (x.scale + branch.scale))
    return scene.add(scene.choice((Add, Add, Sub))(y.name, pair, (y,), scene.clamp()))


def fits_beside(x: Tensor, t: Tensor, axis: int) -> bool:
    """Whether ``t`` has the shape of ``x`` but for ``axis``."""
    return len(t.shape) == len(x.shape) and all(
        m == n or i == axis for i, (m, n) in enumerate(zip(x.shape, t.shape, strict=True))
    )


def concatenation(scene: Scene) -> Tensor:
    # Both interpreters ask for a zero point of 0 for int16, which SOFTMAX does not give.
    x = scene.pick(lambda t: len(t.shape) > 0 and t.dtype in (DType.INT8, DType.FLOAT32))
    axis = scene.integer(0, len(x.shape) - 1)
    parts = [x]
    for _ in range(scene.integer(0 if scene.chance(0.1) else 1, 3)):
        role = scene.choice(("constant", "same", "tensor", "requantized", "requantized"))
        if role == "same":
            parts.append(x)
        elif role == "constant" and is_int8(x):
            shape = (*x.shape[:axis], scene.integer(1, 3), *x.shape[axis + 1 :])
            parts.append(scene.constant_like(x, shape))
        elif role == "requantized" and is_int8(x):
            source = scene.pick(lambda t: is_int8(t) and fits_beside(x, t, axis))
            y = scene.like(x, source.shape)
            parts.append(scene.add(Quantize(y.name, (source,), (y,))))
        else:
            same = scene.pick(
                lambda t: (t.dtype, t.quant) == (x.dtype, x.quant) and fits_beside(x, t, axis)
            )
            parts.append(same)
    scene.rng.shuffle(parts)
    size = sum(t.shape[axis] for t in parts)
    y = scene.like(x, (*x.shape[:axis], size, *x.shape[axis + 1 :]))
    return scene.add(Concatenation(y.name, tuple(parts), (y,), axis, Activation.NONE))


def pad(scene: Scene, x: Tensor | None = None) -> Tensor:
    x = x or scene.pick(lambda t: len(t.shape) > 0 and t.dtype is not DType.UINT8)
    only_space = len(x.shape) == 4 and scene.chance(0.8)
    paddings = tuple(
        (0, 0) if only_space and i in (0, 3) else (scene.integer(0, 2), scene.integer(0, 2))
        for i in range(len(x.shape))
    )
    shape = tuple(n + sum(pair) for n, pair in zip(x.shape, paddings, strict=True))
    y = scene.tensor(shape) if is_int8(x) and scene.chance(0.15) else scene.like(x, shape)
    if not is_int8(x) or scene.chance(0.7):
        return scene.add(Pad(y.name, (x,), (y,), paddings))
    value = scene.choice((y.zero_point, scene.zero_point()))
    fill = replace(scene.like(y, ()), name=f"{y.name}_fill", data=np.array(value, np.int8))
    pairs = np.array(paddings, np.int32)
    table = Tensor(f"{y.name}_paddings", pairs.shape, DType.INT32, None, pairs)
    return scene.add(PadV2(y.name, (x, table, fill), (y,), paddings))


def padded_convolution(scene: Scene) -> Tensor:
    """PAD, or two of them, before one or two convolutions."""
    x = pad(scene, scene.pick(is_image))
    if scene.chance(0.2):
        x = pad(scene, x)
    for _ in range(scene.choice((1, 1, 2))):
        y = scene.choice((conv2d, depthwise_conv2d))(scene, x)
    return y


def activation(scene: Scene, x: Tensor | None = None) -> Tensor:
    """RELU, RELU6 or RELU_N1_TO_1, mostly in the quantization of its input."""
    x = x or scene.pick(is_int8)
    y = scene.like(x) if scene.chance(0.6) else scene.tensor(x.shape)
    kinds: list[Op] = [
        Relu(y.name, (x,), (y,), scene.numerics),
        Relu(y.name, (x,), (y,), scene.numerics),
        Relu6(y.name, (x,), (y,), scene.numerics),
    ]
    if scene.numerics is Numerics.LITERT:  # TFLite Micro has no RELU_N1_TO_1
        kinds.append(ReluN1To1(y.name, (x,), (y,), scene.numerics))
    return scene.add(scene.choice(kinds))


def activated(scene: Scene) -> Tensor:
    """An activation after an operator that may take it over."""
    x = scene.choice((conv2d, depthwise_conv2d, fully_connected, binary, pool))(scene)
    return activation(scene, x)


def factors(scene: Scene, elements: int, x: Shape) -> Shape:
    """A shape of so many elements."""
    rank = scene.integer(0 if elements == 1 else 1, 4)
    shape: list[int] = []
    left = elements
    for _ in range(rank - 1):
        shape.append(scene.choice([d for d in range(1, left + 1) if left % d == 0]))
        left //= shape[-1]
    shape += [left] if rank else []
    scene.rng.shuffle(shape)
    return scene.choice((tuple(shape), tuple(shape), (1, elements), x))


def views(scene: Scene) -> Tensor:
    """A chain of RESHAPE, SQUEEZE and EXPAND_DIMS."""
    x = first = scene.pick(lambda t: True)
    for _ in range(scene.integer(1, 3)):
        kind: type[Op] = scene.choice((Reshape, Squeeze, ExpandDims))
        if kind is Reshape:
            shape = factors(scene, x.elements, first.shape)
        elif kind is Squeeze:
            shape = tuple(n for n in x.shape if n > 1 or scene.chance(0.5))
            # A list of no axes stands for all of size 1; the schema cannot say "none of them".
            if shape == x.shape and 1 in shape:
                raise Illegal
        else:
            axis = scene.integer(0, len(x.shape))
            shape = (*x.shape[:axis], 1, *x.shape[axis:])
        # The front end has no tensors of no elements, such as the shape of a scalar.
        scalar = kind is Reshape and not shape
        # TFLite Micro's EXPAND_DIMS has few types; LiteRT's wants int16 without zero point.
        refused = kind is ExpandDims and x.dtype not in (DType.INT8, DType.FLOAT32)
        if len(shape) > MAX_RANK or scalar or refused:
            raise Illegal
        y = scene.like(x, shape)
        x = scene.add(kind(y.name, (x,), (y,)))
    return x


def mean(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    axes = tuple(i for i in range(len(x.shape)) if scene.chance(0.5))
    if len(x.shape) == 4 and scene.chance(0.4):
        axes = (1, 2)
    if not axes:
        raise Illegal
    keep = scene.chance(0.5)
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    y = scene.like(x, shape) if scene.chance(0.4) else scene.tensor(shape)
    if scene.chance(0.5):
        return scene.add(Sum(y.name, (x,), (y,), axes, keep, scene.numerics))
    return scene.add(Mean(y.name, (x,), (y,), axes, keep))


def softmax(scene: Scene) -> Tensor:
    # Both interpreters abort where a row's sum of exponentials reaches 512.
    x = scene.pick(lambda t: is_vector(t) and t.shape[-1] < 512)
    y = quantized(scene.name(), x.shape, 1 / 256, -128)
    if scene.chance(0.15):
        y = quantized(scene.name(), x.shape, 1 / 65536, -32768, dtype=DType.INT16)
    beta = float32(scene.choice((1.0, 1.0, 0.3, 2.5)))
    return scene.add(Softmax(y.name, (x,), (y,), beta, scene.numerics))


def sigmoid(scene: Scene) -> Tensor:
    """LOGISTIC or TANH."""
    x = scene.pick(is_int8)
    if scene.chance(0.5):
        y = quantized(scene.name(), x.shape, 1 / 256, -128)
        return scene.add(Logistic(y.name, (x,), (y,), scene.numerics))
    y = quantized(scene.name(), x.shape, 1 / 128, 0)
    return scene.add(Tanh(y.name, (x,), (y,), scene.numerics))


def quantize(scene: Scene) -> Tensor:
    x = scene.pick(lambda t: t.dtype in (DType.INT8, DType.UINT8, DType.FLOAT32))
    y = scene.like(x) if is_int8(x) and scene.chance(0.1) else scene.tensor(x.shape)
    if is_int8(x) and scene.chance(0.15):
        zero = scene.integer(0, 255)
        y = quantized(y.name, x.shape, y.scale, zero, dtype=DType.UINT8)
    # The reference converts the quotient to int32, which C++ leaves undefined where it is larger.
    if x.dtype is DType.FLOAT32 and scene.magnitude[x] >= 2**30 * y.scale:
        raise Illegal
    return scene.add(Quantize(y.name, (x,), (y,)))


def dequantize(scene: Scene) -> Tensor:
    # LiteRT's DEQUANTIZE wants int16 with a zero point of 0, which SOFTMAX does not give.
    known = [DType.INT8, DType.UINT8]
    known += [DType.INT16] if scene.numerics is Numerics.TFLM else []
    x = scene.pick(lambda t: t.dtype in known)
    y = Tensor(scene.name(), x.shape, DType.FLOAT32)
    scene.magnitude[x] = x.scale * 2 ** (8 * x.dtype.size)
    return scene.add(Dequantize(y.name, (x,), (y,)))


def literal(scene: Scene) -> Tensor:
    """A constant that operators read as if it were an activation."""
    shape = scene.choice([t.shape for t in scene.tensors])
    name = f"{scene.name()}_literal"
    t = constant(name, shape, scene.scale(), scene.zero_point(), scene.rng)
    scene.tensors.append(t)
    return t


DRAWS: tuple[tuple[Callable[[Scene], Any], int], ...] = (
    (conv2d, 12),
    (depthwise_conv2d, 8),
    (fully_connected, 10),
    (transpose_conv, 12),
    (padded_convolution, 8),
    (activated, 11),
    (residual, 6),
    (binary, 8),
    (concatenation, 5),
    (pool, 4),
    (views, 5),
    (pad, 2),
    (activation, 3),
    (mean, 3),
    (softmax, 2),
    (sigmoid, 2),
    (quantize, 2),
    (dequantize, 1),
    (literal, 1),
    *CURVES,
    *MOVES,
    *PAIRS,
)
