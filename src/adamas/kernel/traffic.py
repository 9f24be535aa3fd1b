"""The bytes that a step moves, read from the passes that the kernel makes.

A pass reads the arrays of elements that its sums need, and the sweep reads and writes what is new.
What a rule keeps once a row or a column, and the parts of sums, 8 bytes for each block of 128
elements, are not counted.
"""

from typing import NamedTuple

from adamas.codecs import BLOCK, Codec
from adamas.kernel.first import names
from adamas.kernel.formula import Formula
from adamas.kernel.layout import Layout, columns
from adamas.kernel.scopes import SECOND
from adamas.kernel.stages import stages


class Pass(NamedTuple):
    """The arrays, by name, that one pass over the elements reads and writes.

    `moved` are the bytes of both, for one element; of a block's scale the element has a share.
    """

    reads: set[str]
    writes: set[str]
    moved: float


def passes(formula: Formula, layout: Layout) -> list[Pass]:
    """The passes of one step with default settings, the sweep last."""
    plan, made = stages(formula), list[Pass]()
    formats = layout.parameter, layout.gradient, *layout.states
    sizes = dict(zip(("p", "g", *formula.states), map(size, formats), strict=True))
    sizes |= {SECOND: size(layout.second)} if layout.second else {}
    for level in (*(k for k in range(1, plan.levels + 1) if plan.at(k)), 0):
        body = plan.made[level] if level else plan.sweep.body
        # The first pass looks at the gradient, whether it needs it or not.
        read = set("" if made else "g").union(*(names(one.value) for one in body))
        read |= {one.argument for _, one in plan.at(level)}
        reads, writes = read & sizes.keys(), set() if level else sizes.keys() - {"g", SECOND}
        made.append(Pass(reads, writes, sum(sizes[name] for name in (*reads, *writes))))
    return made


def size(codec: Codec) -> float:
    """Bytes of one element in this format."""
    return sum(one.bits / 8 / (BLOCK if one.block else 1) for one in columns("", codec))
