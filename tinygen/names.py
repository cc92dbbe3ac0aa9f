"""Names that come from files, as people and terminals may see them.

What goes into C, paths and build files passes ``tinygen.ctext`` instead.
"""

from pathlib import Path


def printable(text: str) -> str:
    """``text`` with an escape for each character that cannot be printed, or that turns what is
    around it: a line break in a name must not start a line of an error message."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def file_name(path: Path) -> str:
    """The last part of ``path``, fit for any text: bytes that are no UTF-8 show as escapes."""
    return printable(path.name)
