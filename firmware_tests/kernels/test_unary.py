"""Activations, QUANTIZE and DEQUANTIZE: every row against the reference, and the reference against
the interpreters. Inputs of 256 elements or more see every value."""

from collections.abc import Iterator

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    check_native,
    compile_cases,
    expected,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import any_scale, any_zero_point, plain, quantized, twin
from tinygen.compile import Options
from tinygen.ir import Array, DType, Numerics, Op, Tensor
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.logistic import LOGISTIC, Logistic
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6, ReluN1To1
from tinygen.ops.tanh import TANH, Tanh
from tinygen.select import best

SHAPES = ((1, 5, 7, 3), (1,), (1021,), (4, 1, 64))
INPUT_SCALES = (0.05, 0.1, 0.3, 1.0, 0.01, 1e-4, 7.0, 1 / 16, 12.0, 40.0, 475.0, 1e6, 1e-8)


def activations(numerics: Numerics) -> Iterator[Op]:
    """LOGISTIC, TANH and the RELUs, with equal and with different scales."""
    for index in range(16):
        rng = np.random.default_rng(index)
        shape, zero = SHAPES[index % len(SHAPES)], any_zero_point(rng)
        scale = INPUT_SCALES[index % len(INPUT_SCALES)] * rng.uniform(0.9, 1.1)

        def tensors(
            name: str,
            out: tuple[float, int],
            source: tuple[tuple[int, ...], float, int] = (shape, scale, zero),
        ) -> tuple[tuple[Tensor], tuple[Tensor]]:
            x = quantized(f"{name}_x", *source)
            return (x,), (quantized(name, source[0], *out),)

        own = (scale, zero) if index % 2 else (scale * rng.uniform(0.3, 2), any_zero_point(rng))
        name = f"logistic{index}"
        yield Logistic(name, *tensors(name, (1 / 256, -128)), numerics)
        name = f"tanh{index}"
        yield Tanh(name, *tensors(name, (1 / 128, 0)), numerics)
        name = f"relu{index}"
        yield Relu(name, *tensors(name, own), numerics)
        name = f"relu6_{index}"
        yield Relu6(name, *tensors(name, own), numerics)


def relu_n1_to_1s() -> Iterator[Op]:
    """RELU_N1_TO_1, which TFLite Micro does not have."""
    for index in range(8):
        rng = np.random.default_rng(index)
        name, scale = f"n1to1_{index}", any_scale(rng, 1e-3, 0.1)
        x = quantized(f"{name}_x", (300,), scale, any_zero_point(rng))
        y = quantized(name, (300,), scale if index % 2 else 1.7 * scale, any_zero_point(rng))
        yield ReluN1To1(name, (x,), (y,), Numerics.LITERT)


def conversions(numerics: Numerics) -> Iterator[Op]:
    """QUANTIZE and DEQUANTIZE; TFLite Micro has fewer pairs of types."""
    for index in range(16):
        rng = np.random.default_rng(index)
        shape = SHAPES[index % len(SHAPES)]
        scale, zero = any_scale(rng, 1e-4, 10), any_zero_point(rng)
        other = scale if index % 4 == 0 else scale * rng.uniform(0.1, 10)
        name = f"requantize{index}"
        x = quantized(f"{name}_x", shape, scale, zero)
        yield Quantize(name, (x,), (quantized(name, shape, other, any_zero_point(rng)),))
        name = f"to_unsigned{index}"
        x = quantized(f"{name}_x", shape, scale, zero)
        target = zero + 128 if index % 2 else int(rng.integers(0, 256))
        yield Quantize(name, (x,), (quantized(name, shape, other, target, dtype=DType.UINT8),))
        name = f"to_signed{index}"
        x = quantized(f"{name}_x", shape, scale, zero + 128, dtype=DType.UINT8)
        yield Quantize(name, (x,), (quantized(name, shape, other, zero),))
        name = f"from_float{index}"
        x = plain(f"{name}_x", shape, DType.FLOAT32)
        yield Quantize(name, (x,), (quantized(name, shape, scale, zero),))
        if numerics is Numerics.LITERT:
            unsigned = any_zero_point(rng) + 128
            name = f"from_float_unsigned{index}"
            x = plain(f"{name}_x", shape, DType.FLOAT32)
            y = quantized(name, shape, scale, unsigned, dtype=DType.UINT8)
            yield Quantize(name, (x,), (y,))
            name = f"unsigned{index}"
            x = quantized(f"{name}_x", shape, other, zero + 128, dtype=DType.UINT8)
            y = quantized(name, shape, scale, unsigned, dtype=DType.UINT8)
            yield Quantize(name, (x,), (y,))
        for dtype in (DType.INT8, DType.UINT8, DType.INT16):
            name = f"to_float_{dtype.value}_{index}"
            own = {DType.INT8: zero, DType.UINT8: zero + 128, DType.INT16: 0}[dtype]
            x = quantized(f"{name}_x", shape, scale, own, dtype=dtype)
            yield Dequantize(name, (x,), (plain(name, shape, DType.FLOAT32),))


def cases(numerics: Numerics) -> tuple[Op, ...]:
    """Every case that the interpreter of ``numerics`` runs."""
    only = relu_n1_to_1s() if numerics is Numerics.LITERT else ()
    return (*activations(numerics), *conversions(numerics), *only)


CASES: tuple[Op, ...] = cases(Numerics.LITERT)


@pytest.mark.parametrize("numerics", Numerics)
def test_every_row_gives_the_references_bytes(numerics: Numerics) -> None:
    check_native(cases(numerics))


def test_results_are_the_same_in_place_and_not() -> None:
    check_native([case for op in CASES[::6] for case in (twin(op), op)], count=4)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(cases(numerics), numerics)


@pytest.mark.parametrize(
    ("values", "want"),
    [
        ([0.5, -0.5, 1.5, -1.5, 2.5, -2.5], [1, -1, 2, -2, 3, -3]),
        ([0.49999997, -0.49999997, 0.0, -0.0], [0, 0, 0, 0]),
        ([1e30, -1e30, np.inf, -np.inf, np.nan], [127, -128, 127, -128, 0]),
    ],
    ids=["halves away from zero", "just below a half", "saturates"],
)
def test_quantize_rounds_and_saturates(values: list[float], want: list[int]) -> None:
    x = plain("x", (len(values),), DType.FLOAT32)
    graph = graph_of([Quantize("q", (x,), (quantized("q", (len(values),), 1.0, 0),))])
    inputs: list[tuple[Array, ...]] = [(np.array(values, np.float32),)]
    assert expected(graph, inputs)[0][0].tolist() == want
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    assert run_native(program, inputs)[0][0].tolist() == want


def test_logistic_and_tanh_need_the_standard_output_range() -> None:
    x, y = quantized("x", (4,), 0.1, 0), quantized("y", (4,), 0.01, 0)
    assert "1/256" in LOGISTIC.violations(Logistic("y", (x,), (y,)))[0]
    assert "1/128" in TANH.violations(Tanh("y", (x,), (y,)))[0]
