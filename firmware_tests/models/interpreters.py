"""The reference interpreters, under the name that tests know them by."""

from tinygen.interpreters import run_litert_ref, run_reference, run_tflm

__all__ = ["run_litert_ref", "run_reference", "run_tflm"]
