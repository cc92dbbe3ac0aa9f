"""Names that try to be more than names, and graphs whose every name is one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, cycle

from firmware_tests.kernels.harness import graph_of
from firmware_tests.models import kept_samples, samples
from firmware_tests.models.controls import while_op
from tinygen.ir import Graph, Op, Tensor
from tinygen.ops.control import Control

HOSTILE = (
    "*/ int evil; /*",
    '"; system("x"); //',
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "a\nb",
    "a\r#error\n#define int evil\n",
    "ünïcödé",
    "\u202etxt.exe\u202c",
    "zero\u200bwidth",
    "??/",
    "??/\n*??/\n/",
    "",
    "int",
    "INT",
    "string",
    "con",
    "__reserved",
    "_Bool",
    "9lives",
    "\\",
    "\x00",
    "%s%n%%",
    "{{ 7 * 7 }}{% raw %}",
    "$(touch evil)`touch evil`${evil}",
    "a' b\" c",
    "]\n[env:evil]\nplatform = evil",
    "a" * 500,
    "trailing\\",
    "Case",
    "cAsE",
)


def renamed(graph: Graph, names: Iterator[str]) -> Graph:
    """``graph`` with a name of ``names`` for each tensor and operator, those of inner graphs too.
    An operator has the name of its first output, as the front end calls it.
    """
    tensors: dict[Tensor, Tensor] = {}

    def tensor(old: Tensor) -> Tensor:
        if old not in tensors:
            tensors[old] = replace(old, name=next(names))
        return tensors[old]

    def op(old: Op) -> Op:
        inputs, outputs = tuple(map(tensor, old.inputs)), tuple(map(tensor, old.outputs))
        new = replace(old, name=outputs[0].name, inputs=inputs, outputs=outputs)
        if isinstance(new, Control):
            new = replace(new, graphs=tuple(map(whole, new.graphs)))
        return new

    def whole(old: Graph) -> Graph:
        inputs = tuple(map(tensor, old.inputs))
        states = tuple(
            replace(s, before=tensor(s.before), after=tensor(s.after)) for s in old.states
        )
        ops = tuple(map(op, old.ops))
        return replace(
            old, inputs=inputs, outputs=tuple(map(tensor, old.outputs)), ops=ops, states=states
        )

    return whole(graph)


def everything() -> Graph:
    """Weights, several outputs, state of an operator, a loop: every place that has names."""
    graphs = (samples.residual(), kept_samples.svdf(), graph_of([while_op("loop", (2, 3))]))
    return Graph(
        "everything",
        tuple(t for g in graphs for t in g.inputs),
        tuple(t for g in graphs for t in g.outputs),
        tuple(op for g in graphs for op in g.ops),
        tuple(s for g in graphs for s in g.states),
    )


def hostile() -> Graph:
    """``everything`` under hostile names."""
    return renamed(everything(), cycle(HOSTILE))


def plainly_named() -> Graph:
    """The same under names that nobody could mind."""
    return renamed(everything(), (f"tensor{number}" for number in count()))
