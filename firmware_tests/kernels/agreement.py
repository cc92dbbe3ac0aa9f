"""Compare operators' numpy references with the interpreters whose numbers they claim."""

from collections.abc import Iterable

import numpy as np

from firmware_tests.kernels.harness import graph_of
from firmware_tests.models.writer import to_tflite
from tinygen import reference
from tinygen.agreement import tolerance_of
from tinygen.interpreters import run_reference
from tinygen.ir import Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.tolerance import EXACT, deviating
from tinygen.vectors import draw_vectors


def assert_interpreter_agrees(
    ops: Iterable[Op], numerics: Numerics, *, seed: int = 0, count: int = 12
) -> None:
    """The interpreter that defines ``numerics`` agrees with the reference of every operator.

    That is to the byte, or for float32 within the operator's tolerance.
    """
    graph = graph_of(ops)
    broken = [line for op in graph.ops for line in definition_of(op).violations(op)]
    assert not broken, "\n".join(broken)
    inputs = draw_vectors(graph, count, seed).inputs
    stacked = tuple(np.stack(column) for column in zip(*inputs, strict=True))
    theirs = run_reference(to_tflite(graph), stacked, numerics)
    mine = reference.run_all(graph, inputs)
    for index, tensor in enumerate(graph.outputs):
        want = theirs[index].reshape(count, *tensor.shape)
        got = np.stack([vector[index] for vector in mine])
        op = graph.producer(tensor)
        where = np.argwhere(deviating(got, want, tolerance_of(op) if op else EXACT))
        if len(where):
            at = tuple(where[0])
            raise AssertionError(
                f"{op.kind if op else '?'} '{tensor.name}': {len(where)} of {got.size} differ "
                f"from {numerics.value}, first at {at}: got {got[at]}, want {want[at]}\n"
                f"{graph_of([op]) if op else ''}"
            )
