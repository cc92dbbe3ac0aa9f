"""Lies that a file tells in good form: sound flatbuffers whose fields contradict each other.

A lie changes one thing in the schema's object tree; those that find nothing to change do nothing.
"""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

INTEGERS = (-(2**31), -(2**30), -65536, -129, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 127, 128, 255, 256,
            32767, 32768, 65535, 65536, 2**24, 2**30, 2**31 - 1)  # fmt: skip
SCALES = (0.0, -0.0, -1.0, math.inf, -math.inf, math.nan, 1e-45, 1.2e-38, 1e-20, 2.0**-30, 1e-7,
          1e-3, 0.5, 1.0, 255.0, 1e7, 1e20, 3.4e38)  # fmt: skip
ZERO_POINTS = (-(2**63), -(2**31), -32768, -129, -128, -1, 0, 1, 127, 128, 255, 256, 2**31, 2**40)
TYPES = (*range(-1, 20), 99, 127)
TEXTS = ("", "*/ evil", 'a"b', "a\nb", "\\", "??/", "%s%n", "{{ x }}", "../../x", "\0", "int",
         "\u202e\u200b", "x" * 300, "x" * 5000, "X", "x")  # fmt: skip

Lie = Callable[[random.Random, Any], None]


def _subgraph(rng: random.Random, model: Any) -> Any:
    return rng.choice(model.subgraphs)


def _tensor(rng: random.Random, model: Any) -> Any:
    return rng.choice(_subgraph(rng, model).tensors)


def _operator(rng: random.Random, model: Any) -> Any:
    return rng.choice(_subgraph(rng, model).operators)


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def dimension(rng: random.Random, model: Any) -> None:
    """One dimension of a tensor is another."""
    tensor = _tensor(rng, model)
    if shape := _list(tensor.shape):
        at = rng.randrange(len(shape))
        shape[at] = rng.choice((*INTEGERS, int(shape[at]) + 1, int(shape[at]) - 1))
        tensor.shape = np.array(shape, np.int32)


def dimension_everywhere(rng: random.Random, model: Any) -> None:
    """A size is another wherever it occurs; many operators stay sound."""
    tensor = _tensor(rng, model)
    if shape := _list(tensor.shape):
        old = rng.choice(shape)
        new = rng.choice((1, 2, 3, 5, 17, 1000, 2**15, 2**20, 2**28))
        for other in _subgraph(rng, model).tensors:
            other.shape = np.array([new if d == old else d for d in _list(other.shape)], np.int32)


def rank(rng: random.Random, model: Any) -> None:
    """A tensor has more dimensions, or fewer."""
    tensor = _tensor(rng, model)
    shape = [int(d) for d in _list(tensor.shape)]
    if shape and rng.random() < 0.5:
        del shape[rng.randrange(len(shape))]
    else:
        shape[rng.randint(0, len(shape)) : 0] = rng.choice(([1], [2], [1] * 5, [1] * 40))
    tensor.shape = np.array(shape, np.int32)


def signature(rng: random.Random, model: Any) -> None:
    """The dynamic shape says something else than the shape."""
    values = [rng.choice((-1, 0, 1, 2, 2**31 - 1)) for _ in range(rng.randint(0, 5))]
    _tensor(rng, model).shapeSignature = np.array(values, np.int32)


def element_type(rng: random.Random, model: Any) -> None:
    """A tensor has elements of another type."""
    _tensor(rng, model).type = rng.choice(TYPES)


def element_type_everywhere(rng: random.Random, model: Any) -> None:
    """All tensors of a type are of another; many operators stay sound."""
    old, new = _tensor(rng, model).type, rng.choice((0, 2, 3, 4, 6, 7, 9, 17))
    for tensor in _subgraph(rng, model).tensors:
        if tensor.type == old:
            tensor.type = new


def buffer(rng: random.Random, model: Any) -> None:
    """A tensor holds the data of another, or none."""
    _tensor(rng, model).buffer = rng.choice((0, 0, rng.randrange(len(model.buffers)), 10**6))


def contents(rng: random.Random, model: Any) -> None:
    """Constant data has another size, or other values."""
    chosen = rng.choice(model.buffers)
    data = bytearray(bytes(np.asarray(_list(chosen.data), np.uint8)))
    if not data:
        data = bytearray(rng.choice((1, 4, 16)))
    match rng.randrange(6):
        case 0:
            del data[rng.randrange(len(data)) :]
        case 1:
            data += bytes(rng.choice((1, 2, 4, 64)))
        case 2:
            data = bytearray(rng.randbytes(len(data)))
        case 3:
            data = bytearray([rng.choice((0, 1, 0x7F, 0x80, 0xFF))] * len(data))
        case 4 if len(data) >= 4:
            at = rng.randrange(len(data) // 4) * 4
            data[at : at + 4] = (rng.choice(INTEGERS) % 2**32).to_bytes(4, "little")
        case _:
            word = np.float32(rng.choice(SCALES)).tobytes()
            data = bytearray((word * len(data))[: len(data)])
    chosen.data = np.frombuffer(bytes(data), np.uint8)


def outside(rng: random.Random, model: Any) -> None:
    """Constant data lies behind the flatbuffer, or says so."""
    chosen = rng.choice(model.buffers)
    if rng.random() < 0.5:
        chosen.data = None
    chosen.offset = rng.choice((0, 1, 2, 16, 64, 2**31, 2**63, 2**64 - 1))
    chosen.size = rng.choice((0, 1, 2, 3, 12, 64, 2**31, 2**63, 2**64 - 1))


def scale(rng: random.Random, model: Any) -> None:
    """A scale is no scale, or one of another world."""
    quant = _tensor(rng, model).quantization
    if quant is not None and (scales := _list(quant.scale)):
        at = rng.randrange(len(scales))
        scales[at] = rng.choice((*SCALES, scales[at] * 2, scales[at] / 3, scales[at] * 1000))
        quant.scale = np.array(scales, np.float32)


def zero_point(rng: random.Random, model: Any) -> None:
    """A zero point is another."""
    quant = _tensor(rng, model).quantization
    if quant is not None and (points := _list(quant.zeroPoint)):
        points[rng.randrange(len(points))] = rng.choice(ZERO_POINTS)
        quant.zeroPoint = np.array(points, np.int64)


def quantization(rng: random.Random, model: Any) -> None:
    """Scales and zero points are too many, too few, or along another dimension."""
    tensor = _tensor(rng, model)
    quant = tensor.quantization
    if quant is None:
        quant = tensor.quantization = _made("QuantizationParametersT")
    count = rng.choice((0, 1, 2, 3, *_list(tensor.shape)[:1], 1000))
    count = int(min(max(count, 0), 1000))
    match rng.randrange(5):
        case 0:
            quant.scale = np.full(count, 0.05, np.float32)
        case 1:
            quant.zeroPoint = np.zeros(count, np.int64)
        case 2:
            quant.scale = np.full(count, 0.05, np.float32)
            quant.zeroPoint = np.zeros(count, np.int64)
        case 3:
            quant.quantizedDimension = rng.choice((*INTEGERS, 0, 1, 2, 3))
        case _:
            tensor.quantization = rng.choice((None, _tensor(rng, model).quantization))


def tensor_flags(rng: random.Random, model: Any) -> None:
    """A tensor is state, sparse, or has another name."""
    tensor = _tensor(rng, model)
    match rng.randrange(4):
        case 0:
            tensor.isVariable = not tensor.isVariable
        case 1:
            tensor.sparsity = _made("SparsityParametersT")
        case 2:
            tensor.name = rng.choice((None, *TEXTS))
        case _:
            tensor.name = _tensor(rng, model).name


def connection(rng: random.Random, model: Any) -> None:
    """An operator reads or writes another tensor: cycles, doubles, none."""
    subgraph = _subgraph(rng, model)
    if not _list(subgraph.operators):
        return
    operator = rng.choice(subgraph.operators)
    end = rng.choice(("inputs", "inputs", "outputs"))
    numbers = [int(i) for i in _list(getattr(operator, end))]
    some = rng.choice((rng.randrange(len(subgraph.tensors)),) * 4 + (-1, -2, 10**6, *INTEGERS[:2]))
    match rng.randrange(4):
        case 0 if numbers:
            del numbers[rng.randrange(len(numbers))]
        case 1:
            numbers.insert(rng.randint(0, len(numbers)), some)
        case 2:
            rng.shuffle(numbers)
        case _ if numbers:
            numbers[rng.randrange(len(numbers))] = some
    setattr(operator, end, np.array(numbers, np.int32))


def ends(rng: random.Random, model: Any) -> None:
    """The model has other inputs or outputs."""
    subgraph = _subgraph(rng, model)
    end = rng.choice(("inputs", "outputs"))
    numbers = [int(i) for i in _list(getattr(subgraph, end))]
    some = rng.choice((rng.randrange(len(subgraph.tensors)),) * 5 + (-1, 10**6))
    match rng.randrange(3):
        case 0 if numbers:
            del numbers[rng.randrange(len(numbers))]
        case 1:
            numbers.append(some)
        case _ if numbers:
            numbers[rng.randrange(len(numbers))] = some
    setattr(subgraph, end, np.array(numbers, np.int32))


def order(rng: random.Random, model: Any) -> None:
    """Operators come in another order, twice, or not at all."""
    subgraph = _subgraph(rng, model)
    operators = _list(subgraph.operators)
    if not operators:
        return
    match rng.randrange(4):
        case 0:
            rng.shuffle(operators)
        case 1:
            operators.append(rng.choice(operators))
        case 2:
            operators.remove(rng.choice(operators))
        case _:
            operators += [rng.choice(operators)] * 100
    subgraph.operators = operators


def kind(rng: random.Random, model: Any) -> None:
    """An operator is another, or one that nobody knows."""
    if rng.random() < 0.3:
        _operator(rng, model).opcodeIndex = rng.choice((0, 1, 2, 10**6, 2**32 - 1))
        return
    code = rng.choice(model.operatorCodes)
    known = rng.randrange(0, 210)
    code.builtinCode = rng.choice((known,) * 8 + (-5, 32, 5000, 2**31 - 1))
    code.deprecatedBuiltinCode = rng.choice((min(127, code.builtinCode % 128), 0, 127, -128))
    code.customCode = rng.choice((None, *TEXTS))
    code.version = rng.choice((1, 2, *INTEGERS))


def option(rng: random.Random, model: Any) -> None:
    """One of an operator's options has another value."""
    options = _operator(rng, model).builtinOptions
    if options is None or not vars(options):
        return
    name = rng.choice(sorted(vars(options)))
    value = getattr(options, name)
    if isinstance(value, bool):
        setattr(options, name, not value)
    elif isinstance(value, float):
        setattr(options, name, rng.choice((*SCALES, value * 2)))
    elif isinstance(value, int):
        byte = (-128, -1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 127)
        small = name in _BYTES
        setattr(options, name, rng.choice(byte if small else (*byte[1:], *INTEGERS)))
    elif isinstance(value, str | bytes):
        setattr(options, name, rng.choice(TEXTS))
    else:
        numbers = [rng.choice(INTEGERS) for _ in range(rng.randint(0, 5))]
        setattr(options, name, np.array(numbers, np.int32))


# Fields of options that the schema gives 8 bits; what does not fit, the writer refuses.
_BYTES = frozenset(
    "padding fusedActivationFunction weightsFormat mode outType inDataType outDataType "
    "quantizedBiasType kernelType type".split()
)


def options(rng: random.Random, model: Any) -> None:
    """An operator carries no options, or those of another."""
    operator = _operator(rng, model)
    match rng.randrange(3):
        case 0:
            operator.builtinOptions, operator.builtinOptionsType = None, 0
        case 1:
            operator.builtinOptionsType = rng.choice((0, *range(1, 127)))
        case _:
            other = _operator(rng, model)
            operator.builtinOptions = other.builtinOptions
            operator.builtinOptionsType = other.builtinOptionsType


def custom(rng: random.Random, model: Any) -> None:
    """The bytes of a custom operator's options."""
    operator = _operator(rng, model)
    data = bytearray(bytes(np.asarray(_list(operator.customOptions), np.uint8)))
    for _ in range(rng.randint(1, 3)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.3 or not data:
        data = bytearray(rng.randbytes(rng.choice((0, 1, 7, 100))))
    operator.customOptions = np.frombuffer(bytes(data), np.uint8)


def subgraphs(rng: random.Random, model: Any) -> None:
    """There are other subgraphs, none, or one twice."""
    match rng.randrange(4):
        case 0:
            model.subgraphs.append(rng.choice(model.subgraphs))
        case 1:
            model.subgraphs.reverse()
        case 2:
            model.subgraphs.pop()
        case _:
            model.subgraphs += [model.subgraphs[0]] * 30


def trimmings(rng: random.Random, model: Any) -> None:
    """What says nothing of the computation: version, description, metadata, signatures."""
    match rng.randrange(5):
        case 0:
            model.version = rng.choice((0, 2, 3, 4, 2**32 - 1))
        case 1:
            model.description = rng.choice((None, *TEXTS, "y" * 10**6))
        case 2:
            entry = _made("MetadataT")
            entry.name, entry.buffer = rng.choice(TEXTS), rng.choice((0, 1, 10**6, 2**32 - 1))
            model.metadata = [entry] * rng.choice((1, 1000))
        case 3:
            entry = _made("SignatureDefT")
            entry.signatureKey, entry.subgraphIndex = rng.choice(TEXTS), rng.choice((0, 10**6))
            of = _made("TensorMapT")
            of.name, of.tensorIndex = rng.choice(TEXTS), rng.choice((0, 10**6, 2**32 - 1))
            entry.inputs = entry.outputs = [of] * rng.choice((0, 1, 1000))
            model.signatureDefs = [entry]
        case _:
            _subgraph(rng, model).name = rng.choice(TEXTS)


LIES: tuple[Lie, ...] = (
    dimension, dimension_everywhere, rank, signature, element_type, element_type_everywhere,
    buffer, contents, contents, outside, scale, scale, zero_point, zero_point, quantization,
    tensor_flags, connection, connection, ends, order, kind, option, option, option, options,
    custom, subgraphs, trimmings,
)  # fmt: skip


def _made(name: str) -> Any:
    """A new object of the schema's class ``name``."""
    from firmware_tests.models.edit import schema

    return getattr(schema(), name)()
