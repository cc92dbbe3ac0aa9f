"""Where a state's next value is computed: in the state's own buffer if nobody misses what was
there, else elsewhere, and stored at the end.

Exact, because STORE copies bytes. It runs once, after all other passes: which operators are left,
and in which order, decides.
"""

from dataclasses import replace

from tinygen.ir import Graph, Op, State, Tensor
from tinygen.ops import definition_of
from tinygen.ops.store import Store


def settle_states(graph: Graph) -> Graph:
    """Append a STORE for each state whose next value must not be written over the old one.

    Afterwards, one buffer can hold what a state was before and what it is after: the operator that
    makes the latter is none before the last reader of the former. These stores read no state: one
    state that becomes another is first stored aside, so that their order does not matter. An output
    that shows what a state was is a copy, too.
    """
    origins = _origins(graph)
    held = {state.before for state in graph.states}
    ops = [
        Store(op.name, op.inputs, op.outputs)
        if op.y in graph.outputs and origins.get(op.y) in held
        else op
        for op in graph.ops
    ]
    aside: list[Op] = []
    by: dict[Tensor, Tensor] = {}
    for state in graph.states:
        x = state.after
        if x is state.before:
            continue  # it never changes
        if x not in by and origins.get(x, x) in held:
            by[x] = replace(x, name=f"{x.name}/aside")
            aside.append(Store(f"{state.before.name}/aside", (x,), (by[x],)))
    states = [replace(s, after=by.get(s.after, s.after)) for s in graph.states]
    settled = replace(graph, ops=(*ops, *aside), states=tuple(states))
    stores: list[Op] = []
    taken: set[Tensor] = set()
    for index, state in enumerate(states):
        if state.after is state.before:
            continue
        origin = _origins(settled).get(state.after, state.after)
        if origin not in taken and _made_in_place(settled, state):
            taken.add(origin)
            continue
        after = replace(state.before, name=f"{state.before.name}/after")
        stores.append(Store(state.before.name, (state.after,), (after,)))
        states[index] = replace(state, after=after)
    if ops == list(graph.ops) and not aside and not stores:
        return graph
    return replace(settled, ops=(*settled.ops, *stores), states=tuple(states))


def _origins(graph: Graph) -> dict[Tensor, Tensor]:
    """What each view shows in the end."""
    shown: dict[Tensor, Tensor] = {}
    for op in graph.ops:
        if definition_of(op).is_view:
            shown[op.y] = shown.get(op.x, op.x)
    return shown


def _made_in_place(graph: Graph, state: State) -> bool:
    """Whether the operator that makes what comes after can write it over what was before."""
    shown = _origins(graph)
    after = shown.get(state.after, state.after)
    numbers = [i for i, op in enumerate(graph.ops) if after in op.outputs]
    if not numbers:  # a constant
        return False
    (made,) = numbers
    before = {state.before} | {t for t, origin in shown.items() if origin is state.before}
    for op in graph.ops[made + 1 :]:
        if not definition_of(op).is_view and before.intersection(op.inputs):
            return False
    op = graph.ops[made]
    read = [i for i, tensor in enumerate(op.inputs) if tensor in before]
    return not read or (len(read) == 1 and (read[0], op.outputs.index(after)) in op.updates)
