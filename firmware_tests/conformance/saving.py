"""Write the smallest model that shows a difference, with the inputs that do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from firmware_tests.conformance.checking import Case, Finding, made


def save(findings: Sequence[Finding], directory: Path) -> Path | str:
    """The file of the smallest of the models, its vectors and the message beside it."""
    cases: list[tuple[int, Case, Finding]] = []
    for found in findings:
        try:
            case = made(found.name)
        except Exception:  # it is what the finding says
            continue
        cases.append((case.elements, case, found))
    if not cases:
        return "none can be written"
    _, case, found = min(cases, key=lambda entry: (entry[0], entry[1].name))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{case.name}.tflite"
    path.write_bytes(case.model)
    last = found.vector + 1  # the vectors before it are its state's past
    arrays = {
        f"input_{i}": np.stack(c) for i, c in enumerate(zip(*case.inputs[:last], strict=True))
    }
    arrays |= {f"want_{i}": np.stack(c) for i, c in enumerate(zip(*case.want[:last], strict=True))}
    np.savez(path.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]
    text = f"{found.place}: {found.message}\n\n{case.graph}\n"
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return path
