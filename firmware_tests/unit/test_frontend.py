"""The front end reads what the file says, and says what it cannot compile."""

import copy
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware_tests.models.edit import edited
from firmware_tests.models.parts import activation
from firmware_tests.models.samples import SAMPLES, conv2d, residual, sub
from firmware_tests.models.writer import to_tflite
from tinygen import ctext
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import inspect_model, read_model
from tinygen.ir import Graph, Numerics, Tensor, verify
from tinygen.names import printable
from tinygen.ops import BY_KIND
from tinygen.ops.mean import Mean
from tinygen.ops.reshape import Reshape
from tinygen.ops.transpose import Transpose


def read(model: bytes, file_name: str = "sample.tflite") -> Graph:
    graph = read_model(model, file_name, Numerics.TFLM)
    verify(graph)
    return graph


def unsupported(model: bytes) -> str:
    with pytest.raises(UnsupportedError) as caught:
        read(model)
    return caught.value.message


def graph_tensors(graph: Graph) -> list[Tensor]:
    ops = [t for op in graph.ops for t in (*op.inputs, *op.outputs)]
    return list(dict.fromkeys((*graph.inputs, *ops, *graph.outputs)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_a_written_graph_reads_back_the_same(sample: Callable[[], Graph]) -> None:
    graph = sample()
    found = read(to_tflite(graph), f"some/folder/{graph.name}.tflite")
    assert found.name == graph.name
    assert str(found) == str(graph)
    for ours, theirs in zip(graph_tensors(graph), graph_tensors(found), strict=True):
        assert (theirs.name, theirs.shape, theirs.dtype) == (ours.name, ours.shape, ours.dtype)
        assert theirs.quant is None or ours.quant is None or theirs.quant.axis == ours.quant.axis
        if ours.data is not None:
            np.testing.assert_array_equal(theirs.values, ours.data)


def test_there_is_a_sample_of_every_operator() -> None:
    assert {op.kind for sample in SAMPLES for op in sample().ops} == set(BY_KIND)


def test_constants_are_read_only() -> None:
    weights = read(to_tflite(conv2d())).ops[0].inputs[1].values
    with pytest.raises(ValueError, match="read-only"):
        weights[...] = 0


def test_per_channel_parameters_keep_their_axis_and_float32_scales() -> None:
    weights = read(to_tflite(conv2d())).ops[0].inputs[1]
    assert weights.quant is not None
    assert weights.quant.axis == 0
    assert all(float(np.float32(s)) == s for s in weights.quant.scale)


def test_a_bias_with_the_axis_of_its_weights_is_read() -> None:
    def change(model: Any) -> None:
        quant = copy.deepcopy(model.subgraphs[0].tensors[1].quantization)
        quant.quantizedDimension = 3
        model.subgraphs[0].tensors[2].quantization = quant

    bias = read(edited(to_tflite(conv2d()), change)).ops[0].inputs[2]
    assert bias.quant is not None
    assert bias.quant.axis == 0


def test_scales_without_zero_points_are_no_quantization() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[2].quantization.zeroPoint = None

    message = unsupported(edited(to_tflite(sub()), change))
    assert "tensor 'y' int8[1,4,3]." in message


def test_an_unknown_batch_runs_as_one() -> None:
    def change(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors[:1]:
            tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)

    assert read(edited(to_tflite(conv2d()), change)).inputs[0].shape == (1, 6, 5, 3)


def test_a_left_out_bias_is_left_out() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].operators[0].inputs = np.array([0, 1, -1], np.int32)

    assert len(read(edited(to_tflite(conv2d()), change)).ops[0].inputs) == 2


def test_old_files_without_the_wide_operator_code_are_read() -> None:
    def change(model: Any) -> None:
        assert model.operatorCodes[0].deprecatedBuiltinCode == model.operatorCodes[0].builtinCode
        model.operatorCodes[0].builtinCode = 0

    assert str(read(edited(to_tflite(conv2d()), change))) == str(conv2d())


def test_data_behind_the_flatbuffer_is_read() -> None:
    values = sub().ops[0].inputs[1].values
    index = 1  # the only constant

    def change(model: Any, offset: int = 2**40) -> None:
        model.buffers[index].data = None
        model.buffers[index].offset = offset
        model.buffers[index].size = values.size

    length = len(edited(to_tflite(sub()), change))
    model = edited(to_tflite(sub()), lambda m: change(m, length)) + values.tobytes()
    np.testing.assert_array_equal(read(model).ops[0].inputs[1].values, values)


def test_an_output_may_be_an_input_or_a_constant() -> None:
    graph = sub()
    constant = graph.ops[0].inputs[1]
    graph = replace(graph, outputs=(*graph.outputs, graph.inputs[0], constant))
    found = read(to_tflite(graph))
    assert found.outputs[1] is found.inputs[0]
    assert found.outputs[2].is_constant


def test_operators_get_names_of_their_own() -> None:
    def change(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.name = "same"

    found = read(edited(to_tflite(residual()), change))
    assert [op.name for op in found.ops] == ["same", "same#2"]


def test_an_operator_without_a_name_is_called_by_its_kind() -> None:
    def change(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.name = None

    found = read(edited(to_tflite(residual()), change))
    assert [op.name for op in found.ops] == ["conv_2d_0", "add_1"]


NAMES = (
    'quote " and \\ backslash',
    "end */ of comment /* // again",
    "line\nbreak\r\ttab",
    "../../etc/passwd",
    "μ-Netz/日本語/🙂",
    "trigraph ??/ percent %s {{ jinja }} ${shell}",
    "nul \0 byte",
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_survives_reading_and_is_safe_in_c(name: str) -> None:
    x, y = activation(name, (2, 3)), activation(f"{name} out", (2, 3))
    graph = sub()
    op = replace(graph.ops[0], name=y.name, inputs=(x, x), outputs=(y,))
    found = read(to_tflite(Graph("n", (x,), (y,), (op,))), f"{name.replace('/', '')}.tflite")
    shown = printable(name)
    assert shown.isprintable()
    assert (shown == name) == name.isprintable()
    assert (found.inputs[0].name, found.ops[0].name) == (shown, f"{shown} out")
    for text in (found.inputs[0].name, found.ops[0].name, found.name):
        comment = ctext.comment(text)
        assert comment.isascii()
        assert comment.isprintable()
        assert not any(bad in comment for bad in ('"', "\\", "*/", "/*", "??"))
        identifier = ctext.identifier(text)
        assert identifier.isidentifier()
        assert identifier.isascii()


def test_every_unsupported_thing_is_told_at_once() -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[0].isVariable = True
        graph.tensors[1].shapeSignature = np.array([1, -1, 3], np.int32)
        model.operatorCodes[0].deprecatedBuiltinCode = 32
        model.operatorCodes[0].builtinCode = 32
        model.operatorCodes[0].customCode = "Beamformer"
        model.subgraphs.append(graph)

    model = edited(to_tflite(SAMPLES[0]()), change)
    message = unsupported(model)
    assert message.startswith("sample.tflite: the model holds 4 things")
    assert "2 subgraphs" in message
    assert "tensor 'a' int8[1,4,3] s=0.05 z=-3 is state" in message
    assert "tensor 'b' int8[1,1,3] s=0.2 z=-3 has the dynamic shape [1, -1, 3]" in message
    assert "CUSTOM:Beamformer 'y'" in message


def test_a_batch_of_unknown_size_is_one_wherever_operators_move_it() -> None:
    x, y = activation("x", (1, 4)), activation("y", (4, 1))
    graph = Graph("moved", (x,), (y,), (Transpose("y", (x,), (y,), (1, 0)),))

    def signed(*signatures: tuple[int, int]) -> bytes:
        def change(model: Any) -> None:
            named = {t.name: t for t in model.subgraphs[0].tensors}
            for name, signature in zip((b"x", b"y"), signatures, strict=True):
                named[name].shapeSignature = np.array(signature, np.int32)

        return edited(to_tflite(graph), change)

    assert str(read(signed((-1, 4), (4, -1)))) == str(graph)
    assert "the dynamic shape [1, -1]" in unsupported(signed((1, -1), (-1, 1)))
    assert "the dynamic shape [-1, -1]" in unsupported(signed((-1, 4), (-1, -1)))


def set_type(code: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[0].type = code

    return change


def sparse(model: Any) -> None:
    parameters = pytest.importorskip(
        "tflite_micro.tensorflow.lite.micro.python.schema_py_generated"
    ).SparsityParametersT()
    model.subgraphs[0].tensors[1].sparsity = parameters


def empty_shape(model: Any) -> None:
    model.subgraphs[0].tensors[0].shape = np.array([1, 0, 4, 2], np.int32)


def newer_operator(model: Any) -> None:
    model.operatorCodes[0].builtinCode = 5000


def constant_input(model: Any) -> None:
    model.subgraphs[0].inputs = np.array([0, 1], np.int32)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_type(1), "tensor 'input' float16[1,4,4,2] s=0.05 z=-3 has elements of type float16"),
        (set_type(13), "tensor 'input' resource[1,4,4,2] s=0.05 z=-3 is a handle"),
        (set_type(0), "CONV_2D 'conv': Where the input is float32"),
        (sparse, "tensor 'kernel' int8[2,1,1,2] s=[2]@0 has sparse weights"),
        (newer_operator, "BUILTIN_5000 'conv': tinygen does not know this operator"),
        (constant_input, "input 'kernel' has a constant value"),
    ],
)
def test_a_sound_model_is_refused_with_the_reason(
    change: Callable[[Any], None], words: str
) -> None:
    assert words in unsupported(edited(to_tflite(residual()), change))


def test_paddings_that_the_model_computes_are_refused_with_a_remedy() -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        paddings = next(i for i, t in enumerate(graph.tensors) if t.name == b"y/constant0")
        graph.tensors[paddings].buffer = 0
        graph.inputs = np.array([*graph.inputs, paddings], np.int32)

    pad = next(sample for sample in SAMPLES if sample.__name__ == "pad")
    message = unsupported(edited(to_tflite(pad()), change))
    assert "PAD 'y': the paddings are computed by the model, in tensor 'y/constant0'" in message
    assert "Give the paddings as a constant." in message


def test_inspection_shows_operators_that_are_unknown() -> None:
    found = inspect_model(
        edited(to_tflite(residual()), newer_operator), "a/b/residual.tflite", Numerics.TFLM
    )
    assert found.name == "residual"
    assert found.graph is None
    assert [layer.kind for layer in found.layers] == ["BUILTIN_5000", "ADD"]
    assert found.layers[0].op is None
    assert found.layers[1].op is not None
    assert [str(t) for t in found.layers[0].inputs] == [
        "int8[1,4,4,2] s=0.05 z=-3", "int8[2,1,1,2] s=[2]@0", "int32[2]",
    ]  # fmt: skip
    assert [info.name for info in found.outputs] == ["sum", "conv", "input"]
    assert len(found.problems) == 1


def test_inspection_of_a_compilable_model_gives_its_graph() -> None:
    found = inspect_model(to_tflite(residual()), "residual.tflite", Numerics.TFLM)
    assert found.problems == ()
    assert str(found.graph) == str(residual())


@pytest.mark.corpus
def test_every_model_of_the_corpus_shows_its_operators(corpus: Path) -> None:
    manifest = json.loads((corpus / "MANIFEST.json").read_text())["models"]
    single = [facts for facts in manifest if facts["subgraphs"] == 1]
    found = {}
    for facts in single:
        data = (corpus / facts["file"]).read_bytes()
        layers = inspect_model(data, facts["file"], Numerics.TFLM).layers
        found[facts["id"]] = dict(Counter(layer.kind for layer in layers))
    assert found == {facts["id"]: kinds_of(facts) for facts in single}


def kinds_of(facts: dict[str, Any]) -> dict[str, int]:
    """A model's operators; those that tinygen knows by a custom name go by that."""
    names = {f"CUSTOM:{kind}": kind for kind in BY_KIND}
    return {names.get(kind, kind): count for kind, count in facts["ops"].items()}


@pytest.mark.corpus
def test_every_int8_model_of_known_operators_becomes_a_graph(corpus: Path) -> None:
    manifest = json.loads((corpus / "MANIFEST.json").read_text())["models"]
    known = [f for f in manifest if f["class"] == "int8" and set(f["ops"]) <= set(BY_KIND)]
    assert known
    found = {}
    for facts in known:
        graph = read((corpus / facts["file"]).read_bytes(), facts["file"])
        found[facts["id"]] = dict(Counter(op.kind for op in graph.ops))
        assert [t.name for t in graph.inputs] == [i["name"] for i in facts["inputs"]]
        assert [list(t.shape) for t in graph.outputs] == [o["shape"] for o in facts["outputs"]]
    assert found == {facts["id"]: facts["ops"] for facts in known}


@pytest.mark.corpus
def test_every_model_with_an_unknown_operator_is_refused_by_its_name(corpus: Path) -> None:
    manifest = json.loads((corpus / "MANIFEST.json").read_text())["models"]
    for facts in manifest:
        unknown = set(kinds_of(facts)) - set(BY_KIND)
        if unknown and facts["subgraphs"] == 1:
            message = unsupported((corpus / facts["file"]).read_bytes())
            assert all(f"{kind} '" in message for kind in unknown), facts["id"]


def test_a_list_of_no_dimensions_makes_a_scalar() -> None:
    x, y = activation("x", (1, 1)), activation("y", ())
    scalar = Graph("scalar", (x,), (y,), (Reshape("y", (x,), (y,)),))
    assert str(read(to_tflite(scalar))) == str(scalar)


def test_a_list_of_nothing_is_refused_where_it_is_data() -> None:
    x, y = activation("x", (2, 3)), activation("y", (2, 1))
    graph = Graph("n", (x,), (y,), (Mean("y", (x,), (y,), (1,), True),))

    def change(model: Any) -> None:
        axes = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[1]]
        axes.shape = [0]
        model.buffers[axes.buffer].data = None

    with pytest.raises(UnsupportedError, match=r"MEAN .y.: .* has a dimension of size 0"):
        read(edited(to_tflite(graph), change))
