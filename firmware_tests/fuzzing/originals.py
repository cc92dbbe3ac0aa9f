"""The sound models of which mutants are made."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from firmware_tests.conformance.drawing import drawn, is_drawn, pairs
from firmware_tests.kernels.harness import graph_of
from firmware_tests.models.controls import if_op, while_op
from firmware_tests.models.random_graphs import random_graph
from firmware_tests.models.random_states import random_stateful_graph
from firmware_tests.models.samples import SAMPLES
from firmware_tests.models.writer import to_tflite
from tinygen.ir import Graph, Numerics

_ROOT = Path(__file__).parents[2]
_GRAPH_SEEDS = range(40)
# What is larger takes long to compile, and its tables are those of the smaller ones.
_LARGEST_FILE = 60_000


@dataclass(frozen=True, slots=True)
class Original:
    """A sound model file."""

    name: str
    data: bytes


@cache
def originals(*, corpus: bool = True) -> tuple[Original, ...]:
    """Every sample, a model of each operator and type, branches and loops, random graphs with and
    without state, the example, and, with ``corpus``, the smaller models of the shared corpus where
    it lies beside the checkout."""
    written = [_written(f"sample{i}_{s.__name__}", s()) for i, s in enumerate(SAMPLES)]
    for seed in _GRAPH_SEEDS:
        written.append(_written(f"graph{seed}", random_graph(seed, Numerics.TFLM, most_ops=6)))
        if stateful := random_stateful_graph(seed, Numerics.TFLM):
            written.append(_written(f"states{seed}", stateful))
    for kind, dtype in pairs():
        if is_drawn(kind, dtype, Numerics.TFLM):
            graph = drawn(kind, dtype, Numerics.TFLM, 0)
            written.append(_written(graph.name, graph))
    for nested in (False, True):
        control = (if_op("branch", (2, 3), nested=nested), while_op("loop", (2, 3), nested=nested))
        written += [_written(f"{op.name}{nested:d}", graph_of([op])) for op in control]
    files = [*(_ROOT / "examples").rglob("*.tflite")]
    if corpus:
        files += (_ROOT.parent / "shared" / "models" / "tflite").glob("*.tflite")
    return (*written, *_read(sorted(files)))


def _written(name: str, graph: Graph) -> Original:
    return Original(name, to_tflite(graph))


def _read(files: Iterable[Path]) -> list[Original]:
    small = (file for file in files if file.stat().st_size <= _LARGEST_FILE)
    return [Original(file.stem, file.read_bytes()) for file in small]
