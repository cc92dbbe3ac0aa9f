"""Where templates, boards and kernels are, in a checkout and in an installed wheel."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal


def data_dir(kind: Literal["templates", "boards"]) -> Traversable:
    """Return the directory of ``kind``.

    A wheel carries both inside the package. In a checkout (``pip install -e``, or plain
    ``python -m tinygen``) they are the package's siblings, and edits show at once.
    """
    package = files("tinygen")
    checkout = Path(str(package)).parent
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    return package / kind


def kernel_source(header: str) -> str:
    """Return the text of a kernel header, such as ``tg_conv2d_s8.h``."""
    return (files("tinygen") / "kernels" / header).read_text(encoding="utf-8")
