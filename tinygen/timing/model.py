"""The price of a block of instructions under one table of costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tinygen.timing.instruction import LEAVES, Image, Instruction, Kind


@dataclass(frozen=True, slots=True)
class Cycles:
    """An estimate as a band: what a favourable, a plain and an unfavourable reading give."""

    low: int
    mid: int
    high: int


@dataclass(frozen=True, slots=True)
class Block:
    """How often a straight run of code was executed, and left by a taken branch.

    ``address`` and ``size`` are in bytes; ``instructions`` is the run's length.
    """

    address: int
    size: int
    instructions: int
    executions: int
    taken_exits: int


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which two neighbours an in-order core with two issue slots starts in one cycle.

    ``units`` groups the kinds that compete for one unit, of which only one starts per cycle;
    kinds in ``alone`` never pair. ``narrow`` demands two 16-bit instructions, ``partners``, unless
    empty, that one of the two has such a mnemonic.
    """

    units: tuple[frozenset[Kind], ...] = ()
    alone: frozenset[Kind] = frozenset()
    narrow: bool = False
    partners: frozenset[str] = frozenset()

    def allows(self, first: Instruction, second: Instruction) -> bool:
        """Whether ``second`` may start together with ``first``; it must not need its result."""
        kinds = {first.kind, second.kind}
        if kinds & self.alone or first.kind in LEAVES or first.writes & second.reads:
            return False
        if self.narrow and (first.size, second.size) != (2, 2):
            return False
        if self.partners and not self.partners & {first.mnemonic, second.mnemonic}:
            return False
        return not any(first.kind in unit and second.kind in unit for unit in self.units)


@dataclass(frozen=True, slots=True)
class Model:
    """Costs in cycles.

    An instruction costs ``cycles[kind]`` (1 unless listed), a multiple transfer one more for each
    register. A taken branch adds ``refill``, or ``refills[kind]``. A load right after a load starts
    ``pipelined_loads`` cycles earlier. The stalls hit the very next instruction: one that uses a
    loaded value, a product, or an address which the previous data operation computed. Vector
    instructions of different pipes in ``vector_pipes`` overlap by one cycle.
    """

    cycles: Mapping[Kind, int]
    refill: int
    refills: Mapping[Kind, int] = field(default_factory=dict)
    pipelined_loads: int = 0
    load_use_stall: int = 0
    product_use_stall: int = 0
    address_stall: int = 0
    pairing: Pairing | None = None
    vector_pipes: tuple[frozenset[Kind], ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """Cycles of a block that falls through, and what leaving it by a taken branch adds."""

    straight: int
    taken: int


_LOADS = frozenset({Kind.LOAD, Kind.LOAD_DOUBLE, Kind.LOAD_MULTIPLE})
_PRODUCTS = frozenset({Kind.MUL, Kind.MLA, Kind.MUL_LONG, Kind.MLA_LONG})
_DATA = _PRODUCTS | {Kind.ALU, Kind.SHIFTED, Kind.DSP, Kind.DIV}


def price(model: Model, code: Sequence[Instruction]) -> Price:
    """Price instructions that run one after the other, nothing being known of what ran before."""
    total, i = 0, 0
    previous: Instruction | None = None
    while i < len(code):
        cost = _cost(model, previous, code[i])
        if model.pairing and i + 1 < len(code) and model.pairing.allows(code[i], code[i + 1]):
            cost = max(cost, _cost(model, previous, code[i + 1]))
            i += 1
        total += cost
        previous = code[i]
        i += 1
    taken = model.refills.get(code[-1].kind, model.refill) if code else 0
    return Price(total, taken)


def _cost(model: Model, previous: Instruction | None, current: Instruction) -> int:
    cost = model.cycles.get(current.kind, 1) + current.registers
    if previous is None:
        return cost
    if previous.kind is current.kind is Kind.LOAD:
        cost -= model.pipelined_loads
    if previous.kind in _LOADS and previous.writes & current.reads:
        cost += model.load_use_stall
    if previous.kind in _PRODUCTS and previous.writes & current.reads:
        cost += 0 if _chained(previous, current) else model.product_use_stall
    if previous.kind in _DATA and previous.writes & current.address_registers:
        cost += model.address_stall
    pipes = [p for p in model.vector_pipes if previous.kind in p or current.kind in p]
    if len(pipes) == 2:
        cost -= 1
    return cost


def _chained(previous: Instruction, current: Instruction) -> bool:
    """Whether ``current`` only accumulates on the product: forwarded late, without a stall."""
    return current.kind in (Kind.MLA, Kind.MLA_LONG) and previous.writes == current.writes


def estimate(image: Image, models: Sequence[Model], blocks: Iterable[Block]) -> tuple[int, ...]:
    """Total cycles of the executed ``blocks``, once for each model."""
    totals = [0] * len(models)
    for block in blocks:
        code = image.block(block.address, block.size)
        for i, model in enumerate(models):
            cost = price(model, code)
            totals[i] += block.executions * cost.straight + block.taken_exits * cost.taken
    return tuple(totals)
