"""The sides of the comparison in few bits: AdamW with every state of adamas, and with every peer's.

One table for the section on time and for the child processes in which memory is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from adamas.lab.peers import (
    FEW_BITS,
    Array,
    Halves,
    adamas_bfloat16_side,
    adamas_side,
    torch_bfloat16_side,
    torch_side,
    upper_halves,
)
from adamas.lab.timing import Side
from benchmarks.sides import torch_bfloat16_huge_side, torch_huge_side

FORMATS = ("float32", "bfloat16", "int8", "int4")
TORCH, HUGE = "torch fused", "torch fused, huge pages"
TORCH16, HUGE16 = "torch fused bf16", "torch fused bf16, huge pages"
INT8_16 = "adamas int8, bf16 p and g"
# Bits of the parameter that are kept beside it, and the side that keeps them.
MASTERS: dict[int | None, str] = {
    None: INT8_16,
    **{bits: f"{INT8_16}, master={bits}" for bits in (8, 16)},
}


@dataclass(frozen=True)
class Given:
    """The gradients of all sides, in float32 and, made when first asked for, in bfloat16."""

    wide: Sequence[Array]

    @cached_property
    def narrow(self) -> list[Halves]:
        """The same in bfloat16."""
        return upper_halves(self.wide)


@dataclass(frozen=True)
class Entry:
    """One side: how it is made, and bytes of one parameter.

    `package` is what must be installed for it.
    """

    make: Callable[[Given], Side]
    width: int = 4
    package: str = "adamas"

    @property
    def here(self) -> bool:
        """Whether its package is installed."""
        return find_spec(self.package) is not None


def _wide(make: Callable[..., Side], **settings: Any) -> Callable[[Given], Side]:
    return lambda given: make(given.wide, **settings)


def _narrow(make: Callable[..., Side], **settings: Any) -> Callable[[Given], Side]:
    return lambda given: make(given.narrow, **settings)


def _entries() -> dict[str, Entry]:
    found = {
        TORCH: Entry(_wide(torch_side, fused=True), package="torch"),
        HUGE: Entry(_wide(torch_huge_side), package="torch"),
    }
    for state in FORMATS:
        found[f"adamas {state}"] = Entry(_wide(adamas_side, state=state))
    found[TORCH16] = Entry(_narrow(torch_bfloat16_side), 2, package="torch")
    found[HUGE16] = Entry(_narrow(torch_bfloat16_huge_side), 2, package="torch")
    for bits, name in MASTERS.items():
        make = _narrow(adamas_bfloat16_side, state="int8", master=bits)
        found[name] = Entry(make, 2)
    for name, (package, peer) in FEW_BITS.items():
        found[name] = Entry(_wide(peer), package=package)
    return found


ENTRIES = _entries()


def absent(names: Sequence[str]) -> list[str]:
    """A line on each of these sides whose package is not installed."""
    return [
        f"{name} is left out: {ENTRIES[name].package} is not installed"
        for name in names
        if not ENTRIES[name].here
    ]
