"""A damaged or malicious file ends in one clear error, soon and without much memory."""

import random
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_tests.kernels.harness import graph_of
from firmware_tests.kernels.tensors import plain
from firmware_tests.models.controls import while_op
from firmware_tests.models.edit import edited, setting, shaped, with_inputs, with_outputs
from firmware_tests.models.parts import activation
from firmware_tests.models.random_states import random_stateful_graph
from firmware_tests.models.samples import SAMPLES, conv2d, residual, sub
from firmware_tests.models.writer import to_tflite
from tinygen.compile import Options, compile_model
from tinygen.emit import emit
from tinygen.errors import ModelError, TinygenError
from tinygen.frontend.tflite import inspect_model, read_model
from tinygen.ir import DType, Graph, Numerics, QuantParams, Tensor, verify
from tinygen.isa import Isa
from tinygen.ops.cast import Cast
from tinygen.vectors import draw_vectors

SEED = 20240229
# Far above what a read takes, far below what a hang takes.
LIMIT_S = 5.0


def attempt(model: bytes) -> str:
    """What comes of reading ``model``; anything but a graph or our own error fails the test."""
    start = time.process_time()
    try:
        graph = read_model(model, "hostile.tflite", Numerics.TFLM)
    except TinygenError as error:
        outcome = type(error).__name__
        assert error.message.startswith("hostile.tflite: ")
        assert error.hint
    else:
        verify(graph)
        outcome = str(graph)
    assert time.process_time() - start < LIMIT_S
    return outcome


def refusal(model: bytes) -> str:
    with pytest.raises(ModelError) as caught:
        inspect_model(model, "hostile.tflite", Numerics.TFLM)
    assert caught.value.hint
    return caught.value.message


# What is malformed in one place.


@pytest.mark.parametrize(
    "model",
    [b"", b"TFL3", b"\x1c\0\0\0TFL3", b"\x89HDF\r\n\x1a\n" + bytes(64), b"PK\x03\x04" + bytes(64)],
    ids=["empty", "four bytes", "eight bytes", "hdf5", "zip"],
)
def test_a_file_of_another_kind_is_refused(model: bytes) -> None:
    refusal(model)


def test_every_truncation_is_refused() -> None:
    model = to_tflite(conv2d())
    for length in range(len(model)):
        assert attempt(model[:length]) == "ModelError"


def requantized(**changes: Any) -> Graph:
    """The subtraction, its input quantized otherwise."""
    graph = sub()
    quant = QuantParams(changes.get("scale", (0.1,)), changes.get("zero_point", (0,)),
                        changes.get("axis"))  # fmt: skip
    x = Tensor("x", (1, 4, 3), changes.get("dtype", DType.INT8), quant)
    op = replace(graph.ops[0], inputs=(x, graph.ops[0].inputs[1]))
    return replace(graph, inputs=(x,), ops=(op,))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": (0.0,)}, "scale is not a positive number"),
        ({"scale": (-0.5,)}, "scale is not a positive number"),
        ({"scale": (float("inf"),)}, "scale is not a positive number"),
        ({"scale": (float("nan"),)}, "scale is not a positive number"),
        ({"scale": (1e-40,)}, "scale of 9.99995e-41 to 9.99995e-41 makes no sense"),
        ({"scale": (1e30,)}, "makes no sense"),
        ({"zero_point": (128,)}, "outside the range of int8, -128 to 127"),
        ({"zero_point": (-129,)}, "outside the range of int8, -128 to 127"),
        ({"zero_point": (2**63 - 1,)}, "outside the range of int8, -128 to 127"),
        ({"zero_point": (-1,), "dtype": DType.UINT8}, "outside the range of uint8, 0 to 255"),
        ({"scale": (0.1, 0.2)}, "2 quantization scales and 1 zero points"),
        ({"scale": (0.1,) * 3, "zero_point": (0,) * 3, "axis": 1}, "3 quantization scales along"),
        ({"scale": (0.1,) * 3, "zero_point": (0,) * 3, "axis": 3}, "3 quantization scales along"),
        ({"scale": (0.1,) * 3, "zero_point": (0,) * 3, "axis": -1}, "3 quantization scales along"),
    ],
)
def test_impossible_quantization_is_refused(changes: dict[str, Any], words: str) -> None:
    message = refusal(to_tflite(requantized(**changes)))
    assert "tensor 'x'" in message
    assert words in message


def negative_code(model: Any) -> None:
    model.operatorCodes[0].builtinCode = -5
    model.operatorCodes[0].deprecatedBuiltinCode = -5


FIRST = "subgraphs.0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (setting("version", 2), "schema version 2"),
        (setting("subgraphs", []), "no subgraph"),
        (setting(f"{FIRST}.outputs", None), "no outputs"),
        (setting(f"{FIRST}.inputs", np.array([0, 0])), "lists an input twice"),
        (setting(f"{FIRST}.inputs", np.array([99])), "names tensor 99 of 5"),
        (setting(f"{FIRST}.outputs", np.array([-1])), "names tensor -1 of 5"),
        (setting(f"{FIRST}.outputs", np.array([-(2**31)])), "names tensor -2147483648 of 5"),
        (setting(f"{FIRST}.operators.0.opcodeIndex", 7), "operator code 7 of 2"),
        (setting(f"{FIRST}.operators.0.opcodeIndex", 2**32 - 1), "operator code 4294967295 of 2"),
        (negative_code, "operator code -5 is negative"),
        (setting(f"{FIRST}.tensors.0.type", 99), "unknown element type 99"),
        (setting(f"{FIRST}.tensors.0.type", -1), "unknown element type -1"),
        (setting(f"{FIRST}.tensors.0.buffer", 1000), "names buffer 1000"),
        (setting(f"{FIRST}.tensors.1.buffer", 0), "reads tensor 'kernel', which has no value"),
        (setting("buffers.1.data", np.zeros(3, np.uint8)), "'kernel' (1): holds 3 bytes"),
        (setting("buffers.1.data", np.zeros(5, np.uint8)), "'kernel' (1): holds 5 bytes"),
        (setting(f"{FIRST}.tensors.0.name", "x" * 5000), "a name has 5000 bytes"),
        (setting(f"{FIRST}.tensors.0.name", b"\xff\xfe"), "not UTF-8"),
        (shaped(1, -4, 4, 2), "impossible shape (1, -4, 4, 2)"),
        (shaped(*([1] * 40)), "impossible shape of 40 dimensions"),
        (shaped(2**16, 2**16, 2**16, 2**16), "larger than 2 GiB"),
        (with_inputs(0, 1, 77), "operator 0 (CONV_2D) names tensor 77 of 5"),
        (with_inputs(0, 1, -2), "operator 0 (CONV_2D) names tensor -2 of 5"),
        (with_inputs(0, -1, 2), "CONV_2D 'conv' leaves out an input that it needs"),
        (with_inputs(), "CONV_2D 'conv' has 0 inputs"),
        (with_outputs(), "ADD 'sum' reads tensor 'conv', which has no value"),
        (with_outputs(-1), "names tensor -1"),
        (with_outputs(0), "writes tensor 'input', which has a value already"),
        (with_outputs(1), "writes tensor 'kernel', which has a value already"),
        (with_outputs(4), "ADD 'sum#2' reads tensor 'conv', which has no value"),
        (with_inputs(3, 1, 2), "CONV_2D 'conv' reads tensor 'conv' before CONV_2D 'conv' writes"),
        (with_inputs(4, 1, 2), "CONV_2D 'conv' reads tensor 'sum' before ADD 'sum' writes it"),
        (setting(f"{FIRST}.operators.0.builtinOptions.strideH", 0), "must be positive"),
        (setting(f"{FIRST}.operators.0.builtinOptions.strideW", -1), "must be positive"),
        (setting(f"{FIRST}.operators.0.builtinOptions.padding", 2), "unknown padding scheme"),
        (setting(f"{FIRST}.operators.0.builtinOptions.fusedActivationFunction", 50), "activation"),
        (setting(f"{FIRST}.operators.0.builtinOptions.fusedActivationFunction", -5), "activation"),
        (setting(f"{FIRST}.operators.0.builtinOptionsType", 11), "options of another operator"),
        (
            setting(f"{FIRST}.operators.0.builtinOptionsType", 100),
            "carries options of unknown type 100",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_contradiction_is_refused(change: Callable[[Any], None], words: str) -> None:
    assert words in refusal(edited(to_tflite(residual()), change))


def test_data_outside_the_file_is_refused() -> None:
    def change(model: Any) -> None:
        model.buffers[1].data = None
        model.buffers[1].offset = 2**63
        model.buffers[1].size = 12

    assert "its data lies outside the file" in refusal(edited(to_tflite(sub()), change))


def test_two_operators_that_write_one_tensor_are_refused() -> None:
    graph = sub()
    model = to_tflite(replace(graph, ops=graph.ops * 2))
    assert "writes tensor 'y', which has a value already" in refusal(model)


# Bombs: small files that ask for endless work or memory.


def shared_operators(count: int, inputs: int) -> bytes:
    """``count`` operators that are all the same table, with ``inputs`` inputs."""
    builder = flatbuffers.Builder(1024)
    indices = builder.CreateNumpyVector(np.zeros(inputs, np.int32))
    tflite.OperatorStart(builder)
    tflite.OperatorAddInputs(builder, indices)
    operator = tflite.OperatorEnd(builder)
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(operator)
    operators = builder.EndVector()
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddOperators(builder, operators)
    subgraph = tflite.SubGraphEnd(builder)
    builder.StartVector(4, 1, 4)
    builder.PrependUOffsetTRelative(subgraph)
    subgraphs = builder.EndVector()
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddSubgraphs(builder, subgraphs)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_operators_that_share_one_huge_table_are_refused_soon() -> None:
    start = time.process_time()
    message = refusal(shared_operators(count=100_000, inputs=100_000))
    assert "overlap or repeat endlessly" in message
    assert time.process_time() - start < LIMIT_S


def test_a_huge_shape_takes_no_memory() -> None:
    model = edited(to_tflite(residual()), shaped(1, 2**15, 2**15, 1))
    tracemalloc.start()
    try:
        attempt(model)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


# Blind damage.

WORDS = (0, 1, 3, 0x100, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC, 0x7F800000)


@pytest.mark.parametrize("sample", [conv2d, residual], ids=lambda s: s.__name__)
def test_every_word_may_be_anything(sample: Callable[[], Graph]) -> None:
    model = to_tflite(sample())
    for position in range(0, len(model) - 3, 4):
        for word in (*WORDS, len(model), len(model) - position):
            damaged = bytearray(model)
            struct.pack_into("<I", damaged, position, word)
            attempt(bytes(damaged))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes_after_the_identifier_are_refused(tail: bytes) -> None:
    assert attempt(b"\x08\0\0\0TFL3" + tail) == "ModelError"


@st.composite
def damage(draw: st.DrawFn, model: bytes) -> bytes:
    """``model`` with some bytes overwritten, moved or cut off."""
    damaged = bytearray(model)
    for _ in range(draw(st.integers(1, 6))):
        position = draw(st.integers(0, len(damaged) - 1))
        match draw(st.sampled_from(("bit", "byte", "word", "move", "cut"))):
            case "bit":
                damaged[position] ^= 1 << draw(st.integers(0, 7))
            case "byte":
                damaged[position] = draw(st.integers(0, 255))
            case "word":
                damaged[position : position + 4] = struct.pack("<I", draw(st.sampled_from(WORDS)))
            case "move":
                source = draw(st.integers(0, len(damaged) - 1))
                damaged[position : position + 8] = damaged[source : source + 8]
            case "cut" if position > 8:
                del damaged[position:]
    return bytes(damaged)


@settings(
    max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(damage(to_tflite(residual())))
def test_damage_ends_in_a_graph_or_an_error(model: bytes) -> None:
    attempt(model)


def mutations(model: bytes, count: int, seed: str) -> Iterator[bytes]:
    """Damage to the tables, which lie near both ends of a file, rather than to the weights."""
    rng = random.Random(f"{SEED}{seed}")
    for _ in range(count):
        damaged = bytearray(model)
        for _ in range(rng.choice((1, 1, 2, 4))):
            position = rng.randrange(min(4000, len(model) - 8))
            if rng.random() < 0.5:
                position = len(model) - 8 - position
            if rng.random() < 0.5:
                damaged[position] ^= 1 << rng.randrange(8)
            else:
                word = rng.choice((*WORDS, len(model) - position))
                struct.pack_into("<I", damaged, position // 4 * 4, word)
        yield bytes(damaged)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_damaged_operators_become_c_or_an_error(sample: Callable[[], Graph]) -> None:
    """Attributes and scales that pass the front end must not surprise a later stage."""
    compiled = 0
    for model in mutations(to_tflite(sample()), 200, sample.__name__):
        try:
            emit(compile_model(model, "hostile.tflite", "host", Isa.ANY, Options()))
        except TinygenError:
            continue
        compiled += 1
    assert compiled


@pytest.mark.corpus
def test_damaged_models_of_the_corpus_end_in_a_graph_or_an_error(corpus: Path) -> None:
    files = sorted((corpus / "tflite").glob("*_int8.tflite"))
    assert files
    for path in files:
        for model in mutations(path.read_bytes(), 100, path.name):
            attempt(model)


def test_a_name_in_an_error_is_not_repeated_without_bound() -> None:
    """Thousands of operators with long names stay within some multiple of the file."""
    x = activation("x", (1, 4, 3))
    graph = sub()
    tensors = [activation(f"{i:04}" + "n" * 4000, (1, 4, 3)) for i in range(200)]
    ops = tuple(replace(graph.ops[0], name=t.name, inputs=(x, x), outputs=(t,)) for t in tensors)
    model = to_tflite(Graph("long", (x,), (tensors[-1],), ops))
    unknown = edited(model, setting("operatorCodes.0.builtinCode", 5000))
    found = inspect_model(unknown, "hostile.tflite", Numerics.TFLM)
    assert sum(map(len, found.problems)) < 2 * len(model)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
@pytest.mark.parametrize("ends", ["inputs", "outputs"])
@pytest.mark.parametrize("kept", [0, 1])
def test_operators_that_lack_inputs_or_outputs_end_in_a_graph_or_an_error(
    sample: Callable[[], Graph], ends: str, kept: int
) -> None:
    def change(model: Any) -> None:
        for op in model.subgraphs[0].operators:
            setattr(op, ends, list(getattr(op, ends))[:kept] or None)

    attempt(edited(to_tflite(sample()), change))  # some operators need only one


def loop_model(change: Callable[[Any], None]) -> bytes:
    return edited(to_tflite(graph_of([while_op("loop", (2, 3))])), change)


def test_a_loop_without_a_condition_is_refused() -> None:
    """Found by the fuzzer: there was an IndexError."""

    def change(model: Any) -> None:
        condition = min(model.subgraphs[1:], key=lambda subgraph: len(subgraph.outputs))
        condition.outputs = None

    assert "its condition has 0 outputs, not 1" in refusal(loop_model(change))


def test_a_constant_that_is_marked_as_state_is_a_problem() -> None:
    """Found by the fuzzer: TFLite Micro resets it, and initialized a variable with that."""
    found = (random_stateful_graph(seed, Numerics.TFLM) for seed in range(100))
    model = to_tflite(next(graph for graph in found if graph))

    def change(tree: Any) -> None:
        for tensor in tree.subgraphs[1].tensors:
            tensor.isVariable = tensor.buffer > 0

    problems = inspect_model(edited(model, change), "m.tflite", Numerics.TFLM).problems
    assert any("is state that outlives an invocation" in problem for problem in problems)


def test_inputs_of_a_quantized_truth_value_are_drawn() -> None:
    """Found by the fuzzer: a bool has no span, whatever scale the file gives it."""
    x = plain("x", (2, 3), DType.FLOAT32)
    y = replace(plain("y", (2, 3), DType.BOOL), quant=QuantParams((0.5,), (0,)))
    graph = Graph("n", (x,), (y,), (Cast("y", (x,), (y,)),))
    assert len(draw_vectors(graph, 3, 0)) == 3
