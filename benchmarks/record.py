"""What a section of the comparison leaves behind: cases, figures with their bars, and what to know.

All of it is plain data, so that the table is made from the JSON file alone.
"""

import math
from dataclasses import dataclass, field

from adamas.lab.timing import Case, memory

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Plan:
    """How large and how often: parameters of the large arrays, of the largest, and rounds."""

    size: int = 64 * MIB
    largest: int = 512 * MIB
    rounds: int = 11

    @property
    def room(self) -> float:
        """Bytes that may be held at once: what is free, less a tenth for everything else."""
        return 0.9 * (memory("MemAvailable") or math.inf)


@dataclass(frozen=True)
class Figure:
    """One measured number, and the bar that was set for it before if there was one."""

    what: str
    value: float
    bar: float | None = None
    unit: str = ""
    at_least: bool = False

    @property
    def limit(self) -> str:
        """The bar in words; empty without one."""
        if self.bar is None:
            return ""
        return f"{'at least' if self.at_least else 'at most'} {self.bar:g} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Whether the number keeps to the bar: met, missed, or empty without one."""
        if self.bar is None:
            return ""
        met = self.value >= self.bar if self.at_least else self.value <= self.bar
        return "met" if met else "missed"


@dataclass(frozen=True)
class Section:
    """The cases and figures of one group, and a note on what was compared."""

    title: str
    note: str
    cases: list[Case] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
