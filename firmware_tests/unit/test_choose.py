"""Cycles against bytes: what is given up first, and how far from the best the result can be."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from firmware_tests.models import samples
from tinygen.isa import Isa
from tinygen.ops import OPS
from tinygen.ops.base import Call, Kernel
from tinygen.optimize import Optimize
from tinygen.select import candidates
from tinygen.tune.choose import (
    Candidate,
    Chosen,
    Layer,
    balanced,
    cheapest_exchange,
    chosen_by,
    exchanged,
    layers_of,
)
from tinygen.tune.cost import COSTS, cost_of, estimated_cycles

OP = samples.add().ops[0]


def row(name: str, size: int = 0) -> Kernel[Any]:
    """A row whose constants have so many bytes."""
    call = Call((), (("weights", np.zeros(size, np.int8)),), (), ())
    return Kernel(name, f"{name}.h", name, lambda op: (call,))


def layer(*figures: tuple[int, int]) -> Layer:
    """A layer with candidates of (cycles, bytes)."""
    found = (Candidate(row(f"k{c}", b), OP, c, lambda candidate: 0) for c, b in figures)
    return Layer(OP, tuple(sorted(found, key=lambda candidate: candidate.cycles)))


def total(layers: list[Layer], chosen: Chosen) -> tuple[int, int]:
    taken = [x.candidates[n] for x, n in zip(layers, chosen, strict=True) if x.candidates]
    return sum(c.cycles for c in taken), sum(c.bytes for c in taken)


def test_what_saves_the_fewest_cycles_for_its_bytes_goes_first() -> None:
    layers = [layer((10, 100), (50, 60)), layer((10, 100), (20, 60)), Layer(OP, ())]
    first = cheapest_exchange(layers, chosen_by(layers))
    assert first is not None and (first.layer, first.cycles, first.bytes) == (1, 10, 40)
    second = cheapest_exchange(layers, exchanged(chosen_by(layers), first))
    assert second is not None and second.layer == 0
    chosen = exchanged(exchanged(chosen_by(layers), first), second)
    assert cheapest_exchange(layers, chosen) is None


def test_a_candidate_between_two_that_are_better_is_passed_over() -> None:
    (offer,) = [cheapest_exchange([layer((10, 100), (40, 90), (45, 10))], (0,))]
    assert offer is not None and offer.new == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_result_is_no_further_from_the_best_than_its_last_exchange(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = [layer(*map(tuple, rng.integers(1, 100, (4, 2)).tolist())) for _ in range(5)]
    every = [total(layers, chosen) for chosen in product(range(4), repeat=5)]
    budget = int(np.median([size for _, size in every]))
    chosen, last = chosen_by(layers), 0
    while total(layers, chosen)[1] > budget:
        offer = cheapest_exchange(layers, chosen)
        assert offer is not None, "the smallest of each layer is within the budget"
        chosen, last = exchanged(chosen, offer), offer.cycles
    best = min(cycles for cycles, size in every if size <= budget)
    assert best <= total(layers, chosen)[0] <= best + last


def test_balanced_keeps_what_saves_a_percent_of_cycles_for_each_percent_of_bytes() -> None:
    plain = [layer((1000, 100)), layer((1000, 100))]
    # Of 2000 cycles and 200 bytes: 25% saved for 20% more, and 15% saved for 20% more.
    layers = [layer((500, 140), (1000, 100)), layer((700, 140), (1000, 100))]
    assert balanced(layers, plain) == (0, 1)


def test_rows_without_a_measurement_keep_their_place() -> None:
    (op,) = samples.conv2d().ops
    known = candidates(op, Isa.ANY)[-1]
    assert cost_of(op, known) is not None
    rows = (row("first"), row("second"), known)
    first, second, last = estimated_cycles(op, rows)
    assert first < second < last == estimated_cycles(op, (known,))[0]
    assert estimated_cycles(op, ()) == ()


def test_layers_of_one_geometry_share_the_bytes_of_their_function() -> None:
    (op,) = samples.conv2d().ops
    graph = samples.conv2d()
    (alone,) = layers_of(graph, Isa.DSP, Optimize.SPEED)
    twice = type(graph)(graph.name, graph.inputs, graph.outputs, (op, op))
    first, second = layers_of(twice, Isa.DSP, Optimize.SPEED)
    assert alone.candidates[0].code // 2 == first.candidates[0].code == second.candidates[0].code


def test_every_row_that_packs_has_a_price() -> None:
    packing = {row.label for definition in OPS for row in definition.kernels if row.packs}
    assert packing <= set(COSTS), "measure the row, and add its line to tinygen/tune/cost.py"


def test_a_kernel_for_size_is_one_for_balanced_too_so_tuning_has_measured_it() -> None:
    for definition in OPS:
        short = {row.function for row in definition.kernels if row.short}
        for row in definition.kernels:
            if not row.packs:
                assert not row.bulky and (row.short or row.function not in short), row.label


def test_a_pool_is_priced_by_what_it_reads() -> None:
    (op,) = next(
        g for sample in samples.SAMPLES if (g := sample()).ops[0].kind == "MAX_POOL_2D"
    ).ops
    (cycles,) = estimated_cycles(op, candidates(op, Isa.ANY)[-1:])
    assert cycles == round(COSTS["tg_max_pool2d_s8"].per_input * op.x.elements)
