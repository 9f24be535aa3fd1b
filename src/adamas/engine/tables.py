"""Tables as text, for those who print an optimizer."""

from collections.abc import Sequence


def table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of as many cells each, in columns of equal width.

    >>> print(table([["a", "b"], ["long", "c"]]))
    a     b
    long  c
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(rows)


def shown_shape(shape: Sequence[int]) -> str:
    """A shape as tables have it; a single number is 1."""
    return " × ".join(map(str, shape)) or "1"
