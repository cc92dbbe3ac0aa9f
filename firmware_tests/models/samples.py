"""Small graphs with seeded weights, one for each operator and one that joins several."""

from collections.abc import Callable

import numpy as np

from firmware_tests.kernels.tensors import constant, plain, quantized
from firmware_tests.models.kept_samples import audio, branches, buffered, lstm, rounds, svdf
from firmware_tests.models.moving_samples import (
    concatenation,
    gather,
    indexed,
    pack,
    pad_v2,
    parted,
    select,
    settled,
)
from firmware_tests.models.parts import SEED, activation, bias, weights
from tinygen.ir import Activation, DType, Graph, Numerics, Op, Tensor
from tinygen.ops.abs import Abs
from tinygen.ops.add import Add
from tinygen.ops.add_n import AddN
from tinygen.ops.arg_max import ArgMax
from tinygen.ops.arg_min import ArgMin
from tinygen.ops.atan2 import Atan2
from tinygen.ops.batch_matmul import BatchMatMul
from tinygen.ops.batch_to_space_nd import BatchToSpaceND
from tinygen.ops.binary import Binary
from tinygen.ops.broadcast_to import BroadcastTo
from tinygen.ops.cast import Cast
from tinygen.ops.ceil import Ceil
from tinygen.ops.comparison import Comparison
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.cos import Cos
from tinygen.ops.cumsum import Cumsum
from tinygen.ops.depth_to_space import DepthToSpace
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.div import Div
from tinygen.ops.elu import Elu
from tinygen.ops.equal import Equal
from tinygen.ops.exp import Exp
from tinygen.ops.expand_dims import ExpandDims
from tinygen.ops.fill import Fill
from tinygen.ops.floor import Floor
from tinygen.ops.floor_div import FloorDiv
from tinygen.ops.floor_mod import FloorMod
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.gelu import Gelu
from tinygen.ops.greater import Greater
from tinygen.ops.greater_equal import GreaterEqual
from tinygen.ops.hard_swish import HardSwish
from tinygen.ops.l2_normalization import L2Normalization
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.less import Less
from tinygen.ops.less_equal import LessEqual
from tinygen.ops.log import Log
from tinygen.ops.log_softmax import LogSoftmax
from tinygen.ops.logical_and import LogicalAnd
from tinygen.ops.logical_not import LogicalNot
from tinygen.ops.logical_or import LogicalOr
from tinygen.ops.logistic import Logistic
from tinygen.ops.maximum import Maximum
from tinygen.ops.mean import Mean
from tinygen.ops.minimum import Minimum
from tinygen.ops.mirror_pad import Mirror, MirrorPad
from tinygen.ops.mul import Mul
from tinygen.ops.neg import Neg
from tinygen.ops.not_equal import NotEqual
from tinygen.ops.pad import Pad
from tinygen.ops.pool2d import AveragePool2D, L2Pool2D, MaxPool2D
from tinygen.ops.pow import Pow
from tinygen.ops.prelu import Prelu
from tinygen.ops.quantize import Quantize
from tinygen.ops.reduce_all import ReduceAll
from tinygen.ops.reduce_any import ReduceAny
from tinygen.ops.reduce_max import ReduceMax
from tinygen.ops.reduce_min import ReduceMin
from tinygen.ops.reduce_prod import ReduceProd
from tinygen.ops.relu import Relu, Relu0To1, Relu6, ReluN1To1
from tinygen.ops.reshape import Reshape
from tinygen.ops.resize_bilinear import ResizeBilinear
from tinygen.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinygen.ops.reverse_v2 import ReverseV2
from tinygen.ops.round import Round
from tinygen.ops.rsqrt import Rsqrt
from tinygen.ops.select_v2 import SelectV2
from tinygen.ops.shape import Shape
from tinygen.ops.sign import Sign
from tinygen.ops.sin import Sin
from tinygen.ops.slice import Slice
from tinygen.ops.softmax import Softmax
from tinygen.ops.space_to_batch_nd import SpaceToBatchND
from tinygen.ops.space_to_depth import SpaceToDepth
from tinygen.ops.sqrt import Sqrt
from tinygen.ops.square import Square
from tinygen.ops.squared_difference import SquaredDifference
from tinygen.ops.squeeze import Squeeze
from tinygen.ops.strided_slice import Masks, StridedSlice
from tinygen.ops.sub import Sub
from tinygen.ops.sum import Sum
from tinygen.ops.tanh import Tanh
from tinygen.ops.transpose import Transpose
from tinygen.ops.transpose_conv import TransposeConv
from tinygen.ops.window import Window
from tinygen.ops.zeros_like import ZerosLike


def conv2d() -> Graph:
    """One convolution, SAME, stride 2, fused RELU6."""
    x, y = activation("x", (1, 6, 5, 3)), activation("model/conv/Relu6;x", (1, 3, 3, 4), 0.1, -128)
    window = Window((3, 3), (2, 2), (1, 1), (0, 1))
    op = Conv2D(
        y.name, (x, weights("w", (4, 3, 3, 3)), bias("b", 4)), (y,), window, Activation.RELU6
    )
    return Graph("conv2d", (x,), (y,), (op,))


def add() -> Graph:
    """Two tensors, broadcast along the height."""
    a, b, y = (
        activation("a", (1, 4, 3)),
        activation("b", (1, 1, 3), 0.2),
        activation("y", (1, 4, 3)),
    )
    return Graph("add", (a, b), (y,), (Add("y", (a, b), (y,), Activation.RELU),))


def sub() -> Graph:
    """A tensor minus a constant."""
    a, y = activation("a", (1, 4, 3)), activation("y", (1, 4, 3))
    op = Sub(
        "y",
        (a, constant("c", (4, 3), 0.02, 4, np.random.default_rng(SEED))),
        (y,),
        Activation.NONE,
    )
    return Graph("sub", (a,), (y,), (op,))


def mul() -> Graph:
    """A tensor times itself."""
    a, y = activation("a", (2, 3)), activation("y", (2, 3))
    return Graph("mul", (a,), (y,), (Mul("y", (a, a), (y,), Activation.RELU_N1_TO_1),))


def residual(side: int = 4) -> Graph:
    """A convolution added to its input; both tensors are outputs, and so is an input."""
    x = activation("input", (1, side, side, 2))
    y = activation("conv", (1, side, side, 2), 0.3)
    z = activation("sum", (1, side, side, 2), 0.4)
    window = Window((1, 1), (1, 1), (1, 1), (0, 0))
    inputs = (x, weights("kernel", (2, 1, 1, 2)), bias("bias", 2))
    convolution = Conv2D("conv", inputs, (y,), window, Activation.NONE)
    addition = Add("sum", (x, y), (z,), Activation.RELU)
    return Graph("residual", (x,), (z, y, x), (convolution, addition))


def transpose_conv() -> Graph:
    """Each pixel makes four, SAME, with a bias."""
    x, y = activation("x", (1, 2, 3, 3)), activation("y", (1, 4, 6, 2), 0.3)
    inputs = (x, weights("w", (2, 3, 3, 3)), bias("b", 2))
    window = Window((3, 3), (2, 2), (1, 1), (0, 0))
    op = TransposeConv("y", inputs, (y,), window, Activation.NONE)
    return Graph("transpose_conv", (x,), (y,), (op,))


def choices() -> Graph:
    """Operators that choose between two tensors by value, one of them constant."""
    x = activation("x", (2, 3))
    slope = constant("slope", (3,), 0.01, 4, np.random.default_rng(SEED))
    limit = constant("limit", (3,), 0.05, -3, np.random.default_rng(SEED))
    y, high, low = (activation(name, (2, 3)) for name in ("y", "high", "low"))
    ops: tuple[Op, ...] = (
        Prelu("y", (x, slope), (y,), Activation.NONE),
        Maximum("high", (x, limit), (high,), Activation.NONE),
        Minimum("low", (limit, high), (low,), Activation.NONE),
    )
    return Graph("choices", (x,), (y, low), ops)


def quotients() -> Graph:
    """Operators that divide, on int8 and on float32, by a constant; a power; an angle."""
    x, y = activation("x", (2, 3), 0.2), activation("y", (2, 3), 0.1)
    by = quantized("by", (3,), 0.02, 0, np.array([3, -7, 90], np.int8))
    f = plain("f", (2, 3), DType.FLOAT32)
    step = Tensor("step", (3,), DType.FLOAT32, None, np.array([0.5, -2, 3], np.float32))
    made = [plain(name, (2, 3), DType.FLOAT32) for name in ("floor", "rest", "power", "angle")]
    kinds: tuple[type[Binary], ...] = (FloorDiv, FloorMod, Pow)
    ops: list[Op] = [Div("y", (x, by), (y,), Activation.RELU)]
    ops += [k(t.name, (f, step), (t,), Activation.NONE) for k, t in zip(kinds, made, strict=False)]
    ops.append(Atan2("angle", (f, made[0]), (made[3],), Activation.NONE))
    return Graph("quotients", (x, f), (y, *made), tuple(ops))


def _alone(kind: type[Op], x: Tensor, y: Tensor, *attributes: object) -> Callable[[], Graph]:
    """A graph of one operator with one input, made anew at each call."""

    def sample() -> Graph:
        return Graph("alone", (x,), (y,), (kind(y.name, (x,), (y,), *attributes),))

    sample.__name__ = kind.kind.lower()
    return sample


def depthwise_conv2d() -> Graph:
    """Two output channels for each input channel, VALID, dilated, without a bias."""
    x, y = activation("x", (1, 7, 6, 2)), activation("y", (1, 3, 4, 4), 0.4)
    window = Window((3, 2), (1, 1), (2, 2), (0, 0))
    inputs = (x, weights("w", (1, 3, 2, 4), axis=3))
    return Graph(
        "depthwise_conv2d",
        (x,),
        (y,),
        (DepthwiseConv2D("y", inputs, (y,), window, Activation.NONE),),
    )


def fully_connected() -> Graph:
    """Two rows, the number of dimensions kept."""
    x, y = activation("x", (2, 1, 6)), activation("y", (2, 1, 5), 0.2)
    kernel = constant("w", (5, 6), 0.01, 0, np.random.default_rng(SEED))
    op = FullyConnected("y", (x, kernel, bias("b", 5)), (y,), Activation.RELU, True)
    return Graph("fully_connected", (x,), (y,), (op,))


_IMAGE, _POOLED, _ROW = (1, 4, 4, 2), (1, 2, 2, 2), (1, 8)
_POOL = Window((3, 3), (2, 2), (1, 1), (0, 0))


def _compared(kind: type[Comparison]) -> Callable[[], Graph]:
    """Two tensors, broadcast."""

    def sample() -> Graph:
        a, b = activation("a", (2, 3)), activation("b", (3,), 0.07)
        y = plain("y", (2, 3), DType.BOOL)
        return Graph(kind.kind.lower(), (a, b), (y,), (kind("y", (a, b), (y,)),))

    return sample


def truth() -> Graph:
    """Comparisons, joined, decide what comes out; one is a number as well."""
    a, b = activation("a", (2, 3)), activation("b", (3,), 0.07)
    less, equal, both, either, none = (
        plain(name, (2, 3), DType.BOOL) for name in ("less", "equal", "both", "either", "none")
    )
    zeros, y, number = (
        activation("z", (2, 3)),
        activation("y", (2, 3)),
        plain("n", (2, 3), DType.INT32),
    )
    ops: tuple[Op, ...] = (
        Less("less", (a, b), (less,)),
        Equal("equal", (b, a), (equal,)),
        LogicalAnd("both", (less, equal), (both,)),
        LogicalOr("either", (less, equal), (either,)),
        LogicalNot("none", (either,), (none,)),
        ZerosLike("z", (a,), (zeros,)),
        SelectV2("y", (none, a, zeros), (y,)),
        Cast("n", (both,), (number,)),
    )
    return Graph("truth", (a, b), (y, number), ops)


def curves() -> Graph:
    """Functions of one float32."""
    x = plain("x", (2, 3), DType.FLOAT32)
    kinds: tuple[type[Op], ...] = (
        Ceil, Cos, Floor, Log, Neg, Relu0To1, Round, Sign, Sin, Sqrt, Square,
    )  # fmt: skip
    ys = [plain(kind.kind.lower(), (2, 3), DType.FLOAT32) for kind in kinds]
    made = [kind(y.name, (x,), (y,)) for kind, y in zip(kinds, ys, strict=True)]
    last = plain("gelu", (2, 3), DType.FLOAT32)
    ops = (*made, Gelu("gelu", (x,), (last,), Numerics.TFLM, True))
    return Graph("curves", (x,), (*ys, last), ops)


def batch_matmul() -> Graph:
    """The matrices of a batch times one."""
    a, b, y = activation("a", (2, 3, 4)), activation("b", (5, 4), 0.07), activation("y", (2, 3, 5))
    op = BatchMatMul("y", (a, b), (y,), False, True)
    return Graph("batch_matmul", (a, b), (y,), (op,))


def add_n() -> Graph:
    """Three tensors."""
    a, b, c = (activation(name, (2, 3)) for name in "abc")
    y = activation("y", (2, 3), 0.1)
    return Graph("add_n", (a, b, c), (y,), (AddN("y", (a, b, c), (y,)),))


def squared_difference() -> Graph:
    """Two tensors, broadcast."""
    a, b, y = activation("a", (2, 3)), activation("b", (3,), 0.07), activation("y", (2, 3), 0.3)
    op = SquaredDifference("y", (a, b), (y,), Activation.NONE)
    return Graph("squared_difference", (a, b), (y,), (op,))


SAMPLES: tuple[Callable[[], Graph], ...] = (
    add,
    add_n,
    audio,
    batch_matmul,
    buffered,
    choices,
    quotients,
    select,
    concatenation,
    conv2d,
    curves,
    depthwise_conv2d,
    fully_connected,
    gather,
    lstm,
    indexed,
    mul,
    pack,
    pad_v2,
    settled,
    parted,
    residual,
    squared_difference,
    sub,
    svdf,
    transpose_conv,
    truth,
    branches,
    rounds,
    _alone(
        AveragePool2D, activation("x", _IMAGE), activation("y", _POOLED), _POOL, Activation.RELU
    ),
    _alone(
        L2Pool2D,
        plain("x", _IMAGE, DType.FLOAT32),
        plain("y", _POOLED, DType.FLOAT32),
        _POOL,
        Activation.NONE,
    ),
    _alone(MaxPool2D, activation("x", _IMAGE), activation("y", _POOLED), _POOL, Activation.NONE),
    _alone(Mean, activation("x", _IMAGE), activation("y", (1, 2)), (1, 2), False),
    _alone(Mean, activation("x", _IMAGE), activation("y", (1, 1, 4, 2)), (1,), True),
    _alone(Pad, activation("x", _ROW), activation("y", (2, 11)), ((1, 0), (1, 2))),
    _alone(Reshape, activation("x", _POOLED), activation("y", _ROW)),
    _alone(Squeeze, activation("x", (1, 4, 1, 2, 1)), activation("y", (4, 1, 2))),
    _alone(ExpandDims, activation("x", (4, 2)), activation("y", (4, 1, 2))),
    _alone(Softmax, activation("x", _ROW), activation("y", _ROW, 1 / 256, -128), 1.0),
    _alone(Logistic, activation("x", _ROW), activation("y", _ROW, 1 / 256, -128)),
    _alone(Tanh, activation("x", _ROW), activation("y", _ROW, 1 / 128, 0)),
    _alone(Relu, activation("x", _ROW), activation("y", _ROW)),
    _alone(Relu6, activation("x", _ROW), activation("y", _ROW)),
    _alone(ReluN1To1, activation("x", _ROW), activation("y", _ROW)),
    _alone(Quantize, plain("x", _ROW, DType.FLOAT32), activation("y", _ROW)),
    _alone(Dequantize, activation("x", _ROW), plain("y", _ROW, DType.FLOAT32)),
    _alone(Shape, activation("x", _IMAGE), plain("y", (4,), DType.INT32)),
    _alone(
        StridedSlice,
        activation("x", _IMAGE),
        activation("y", (1, 2, 2)),
        (0, 3, 0, 1),
        (1, 0, 4, 2),
        (1, -2, 3, 1),
        Masks(begin=1, end=2, shrink=8),
    ),
    _alone(Slice, activation("x", _IMAGE), activation("y", (1, 2, 4, 1)), (0, 1, 0, 1)),
    _alone(Transpose, activation("x", _IMAGE), activation("y", (1, 2, 4, 4)), (0, 3, 1, 2)),
    _alone(ReverseV2, activation("x", _ROW), activation("y", _ROW), (1,)),
    _alone(BroadcastTo, activation("x", _ROW), activation("y", (3, 8))),
    _alone(Fill, activation("x", ()), activation("y", (2, 3))),
    _alone(
        MirrorPad,
        activation("x", _ROW),
        activation("y", (1, 11)),
        ((0, 0), (1, 2)),
        Mirror.SYMMETRIC,
    ),
    _alone(
        ResizeNearestNeighbor, activation("x", _IMAGE), activation("y", (1, 8, 6, 2)), False, True
    ),
    _alone(SpaceToDepth, activation("x", _IMAGE), activation("y", (1, 2, 2, 8)), 2),
    _alone(DepthToSpace, activation("x", (1, 1, 2, 8)), activation("y", (1, 2, 4, 2)), 2),
    _alone(Abs, activation("x", _ROW), activation("y", _ROW)),
    _alone(Elu, activation("x", _ROW), activation("y", _ROW)),
    _alone(Exp, activation("x", _ROW), activation("y", _ROW)),
    _alone(HardSwish, activation("x", _ROW), activation("y", _ROW)),
    _alone(LeakyRelu, activation("x", _ROW), activation("y", _ROW), Numerics.TFLM, 0.25),
    _alone(Rsqrt, activation("x", _ROW, 0.05, -128), activation("y", _ROW)),
    _alone(Sum, activation("x", _IMAGE), activation("y", (1, 2), 0.4), (1, 2), False),
    _alone(ResizeBilinear, activation("x", _IMAGE), activation("y", (1, 7, 3, 2)), True, False),
    _alone(
        BatchToSpaceND,
        activation("x", (4, 2, 3, 2)),
        activation("y", (1, 3, 5, 2)),
        (2, 2),
        ((1, 0), (0, 1)),
    ),
    _alone(
        SpaceToBatchND,
        activation("x", (1, 3, 5, 2)),
        activation("y", (4, 2, 3, 2)),
        (2, 2),
        ((1, 0), (0, 1)),
        Numerics.TFLM,
    ),
    *(_compared(kind) for kind in (Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual)),
    _alone(
        L2Normalization, activation("x", _ROW), activation("y", _ROW, 1 / 128, 0), Activation.NONE
    ),
    _alone(LogSoftmax, activation("x", _ROW), activation("y", _ROW, 1 / 16, 127), 1.0),
    _alone(Cumsum, activation("x", _ROW), activation("y", _ROW, 0.2), 1, False, True),
    _alone(ReduceMax, activation("x", _IMAGE), activation("y", (1, 2)), (1, 2), False),
    _alone(ReduceMin, activation("x", _IMAGE), activation("y", (1, 4, 4, 1)), (3,), True),
    _alone(
        ReduceProd,
        plain("x", _IMAGE, DType.FLOAT32),
        plain("y", (1, 4, 4), DType.FLOAT32),
        (3,),
        False,
    ),
    *(
        _alone(kind, plain("x", _ROW, DType.BOOL), plain("y", (1, 1), DType.BOOL), (1,), True)
        for kind in (ReduceAll, ReduceAny)
    ),
    _alone(ArgMax, activation("x", _ROW), plain("y", (1,), DType.INT32), 1),
    _alone(ArgMin, activation("x", _IMAGE), plain("y", (1, 4, 2), DType.INT32), 2),
)
