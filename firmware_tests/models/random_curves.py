"""Random operators that are tables or choose by value, on the tensors of a graph in the making.

As in ``random_ops``, a function raises ``Illegal`` where it finds no operand.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from firmware_tests.kernels.tensors import constant, float32, quantized
from firmware_tests.models.scene import Illegal, Scene, is_int8, is_vector, thinned
from tinygen.ir import Activation, DType, Numerics, Tensor
from tinygen.ops.abs import Abs
from tinygen.ops.add_n import AddN
from tinygen.ops.arg_max import ArgMax
from tinygen.ops.arg_min import ArgMin
from tinygen.ops.batch_matmul import BatchMatMul
from tinygen.ops.binary import Binary
from tinygen.ops.cast import Cast
from tinygen.ops.comparison import Comparison
from tinygen.ops.cumsum import Cumsum
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.elu import Elu
from tinygen.ops.equal import Equal
from tinygen.ops.exp import Exp
from tinygen.ops.greater import Greater
from tinygen.ops.greater_equal import GreaterEqual
from tinygen.ops.hard_swish import HardSwish
from tinygen.ops.l2_normalization import L2Normalization
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.less import Less
from tinygen.ops.less_equal import LessEqual
from tinygen.ops.log_softmax import LogSoftmax
from tinygen.ops.logical import Logical
from tinygen.ops.logical_and import LogicalAnd
from tinygen.ops.logical_not import LogicalNot
from tinygen.ops.logical_or import LogicalOr
from tinygen.ops.maximum import Maximum
from tinygen.ops.mean import Mean
from tinygen.ops.minimum import Minimum
from tinygen.ops.not_equal import NotEqual
from tinygen.ops.places import ArgExtreme
from tinygen.ops.prelu import Prelu
from tinygen.ops.reduce_all import ReduceAll
from tinygen.ops.reduce_any import ReduceAny
from tinygen.ops.reduce_max import ReduceMax
from tinygen.ops.reduce_min import ReduceMin
from tinygen.ops.reduce_prod import ReduceProd
from tinygen.ops.rsqrt import Rsqrt
from tinygen.ops.select_v2 import SelectV2
from tinygen.ops.squared_difference import SquaredDifference
from tinygen.ops.zeros_like import ZerosLike

COMPARISONS: tuple[type[Comparison], ...] = (
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
)


def plausible(scale: float) -> float:
    """``scale`` as a file has it. Raises Illegal for one that the front end may refuse."""
    if not 1e-7 < scale < 1e6:
        raise Illegal
    return float32(scale)


def curve(scene: Scene) -> Tensor:
    """An int8 operator that is a table."""
    x = scene.pick(is_int8)
    # TFLite Micro's EXP has no int8, LiteRT no reference kernel for ELU.
    other: type[Elementwise] = Exp if scene.numerics is Numerics.LITERT else Elu
    kinds: tuple[type[Elementwise], ...] = (Abs, HardSwish, HardSwish, LeakyRelu, other)
    kind = scene.choice(kinds)
    y = scene.like(x) if scene.chance(0.3) else scene.tensor(x.shape)
    alpha = (float32(scene.choice((0.1, 0.25, -0.5, 3.0))),) if kind is LeakyRelu else ()
    return scene.add(kind(y.name, (x,), (y,), scene.numerics, *alpha))


def rsqrt(scene: Scene) -> Tensor:
    """RSQRT of what is not negative, for which alone it is defined."""
    x = scene.pick(lambda t: is_int8(t) and t.zero_point == -128)
    y = scene.tensor(x.shape, float32(scene.rng.uniform(0.002, 0.1) / x.scale**0.5))
    return scene.add(Rsqrt(y.name, (x,), (y,), scene.numerics))


def chosen(scene: Scene) -> Tensor:
    """MAXIMUM, MINIMUM or PRELU."""
    a = scene.pick(is_int8)
    kind: type[Binary] = scene.choice((Maximum, Minimum, Prelu))
    shape = thinned(scene, a.shape)
    b = scene.constant_like(a, shape)
    if kind is Prelu:
        b = constant(b.name, shape, scene.scale(), scene.zero_point(), scene.rng)
    y = scene.tensor(a.shape) if kind is Prelu else scene.like(a)
    made = kind(y.name, (a, b), (y,), Activation.NONE)
    return scene.add(replace(made, numerics=scene.numerics) if isinstance(made, Prelu) else made)


def difference(scene: Scene) -> Tensor:
    """SQUARED_DIFFERENCE."""
    a = scene.pick(is_int8)
    shape = thinned(scene, a.shape)
    scale = plausible(a.scale * scene.rng.uniform(0.1, 4))
    b = constant(f"{scene.name()}_c", shape, scale, scene.zero_point(), scene.rng)
    y = scene.tensor(a.shape, plausible(max(a.scale, b.scale) ** 2 * scene.rng.uniform(10, 300)))
    return scene.add(SquaredDifference(y.name, (a, b), (y,), Activation.NONE))


def comparison(scene: Scene) -> Tensor:
    """Two tensors, or a tensor and a constant, compared."""
    a = scene.pick(is_int8)
    shape = thinned(scene, a.shape)
    b = constant(f"{scene.name()}_c", shape, a.scale, scene.zero_point(), scene.rng)
    if scene.chance(0.3):
        b = scene.pick(lambda t: is_int8(t) and t is not a and t.shape == a.shape)
    kind: type[Comparison] = scene.choice(COMPARISONS)
    y = Tensor(scene.name(), a.shape, DType.BOOL)
    return scene.add(kind(y.name, (a, b) if scene.chance(0.5) else (b, a), (y,)))


def truth(scene: Scene) -> Tensor:
    """What a comparison's result is for: to be joined, to choose, to be a number."""
    x = comparison(scene)
    y = scene.like(x)
    found = scene.integer(0, 4)
    if found == 0:
        return scene.add(LogicalNot(y.name, (x,), (y,)))
    if found < 3:
        other = scene.pick(lambda t: t.dtype is DType.BOOL and t.shape == x.shape)
        kind: type[Logical] = (LogicalAnd, LogicalOr)[found - 1]
        return scene.add(kind(y.name, (x, other), (y,)))
    if found == 3:
        dtype = scene.choice((DType.INT32, DType.FLOAT32))
        number = Tensor(y.name, x.shape, dtype)
        scene.magnitude[x] = 1.0
        return scene.add(Cast(y.name, (x,), (number,)))
    a = scene.pick(lambda t: is_int8(t) and t.shape == x.shape)
    b = scene.constant_like(a, thinned(scene, a.shape))
    chosen = scene.like(a)
    return scene.add(SelectV2(y.name, (x, a, b) if scene.chance(0.5) else (x, b, a), (chosen,)))


def zeros(scene: Scene) -> Tensor:
    # LiteRT's ZEROS_LIKE has no int8.
    known = [DType.FLOAT32] + [DType.INT8] * (scene.numerics is Numerics.TFLM)
    x = scene.pick(lambda t: t.dtype in known)
    y = scene.like(x)
    return scene.add(ZerosLike(y.name, (x,), (y,)))


def normalized(scene: Scene) -> Tensor:
    """L2_NORMALIZATION or LOG_SOFTMAX."""
    x = scene.pick(lambda t: is_vector(t) and len(t.shape) <= 4)
    if scene.chance(0.5):
        y = quantized(scene.name(), x.shape, 1 / 128, 0)
        return scene.add(L2Normalization(y.name, (x,), (y,), Activation.NONE))
    y = quantized(scene.name(), x.shape, 1 / 16, 127)
    return scene.add(LogSoftmax(y.name, (x,), (y,), 1.0))


def matmul(scene: Scene) -> Tensor:
    """BATCH_MATMUL by a constant or by the tensor itself."""
    a = scene.pick(lambda t: is_int8(t) and 2 <= len(t.shape) <= 5)
    *batch, rows, depth = a.shape
    columns, swapped = scene.integer(1, 6), scene.chance(0.5)
    shape = (columns, depth) if swapped else (depth, columns)
    b = constant(f"{scene.name()}_c", shape, scene.scale(), scene.zero_point(), scene.rng)
    if scene.chance(0.4):
        b, columns, swapped = a, rows, True
    scale = plausible(a.scale * b.scale * depth**0.5 * scene.rng.uniform(20, 200))
    y = scene.tensor((*batch, rows, columns), scale)
    return scene.add(BatchMatMul(y.name, (a, b), (y,), False, swapped))


def running_sum(scene: Scene) -> Tensor:
    """CUMSUM or ADD_N, which LiteRT does not have for int8."""
    if scene.numerics is Numerics.LITERT:
        raise Illegal
    x = scene.pick(is_vector)
    y = scene.tensor(x.shape, plausible(x.scale * scene.rng.uniform(0.3, 5)))
    if scene.chance(0.5):
        axis = scene.integer(0, len(x.shape) - 1)
        return scene.add(Cumsum(y.name, (x,), (y,), axis, scene.chance(0.5), scene.chance(0.5)))
    others = [scene.constant_like(x, x.shape) for _ in range(scene.integer(0, 2))]
    return scene.add(AddN(y.name, (x, x, *others), (y,)))


def extreme(scene: Scene) -> Tensor:
    """REDUCE_MAX or REDUCE_MIN over one axis, or where the extreme is."""
    x = scene.pick(is_vector)
    axis = scene.integer(0, len(x.shape) - 1)
    rest = (*x.shape[:axis], *x.shape[axis + 1 :])
    if scene.chance(0.5):
        reduction: type[Mean] = scene.choice((ReduceMax, ReduceMin))
        y = scene.like(x, rest)
        return scene.add(reduction(y.name, (x,), (y,), (axis,), False))
    place: type[ArgExtreme] = scene.choice((ArgMax, ArgMin))
    index = Tensor(scene.name(), rest, DType.INT32)
    return scene.add(place(index.name, (x,), (index,), axis))


def folded(scene: Scene) -> Tensor:
    """REDUCE_ALL of what comparisons made; REDUCE_ANY and REDUCE_PROD, which LiteRT alone has."""
    litert = scene.numerics is Numerics.LITERT
    kind: type[Mean] = scene.choice((ReduceAll, ReduceAny, ReduceProd) if litert else (ReduceAll,))
    dtype = DType.INT32 if kind is ReduceProd else DType.BOOL
    x = scene.pick(lambda t: t.dtype is dtype and len(t.shape) > 0)
    axis = scene.integer(0, len(x.shape) - 1)
    y = scene.like(x, (*x.shape[:axis], *x.shape[axis + 1 :]))
    return scene.add(kind(y.name, (x,), (y,), (axis,), False))


CURVES: tuple[tuple[Callable[[Scene], Any], int], ...] = (
    (curve, 6),
    (rsqrt, 3),
    (chosen, 4),
    (extreme, 6),
    (folded, 6),
    (difference, 3),
    (comparison, 6),
    (truth, 12),
    (zeros, 2),
    (normalized, 4),
    (matmul, 4),
    (running_sum, 6),
)
