"""Draws of operators with one operand on the types that random graphs do not give them."""

from firmware_tests.conformance.bench import Bench
from firmware_tests.kernels.tensors import float32
from firmware_tests.models.scene import Illegal
from tinygen.ir import DType, Op, QuantParams, Tensor
from tinygen.ops.ceil import Ceil
from tinygen.ops.cos import Cos
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.exp import Exp
from tinygen.ops.floor import Floor
from tinygen.ops.gelu import Gelu
from tinygen.ops.log import Log
from tinygen.ops.neg import Neg
from tinygen.ops.relu import Relu0To1
from tinygen.ops.round import Round
from tinygen.ops.rsqrt import Rsqrt
from tinygen.ops.sign import Sign
from tinygen.ops.sin import Sin
from tinygen.ops.sqrt import Sqrt
from tinygen.ops.square import Square

KINDS: tuple[type[Elementwise], ...] = (
    Ceil, Cos, Exp, Floor, Gelu, Log, Neg, Relu0To1, Round, Rsqrt, Sign, Sin, Sqrt, Square,
)  # fmt: skip


def result_scale(bench: Bench, kind: type[Op], x: Tensor) -> float:
    """So that results use some of the output's range."""
    most = 2.0 ** (8 * x.dtype.size - 1)
    if kind is Rsqrt:
        return float(bench.rng.uniform(0.01, 2) / x.scale**0.5 / most)
    if kind is Sqrt:
        return float(bench.rng.uniform(0.3, 3) * (x.scale * most) ** 0.5 / most)
    if kind is Exp:
        return float(bench.rng.uniform(0.3, 3) * 2.0 ** min(90.0, x.scale * most * 1.44) / most)
    return x.scale * float(bench.rng.uniform(0.3, 2))


def curve(bench: Bench) -> Tensor:
    """One of all kinds, on the type that is asked for."""
    kind = bench.choice(KINDS)
    x = bench.tensor_of(bench.dtype, bench.shape())
    y = Tensor(bench.name(), x.shape, x.dtype, x.quant)
    if x.quant is not None:
        zero = -128 if kind in (Rsqrt, Sqrt) and x.dtype is DType.INT8 else x.zero_point
        scale = result_scale(bench, kind, x)
        if not 1e-7 < scale < 1e6:
            raise Illegal
        x = Tensor(x.name, x.shape, x.dtype, QuantParams((x.scale,), (zero,)))
        y = bench.quantized_like(y, float32(scale))
    extra = (bench.chance(0.5),) if kind is Gelu else ()
    return bench.add(kind(y.name, (x,), (y,), bench.numerics, *extra))


DRAWS = (curve,)
