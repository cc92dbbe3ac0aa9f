"""The report of what the passes did: every change, its savings that add up, and its reason."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tests.golden.corpus import ROOT
from firmware_tests.models.damage import damaged
from firmware_tests.models.random_graphs import random_graph
from firmware_tests.models.writer import to_tflite
from firmware_tests.unit.rewriting import (
    add,
    conv,
    depthwise,
    graph,
    image,
    like,
    with_dead,
)
from tinygen.board.file import load_board
from tinygen.cli import main
from tinygen.compile import Options
from tinygen.firmware.target import choose_target
from tinygen.frontend.tflite import read_model
from tinygen.ir import Graph, Numerics
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6
from tinygen.passes import PIPELINE
from tinygen.reference import run
from tinygen.simplification import reason, simplification_of
from tinygen.validate import validate
from tinygen.vectors import draw_vectors

X = image(1, 6, 6, 3, name="x")


def separable() -> Graph:
    """Convolutions in a row; channel 1 between the first two is always the zero point."""
    first = with_dead(conv(X, image(1, 4, 4, 4, scale=0.3, zero_point=-3, name="a")), {1: 0})
    second = with_dead(depthwise(first.y, image(1, 4, 4, 4, scale=0.4), pad=(1, 1)), {1: 0})
    relu = Relu("relu", (second.y,), (like(second.y),))
    y = image(1, 4, 4, 2, scale=0.5, name="y")
    last = replace(conv(relu.y, y, kernel=(1, 1)), name="last")
    return graph((X,), (first, second, relu, last), (last.y,))


def test_every_change_has_its_pass_its_savings_and_its_reason() -> None:
    found = simplification_of(separable())
    assert [(r.rewrite, r.op, r.change, r.macs, r.bytes) for r in found.rewrites] == [
        ("drop_identities", "RELU", "gone", 0, 0),
        ("fold_constant_channels", "CONV_2D", "no weights for 1 inputs", 0, 0),
        ("drop_unread_channels", "CONV_2D", "4 -> 3 outputs", 16 * 27, 27 + 4),
        ("drop_unread_channels", "DEPTHWISE_CONV_2D", "4 -> 3 inputs, 4 -> 3 outputs", 144, 9 + 4),
        ("drop_unread_channels", "CONV_2D", "4 -> 3 inputs", 16 * 2, 2),
    ]
    assert list(found.reasons) == [
        "drop_identities",
        "fold_constant_channels",
        "drop_unread_channels",
    ]
    assert found.uneven == (("conv", 3), ("dw", 3))
    text = found.to_text()
    assert "2 of these layers are left with a number of channels that is no multiple of 4" in text
    assert "4 -> 3 outputs" in text


def test_what_goes_into_its_neighbours_is_told_with_its_reason() -> None:
    limit = Relu("limit", (X,), (like(X),))
    shift = Quantize("shift", (limit.y,), (image(1, 6, 6, 3, zero_point=-120),))
    first = conv(shift.y, image(1, 4, 4, 4, scale=0.3, zero_point=-60))
    tail = Relu("tail", (first.y,), (image(1, 4, 4, 4, scale=0.3, zero_point=-5),))
    same = Quantize("same", (tail.y,), (image(1, 4, 4, 4, scale=0.300001, zero_point=-5),))
    y = image(1, 4, 4, 4, scale=0.6, zero_point=0, name="y")
    before = graph((X,), (limit, shift, first, tail, same, add(tail.y, same.y, y)), (y,))
    found = simplification_of(before)
    made = {(r.rewrite, r.layer, r.change) for r in found.rewrites}
    assert ("fold_into_producers", "tail", "gone") in made
    assert ("view_unchanged_bytes", "same", "gone") in made
    assert {"fold_into_producers", "view_unchanged_bytes"} <= set(found.reasons)
    few = Relu6("few", (X,), (like(X, name="few"),))
    moved = Quantize("moved", (few.y,), (image(1, 6, 6, 3, zero_point=-120),))
    last = conv(moved.y, y)
    found = simplification_of(graph((X,), (few, moved, last), (y, few.y)))
    assert [(r.rewrite, r.layer, r.change) for r in found.rewrites] == [
        ("fold_into_readers", "moved", "gone")
    ]


def test_savings_add_up() -> None:
    for seed in range(40):
        found = simplification_of(damaged(random_graph(seed, Numerics.TFLM, most_ops=16), seed))
        assert found.before.macs - found.after.macs == sum(r.macs for r in found.rewrites)


def test_nothing_to_do_is_said() -> None:
    x = image(2, 3, name="x")
    found = simplification_of(graph((x,), (op := add(x, x, image(2, 3, scale=0.2)),), (op.y,)))
    assert found.rewrites == ()
    assert "no pass found anything to do" in found.to_text()


@pytest.mark.parametrize("rewrite", PIPELINE, ids=lambda p: p.__name__)
def test_every_pass_says_why_it_is_exact(rewrite: object) -> None:
    assert len(reason(rewrite)) > 40  # type: ignore[arg-type]


def test_inspect_shows_it_as_text_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "net.tflite"
    file.write_bytes(to_tflite(separable()))
    text = CliRunner().invoke(main, ["inspect", str(file), "--simplify"], catch_exceptions=False)
    assert "4 -> 3 outputs" in text.stdout
    shown = CliRunner().invoke(main, ["inspect", str(file), "--simplify", "--json"])
    facts = json.loads(shown.stdout)["simplification"]
    assert facts["after"]["macs"] < facts["before"]["macs"]
    assert {"rewrite", "layer", "op", "change", "macs", "bytes"} == set(facts["rewrites"][0])
    assert "simplification" not in json.loads(
        CliRunner().invoke(main, ["inspect", str(file), "--json"]).stdout
    )


def test_a_wrong_expectation_accuses_no_layer_of_the_simplified_model(tmp_path: Path) -> None:
    # The trace's CRCs are those of narrower tensors, and so are the reference's.
    network = separable()
    file, vectors = tmp_path / "net.tflite", tmp_path / "vectors.npz"
    file.write_bytes(to_tflite(network))
    inputs = [v for (v,) in draw_vectors(network, 3, 0).inputs]
    outputs = [run(network, [v])[0] for v in inputs]
    outputs[1] = outputs[1] ^ 1
    np.savez(vectors, in0=np.stack(inputs), out0=np.stack(outputs))
    report = validate(
        file,
        choose_target(load_board("native")),
        Options(),
        vectors=vectors,
        count=0,
        seed=0,
        directory=None,
    )
    assert not report.passed
    assert report.first_difference is None
    assert report.macs == sum(layer.macs for layer in report.layers) < report.model_macs
    assert f"{report.macs:,}, simplified from the file's {report.model_macs:,}" in report.to_text()


@pytest.mark.corpus
@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_half_of_a_known_model_is_dead(numerics: Numerics) -> None:
    file = ROOT / "tflite" / "mlperf_vww_mbv1_96_int8.tflite"
    if not file.is_file():
        pytest.skip("the shared model corpus is not next to this checkout")
    found = simplification_of(read_model(file.read_bytes(), file.name, numerics))
    assert (found.before.macs, found.after.macs) == (7_489_664, 3_727_313)
    assert (found.before.weight_bytes, found.after.weight_bytes) == (219_064, 33_122)
