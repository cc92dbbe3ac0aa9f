"""Graphs of the older kind: the same operators on uint8."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_tests.kernels.tensors import quantized
from firmware_tests.models.scene import Illegal, Scene
from tinygen.frontend.unsigned import OFFSET, WEIGHTED
from tinygen.ir import DType, Graph, Numerics, Op, QuantParams, Tensor

_PATIENCE = 300


def as_uint8(graph: Graph, rng: np.random.Generator) -> Graph:
    """``graph`` with all int8 tensors uint8, larger by 128; weights get any zero point.

    Raises Illegal where a tensor has a scale for each channel, which uint8 never has.
    """
    weights = {op.inputs[1] for op in graph.ops if op.kind in WEIGHTED}
    tensors = {t for op in graph.ops for t in (*op.inputs, *op.outputs)} | {*graph.inputs}
    by = {
        t: _shifted(t, int(rng.integers(0, 256)) if t in weights else None)
        for t in tensors
        if t.dtype is DType.INT8
    }
    ops = tuple(
        replace(
            op,
            inputs=tuple(by.get(t, t) for t in op.inputs),
            outputs=tuple(by.get(t, t) for t in op.outputs),
        )
        for op in graph.ops
    )
    inputs, outputs = (tuple(by.get(t, t) for t in ts) for ts in (graph.inputs, graph.outputs))
    return Graph(graph.name, inputs, outputs, ops)


def _shifted(tensor: Tensor, zero_point: int | None) -> Tensor:
    if tensor.quant is None or tensor.quant.per_channel:
        raise Illegal
    zero = tensor.zero_point + OFFSET if zero_point is None else zero_point
    data = None
    if tensor.is_constant:
        data = (tensor.values.astype(np.int16) + OFFSET).astype(np.uint8)
    quant = QuantParams(tensor.quant.scale, (zero,))
    return replace(tensor, dtype=DType.UINT8, quant=quant, data=data)


def drawn(draw: Callable[[Scene], Any], seed: int) -> Graph:
    """A graph of what ``draw`` adds to two images and a row, on uint8.

    Raises Illegal where it does not add anything.
    """
    for attempt in range(_PATIENCE):
        rng = np.random.default_rng((seed, attempt))
        scene = Scene(rng, Numerics.LITERT)
        size = (1, scene.integer(2, 7), scene.integer(2, 7), scene.integer(1, 6))
        for index, shape in enumerate((size, size, (2, scene.integer(1, 20)))):
            x = quantized(f"input{index}", shape, scene.scale(), scene.zero_point())
            scene.tensors.append(x)
        inputs = tuple(scene.tensors)
        try:
            draw(scene)
            read = {t for op in scene.ops for t in op.inputs}
            made = tuple(t for op in scene.ops for t in op.outputs)
            used = tuple(t for t in inputs if t in read)
            if used and all(_is_plain(op) for op in scene.ops):
                return as_uint8(Graph(f"old{seed}", used, made, tuple(scene.ops)), rng)
        except Illegal:
            continue
    raise Illegal


def _is_plain(op: Op) -> bool:
    """Whether no tensor has types that LiteRT does not have beside uint8."""
    return all(t.dtype is not DType.UINT8 for t in (*op.inputs, *op.outputs))
