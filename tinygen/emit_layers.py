"""The functions of the layers, as the templates show them.

A layer is one function with the calls of its kernel. One that runs graphs of its own, IF or WHILE,
has a function for each step inside of them as well; they get the memory of their block as theirs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

import numpy as np

from tinygen import ctext
from tinygen.instances import Instance, Key, instance_key
from tinygen.ir import Array, Tensor
from tinygen.memory import Memory
from tinygen.ops import definition_of
from tinygen.ops.base import Call
from tinygen.ops.control import Control
from tinygen.optimize import Optimize
from tinygen.step import Block, Step

INDENT = "    "


@dataclass(slots=True)
class Writer:
    """Collects the constant arrays that the layers need, each once."""

    name: str
    optimize: Optimize
    instances: dict[Key, Instance]
    constants: dict[str, Array] = field(default_factory=dict)
    known: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def constant(self, name: str, values: Array) -> str:
        """The symbol that holds ``values``, a number after ``name`` where another array has that;
        equal arrays share one."""
        key = (values.dtype.str, values.tobytes())
        if key not in self.known:
            numbered = (f"{name}_{number}" for number in count(1))
            symbol = next(n for n in chain((name,), numbered) if n not in self.constants)
            self.known[key] = symbol
            self.constants[symbol] = values
        return self.known[key]


def layer_functions(
    writer: Writer, steps: Sequence[Step], memory: Memory, index: int
) -> list[dict[str, Any]]:
    """The functions of layer ``index`` of a program, its own last."""
    place = _Place("layer", writer.name, tuple(steps), memory)
    return _functions(writer, place, index)


def short_name(name: str) -> str:
    """The last two parts of the first name that TensorFlow joined with semicolons."""
    parts = [p for p in name.split(";", maxsplit=1)[0].split("/") if p]
    return ctext.identifier("_".join(parts[-2:]), limit=32)


def function_name(prefix: str, index: int, step: Step) -> str:
    """The C function of the step with code number ``index``."""
    words = ctext.identifier(f"{step.op.kind}_{short_name(step.op.name)}", limit=80)
    return f"{prefix}_{index:02d}_{words}"


def cast(c_type: str, *, const: bool = False) -> str:
    """The cast from the arena's bytes; through void, as the planner has seen to the alignment."""
    qualifier = "const " if const else ""
    detour = "" if c_type in ("int8_t", "uint8_t", "bool") else f")({qualifier}void *"
    return f"{qualifier}{c_type} *{detour}"


def fields(shape: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    """Fields of a struct and the literals of their values."""
    return [(name, ctext.literal(value)) for name, value in shape]


@dataclass(frozen=True, slots=True)
class _Place:
    """Steps, where their tensors and scratch lie, and what names functions and constants get."""

    functions: str
    constants: str
    steps: tuple[Step, ...]
    memory: Memory
    label: str = ""

    @property
    def coded(self) -> tuple[Step, ...]:
        """The steps that have code."""
        return tuple(step for step in self.steps if step.kernel is not None)

    def prefix(self, index: int) -> str:
        """How the names of the constants of the step with code number ``index`` begin."""
        return f"{self.constants}_{index:02d}_{short_name(self.coded[index].op.name)}"

    def scratch(self, step: Step) -> int:
        """The offset of the step's scratch."""
        return self.memory.scratch[self.steps.index(step)]


def _functions(writer: Writer, place: _Place, index: int) -> list[dict[str, Any]]:
    """What computes the step with code number ``index``: the functions inside it, then its own."""
    step = place.coded[index]
    inside, lines = _control(writer, place, index) if step.blocks else ([], [])
    op, y = step.op, step.op.y
    macs = definition_of(op).macs(op)
    single = len(step.calls) == 1
    own = {
        "index": index,
        "label": place.label or str(index),
        "function": function_name(place.functions, index, step),
        "comment": ctext.comment(f"{op.kind} '{op.name}'", 92),
        "shapes": f"{_dims(op.x)} -> {_dims(y)}" + (f", {macs:,} MACs" if macs else ""),
        "calls": [
            _call(writer, place, index, call, "" if single else f"_{number}")
            for number, call in enumerate(step.calls)
        ],
        "lines": lines,
        "output_offset": place.memory.tensors[y],
        "output_bytes": y.nbytes,
    }
    return [*inside, own]


def _call(writer: Writer, place: _Place, index: int, call: Call, suffix: str) -> dict[str, Any]:
    """One call of the kernel of the step with code number ``index``."""
    step, offsets = place.coded[index], place.memory.tensors
    kernel = step.kernel
    assert kernel is not None
    prefix = f"{place.prefix(index)}{suffix}"
    params = [
        (
            name,
            writer.constant(f"{prefix}_{name}", value)
            if isinstance(value, np.ndarray)
            else ctext.literal(value),
        )
        for name, value in call.params
    ]
    arguments = [
        writer.constant(f"{prefix}_in{position}", tensor.values)
        if tensor.is_constant
        else _pointer(tensor.dtype.c_type, offsets[tensor], const=True)
        for position, tensor in enumerate(call.operands)
    ]
    arguments += [_pointer(t.dtype.c_type, offsets[t]) for t in call.results]
    if kernel.scratch:
        arguments.append(_pointer("int8_t", place.scratch(step)))
    instance = writer.instances[instance_key(kernel, call, writer.optimize)]
    geometry = [pair for pair in call.shape if pair[0] in instance.varying]
    return {
        "function": instance.name,
        "types": kernel.types,
        "suffix": suffix,
        "geometry": fields(geometry),
        "params": params,
        "arguments": [
            *([f"&geometry{suffix}"] if geometry else []),
            f"&params{suffix}",
            *arguments,
        ],
    }


def _control(writer: Writer, place: _Place, index: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The functions inside the step with code number ``index``, and the lines that run them."""
    step = place.coded[index]
    assert isinstance(step.op, Control)
    outside = _Side("arena", place.prefix(index), place.memory, writer)
    functions: list[dict[str, Any]] = []
    runs = []
    for number, block in enumerate(step.blocks):
        mark = f"{index:02d}_{number}"
        inner = _Place(
            f"inner_{mark}" if place.functions == "layer" else f"{place.functions}_{mark}",
            f"{place.prefix(index)}_{number}",
            block.steps,
            block.memory,
            place.label or f"in layer {index}",
        )
        made = [_functions(writer, inner, i) for i in range(len(inner.coded))]
        functions += [function for some in made for function in some]
        inside = _Side("inner", inner.constants, block.memory, writer)
        pairs = step.op.entries(block.graph), step.op.exits(block.graph)
        runs.append(
            _Run(
                copies_in=tuple(_copy(inside, to, outside, x) for x, to in pairs[0]),
                calls=tuple(f"{some[-1]['function']}(inner);" for some in made),
                tested=_tested(block, inner.coded) if step.op.is_loop else 0,
                condition=inside.first_byte(block.graph.outputs[0]) if step.op.is_loop else "",
                copies_out=tuple(_copy(outside, to, inside, x) for x, to in pairs[1]),
            )
        )
    lines = (
        _loop(runs[0])
        if step.op.is_loop
        else _branches(outside.first_byte(step.op.x), runs[0], runs[1])
    )
    declared = [f"uint8_t *const inner = arena + {place.scratch(step)};", ""]
    used = any("inner" in line for line in lines)
    return functions, [*(declared if used else []), *lines]


@dataclass(frozen=True, slots=True)
class _Run:
    """One block's statements; the first ``tested`` of its calls make a loop's condition."""

    copies_in: tuple[str, ...]
    calls: tuple[str, ...]
    tested: int
    condition: str
    copies_out: tuple[str, ...]


def _branches(condition: str, then: _Run, otherwise: _Run) -> list[str]:
    return [
        f"if ({condition} != 0) {{",
        *_indented((*then.copies_in, *then.calls, *then.copies_out)),
        "} else {",
        *_indented((*otherwise.copies_in, *otherwise.calls, *otherwise.copies_out)),
        "}",
    ]


def _loop(run: _Run) -> list[str]:
    return [
        *run.copies_in,
        "for (;;) {",
        *_indented(run.calls[: run.tested]),
        f"{INDENT}if ({run.condition} == 0) {{",
        f"{INDENT * 2}break;",
        f"{INDENT}}}",
        *_indented(run.calls[run.tested :]),
        "}",
        *run.copies_out,
    ]


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (INDENT + line for line in lines)


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a copy: the arena of an operator, or that of a block inside of it."""

    base: str
    constants: str
    memory: Memory
    writer: Writer

    def pointer(self, tensor: Tensor) -> str:
        """Where the tensor lies."""
        if tensor.is_constant:
            name = f"{self.constants}_{ctext.identifier(tensor.name, limit=32)}"
            return self.writer.constant(name, tensor.values)
        return f"{self.base} + {self.memory.tensors[tensor]}"

    def first_byte(self, tensor: Tensor) -> str:
        """What a tensor of one byte holds."""
        if tensor.is_constant:
            return f"{self.pointer(tensor)}[0]"
        return f"{self.base}[{self.memory.tensors[tensor]}]"


def _copy(to: _Side, y: Tensor, source: _Side, x: Tensor) -> str:
    return f"memcpy({to.pointer(y)}, {source.pointer(x)}, {y.nbytes});"


def _tested(block: Block, coded: Sequence[Step]) -> int:
    """How many of a loop's steps make its condition. They come first, and change no variable."""
    needed = {block.graph.outputs[0]}
    last = 0
    for number in range(len(block.steps) - 1, -1, -1):
        step = block.steps[number]
        if needed.intersection(step.op.outputs):
            needed.update(step.op.inputs)
            last = max(last, number + 1)
    held = {block.memory.tensors[state.before] for state in block.graph.states}
    made = [t for step in block.steps[:last] if step.kernel for t in step.op.outputs]
    if any(block.memory.tensors[t] in held for t in made):
        raise AssertionError(f"the condition of '{block.graph.name}' changes a variable")
    return sum(step.kernel is not None for step in block.steps[:last])


def _pointer(c_type: str, offset: int, *, const: bool = False) -> str:
    return f"({cast(c_type, const=const)})(arena + {offset})"


def _dims(tensor: Tensor) -> str:
    return "x".join(str(d) for d in tensor.shape) or "scalar"
