"""How many conformance cases each operator and type passed: what the last full run wrote."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from tinygen.errors import TinygenError

FILE = "conformance.json"
HOST = "host"

Counts = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Operator -> element type -> ``HOST`` or a board -> cases."""


def load_counts() -> Counts:
    """The counts by operator, type and place. Raises TinygenError for a file that is none."""
    try:
        found: Any = json.loads((files("tinygen") / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TinygenError(f"{FILE} of this installation cannot be read: {error}") from None
    return found  # type: ignore[no-any-return]
