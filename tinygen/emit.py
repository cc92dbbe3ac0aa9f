"""A planned program to C text: the model's header, its layers, and its constants.

Templates decide nothing; they loop over the ready-made values that this module prepares.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import jinja2
import numpy as np

from tinygen import __version__, ctext
from tinygen.emit_layers import Writer, cast, fields, function_name, layer_functions, short_name
from tinygen.instances import Instance, instances_of
from tinygen.ir import Array, Graph, State, Tensor
from tinygen.memory import Memory
from tinygen.ops import definition_of
from tinygen.optimize import Optimize
from tinygen.resources import data_dir, kernel_source
from tinygen.step import Step, with_inner


class ArenaKind(Enum):
    """Who owns the arena: the model's own static memory, or the caller."""

    STATIC = "static"
    CALLER = "caller"


class Place(Enum):
    """From where the kernels that multiply run."""

    FLASH = "flash"
    RAM = "ram"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the generated code says about where it came from.

    ``kernel_section`` is the linker's section of the kernels that multiply, where they run from
    RAM; "" where they lie with the rest. ``tuning`` names a tuned choice of kernels, "" without.
    """

    model_file: str
    model_sha256: str
    target: str
    numerics: str
    optimize: Optimize
    arena: ArenaKind
    kernel_section: str = ""
    tuning: str = ""

    @property
    def options(self) -> str:
        """The options that decide what code is generated, as a user types them; a tuning file is
        named by the digest of its choice."""
        place = " --place kernels=ram" if self.kernel_section else ""
        tuning = f" --tuning {self.tuning}" if self.tuning else ""
        return (
            f"--numerics {self.numerics} --optimize {self.optimize.value} "
            f"--arena {self.arena.value}{place}{tuning}"
        )


@dataclass(frozen=True, slots=True)
class Program:
    """All that the emitter sees."""

    name: str
    graph: Graph
    steps: tuple[Step, ...]
    memory: Memory
    provenance: Provenance

    @property
    def layers(self) -> tuple[Step, ...]:
        """The steps that have code, in order; a layer's number is its index here."""
        return tuple(s for s in self.steps if s.kernel is not None)

    @property
    def constant_bytes(self) -> int:
        """Bytes of all arrays that the calls bring along; equal arrays count once."""
        arrays = {
            (value.dtype.str, value.tobytes()): value.nbytes
            for step in with_inner(self.steps)
            for call in step.calls
            for _, value in call.params
            if isinstance(value, np.ndarray)
        }
        return sum(arrays.values())


def emit(program: Program) -> dict[str, str]:
    """The model's C files by name: header, layers, constants, and the kernels they use."""
    name = program.name
    instances = instances_of(program.layers, program.provenance.optimize)
    writer = Writer(name, program.provenance.optimize, instances)
    steps = program.layers
    found = [
        layer_functions(writer, program.steps, program.memory, index) for index in range(len(steps))
    ]
    headers = sorted({s.kernel.header for s in with_inner(steps) if s.kernel})
    context = {
        "name": name,
        "macro": name.upper(),
        "version": __version__,
        "origin": _origin(program.provenance),
        "inputs": [_tensor(program, t) for t in program.graph.inputs],
        "outputs": [_tensor(program, t, writer, i) for i, t in enumerate(program.graph.outputs)],
        "arena_bytes": max(1, program.memory.arena_bytes),
        "static_arena": program.provenance.arena is ArenaKind.STATIC,
        "headers": headers,
        "instances": [_function(i, program) for i in instances.values()],
        "kernel_section": program.provenance.kernel_section,
        "functions": [function for functions in found for function in functions],
        "layers": [functions[-1] for functions in found],
        "memcpy": bool(program.graph.states) or any(step.blocks for step in steps),
        "states": [_state(writer, program, i, s) for i, s in enumerate(program.graph.states)],
        "constants": [
            {
                "name": symbol,
                "declaration": _declaration(symbol, values),
                "definition": ctext.array(symbol, values),
            }
            for symbol, values in writer.constants.items()
        ],
    }
    files = {
        f"{name}.h": render("model/model.h.j2", context),
        f"{name}.c": render("model/model.c.j2", context),
        f"{name}_weights.h": render("model/weights.h.j2", context),
        f"{name}_weights.c": render("model/weights.c.j2", context),
    }
    return files | kernel_files(headers)


def constant_symbols(files: dict[str, str], name: str) -> tuple[str, ...]:
    """The names of the model's constant arrays in emitted ``files``."""
    lines = files[f"{name}_weights.h"].splitlines()
    return tuple(
        line.split("[")[0].split()[-1] for line in lines if line.startswith("extern const ")
    )


def kernel_files(headers: Iterable[str]) -> dict[str, str]:
    """The kernel headers and, transitively, those that they include, by file name."""
    found: dict[str, str] = {}
    todo = list(headers)
    while todo:
        header = todo.pop()
        if header not in found:
            found[header] = kernel_source(header)
            todo += [
                line.split('"')[1]
                for line in found[header].splitlines()
                if line.startswith('#include "')
            ]
    return dict(sorted(found.items()))


def render(template: str, context: dict[str, Any]) -> str:
    """Fill ``templates/<template>``; a name that the context lacks is an error."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> jinja2.Environment:
    root = data_dir("templates")
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: root.joinpath(name).read_text(encoding="utf-8")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def layer_function(program: Program, index: int) -> str:
    """The C function of layer ``index``: its symbol in the linked image."""
    return function_name("layer", index, program.layers[index])


def _function(instance: Instance, program: Program) -> dict[str, Any]:
    """An instance as the template shows it; ``hot`` is whether it multiplies."""
    ops = [program.layers[index].op for index in instance.layers]
    return {
        "hot": any(definition_of(op).macs(op) for op in ops),
        "name": instance.name,
        "kernel": instance.kernel.function,
        "types": instance.kernel.types,
        "constants": fields(instance.constants),
        "varying": instance.varying,
        "parameters": instance.parameters,
        "arguments": ["&shape", *instance.arguments],
        "layers": instance.layers,
    }


def _state(writer: Writer, program: Program, index: int, state: State) -> dict[str, Any]:
    """Where a state lies and how it begins: every byte as ``fill``, or as ``constant`` has it."""
    initial = state.initial
    alike = len(set(initial.tobytes())) == 1
    symbol = f"{program.name}_state_{index}_{short_name(state.before.name)}"
    return {
        "label": ctext.comment(state.before.name),
        "offset": program.memory.tensors[state.before],
        "bytes": state.before.nbytes,
        "fill": initial.tobytes()[0] if alike else None,
        "constant": None if alike else writer.constant(symbol, initial),
    }


def _declaration(symbol: str, values: Array) -> str:
    return f"extern const {ctext.C_TYPES[values.dtype.name]} {symbol}[{values.size}];"


def _origin(provenance: Provenance) -> list[tuple[str, str]]:
    return [
        ("model", ctext.comment(provenance.model_file)),
        ("sha256", provenance.model_sha256),
        ("target", ctext.comment(provenance.target)),
        ("options", provenance.options),
    ]


def _tensor(
    program: Program, tensor: Tensor, writer: Writer | None = None, index: int = 0
) -> dict[str, Any]:
    """What header and accessors say of a model input or output."""
    constant = None
    if tensor.is_constant and writer is not None:
        constant = writer.constant(f"{program.name}_output_{index}_value", tensor.values)
    quant = tensor.quant
    return {
        "label": ctext.comment(tensor.name),
        "c_type": tensor.dtype.c_type,
        "cast": cast(tensor.dtype.c_type, const=writer is not None),
        "shape": ", ".join(str(d) for d in tensor.shape) or "1",
        "rank": len(tensor.shape),
        "elements": tensor.elements,
        "bytes": tensor.nbytes,
        "scale": ctext.literal(quant.scale[0]) if quant and not quant.per_channel else None,
        "zero_point": quant.zero_point[0] if quant and not quant.per_channel else None,
        "offset": program.memory.tensors.get(tensor, 0),
        "constant": constant,
    }
