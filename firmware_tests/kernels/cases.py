"""Every operator case of every kernel test, for the tests that run them all."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from tinygen.ir import Op


@cache
def all_cases() -> tuple[Op, ...]:
    """The ``CASES`` of each ``test_*.py`` beside this file, in the files' order."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("test_*.py"))
    modules = [import_module(f"{__package__}.{name}") for name in names]
    return tuple(op for module in modules for op in getattr(module, "CASES", ()))


def batches(ops: tuple[Op, ...], limit_bytes: int) -> Iterator[tuple[Op, ...]]:
    """Groups of operators whose activations fit ``limit_bytes`` together, each group a program.

    An operator that does not fit alone is left out.
    """
    group: list[Op] = []
    used = 0
    for op in ops:
        need = sum(t.nbytes + 8 for t in (*op.activations, *op.outputs))
        if need > limit_bytes:
            continue
        if used + need > limit_bytes:
            yield tuple(group)
            group, used = [], 0
        group.append(op)
        used += need
    if group:
        yield tuple(group)
