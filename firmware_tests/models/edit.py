"""Change one thing in a .tflite file that our writer cannot express, or must not."""

from collections.abc import Callable
from typing import Any

import flatbuffers
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
