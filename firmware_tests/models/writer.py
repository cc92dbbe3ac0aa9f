"""Write a graph as a real .tflite file, so that the reference interpreters can run it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers import flexbuffers

from firmware_tests.models.forms import FORMS, Form
from tinygen.ir import Array, DType, Graph, Op, State, Tensor

LEFT_OUT = -1  # the schema's number of an optional input that is not there


def to_tflite(graph: Graph, four_bits: Collection[Tensor] = ()) -> bytes:
    """``graph`` as the bytes of a .tflite file; its states are resource variables, or those tensors
    that an operator updates. Of the constants, ``four_bits`` are written as int4.

    Raises KeyError for an operator that ``FORMS`` does not have, ValueError for a window that no
    padding scheme of the schema describes.
    """
    return _Writer(four_bits).model(graph)


def _in_variables(graph: Graph) -> tuple[State, ...]:
    """The states that no operator keeps as its own."""
    own = {op.inputs[index] for op in graph.ops for index, _ in op.updates}
    return tuple(state for state in graph.states if state.before not in own)


def packed_int4(values: Array) -> npt.NDArray[np.uint8]:
    """Values of four bits, two to a byte, the lower half first."""
    halves = (values.reshape(-1) & 15).astype(np.uint8)
    low, high = np.append(halves, np.zeros(len(halves) % 2, np.uint8)).reshape(-1, 2).T
    return np.asarray(low | (high << 4), np.uint8)


class _Writer:
    """One file in the making; flatbuffers are written children first."""

    def __init__(self, four_bits: Collection[Tensor] = ()) -> None:
        self.four_bits = four_bits
        self.builder = flatbuffers.Builder(1024)
        self.indices: dict[Tensor, int] = {}
        self.tensors: list[int] = []
        self.buffers = [self._buffer(None)]  # buffer 0 is empty by convention
        self.codes: dict[tuple[str, int], int] = {}
        self.kept: set[Tensor] = set()
        self.inner: list[Graph] = []
        self.first_inner = 1

    def model(self, graph: Graph) -> bytes:
        states = _in_variables(graph)
        self.first_inner = 2 if states else 1
        made = [self._main(graph)]
        if states:
            made.append(self._initialization(states))
        for inner in self.inner:  # it grows on the way
            made.append(self._inner(inner))
        codes = self._tables([self._code(*key) for key in self.codes])
        subgraphs, buffers = self._tables(made), self._tables(self.buffers)
        description = self.builder.CreateString("tinygen test model")
        root = self._table(
            "Model",
            Version=3,
            OperatorCodes=codes,
            Subgraphs=subgraphs,
            Description=description,
            Buffers=buffers,
        )
        self.builder.Finish(root, b"TFL3")
        return bytes(self.builder.Output())

    def _main(self, graph: Graph) -> int:
        inputs = self._ints([self._tensor(t) for t in graph.inputs])
        operators = []
        if _in_variables(graph):
            once = self._table("CallOnceOptions", InitSubgraphIndex=1)
            operators = [self._step("CALL_ONCE", (), (), "CallOnceOptions", once)]
        states = _in_variables(graph)
        self.kept = {s.before for s in graph.states if s not in states}
        handles = [self._variable(i) for i in range(len(states))]
        operators += [self._handle(*pair) for pair in enumerate(handles)]
        operators += [
            self._step("READ_VARIABLE", (handle,), (self._tensor(state.before),))
            for handle, state in zip(handles, states, strict=True)
        ]
        operators += [self._operator(op) for op in graph.ops]
        operators += [
            self._step("ASSIGN_VARIABLE", (handle, self._tensor(state.after)), ())
            for handle, state in zip(handles, states, strict=True)
        ]
        outputs = self._ints([self._tensor(t) for t in graph.outputs])
        return self._subgraph("main", inputs, outputs, operators)

    def _initialization(self, states: Sequence[State]) -> int:
        """The subgraph that CALL_ONCE calls."""
        self.tensors, self.indices = [], {}
        operators = []
        for index, state in enumerate(states):
            handle = self._variable(index)
            value = self._tensor(replace(state.before, data=state.initial))
            operators += [
                self._handle(index, handle),
                self._step("ASSIGN_VARIABLE", (handle, value), ()),
            ]
        return self._subgraph("once", self._ints([]), self._ints([]), operators)

    def _inner(self, graph: Graph) -> int:
        """A subgraph that an operator runs."""
        self.tensors, self.indices = [], {}
        inputs = self._ints([self._tensor(t) for t in graph.inputs])
        operators = [self._operator(op) for op in graph.ops]
        outputs = self._ints([self._tensor(t) for t in graph.outputs])
        return self._subgraph(graph.name, inputs, outputs, operators)

    def _subgraph(self, name: str, inputs: int, outputs: int, operators: list[int]) -> int:
        return self._table(
            "SubGraph",
            Tensors=self._tables(self.tensors),
            Inputs=inputs,
            Outputs=outputs,
            Operators=self._tables(operators),
            Name=self.builder.CreateString(name),
        )

    def _variable(self, index: int) -> int:
        """A tensor that holds the handle of a variable."""
        name, shape = self.builder.CreateString(f"handle{index}"), self._ints([])
        code = tflite.TensorType.RESOURCE
        self.tensors.append(self._table("Tensor", Type=code, Buffer=0, Name=name, Shape=shape))
        return len(self.tensors) - 1

    def _handle(self, index: int, handle: int) -> int:
        names = {
            "SharedName": self.builder.CreateString(f"variable{index}"),
            "Container": self.builder.CreateString(""),
        }
        options = self._table("VarHandleOptions", **names)
        return self._step("VAR_HANDLE", (), (handle,), "VarHandleOptions", options)

    def _step(
        self,
        kind: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options_type: str = "",
        options: int = 0,
    ) -> int:
        """An operator whose tensors are written already."""
        fields = {
            "OpcodeIndex": self.codes.setdefault((kind, 1), len(self.codes)),
            "Inputs": self._ints(inputs),
            "Outputs": self._ints(outputs),
        }
        if options_type:
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options_type)
            fields["BuiltinOptions"] = options
        return self._table("Operator", **fields)

    def _operator(self, op: Op) -> int:
        form = FORMS[op.kind](op)
        indices = {}
        for field, graph in form.subgraphs.items():
            indices[field] = self.first_inner + len(self.inner)
            self.inner.append(graph)
        form = replace(form, fields={**form.fields, **indices})
        options = self._options(form) if form.options else None
        constants = [
            Tensor(f"{op.name}/constant{i}", values.shape, DType.INT32, None, values)
            for i, values in enumerate(form.constants)
        ]
        first = 0 if form.leading else 1
        given = [op.inputs[i] if i < len(op.inputs) else None for i in form.order] or op.inputs
        operands = (*given[:first], *constants, *given[first:])
        numbers = [LEFT_OUT if t is None else self._tensor(t) for t in operands]
        inputs = self._ints(numbers)
        kept = {number for _, number in op.updates}
        made = [t for i, t in enumerate(op.outputs) if i not in kept]
        if form.in_place:
            made = [op.inputs[number] for number, _ in op.updates]
            (self.indices[op.y],) = (self._tensor(t) for t in made)
        outputs = self._ints([self._tensor(t) for t in made])
        fields = {
            "OpcodeIndex": self.codes.setdefault((op.kind, form.version), len(self.codes)),
            "Inputs": inputs,
            "Outputs": outputs,
        }
        if options is not None:
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, form.options)
            fields["BuiltinOptions"] = options
        if form.custom:
            builder = flexbuffers.Builder()
            with builder.Map():
                for name, value in form.custom.items():
                    builder.Key(name)
                    builder.Add(value)
            fields["CustomOptions"] = self.builder.CreateByteVector(bytes(builder.Finish()))
        if form.intermediates:
            fields["Intermediates"] = self._ints([self._tensor(t) for t in form.intermediates])
        return self._table("Operator", **fields)

    def _options(self, form: Form) -> int:
        fields = {
            name: self._ints(value) if isinstance(value, tuple) else value
            for name, value in form.fields.items()
        }
        return self._table(form.options, **fields)

    def _code(self, kind: str, version: int) -> int:
        custom = getattr(tflite.BuiltinOperator, kind, None) is None
        code = getattr(tflite.BuiltinOperator, "CUSTOM" if custom else kind)
        names = {"CustomCode": self.builder.CreateString(kind)} if custom else {}
        return self._table(
            "OperatorCode",
            DeprecatedBuiltinCode=min(code, 127),
            Version=version,
            BuiltinCode=code,
            **names,
        )

    def _tensor(self, tensor: Tensor) -> int:
        if tensor not in self.indices:
            buffer = 0
            if tensor.is_constant:
                buffer = len(self.buffers)
                self.buffers.append(self._buffer(tensor))
            fields = {
                "Name": self.builder.CreateString(tensor.name),
                "Shape": self._ints(tensor.shape),
            }
            if tensor.quant is not None:
                fields["Quantization"] = self._quantization(tensor)
            self.indices[tensor] = len(self.tensors)
            if tensor in self.kept:
                fields["IsVariable"] = True
            code = getattr(tflite.TensorType, tensor.dtype.name)
            if tensor in self.four_bits:
                code = tflite.TensorType.INT4
            self.tensors.append(self._table("Tensor", Type=code, Buffer=buffer, **fields))
        return self.indices[tensor]

    def _quantization(self, tensor: Tensor) -> int:
        assert tensor.quant is not None
        quant = tensor.quant
        scale = self.builder.CreateNumpyVector(np.array(quant.scale, np.float32))
        zero_point = self.builder.CreateNumpyVector(np.array(quant.zero_point, np.int64))
        return self._table(
            "QuantizationParameters",
            Scale=scale,
            ZeroPoint=zero_point,
            QuantizedDimension=quant.axis or 0,
        )

    def _buffer(self, tensor: Tensor | None) -> int:
        if tensor is None:
            return self._table("Buffer")
        data = np.ascontiguousarray(tensor.values, tensor.dtype.numpy).tobytes()
        if tensor in self.four_bits:
            data = packed_int4(tensor.values).tobytes()
        # The schema asks for 16-byte alignment of constant data.
        self.builder.StartVector(1, len(data), 16)
        self.builder.head -= len(data)
        self.builder.Bytes[self.builder.head : self.builder.head + len(data)] = data
        return self._table("Buffer", Data=self.builder.EndVector())

    def _table(self, name: str, **fields: Any) -> int:
        getattr(tflite, f"{name}Start")(self.builder)
        for key, value in fields.items():
            getattr(tflite, f"{name}Add{key}")(self.builder, value)
        return int(getattr(tflite, f"{name}End")(self.builder))

    def _ints(self, values: Any) -> int:
        return int(self.builder.CreateNumpyVector(np.array(values, np.int32)))

    def _tables(self, offsets: list[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())
