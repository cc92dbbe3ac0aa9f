"""int8 operators that are tables: against the interpreters, over drawn quantizations.

All have the kernels of ``test_unary``, so few cases go to every core.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import any_scale, any_zero_point, float32, quantized
from tinygen.ir import Numerics, Op
from tinygen.ops import BY_KIND
from tinygen.ops.abs import Abs
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.elu import Elu
from tinygen.ops.exp import Exp
from tinygen.ops.hard_swish import HardSwish
from tinygen.ops.leaky_relu import LeakyRelu
from tinygen.ops.rsqrt import Rsqrt

KINDS: tuple[type[Elementwise], ...] = (Abs, Elu, Exp, HardSwish, LeakyRelu, Rsqrt)
ALPHAS = (0.2, 0.01, 0.3, -0.25, 0.0, 3.5, 1.0)


def drawn(kind: type[Elementwise], seed: int, numerics: Numerics) -> Elementwise | None:
    """An operator on all 256 values; None where its rules refuse what was drawn."""
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    name = f"{kind.kind.lower()}{seed}"
    wide = seed % 5 == 4
    scale = any_scale(rng, *((1e-6, 1e4) if wide else (1e-3, 0.3)))
    zero = -128 if kind is Rsqrt else any_zero_point(rng)
    ratio = float32(np.exp(rng.uniform(-4, 4))) if wide else rng.uniform(0.3, 2)
    if kind is Exp:
        ratio = np.exp(scale * (127 - zero)) / scale / 200
    if kind is Rsqrt:
        ratio = rng.uniform(0.005, 0.1) / np.sqrt(scale) / scale
    if not 1e-9 < scale * ratio < 1e9:
        return None
    if seed % 3 == 0 and kind not in (Exp, Rsqrt):
        ratio = float(rng.choice((2, 6, 1.5, 2 / 3, 0.4, 3)))  # where results meet halves
    own = (scale, zero) if seed % 4 == 3 else (scale * ratio, any_zero_point(rng))
    x, y = quantized(f"{name}_x", (256,), scale, zero), quantized(name, (256,), *own)
    attributes = (float32(ALPHAS[seed % len(ALPHAS)]),) if kind is LeakyRelu else ()
    op = kind(name, (x,), (y,), numerics, *attributes)
    return None if BY_KIND[kind.kind].violations(op) else op


def cases(numerics: Numerics, seeds: range) -> Iterator[Op]:
    # TFLite Micro's EXP has no int8, and LiteRT no reference kernel for ELU.
    missing = Exp if numerics is Numerics.TFLM else Elu
    for kind in KINDS:
        if kind is not missing:
            yield from filter(None, (drawn(kind, seed, numerics) for seed in seeds))


CASES: tuple[Op, ...] = (
    *cases(Numerics.TFLM, range(1, 2)),
    *(op for op in cases(Numerics.LITERT, range(1, 2)) if op.kind == "EXP"),
)


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *cases(Numerics.TFLM, range(20, 22))), count=6)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    found = tuple(cases(numerics, range(30)))
    assert len(found) > 100
    assert_interpreter_agrees(found, numerics, count=6)
