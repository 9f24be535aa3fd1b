"""The rules of the family by what a step of theirs reads."""

from adamas import rules
from adamas.kernel.formula import parse

ELEMENTWISE = [name for name in rules.__all__ if not parse(getattr(rules, name)).over]
"""Those in which no element reads another: they may be cut anywhere."""
