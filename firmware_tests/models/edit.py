"""Change one thing in a .tflite file that our writer cannot express, or must not."""

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest


def schema() -> Any:
    """The schema's object classes."""
    return pytest.importorskip(
        "tflite_micro.tensorflow.lite.micro.python.schema_py_generated",
        reason="needs the schema's object classes from tflite-micro",
    )


def edited(model: bytes, change: Callable[[Any], None]) -> bytes:
    """``model`` after ``change`` was called with its object tree (the schema's ``ModelT``)."""
    classes = schema()
    tree = classes.ModelT.InitFromObj(classes.Model.GetRootAs(model, 0))
    change(tree)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def shaped(*shape: int) -> Callable[[Any], None]:
    """Give the first tensor another shape."""

    def change(model: Any) -> None:
        model.subgraphs[0].tensors[0].shape = np.array(shape, np.int32)

    return change


def with_inputs(*indices: int) -> Callable[[Any], None]:
    """Give the first operator other inputs."""

    def change(model: Any) -> None:
        model.subgraphs[0].operators[0].inputs = np.array(indices, np.int32)

    return change


def with_outputs(*indices: int) -> Callable[[Any], None]:
    """Give the first operator other outputs."""

    def change(model: Any) -> None:
        model.subgraphs[0].operators[0].outputs = np.array(indices, np.int32)

    return change


def setting(path: str, value: Any) -> Callable[[Any], None]:
    """Set one field of the schema's object tree; ``path`` reads like Python."""

    def change(model: Any) -> None:
        target, _, name = path.rpartition(".")
        for step in target.split(".") if target else ():
            model = model[int(step)] if step.isdigit() else getattr(model, step)
        setattr(model, name, value)

    return change
