"""Operators with one operand beyond int8: float32, int16, and integers as they are stored."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    check_native,
    compile_cases,
    expected,
    run_native,
)
from firmware_tests.kernels.tensors import any_scale, float32, plain, quantized
from firmware_tests.models.writer import to_tflite
from tinygen.compile import Options
from tinygen.interpreters import run_reference
from tinygen.ir import Activation, DType, Graph, Numerics, Op, Tensor
from tinygen.ops import BY_KIND
from tinygen.ops.abs import Abs
from tinygen.ops.add import Add
from tinygen.ops.ceil import Ceil
from tinygen.ops.cos import Cos
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.elu import Elu
from tinygen.ops.exp import Exp
from tinygen.ops.floor import Floor
from tinygen.ops.gelu import Gelu
from tinygen.ops.hard_swish import HardSwish
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.log import Log
from tinygen.ops.logistic import Logistic
from tinygen.ops.neg import Neg
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu0To1, Relu6, ReluN1To1
from tinygen.ops.round import Round
from tinygen.ops.rsqrt import Rsqrt
from tinygen.ops.sign import Sign
from tinygen.ops.sin import Sin
from tinygen.ops.sqrt import Sqrt
from tinygen.ops.square import Square
from tinygen.ops.tanh import Tanh
from tinygen.select import best
from tinygen.vectors import draw_vectors

FLOAT: tuple[type[Elementwise], ...] = (
    Abs, Ceil, Cos, Elu, Exp, Floor, Gelu, HardSwish, LeakyRelu, Log, Logistic, Neg, Relu, Relu0To1,
    Relu6, ReluN1To1, Round, Rsqrt, Sign, Sin, Sqrt, Square, Tanh,
)  # fmt: skip
# Those that TFLite Micro does not have at all, and those that LiteRT has no reference kernel for.
NOT_TFLM, NOT_LITERT = (Gelu, Relu0To1, ReluN1To1, Sign), (Ceil, Elu, Round)
STORED = (
    (Abs, DType.INT32),
    (Abs, DType.INT16),
    (Neg, DType.INT8),
    (Neg, DType.INT16),
    (Neg, DType.INT32),
    (Neg, DType.INT64),
    (Sign, DType.INT32),
)
TABLED = (Gelu, Log, Sqrt, Relu0To1)
WIDE = (Abs, Exp, Log, Relu, Relu6, Rsqrt, Sqrt)
POSITIVE = (Rsqrt, Sqrt)  # whose references stop at negative values


def made(
    kind: type[Elementwise], x: Tensor, y: Tensor, numerics: Numerics, index: int = 0
) -> Elementwise:
    """The operator, with attributes that ``index`` tells."""
    attributes: dict[str, object] = {}
    if kind is LeakyRelu:
        attributes = {"alpha": float32((0.2, -0.3)[index % 2])}
    if kind is Gelu:
        attributes = {"approximate": index % 2 == 1}
    return kind(y.name, (x,), (y,), numerics, **attributes)


def real(kind: type[Elementwise], numerics: Numerics, index: int = 0) -> Elementwise:
    """On float32, which is drawn from -10 to 10."""
    name = f"{kind.kind.lower()}_real{index}"
    x, y = (plain(n, (3, 71), DType.FLOAT32) for n in (f"{name}_x", name))
    return made(kind, x, y, numerics, index)


def stored(kind: type[Elementwise], dtype: DType, numerics: Numerics) -> Elementwise:
    """On integers that are what they are."""
    name = f"{kind.kind.lower()}_{dtype.value}"
    x, y = (plain(n, (67,), dtype) for n in (f"{name}_x", name))
    return made(kind, x, y, numerics)


def output_scale(kind: type[Elementwise], scale: float, rng: np.random.Generator) -> float:
    """So that results use some of the range of int16."""
    if kind is Rsqrt:
        return float(rng.uniform(0.001, 0.9) / np.sqrt(scale) / 2**15)
    if kind is Sqrt:
        return float(rng.uniform(0.5, 2) * np.sqrt(scale * 2**15) / 2**15)
    if kind is Exp:
        return float(np.exp(scale * 2**15) / 2**15)
    return scale * float(rng.choice((1.0, 0.7, 1.9)))


def wide(kind: type[Elementwise], index: int, numerics: Numerics) -> Elementwise | None:
    """On int16; None where the rules refuse what was drawn."""
    rng = np.random.default_rng((index, WIDE.index(kind)))
    name, scale = f"{kind.kind.lower()}_wide{index}", any_scale(rng, 1e-5, 1e-3)
    shape = (7, 300)
    x = quantized(f"{name}_x", shape, scale, 0, dtype=DType.INT16)
    y = quantized(name, shape, output_scale(kind, scale, rng), 0, dtype=DType.INT16)
    op = made(kind, x, y, numerics, index)
    return None if BY_KIND[kind.kind].violations(op) else op


def tabled(kind: type[Elementwise], index: int, numerics: Numerics) -> Elementwise | None:
    """On int8; None where the rules refuse what was drawn."""
    rng = np.random.default_rng((index, TABLED.index(kind)))
    name, scale = f"{kind.kind.lower()}_table{index}", any_scale(rng, 1e-3, 0.2)
    zero = -128 if kind in POSITIVE else int(rng.integers(-128, 128))
    x = quantized(f"{name}_x", (300,), scale, zero)
    own = (any_scale(rng, 1e-2, 0.1), int(rng.integers(-128, 128)))
    y = quantized(name, (300,), *(own if index % 2 else (scale, zero)))
    op = made(kind, x, y, numerics, index)
    return None if BY_KIND[kind.kind].violations(op) else op


def cases(numerics: Numerics, count: int) -> Iterator[Op]:
    """Every operator and type, of those that may vary so many."""
    for kind in FLOAT:
        yield from (real(kind, numerics, i) for i in range(1 + (kind in (Gelu, LeakyRelu))))
    yield from (stored(kind, dtype, numerics) for kind, dtype in STORED)
    drawn = [wide(kind, i, numerics) for kind in WIDE for i in range(count)]
    drawn += [tabled(kind, i, numerics) for kind in TABLED for i in range(count)]
    yield from (op for op in drawn if op is not None)


# TFLite Micro's cases, and those of LiteRT's that have other kernels.
CASES: tuple[Op, ...] = (
    *cases(Numerics.TFLM, 1),
    *(op for op in [tabled(Relu0To1, 1, Numerics.LITERT), wide(Rsqrt, 0, Numerics.LITERT)] if op),
)


@pytest.mark.parametrize("numerics", Numerics)
def test_every_row_gives_the_references_results(numerics: Numerics) -> None:
    check_native(cases(numerics, 3))


def interpreted(op: Op, numerics: Numerics) -> bool:
    """Whether the interpreter of ``numerics`` runs it, and does not stop at a negative value."""
    kind, dtype = type(op), op.x.dtype
    if isinstance(op, POSITIVE) and dtype is not DType.FLOAT32:
        return False
    if numerics is Numerics.LITERT:
        return not isinstance(op, NOT_LITERT)
    integers = kind in (Exp, Log, Sqrt, Neg) or (kind, dtype) == (Abs, DType.INT32)
    return not isinstance(op, NOT_TFLM) and not (integers and dtype is not DType.FLOAT32)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_the_reference_is_the_interpreters(numerics: Numerics) -> None:
    found = [op for op in cases(numerics, 8) if interpreted(op, numerics)]
    assert len(found) > 40
    assert_interpreter_agrees(found, numerics)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_roots_of_int16_are_the_interpreters_behind_a_relu(numerics: Numerics) -> None:
    kinds = POSITIVE if numerics is Numerics.LITERT else (Rsqrt,)
    roots = [op for kind in kinds for i in range(8) if (op := wide(kind, i, numerics))]
    assert len(roots) >= 6
    ops: list[Op] = []
    for root in roots:
        x = replace(root.x, name=f"{root.name}_any")
        ops += [Relu(root.x.name, (x,), (root.x,), numerics), root]
    graph = Graph(
        "roots", tuple(op.x for op in ops[::2]), tuple(root.y for root in roots), tuple(ops)
    )
    inputs = draw_vectors(graph, 8, 3).inputs
    stacked = tuple(np.stack(column) for column in zip(*inputs, strict=True))
    theirs = run_reference(to_tflite(graph), stacked, numerics)
    mine = zip(*expected(graph, inputs), strict=True)
    for root, got, want in zip(roots, mine, theirs, strict=True):
        assert np.array_equal(np.stack(got), want), root.name


def test_passes_change_no_byte_of_a_model_of_many_types() -> None:
    """int8, float32 and int16 in turn, in places where a pass would find something in int8."""
    shape = (1, 4, 4, 3)
    x, *bytewise = (quantized(f"byte{i}", shape, 0.05, 3) for i in range(4))
    reals = [plain(f"real{i}", shape, DType.FLOAT32) for i in range(6)]
    shorts = [quantized(f"short{i}", shape, 2.0**-10, 0, dtype=DType.INT16) for i in range(5)]
    vector = Tensor("c", (3,), DType.FLOAT32, None, np.array([1, 2, 3], np.float32))
    negative = plain("negative", (3,), DType.FLOAT32)
    ops = (
        Dequantize("real0", (x,), (reals[0],)),
        Relu6("real1", (reals[0],), (reals[1],)),
        Relu("real2", (reals[1],), (reals[2],)),
        LeakyRelu("real3", (reals[2],), (reals[3],), Numerics.TFLM, float32(0.3)),
        Neg("negative", (vector,), (negative,)),
        Add("real4", (reals[3], negative), (reals[4],), Activation.NONE),
        Relu("real5", (reals[4],), (reals[5],)),
        Quantize("short0", (reals[5],), (shorts[0],)),
        Relu("short1", (shorts[0],), (shorts[1],)),
        Relu6("short2", (shorts[1],), (shorts[2],)),
        Abs("short3", (shorts[2],), (shorts[3],)),
        Neg("short4", (shorts[3],), (shorts[4],)),
        Quantize("byte1", (shorts[4],), (bytewise[0],)),
        Neg("byte2", (bytewise[0],), (bytewise[1],)),
        Relu("byte3", (bytewise[1],), (bytewise[2],)),
    )
    graph = Graph("chain", (x,), (bytewise[2], shorts[4], reals[4]), ops)
    inputs = draw_vectors(graph, 9, 3).inputs
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    assert len(program.graph.ops) < len(ops)
    assert_equal(program.graph, inputs, run_native(program, inputs), expected(graph, inputs))
