"""The kernels' functions in the generated C: one for each geometry, or one for all of them.

What is the same in every call of a function is a constant of the function, so loops and branches
fold away; what differs is handed over. For speed each geometry has a function of its own, and
nothing differs. For size all calls of a kernel share one function, but where it packs weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinygen.ir import DType
from tinygen.ops.base import Call, Kernel
from tinygen.optimize import Optimize
from tinygen.step import Step, with_inner

__all__ = ["Instance", "Key", "Optimize", "instance_key", "instances_of"]

Key = tuple[str, tuple[DType, ...], tuple[tuple[str, int], ...] | None]


@dataclass(frozen=True, slots=True)
class Instance:
    """One C function around a kernel.

    ``constants`` are the fields of the shape that all its calls agree on, ``varying`` those that
    each call hands over; ``layers`` are the numbers of its callers.
    """

    name: str
    kernel: Kernel[Any]
    constants: tuple[tuple[str, int], ...]
    varying: tuple[str, ...]
    operands: tuple[DType, ...]
    results: tuple[DType, ...]
    layers: tuple[int, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The C declarations of its parameters, those of the kernel last."""
        geometry = [f"const {self.name}_geometry *geometry"] if self.varying else []
        return (*geometry, *self._forwarded())

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it hands to the kernel behind the shape."""
        return tuple(parameter.split("*")[-1] for parameter in self._forwarded())

    def _forwarded(self) -> list[str]:
        operands = [f"const {t.c_type} *x{i}" for i, t in enumerate(self.operands)]
        results = [f"{t.c_type} *y{i}" for i, t in enumerate(self.results)]
        scratch = ["int8_t *scratch"] if self.kernel.scratch else []
        return [f"const {self.kernel.types}_params *params", *operands, *results, *scratch]


def instance_key(kernel: Kernel[Any], call: Call, optimize: Optimize) -> Key:
    """Calls of one key share one function."""
    types = tuple(t.dtype for t in (*call.operands, *call.results))
    apart = optimize.takes_geometry(packs=kernel.packs)
    return kernel.function, types, call.shape if apart else None


def instances_of(layers: Sequence[Step], optimize: Optimize) -> dict[Key, Instance]:
    """Every function that ``layers`` need, in the order of first use."""
    callers: dict[Key, list[tuple[int, Kernel[Any], Call]]] = {}
    for index, layer in enumerate(layers):
        for step in with_inner([layer]):
            for call in step.calls:
                assert step.kernel is not None
                key = instance_key(step.kernel, call, optimize)
                callers.setdefault(key, []).append((index, step.kernel, call))
    numbers: dict[str, int] = {}
    found = {}
    for key, calls in callers.items():
        function = key[0]
        numbers[function] = numbers.get(function, -1) + 1
        found[key] = _instance(f"{function.removeprefix('tg_')}_{numbers[function]}", calls)
    return found


def _instance(name: str, calls: Sequence[tuple[int, Kernel[Any], Call]]) -> Instance:
    _, kernel, first = calls[0]
    shapes = [dict(call.shape) for _, _, call in calls]
    same = {field for field, value in first.shape if all(s[field] == value for s in shapes)}
    return Instance(
        name=name,
        kernel=kernel,
        constants=tuple(pair for pair in first.shape if pair[0] in same),
        varying=tuple(field for field, _ in first.shape if field not in same),
        operands=tuple(t.dtype for t in first.operands),
        results=tuple(t.dtype for t in first.results),
        layers=tuple(dict.fromkeys(index for index, _, _ in calls)),
    )
