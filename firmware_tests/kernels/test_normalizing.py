"""L2_NORMALIZATION and LOG_SOFTMAX: rows of all lengths and scales."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import any_scale, any_zero_point, quantized
from tinygen.ir import Activation, Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.l2_normalization import L2Normalization
from tinygen.ops.log_softmax import LogSoftmax

SHAPES = ((3, 7), (1,), (2, 2, 2, 16), (5, 33), (2, 300))


def normalized(index: int) -> L2Normalization:
    rng = np.random.default_rng((1, index))
    shape = SHAPES[index % len(SHAPES)]
    x = quantized(f"l2_{index}_x", shape, any_scale(rng), any_zero_point(rng))
    y = quantized(f"l2_{index}", shape, 1 / 128, 0)
    return L2Normalization(y.name, (x,), (y,), Activation.NONE)


def logged(index: int) -> LogSoftmax:
    rng = np.random.default_rng((2, index))
    shape = SHAPES[index % len(SHAPES)]
    x = quantized(f"log_{index}_x", shape, any_scale(rng, 1e-5, 8.0), any_zero_point(rng))
    y = quantized(f"log_{index}", shape, 1 / 16, 127)
    return LogSoftmax(y.name, (x,), (y,), 1.0)


CASES: tuple[Op, ...] = (*map(normalized, range(3)), *map(logged, range(4)))
MORE: tuple[Op, ...] = (*map(normalized, range(3, 20)), *map(logged, range(4, 60)))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[::2]))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees((*CASES, *MORE), numerics, count=16)


def test_what_the_references_do_not_know_is_refused() -> None:
    op = normalized(0)
    assert "1/128" in definition_of(op).violations(replace(op, outputs=op.inputs))[0]
    fused = replace(op, activation=Activation.RELU)
    assert "activation" in definition_of(op).violations(fused)[0]
    log = logged(0)
    assert "1/16" in definition_of(log).violations(replace(log, outputs=log.inputs))[0]
