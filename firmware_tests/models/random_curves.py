"""Random operators that are tables, or choose by value, on the tensors of a graph in the making.

As in ``random_ops``, a function raises ``Illegal`` where it finds no operand.
"""

from collections.abc import Callable
from typing import Any

from firmware_tests.kernels.tensors import constant, float32
from firmware_tests.models.scene import Illegal, Scene, is_int8, thinned
from tinygen.ir import Activation, Numerics, Tensor
from tinygen.ops.abs import Abs
from tinygen.ops.binary import Binary
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.elu import Elu
from tinygen.ops.exp import Exp
from tinygen.ops.hard_swish import HardSwish
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.maximum import Maximum
from tinygen.ops.minimum import Minimum
from tinygen.ops.prelu import Prelu
from tinygen.ops.rsqrt import Rsqrt


def curve(scene: Scene) -> Tensor:
    """An int8 operator that is a table."""
    x = scene.pick(is_int8)
    # TFLite Micro's EXP has no int8, LiteRT no reference kernel for ELU.
    other: type[Elementwise] = Exp if scene.numerics is Numerics.LITERT else Elu
    kinds: tuple[type[Elementwise], ...] = (Abs, HardSwish, HardSwish, LeakyRelu, other, Rsqrt)
    kind = scene.choice(kinds)
    # RSQRT is not defined for negative values.
    if kind is Rsqrt and x.zero_point > -128:
        raise Illegal
    y = scene.like(x) if scene.chance(0.3) else scene.tensor(x.shape)
    alpha = (float32(scene.choice((0.1, 0.25, -0.5, 3.0))),) if kind is LeakyRelu else ()
    return scene.add(kind(y.name, (x,), (y,), scene.numerics, *alpha))


def chosen(scene: Scene) -> Tensor:
    """MAXIMUM, MINIMUM or PRELU."""
    a = scene.pick(is_int8)
    kind: type[Binary] = scene.choice((Maximum, Minimum, Prelu))
    shape = thinned(scene, a.shape)
    b = scene.constant_like(a, shape)
    if kind is Prelu:
        b = constant(b.name, shape, scene.scale(), scene.zero_point(), scene.rng)
    y = scene.tensor(a.shape) if kind is Prelu else scene.like(a)
    return scene.add(kind(y.name, (a, b), (y,), Activation.NONE))


CURVES: tuple[tuple[Callable[[Scene], Any], int], ...] = ((curve, 6), (chosen, 4))
