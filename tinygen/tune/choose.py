"""Weigh kernel rows: cycles against bytes of flash.

A layer has candidates: the rows that fit, each with its cycles, its constants and its share of a
function's code. A choice takes one of each layer. It begins with the best of each; while flash
is short, or while an exchange is a bargain, one layer gives up its candidate for a smaller one,
always where that costs the fewest cycles for each byte saved. That is the greedy answer to a
knapsack problem: not always the best, but its mistake is at most one layer's exchange, and it does
not depend on anything but the figures.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from tinygen.instances import Key, instance_key
from tinygen.ir import Graph, Op
from tinygen.isa import Isa
from tinygen.ops import definition_of
from tinygen.ops.base import Call, Kernel
from tinygen.optimize import Optimize
from tinygen.select import Choice, best, blocks_of, candidates
from tinygen.step import Block, Step, with_inner
from tinygen.tune.cost import code_bytes, estimated_cycles

CyclesOf = Callable[[Op, Sequence[Kernel[Any]]], Sequence[int]]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A row that may compute a layer, and its cycles.

    What it takes beside them is known when the row is lowered. That packs the weights, so it is
    done once, and not before it is asked for: most candidates are never looked at. ``share`` tells
    a candidate's bytes of code.
    """

    row: Kernel[Any]
    op: Op
    cycles: int
    share: "Callable[[Candidate], int]"
    blocks: tuple[Block, ...] = ()

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls that compute the layer."""
        return self.row.lower(self.op)

    @cached_property
    def weights(self) -> int:
        """Bytes of constants."""
        inner = (step.calls for block in self.blocks for step in with_inner(block.steps))
        return sum(map(_constants, (self.calls, *inner)))

    @cached_property
    def code(self) -> int:
        """About the bytes of its functions, shared with the layers that may use them too."""
        return self.share(self)

    @property
    def bytes(self) -> int:
        """What it takes of flash."""
        return self.weights + self.code

    @property
    def scratch_bytes(self) -> int:
        """What it takes of the arena beside its tensors."""
        return Step(self.op, self.row, self.calls, self.blocks).scratch_bytes


@dataclass(frozen=True, slots=True)
class Layer:
    """An operator and its candidates, the best first: the quickest, and for --optimize size the
    first of the table. A view has none."""

    op: Op
    candidates: tuple[Candidate, ...]

    def step(self, chosen: int) -> Step:
        """The layer as computed by candidate number ``chosen``."""
        if not self.candidates:
            return Step(self.op, None, ())
        candidate = self.candidates[chosen]
        return Step(self.op, candidate.row, candidate.calls, candidate.blocks)


Chosen = tuple[int, ...]
"""For each layer the number of its candidate; 0 for a view."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Candidate ``old`` of a layer given up for ``new``: cycles lost, bytes saved."""

    layer: int
    old: int
    new: int
    cycles: int
    bytes: int

    @property
    def price(self) -> float:
        """Cycles for each byte."""
        return self.cycles / self.bytes


def layers_of(
    graph: Graph, isa: Isa, optimize: Optimize, cycles_of: CyclesOf = estimated_cycles
) -> tuple[Layer, ...]:
    """All layers with all their candidates; ``cycles_of`` tells what rows, best first, need."""

    @cache
    def users() -> Counter[Key]:
        """How many candidates have each function."""
        found = (c for layer in layers for c in layer.candidates)
        return Counter(key for c in found for key in functions_of(c, optimize))

    def share(candidate: Candidate) -> int:
        bytes_each = code_bytes(candidate.op, candidate.row)
        return sum(bytes_each // users()[key] for key in functions_of(candidate, optimize))

    def layer_of(op: Op) -> Layer:
        rows = () if definition_of(op).is_view else candidates(op, isa, optimize)
        pairs = zip(rows, cycles_of(op, rows), strict=True)
        blocks = blocks_of(op, isa, optimize)
        found = [Candidate(row, op, cycles, share, blocks) for row, cycles in pairs]
        # For size it is the table's order, and few functions, that count.
        if optimize is not Optimize.SIZE:
            found.sort(key=lambda candidate: candidate.cycles)
        for first in found[:1]:
            _ = first.calls  # it is likely taken, and what proves that it fits is remembered yet
        return Layer(op, tuple(found))

    layers = tuple(map(layer_of, graph.ops))
    return layers


def functions_of(candidate: Candidate, optimize: Optimize) -> set[Key]:
    """The C functions that the candidate calls; layers of one geometry share one."""
    return {instance_key(candidate.row, call, optimize) for call in candidate.calls}


def _constants(calls: Sequence[Call]) -> int:
    return sum(
        value.nbytes for call in calls for _, value in call.params if isinstance(value, np.ndarray)
    )


def chosen_by(layers: Sequence[Layer], choose: Choice = best) -> Chosen:
    """What ``choose`` takes among the rows of each layer's candidates."""
    return tuple(
        rows.index(choose(layer.op, rows)) if (rows := [c.row for c in layer.candidates]) else 0
        for layer in layers
    )


def cheapest_exchange(
    layers: Sequence[Layer],
    chosen: Chosen,
    saved: Callable[[Candidate, Candidate], int] = lambda old, new: old.bytes - new.bytes,
    among: Sequence[int] | None = None,
) -> Exchange | None:
    """The exchange that costs the fewest cycles for each byte that ``saved`` tells.

    ``among`` are the numbers of the layers that may exchange; None is all. None where no candidate
    saves anything.
    """
    offers = (
        Exchange(index, chosen[index], number, new.cycles - old.cycles, bytes_saved)
        for index in (range(len(layers)) if among is None else among)
        for old in layers[index].candidates[chosen[index] : chosen[index] + 1]
        for number, new in enumerate(layers[index].candidates)
        if number > chosen[index] and (bytes_saved := saved(old, new)) > 0
    )
    return min(offers, key=lambda offer: (offer.price, -offer.bytes, offer.layer), default=None)


def exchanged(chosen: Chosen, exchange: Exchange) -> Chosen:
    """``chosen`` after the exchange."""
    return (*chosen[: exchange.layer], exchange.new, *chosen[exchange.layer + 1 :])


def balanced(layers: Sequence[Layer], plain: Sequence[Layer]) -> Chosen:
    """The choice in which every byte pays.

    ``plain`` are the layers with the candidates of --optimize size. What is quicker and larger
    stays only if each percent that it adds to the bytes of their best saves at least a percent of
    the cycles that those need.
    """
    firsts = [layer.candidates[0] for layer in plain if layer.candidates]
    rate = sum(c.cycles for c in firsts) / max(1, sum(c.bytes for c in firsts))
    chosen = chosen_by(layers)
    while (offer := cheapest_exchange(layers, chosen)) is not None and offer.price < rate:
        chosen = exchanged(chosen, offer)
    return chosen
