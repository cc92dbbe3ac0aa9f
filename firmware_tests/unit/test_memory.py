"""Memory: what shares bytes, what must not, and what the arena then needs."""

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from tinygen.ir import DType, Graph, Op, Tensor
from tinygen.memory import Memory, Peak, allocate
from tinygen.ops.base import Call, Kernel
from tinygen.step import Step


@dataclass(frozen=True, slots=True, eq=False)
class Fake(Op):
    kind: ClassVar[str] = "FAKE"


def kernel(in_place: bool) -> Kernel[Any]:
    return Kernel("tg_fake", "tg_fake.h", "tg_fake", lambda op: (), in_place=in_place)


PLAIN, IN_PLACE, VIEW = kernel(False), kernel(True), None


def tensor(name: str, size: int, dtype: DType = DType.INT8) -> Tensor:
    return Tensor(name, (size,), dtype)


def constant(name: str, size: int) -> Tensor:
    return Tensor(name, (size,), DType.INT8, data=np.zeros(size, np.int8))


def step(
    row: Kernel[Any] | None,
    inputs: tuple[Tensor, ...],
    *outputs: Tensor,
    scratch: int = 0,
    calls: int = 1,
) -> Step:
    op = Fake(f"make {outputs[0].name}", inputs, outputs)
    call = Call((), (), inputs, outputs, scratch)
    return Step(op, row, (call,) * calls if row else ())


def placed(
    inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], *steps: Step
) -> tuple[Memory, dict[str, int]]:
    """The memory, run symbolically to prove it right, and the offsets by tensor name."""
    graph = Graph("g", inputs, outputs, tuple(s.op for s in steps))
    memory = allocate(graph, steps)
    run_symbolically(graph, steps, memory)
    return memory, {t.name: offset for t, offset in memory.tensors.items()}


def run_symbolically(graph: Graph, steps: tuple[Step, ...], memory: Memory) -> None:
    """Execute the steps on an arena of labelled bytes; what is read must be what was written.

    A kernel writes its scratch, then its results, while its operands must stay intact; only an
    in-place kernel may have overwritten operand 0, by result 0 as a whole.
    """
    arena: list[object] = [None] * memory.arena_bytes
    labels: dict[Tensor, str] = {}

    def write(offset: int, size: int, label: str) -> None:
        assert 0 <= offset <= offset + size <= len(arena)
        arena[offset : offset + size] = [(label, i) for i in range(size)]

    def check(tensor: Tensor) -> None:
        offset = memory.tensors[tensor]
        assert offset % max(4, tensor.dtype.size) == 0
        expected = [(labels[tensor], i) for i in range(tensor.nbytes)]
        assert arena[offset : offset + tensor.nbytes] == expected, tensor.name

    for tensor in graph.inputs:
        labels[tensor] = tensor.name
        write(memory.tensors[tensor], tensor.nbytes, tensor.name)
    for index, step in enumerate(steps):
        op = step.op
        for tensor in op.activations:
            check(tensor)
        if step.kernel is None:
            labels[op.y] = labels[op.x]
            check(op.y)
            continue
        write(memory.scratch[index], step.scratch_bytes, "scratch")
        for tensor in op.activations:
            check(tensor)
        for tensor in op.outputs:
            labels[tensor] = tensor.name
            write(memory.tensors[tensor], tensor.nbytes, tensor.name)
        taken = (
            step.kernel.in_place
            and not op.x.is_constant
            and memory.tensors[op.x] == memory.tensors[op.y]
        )
        for tensor in op.activations[taken:]:
            check(tensor)
        for tensor in op.outputs:
            check(tensor)
    for tensor in graph.outputs:
        if not tensor.is_constant:
            check(tensor)


def test_the_arena_of_a_chain_is_its_widest_pair() -> None:
    a, b, c = tensor("a", 100), tensor("b", 40), tensor("c", 80)
    memory, _ = placed((a,), (c,), step(PLAIN, (a,), b), step(PLAIN, (b,), c))
    assert memory.arena_bytes == memory.live_bound_bytes == 140


def test_a_view_is_its_tensor_and_keeps_it_alive() -> None:
    a, b, view, c = tensor("a", 40), tensor("b", 40), tensor("view", 40), tensor("c", 40)
    memory, at = placed(
        (a,), (c,), step(PLAIN, (a,), b), step(VIEW, (b,), view), step(PLAIN, (view,), c)
    )
    assert at["view"] == at["b"]
    assert memory.arena_bytes == memory.live_bound_bytes == 80


def test_a_view_from_input_to_output_needs_one_buffer() -> None:
    a, view = tensor("a", 40), tensor("view", 40)
    memory, at = placed((a,), (view,), step(VIEW, (a,), view))
    assert (at["a"], at["view"], memory.arena_bytes) == (0, 0, 40)


def test_a_viewed_input_that_is_an_output_is_kept_to_the_end() -> None:
    a, view, b, c = tensor("a", 40), tensor("view", 40), tensor("b", 40), tensor("c", 40)
    steps = step(VIEW, (a,), view), step(IN_PLACE, (a,), b), step(IN_PLACE, (b,), c)
    memory, at = placed((a,), (view, c), *steps)
    assert at["b"] == at["c"] != at["a"]
    assert memory.arena_bytes == 80


def test_a_view_of_a_constant_is_a_bug() -> None:
    weights, view = constant("w", 40), tensor("view", 40)
    with pytest.raises(AssertionError, match="'make view' is no view of an activation"):
        placed((), (view,), step(VIEW, (weights,), view))


def test_a_result_in_place_takes_its_operands_buffer() -> None:
    a, b, c = tensor("a", 40), tensor("b", 40), tensor("c", 40)
    memory, at = placed((a,), (c,), step(IN_PLACE, (a,), b), step(IN_PLACE, (b,), c))
    assert at["a"] == at["b"] == at["c"]
    assert (memory.arena_bytes, memory.live_bound_bytes) == (40, 80)
    assert memory.peak == Peak(0, inputs=40)


def test_a_result_in_place_of_a_view_takes_the_viewed_buffer() -> None:
    a, view, b = tensor("a", 40), tensor("view", 40), tensor("b", 40)
    memory, at = placed((a,), (b,), step(VIEW, (a,), view), step(IN_PLACE, (view,), b))
    assert at["a"] == at["b"]
    assert memory.arena_bytes == 40


A, B, C, D = tensor("a", 40), tensor("b", 40), tensor("c", 40), tensor("d", 40)
WIDE = Tensor("wide", (10,), DType.INT32)
SMALL = tensor("small", 20)


@pytest.mark.parametrize(
    ("inputs", "outputs", "steps"),
    [
        pytest.param((A,), (B,), (step(PLAIN, (A,), B),), id="the kernel does not allow it"),
        pytest.param((A,), (B, A), (step(IN_PLACE, (A,), B),), id="the operand is an output"),
        pytest.param(
            (A,), (C,), (step(IN_PLACE, (A,), B), step(PLAIN, (A, B), C)), id="it is read later"
        ),
        pytest.param(
            (A,),
            (D,),
            (step(VIEW, (A,), C), step(IN_PLACE, (A,), B), step(PLAIN, (B, C), D)),
            id="a view of it is read later",
        ),
        pytest.param((A,), (B,), (step(IN_PLACE, (A, A), B),), id="it is read twice"),
        pytest.param(
            (A,),
            (B,),
            (step(VIEW, (A,), C), step(IN_PLACE, (A, C), B)),
            id="a view of it is read too",
        ),
        pytest.param((A,), (SMALL,), (step(IN_PLACE, (A,), SMALL),), id="the sizes differ"),
        pytest.param((A,), (WIDE,), (step(IN_PLACE, (A,), WIDE),), id="the elements differ"),
        pytest.param(
            (A,), (B,), (step(IN_PLACE, (constant("k", 40), A), B),), id="it is a constant"
        ),
        pytest.param((A,), (B,), (step(IN_PLACE, (A,), B, calls=2),), id="two calls read it"),
    ],
)
def test_a_result_has_bytes_of_its_own_where(
    inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], steps: tuple[Step, ...]
) -> None:
    memory, at = placed(inputs, outputs, *steps)
    made = next(s.op.y.name for s in steps if s.kernel)
    assert at["a"] != at[made]
    assert memory.arena_bytes >= memory.live_bound_bytes


def test_scratch_lives_for_its_step_only() -> None:
    a, b, c = tensor("a", 8), tensor("b", 8), tensor("c", 8)
    steps = step(PLAIN, (a,), b, scratch=100), step(PLAIN, (b,), c, scratch=60)
    memory, _ = placed((a,), (c,), *steps)
    assert (memory.arena_bytes, memory.live_bound_bytes) == (116, 16)
    assert len(memory.scratch) == 2


def test_all_inputs_are_alive_before_the_first_step_and_all_outputs_after_the_last() -> None:
    a, late, unused = tensor("a", 16), tensor("late", 32), tensor("unused", 64)
    early, end, dead = tensor("early", 8), tensor("end", 4), tensor("dead", 24)
    memory, at = placed(
        (a, late, unused),
        (early, end),
        step(PLAIN, (a,), early),
        step(PLAIN, (late,), end, dead),
    )
    assert at.keys() == {"a", "late", "unused", "early", "end", "dead"}
    assert memory.arena_bytes == memory.live_bound_bytes == 112
    assert memory.peak == Peak(-1, held=112)


def test_outputs_may_repeat_be_inputs_or_be_constants() -> None:
    a, b, k = tensor("a", 16), tensor("b", 8), constant("k", 100)
    memory, at = placed((a, a), (b, b, k, a), step(PLAIN, (a,), b))
    assert at.keys() == {"a", "b"}
    assert memory.arena_bytes == 24


def test_wide_elements_are_aligned_to_their_size() -> None:
    a, b, c = tensor("a", 4), tensor("b", 2, DType.INT64), tensor("c", 3)
    memory, at = placed((a, b, c), (), step(PLAIN, (a, b, c), tensor("y", 1)))
    assert at["b"] % 8 == 0
    assert memory.arena_bytes >= memory.live_bound_bytes == 24


def test_a_graph_without_tensors_has_an_empty_arena() -> None:
    memory, _ = placed((), ())
    assert (memory.arena_bytes, memory.live_bound_bytes, memory.peak) == (0, 0, Peak(-1))


def test_the_peak_says_which_layer_needs_what() -> None:
    a, view = tensor("a", 1000), tensor("view", 1000)
    b, c, d = tensor("b", 2000), tensor("c", 4000), tensor("d", 8)
    steps = (
        step(PLAIN, (a,), b),
        step(VIEW, (a,), view),
        step(PLAIN, (b,), c, scratch=300),
        step(PLAIN, (c, view), d),
    )
    memory, _ = placed((a,), (d,), *steps)
    assert memory.peak == Peak(2, inputs=2000, outputs=4000, scratch=300, held=1000)
    assert memory.peak.total == memory.arena_bytes == 7300
    assert memory.peak.describe(steps) == (
        "peak at layer 1 (FAKE 'make c'): 2,000 in + 4,000 out + 300 scratch + 1,000 held for later"
    )


@pytest.mark.parametrize(
    ("peak", "text"),
    [
        (Peak(-1, held=5), "peak before the first layer: 5 held for later"),
        (Peak(0), "peak after the last layer: 0"),
    ],
)
def test_a_peak_may_be_outside_the_layers(peak: Peak, text: str) -> None:
    assert peak.describe(()) == text


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_run_right_in_their_arena(seed: int) -> None:
    rng = random.Random(seed)
    inputs = tuple(tensor(f"in{i}", rng.choice((16, 32, 64))) for i in range(rng.randint(1, 3)))
    known, steps = list(inputs), []
    for index in range(rng.randint(1, 14)):
        row = rng.choice((PLAIN, IN_PLACE, IN_PLACE, VIEW))
        operands = tuple(
            rng.choice(known[-4:]) for _ in range(1 if row is VIEW else rng.randint(1, 3))
        )
        size = operands[0].nbytes if row is not PLAIN else rng.choice((0, 5, 16, 32, 64))
        result = tensor(f"t{index}", size)
        steps.append(step(row, operands, result, scratch=rng.choice((0, 0, 40))))
        known.append(result)
    outputs = tuple(rng.choice(known) for _ in range(rng.randint(1, 3)))
    memory, _ = placed(inputs, outputs, *steps)
    plain = [Step(s.op, s.kernel and PLAIN, s.calls) for s in steps]
    apart = allocate(Graph("g", inputs, outputs, tuple(s.op for s in steps)), plain)
    assert memory.live_bound_bytes == apart.live_bound_bytes <= apart.arena_bytes
    assert memory.arena_bytes <= apart.arena_bytes
