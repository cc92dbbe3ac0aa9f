"""The pipeline: passes work together, on graphs of all kinds and on real models."""

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from firmware_tests.models.damage import damaged
from firmware_tests.models.random_graphs import random_graph as drawn_graph
from firmware_tests.unit.rewriting import (
    add,
    conv,
    depthwise,
    graph,
    image,
    kinds,
    like,
    rewritten,
)
from tinygen.errors import TinygenError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Activation, Graph, Numerics, Op, Tensor
from tinygen.isa import Isa
from tinygen.memory import allocate
from tinygen.ops import definition_of
from tinygen.ops.pad import Pad
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6, ReluN1To1
from tinygen.ops.reshape import Reshape
from tinygen.passes import PIPELINE, run_pipeline
from tinygen.select import select

CORPUS = Path(__file__).parents[3] / "shared" / "models"
ONE_PIXEL = ((0, 0), (1, 1), (1, 1), (0, 0))
FEWEST_SEEDS, MOST_SEEDS = 60, 400  # until every pass has found something


def test_passes_build_on_each_other() -> None:
    x = image(1, 4, 4, 2, name="x")
    same, border, y = like(x), like(x, 1, 6, 6, 2), image(1, 4, 4, 3, scale=0.1, zero_point=3)
    ops = (
        Quantize("same", (x,), (same,)),
        Reshape("flat", (same,), (flat := like(x, 32),)),
        Reshape("back", (flat,), (back := like(x),)),
        Pad("border", (back,), (border,), ONE_PIXEL),
        conv(border, y),
        Relu("act", (y,), (positive := like(y),)),
        Relu6("limit", (positive,), (z := like(y, name="z"),)),
    )
    seen = []
    run_pipeline(graph((x,), ops, (z,)), lambda name, after: seen.append((name, len(after.ops))))
    names = [rewrite.__name__ for rewrite in PIPELINE]
    rounds = len(seen) // len(names)
    assert [name for name, _ in seen] == [*(names * rounds), "settle_states"]
    assert str(rewritten(graph((x,), ops, (z,)), run_pipeline)).splitlines() == [
        "%0 = input int8[1,4,4,2] s=0.05 z=-128",
        "%3 = conv_2d(%0, #1, #2) window=k3x3s1x1d1x1p1x1 activation=relu6"
        "  int8[1,4,4,3] s=0.1 z=3",
        "return %3",
    ]


def random_graph(seed: int) -> Graph:
    """A network of images, with copies, pads and activations strewn in, read here and there."""
    rng = random.Random(seed)
    x = image(1, 4, 5, 2, zero_point=rng.choice((-128, -5)), name="x")
    known, ops = [x], list[Op]()

    def emit(op: Op) -> None:
        ops.append(op)
        known.append(op.y)

    for _ in range(rng.randint(3, 9)):
        a = rng.choice(known[-3:])
        n, height, width, channels = a.shape
        other = image(n, height, width, channels, scale=0.07, zero_point=rng.choice((-128, 9)))
        match rng.randrange(7):
            case 0 if height < 12:
                y = like(a, n, height + 2, width + 2, channels)
                emit(Pad("pad", (a,), (y,), ONE_PIXEL))
            case 1 if height > 2 and width > 2:
                emit(conv(a, image(n, height - 2, width - 2, rng.choice((1, 2, 3)), scale=0.2)))
            case 2:
                emit(depthwise(a, other, pad=(1, 1)))
            case 3:
                kind = rng.choice((Relu, Relu6, ReluN1To1))
                emit(kind("act", (a,), (like(a),)))
            case 4:
                emit(Quantize("copy", (a,), (rng.choice((like(a), other)),)))
            case 5:
                emit(Reshape("flat", (a,), (flat := like(a, a.elements),)))
                emit(Reshape("back", (flat,), (like(a),)))
                known.remove(flat)
            case _:
                emit(add(a, a, other, rng.choice((Activation.NONE, Activation.RELU))))
    outputs: tuple[Tensor, ...] = (known[-1], *rng.sample(known, rng.randint(0, 1)))
    return graph((x,), tuple(ops), outputs)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_keep_their_results(seed: int) -> None:
    before = random_graph(seed)
    for rewrite in PIPELINE:
        rewritten(before, rewrite)
    after = run_pipeline(before)
    assert len(after.ops) <= len(before.ops)
    rewritten(before, run_pipeline)


@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_damaged_graphs_lose_macs_but_no_bit(numerics: Numerics) -> None:
    before = after = 0
    found, every = set[str](), {rewrite.__name__ for rewrite in PIPELINE}
    for seed in range(MOST_SEEDS):
        if seed >= FEWEST_SEEDS and found == every:
            break
        network = damaged(drawn_graph(seed, numerics, most_ops=20), seed)
        changes = rewritten(network, run_pipeline)
        before, after = before + macs(network), after + macs(changes)
        found |= passes_that_change(network)
    assert after < 0.9 * before
    assert found == every


def macs(made: Graph) -> int:
    return sum(definition_of(op).macs(op) for op in made.ops)


def passes_that_change(made: Graph) -> set[str]:
    seen = [("", made)]
    run_pipeline(made, lambda name, after: seen.append((name, after)))
    return {name for (_, a), (name, b) in pairwise(seen) if b is not a}


@pytest.fixture(scope="module")
def models() -> list[tuple[str, Graph]]:
    """The corpus's models that the front end takes."""

    def read() -> Iterator[tuple[str, Graph]]:
        entries: list[dict[str, Any]] = json.loads((CORPUS / "MANIFEST.json").read_text())["models"]
        for entry in entries:
            try:
                data = (CORPUS / entry["file"]).read_bytes()
                yield entry["id"], read_model(data, entry["id"], Numerics.TFLM)
            except TinygenError:
                continue

    if not (CORPUS / "MANIFEST.json").is_file():
        pytest.skip("the shared model corpus is not next to this checkout")
    return list(read())


@pytest.mark.corpus
def test_real_models_keep_their_results(models: list[tuple[str, Graph]]) -> None:
    changed = [g for _, g in models if str(run_pipeline(g)) != str(g)]
    assert changed
    for before in changed:
        rewritten(before, run_pipeline)
    separable = dict(models)["mltk_keyword_spotting_mobilenetv2"]
    assert "PAD" in kinds(separable)
    assert "PAD" not in kinds(run_pipeline(separable))


@pytest.mark.corpus
def test_real_models_need_their_live_bytes_the_kernels_scratch_and_1_percent(
    models: list[tuple[str, Graph]],
) -> None:
    above = {}
    for name, before in models:
        after = run_pipeline(before)
        memory = allocate(after, select(after, Isa.ANY))
        if memory.arena_bytes - memory.peak.scratch > 1.01 * memory.live_bound_bytes:
            above[name] = (memory.arena_bytes, memory.live_bound_bytes)
        assert memory.arena_bytes == memory.plan.lower_bound_bytes, name
    assert above == {}
