"""What the passes made of a model, layer by layer, and why no output can tell: the report of
`tinygen inspect --simplify`."""

import sys
import textwrap
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from tinygen.ir import Graph, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.base import channels_of
from tinygen.ops.convolution import WeightedOp
from tinygen.passes import PIPELINE, Pass, run_pipeline
from tinygen.passes.mixing import columns_of, is_mixing
from tinygen.tables import table

# Kernels for SIMD instructions take channels four at a time.
LANES = 4


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One layer as one pass left it; ``macs`` and ``bytes`` of constants are what it saved."""

    rewrite: str
    layer: str
    op: str
    change: str
    macs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a graph: operators, multiply-accumulates, bytes of constants."""

    layers: int
    macs: int
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Simplification:
    """Every rewrite in the order it was made, the reason of each pass that made any, and the sums.

    ``uneven`` are layers that lost channels and have a number of them left that is no multiple of
    four, with that number.
    """

    before: Totals
    after: Totals
    rewrites: tuple[Rewrite, ...]
    reasons: dict[str, str]
    uneven: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return asdict(self)

    def to_text(self) -> str:
        """The report as a person reads it."""
        old, new = self.before, self.after
        lines = [
            f"simplified: {old.macs:,} -> {new.macs:,} MACs, {old.weight_bytes:,} -> "
            f"{new.weight_bytes:,} bytes of weights, {old.layers} -> {new.layers} layers"
        ]
        if not self.rewrites:
            return "\n".join([*lines, "no pass found anything to do"])
        rows = [("pass", "operator", "change", "MACs", "bytes", "layer")]
        rows += [
            (r.rewrite, r.op, r.change, _saved(r.macs), _saved(r.bytes), r.layer)
            for r in self.rewrites
        ]
        lines += ["", *table(rows, right=(3, 4))]
        if self.uneven:
            counts = ", ".join(str(count) for _, count in self.uneven)
            lines += [
                "",
                f"{len(self.uneven)} of these layers are left with a number of channels that is no "
                f"multiple of {LANES}, which some kernels take slower: {counts}",
            ]
        lines += ["", "Every output stays the same for every input:"]
        for name, why in self.reasons.items():
            lines += textwrap.wrap(
                f"{name}: {why}", 96, initial_indent="  ", subsequent_indent="    "
            )
        return "\n".join(lines)


def simplification_of(graph: Graph) -> Simplification:
    """Run the passes on ``graph`` and tell what they do."""
    stages: list[tuple[str, Graph]] = [("", graph)]
    after = run_pipeline(graph, lambda name, made: stages.append((name, made)))
    rewrites = tuple(
        found
        for (_, old), (name, new) in pairwise(stages)
        if new is not old
        for found in differences(name, old, new)
    )
    made = {r.rewrite for r in rewrites}
    return Simplification(
        before=totals(graph),
        after=totals(after),
        rewrites=rewrites,
        reasons={p.__name__: reason(p) for p in PIPELINE if p.__name__ in made},
        uneven=_uneven(graph, after),
    )


def totals(graph: Graph) -> Totals:
    """The sums over ``graph``; constants that several operators share count once."""
    constants = {t for op in graph.ops for t in op.inputs if t.is_constant}
    return Totals(len(graph.ops), sum(map(_macs, graph.ops)), sum(t.nbytes for t in constants))


def reason(rewrite: Pass) -> str:
    """Why a pass is exact: the paragraph of its module's docstring that begins so."""
    paragraphs = (sys.modules[rewrite.__module__].__doc__ or "").split("\n\n")
    found = next(p for p in paragraphs if p.startswith("Exact"))
    return " ".join(found.split())


def differences(name: str, before: Graph, after: Graph) -> Iterable[Rewrite]:
    """One entry for each operator that is gone, new or changed, matched by kind and name."""
    left: defaultdict[tuple[str, str], deque[Op]] = defaultdict(deque)
    for op in before.ops:
        left[op.kind, op.name].append(op)
    for new in after.ops:
        matches = left[new.kind, new.name]
        old = matches.popleft() if matches else None
        if old is None:
            yield Rewrite(name, new.name, new.kind, "made of others", -_macs(new), -_bytes(new))
        elif change := _change(old, new):
            macs, size = _macs(old) - _macs(new), _bytes(old) - _bytes(new)
            yield Rewrite(name, new.name, new.kind, change, macs, size)
    for op in (op for matches in left.values() for op in matches):
        yield Rewrite(name, op.name, op.kind, "gone", _macs(op), _bytes(op))


def _change(old: Op, new: Op) -> str:
    """What differs, in words; '' if nothing that a reader could see."""
    parts = [
        f"{channels_of(a)} -> {channels_of(b)} {what}"
        for what, a, b in (("inputs", old.x, new.x), ("outputs", old.y, new.y))
        if channels_of(a) != channels_of(b)
    ]
    if not parts and (silenced := _read(old) - _read(new)) > 0:
        parts.append(f"no weights for {silenced} inputs")
    theirs = new.attributes()
    parts += [
        f"{key} {_word(value)} -> {_word(theirs[key])}"
        for key, value in old.attributes().items()
        if value != theirs[key]
    ]
    return ", ".join(parts)


def _read(op: Op) -> int:
    """Input channels that have a weight other than zero."""
    columns = columns_of(op) if is_mixing(op) else None
    return 0 if columns is None else int(columns.any(axis=(0, 1)).sum())


def _uneven(before: Graph, after: Graph) -> tuple[tuple[str, int], ...]:
    known: dict[str, Tensor] = {op.name: op.y for op in before.ops}
    return tuple(
        (op.name, channels_of(op.y))
        for op in after.ops
        if isinstance(op, WeightedOp)
        and op.name in known
        and channels_of(op.y) < channels_of(known[op.name])
        and channels_of(op.y) % LANES
    )


def _macs(op: Op) -> int:
    return definition_of(op).macs(op)


def _bytes(op: Op) -> int:
    return sum(t.nbytes for t in op.inputs if t.is_constant)


def _saved(count: int) -> str:
    return f"{-count:,}" if count else ""


def _word(value: Any) -> str:
    return str(getattr(value, "value", value)).lower()
