"""Differences found in the references themselves: what docs/reference-differences.md records."""

from tinygen.ir import Numerics, Op


def known_difference(op: Op, numerics: Numerics) -> str:
    """The heading in the document under which this reference's answer to ``op`` is recorded;
    '' where its numbers count."""
    del op, numerics
    return ""
