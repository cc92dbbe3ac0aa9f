"""Graph rewrites, one file each; every one keeps all outputs bit-identical for every input."""

from collections.abc import Callable

from tinygen.ir import Graph, verify

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = ()


def run_pipeline(
    graph: Graph, observe: Callable[[str, Graph], None] = lambda name, graph: None
) -> Graph:
    """Apply every pass of ``PIPELINE``, checking the graph's invariants after each."""
    verify(graph)
    for rewrite in PIPELINE:
        graph = rewrite(graph)
        verify(graph)
        observe(rewrite.__name__, graph)
    return graph
