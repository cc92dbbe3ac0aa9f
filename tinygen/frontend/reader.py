"""One subgraph of a verified file becomes a graph; what is not compiled is refused by name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.flexbuffer import read_numbers
from tinygen.frontend.layers import (
    Inspection,
    Layer,
    channels_in_all,
    check_order,
    empty_among,
    first_assigned,
    misplaced,
    mixed_weights,
    only_litert,
    unknown_operator,
    where_of,
)
from tinygen.frontend.limits import MOST_CHANNELS_IN_ALL, MOST_OPERATORS
from tinygen.frontend.schema import VERSION, options_layouts
from tinygen.frontend.tensors import EMPTY, TensorInfo, TensorReader
from tinygen.frontend.unsigned import Twins
from tinygen.frontend.variables import KINDS, SILENT, Variables, resting
from tinygen.ir import Array, DType, Graph, Numerics, Op, State, Tensor
from tinygen.names import printable
from tinygen.ops import BY_KIND
from tinygen.ops.base import Node, OpDef
from tinygen.ops.control import Control
from tinygen.ops.dequantize import Dequantize
from tinygen.passes.fold_constants import fold_constants

# Shapes, axes and the like are no longer than that, with room to spare.
_STEERING_ELEMENTS = 256
# Subgraphs count as often as operators call them.
_INNER_OPERATORS = 10_000
# Subgraphs within subgraphs; every stage walks down into them.
_MOST_DEPTH = 16
_LEFT_OUT = -1  # the schema's tensor index of an optional input that is not there


class Reader:
    """One subgraph of a verified file on its way to an ``Inspection``.

    ``path`` has the subgraphs that lead to it, itself last. ``codes`` are the file's operators by
    kind, where another reader has them already.
    """

    def __init__(
        self,
        data: bytes,
        name: str,
        numerics: Numerics,
        path: tuple[int, ...] = (0,),
        codes: Sequence[str] | None = None,
    ) -> None:
        import tflite

        self.data = data
        self.name = name
        self.path = path
        self.index = path[-1]
        self.numerics = numerics
        self.model = tflite.Model.GetRootAs(data, 0)
        if self.model.Version() != VERSION:
            raise ModelError(f"schema version {self.model.Version()}; TFLite has {VERSION}")
        if not self.model.SubgraphsLength():
            raise ModelError("the model has no subgraph")
        self.subgraph = self.model.Subgraphs(self.index)
        self.tensors = TensorReader(data, self.model, self.subgraph)
        if codes is None:
            codes = tuple(
                self._code(self.model.OperatorCodes(i), tflite.BuiltinOperator)
                for i in range(self.model.OperatorCodesLength())
            )
        self.codes = codes
        self.option_types = frozenset(options_layouts())
        self.problems: list[str] = []
        self.judged: set[TensorInfo] = set()
        self.names: dict[str, int] = {}
        self.known: dict[Tensor, Array] = {}
        self.called: set[int] = set()
        self.budget = [_INNER_OPERATORS]
        self.misused: set[TensorInfo] = set()
        self.updated: dict[TensorInfo, State] = {}
        self.own: list[State] = []
        self.twins = Twins(self._unique)
        self.conversions: dict[str, tuple[Op, ...]] = {}
        self.stored: dict[TensorInfo, Tensor] = {}

    def inspection(self) -> Inspection:
        """All that can be read. Raises ModelError for a contradiction."""
        inputs = self._ends(self.subgraph.InputsAsNumpy(), "the list of inputs")
        outputs = self._ends(self.subgraph.OutputsAsNumpy(), "the list of outputs")
        if not outputs and self.index == 0:
            raise ModelError("the model has no outputs")
        if len(set(inputs)) < len(inputs):
            raise ModelError("the model lists an input twice")
        for info in inputs:
            if info.is_constant:
                self.problems.append(
                    f"input '{info.name}' has a constant value. Remove it from the model's inputs."
                )
        for info in (*inputs, *outputs):
            self._tensor_problems("the model", info)
            if info.is_variable:
                self._misused("the model", info)
        if empty := empty_among((*inputs, *outputs)):
            self.problems.append(f"the model: tensor '{empty.name}' {empty} {EMPTY}")
        count = self.subgraph.OperatorsLength()
        if count > MOST_OPERATORS:
            raise UnsupportedError(
                f"the model has {count:,} operators; tinygen reads up to {MOST_OPERATORS:,}",
                "compile a part of the model, or a smaller one",
            )
        tables = [self.subgraph.Operators(i) for i in range(count)]
        unread = [self._layer(table, i) for i, table in enumerate(tables)]
        check_order(inputs, outputs, unread)
        self.variables = Variables(first_assigned(unread))
        layers = tuple(
            replace(layer, op=self._op(layer, table))
            for layer, table in zip(unread, tables, strict=True)
        )
        count = self.model.SubgraphsLength()
        if self.index == 0 and len(self.called) + 1 < count:
            self.problems.append(
                f"the model has {count} subgraphs; tinygen compiles the first, and what "
                "CALL_ONCE, IF and WHILE call. Remove the others."
            )
        graph = self._graph(inputs, outputs, layers)
        if graph is not None and (channels := channels_in_all(graph)) > MOST_CHANNELS_IN_ALL:
            self.problems.append(
                f"the last dimensions of the model's tensors add up to {channels:,}; tinygen takes "
                f"up to {MOST_CHANNELS_IN_ALL:,}. Compile a smaller model."
            )
        return Inspection(self.name, inputs, outputs, layers, tuple(self.problems), graph)

    def _code(self, table: Any, builtins: Any) -> str:
        """The operator's kind; source: TFLite's ``GetBuiltinCode``."""
        code = max(int(table.BuiltinCode()), int(table.DeprecatedBuiltinCode()))
        if code < 0:
            raise ModelError(f"operator code {code} is negative")
        if code == builtins.CUSTOM:
            name = printable((table.CustomCode() or b"").decode())
            return name if name in BY_KIND and BY_KIND[name].op.is_custom else f"CUSTOM:{name}"
        names = (name for name, value in vars(builtins).items() if value == code)
        return next(names, f"BUILTIN_{code}")

    def _ends(self, vector: Any, where: str) -> tuple[TensorInfo, ...]:
        return tuple(self.tensors.get(index, where) for index in _ints(vector))

    def _layer(self, table: Any, index: int) -> Layer:
        code = int(table.OpcodeIndex())
        if code >= len(self.codes):
            raise ModelError(f"operator {index} names operator code {code} of {len(self.codes)}")
        kind = self.codes[code]
        where = f"operator {index} ({kind})"
        inputs = tuple(
            None if i == _LEFT_OUT else self.tensors.get(i, where)
            for i in _ints(table.InputsAsNumpy())
        )
        outputs = tuple(self.tensors.get(i, where) for i in _ints(table.OutputsAsNumpy()))
        name = self._unique((outputs[0].name if outputs else "") or f"{kind.lower()}_{index}")
        return Layer(kind, name, inputs, outputs, None)

    def _op(self, layer: Layer, table: Any) -> Op | None:
        kind, name = layer.kind, layer.name
        infos = [info for info in (*layer.inputs, *layer.outputs) if info is not None]
        if kind in KINDS:
            return self._variable(layer, table, infos)
        for info in infos:
            self._tensor_problems(where_of(layer), info)
        if kind not in BY_KIND:
            self.problems.append(unknown_operator(kind, name))
            return None
        if not layer.outputs:
            raise ModelError(f"{where_of(layer)} has no output")
        steering = layer.inputs[1:] if BY_KIND[kind].is_view else ()
        if empty := empty_among(infos, but=steering):
            self.problems.append(f"{where_of(layer)}: tensor '{empty.name}' {empty} {EMPTY}")
            return None
        if any(info.tensor is None for info in infos):
            return None
        if found := misplaced(layer) or mixed_weights(layer):
            self.problems.append(f"{where_of(layer)}: {found}")
            return None
        given = tuple(None if info is None else self._held(info) for info in layer.inputs)
        definition = BY_KIND[kind]
        try:
            op, violations = self._best_form(definition, self._node(layer, table, given))
            self._update(layer, op)
        except UnsupportedError as error:
            self._refuse(error)
            return None
        self.problems += violations
        if not violations:
            self._note_value(op)
            self._note_weights(layer, op)
        self.conversions[layer.name] = self.twins.before(op)
        return op

    def _best_form(self, definition: OpDef[Any], node: Node) -> tuple[Op, list[str]]:
        """``node`` on the tensors of the file or, where that is refused or takes more, on the int8
        twins of those of uint8; and what is wrong with it."""
        twin = self.twins.node(node)
        forms = [node] if twin is None else [node, twin]
        if twin is not None and self.twins.prefers(node):
            forms.reverse()
        for form in forms[:-1]:
            try:
                op: Op = definition.parse(form)
            except UnsupportedError:
                continue
            if not definition.violations(op):
                return op, []
        op = definition.parse(forms[-1])
        return op, definition.violations(op)

    def _node(self, layer: Layer, table: Any, inputs: tuple[Tensor | None, ...]) -> Node:
        kind, name = layer.kind, layer.name
        options_type, options = int(table.BuiltinOptionsType()), table.BuiltinOptions()
        if options is not None and options_type not in self.option_types:
            # They were not verified, so nobody may read them.
            raise ModelError(f"{kind} '{name}' carries options of unknown type {options_type}")
        where = where_of(layer)
        intermediates = (
            None if i == _LEFT_OUT else self.tensors.get(i, where).quant
            for i in _ints(table.IntermediatesAsNumpy())
        )
        return Node(
            kind,
            name,
            inputs,
            _tensors(layer.outputs),
            Numerics.LITERT if only_litert(layer) else self.numerics,
            options_type,
            options,
            self.known,
            tuple(intermediates),
            self._custom(layer, table),
            subgraph=lambda index: self._inner_graph(where, index),
        )

    def _custom(self, layer: Layer, table: Any) -> Mapping[str, int | float]:
        """The options of a custom operator that tinygen knows."""
        if layer.kind not in BY_KIND or not BY_KIND[layer.kind].op.is_custom:
            return {}
        raw = table.CustomOptionsAsNumpy()
        return read_numbers(b"" if isinstance(raw, int) else raw.tobytes(), where_of(layer))

    def _refuse(self, error: UnsupportedError) -> None:
        self.problems.append(" ".join(part for part in (error.message, error.hint) if part))

    def _variable(self, layer: Layer, table: Any, infos: list[TensorInfo]) -> Op | None:
        """What one of ``KINDS`` computes; None for what computes nothing."""
        values = [info for info in infos if info.type_name != "resource"]
        for info in values:
            self._tensor_problems(where_of(layer), info)
            if info.is_variable:
                self._misused(where_of(layer), info)
        if empty := empty_among(values):
            self.problems.append(f"{where_of(layer)}: tensor '{empty.name}' {empty} {EMPTY}")
            return None
        if any(info.tensor is None for info in values):
            return None
        handles = [info for info in infos if info.type_name == "resource"]
        given = tuple(self._held(i) for i in layer.inputs if i and i not in handles)
        node = self._node(layer, table, given)
        try:
            if layer.kind == "CALL_ONCE":
                self._call_once(node)
                return None
            op = self.variables.read(node, handles)
        except UnsupportedError as error:
            self._refuse(error)
            return None
        if op is not None:
            self.conversions[op.name] = self.twins.before(op)
        return op

    def _call_once(self, node: Node) -> None:
        """Run an initialization now. Raises ModelError, UnsupportedError."""
        import tflite

        index = node.options(tflite.CallOnceOptions).InitSubgraphIndex()
        where = f"{node.kind} '{node.name}'"
        if not 0 < index < self.model.SubgraphsLength():
            raise ModelError(f"{where} calls subgraph {index} of {self.model.SubgraphsLength()}")
        if self.index or self.variables.touched:
            raise UnsupportedError(
                f"{where} is not the first thing that the model does.",
                "Initialize variables before they are used.",
            )
        if index in self.called:
            return
        self.called.add(index)
        reader = self._inside(index)
        found = reader.inspection()
        self.problems += (f"{where}: {problem}" for problem in found.problems)
        if found.graph is None:
            return
        values = reader.variables.current
        graph = replace(found.graph, outputs=tuple(values.values()))
        results = dict(zip(values, fold_constants(graph).outputs, strict=True))
        if found.inputs or found.outputs or not all(t.is_constant for t in results.values()):
            raise UnsupportedError(
                f"{where} initializes variables with more than constants.",
                "Initialize them with constants, or compute them from constants.",
            )
        self.variables.initial.update({key: t.values for key, t in results.items()})

    def _inside(self, index: int) -> "Reader":
        """A reader of another subgraph."""
        reader = Reader(self.data, self.name, self.numerics, (*self.path, index), self.codes)
        reader.called, reader.budget = self.called, self.budget
        return reader

    def _inner_graph(self, where: str, index: int) -> Graph:
        """A subgraph that runs within an operator. Raises ModelError, UnsupportedError."""
        if not 0 < index < self.model.SubgraphsLength():
            raise ModelError(f"{where} calls subgraph {index} of {self.model.SubgraphsLength()}")
        if index in self.path:
            raise ModelError(f"{where} calls subgraph {index}, in which it is itself")
        if len(self.path) > _MOST_DEPTH:
            raise UnsupportedError(
                f"{where}: there are more than {_MOST_DEPTH} subgraphs within one another.",
                "Convert the model with fewer branches within branches.",
            )
        self.called.add(index)
        reader = self._inside(index)
        self.budget[0] -= 1 + reader.subgraph.OperatorsLength()
        if self.budget[0] < 0:
            raise UnsupportedError(
                f"{where}: the operators in subgraphs are more than {_INNER_OPERATORS:,}.",
                "Convert the model with fewer branches.",
            )
        found = reader.inspection()
        if reader.variables.touched:
            raise UnsupportedError(
                f"{where} reads or assigns variables in a subgraph.",
                "Read and assign variables outside of it.",
            )
        if found.problems:
            *others, last = (f"{where}: {problem}" for problem in found.problems)
            self.problems += others
            raise UnsupportedError(last)
        assert found.graph is not None
        return found.graph

    def _held(self, info: TensorInfo) -> Tensor | None:
        """The tensor of ``info``; of a variable tensor, what it holds now, and of stored weights,
        what they mean."""
        if info in self.stored:
            return self.stored[info]
        return self.updated[info].after if info in self.updated else info.tensor

    def _update(self, layer: Layer, op: Op) -> None:
        """Note what ``op`` makes of the variable tensors that it has."""
        results = {op.inputs[i]: op.outputs[o] for i, o in op.updates}
        listed = {self._held(info) for info in (*layer.inputs, *layer.outputs) if info is not None}
        named = (i for i in (*layer.inputs, *layer.outputs) if i is not None and i.is_variable)
        for info in dict.fromkeys(named):
            before, held = info.tensor, self._held(info)
            if info in self.updated and held not in results and info not in layer.outputs:
                continue  # It reads what another operator keeps.
            if before is None or held not in results or info.is_constant:
                self._misused(where_of(layer), info)
                continue
            initial = resting(before, info.quant if before.dtype is DType.INT8 else None)
            self.updated[info] = State(before, results[held], initial)
        for info in layer.outputs:
            if info.tensor in results and not info.is_variable:
                raise UnsupportedError(
                    f"{where_of(layer)} updates '{info.name}', which is no variable tensor.",
                    "Convert the model anew.",
                )
        # Others are states that no tensor of the file holds.
        own = ((before, after) for before, after in results.items() if before not in listed)
        self.own += (State(before, after, resting(before, None)) for before, after in own)

    def _misused(self, where: str, info: TensorInfo) -> None:
        """Tell of a variable tensor where no operator keeps state."""
        problem = "is state that outlives an invocation. Keep the state in the application."
        if info not in self.misused:
            self.misused.add(info)
            self.problems.append(f"{where}: tensor '{info.name}' {info} {problem}")

    def _note_value(self, op: Op) -> None:
        """Keep what ``op`` makes of shapes and constants, if it may steer a later operator."""
        y, definition = op.y, BY_KIND[op.kind]
        small = y.dtype in (DType.INT32, DType.INT64) and y.elements <= _STEERING_ELEMENTS
        if not small or isinstance(op, Control):
            return
        values = () if definition.shape_only else tuple(map(self._value, op.inputs))
        if all(value is not None for value in values):
            results = definition.reference(op, tuple(v for v in values if v is not None))
            self.known.update(zip(op.outputs, results, strict=True))

    def _note_weights(self, layer: Layer, op: Op) -> None:
        """Keep what DEQUANTIZE makes of a constant: weights that the file stores in short.

        Operators ask for constant weights; to them these are. The DEQUANTIZE stays, for the passes
        to see that nobody reads its result.
        """
        if isinstance(op, Dequantize) and op.x.is_constant:
            (values,) = BY_KIND[op.kind].reference(op, (op.x.values,))
            self.stored[layer.outputs[0]] = replace(op.y, data=values)

    def _value(self, tensor: Tensor) -> Array | None:
        """The value of a tensor that is a constant or made of constants."""
        return tensor.data if tensor.is_constant else self.known.get(tensor)

    def _graph(
        self,
        inputs: tuple[TensorInfo, ...],
        outputs: tuple[TensorInfo, ...],
        layers: tuple[Layer, ...],
    ) -> Graph | None:
        ops = [layer.op for layer in layers if layer.op is not None]
        known = all(info.tensor is not None for info in (*inputs, *outputs))
        constant_input = any(info.is_constant for info in inputs)
        silent = sum(layer.kind in SILENT for layer in layers)
        if len(ops) + silent < len(layers) or not known or constant_input:
            return None
        states = (*self.variables.states(), *self.updated.values(), *self.own)
        results = _tensors(outputs)
        last = [
            self.twins.converted(t) for t in dict.fromkeys((*results, *(s.after for s in states)))
        ]
        steps = [step for op in ops for step in (*self.conversions.get(op.name, ()), op)]
        steps += [op for op in last if op is not None]
        return Graph(self.name, _tensors(inputs), results, tuple(steps), states)

    def _tensor_problems(self, where: str, info: TensorInfo) -> None:
        """Tell what is wrong with a tensor, where it is first met."""
        if info not in self.judged:
            self.judged.add(info)
            self.problems += (f"{where}: tensor '{info.name}' {info} {p}" for p in info.problems)

    def _unique(self, name: str) -> str:
        """``name``, with a number where an earlier operator has it already."""
        unique = name
        while unique in self.names:
            self.names[name] += 1
            unique = f"{name}#{self.names[name]}"
        self.names[unique] = 1
        return unique


def _tensors(infos: Iterable[TensorInfo]) -> tuple[Tensor, ...]:
    return tuple(info.tensor for info in infos if info.tensor is not None)


def _ints(vector: Any) -> list[int]:
    """A vector of the file; the tflite package gives 0 for one that is left out."""
    return [] if isinstance(vector, int) else [int(value) for value in vector]
