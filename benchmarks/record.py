"""What a section of the comparison leaves behind: cases, figures, and what to know.

All of it is plain data, so that the table is made from the JSON file alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from adamas.bench.timing import Case, memory
from benchmarks.race import Race, versus

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Plan:
    """How large and how often: parameters of the large arrays, of the largest, and rounds."""

    size: int = 64 * MIB
    largest: int = 512 * MIB
    rounds: int = 21

    @property
    def room(self) -> float:
        """Bytes that may be held at once: what is free, less a tenth for everything else."""
        return 0.9 * (memory("MemAvailable") or math.inf)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The large array, one of a quarter, and one that a large server's caches hold."""
        return self.size, max(1, self.size // 4), max(1, self.size // 64)


@dataclass(frozen=True)
class Figure:
    """One measured number; of a ratio also the interval that holds its true median."""

    what: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None


def compared(race: Race, side: str, other: str, what: str = "") -> Figure:
    """The ratio of a pair; named after the pair and the case, or `what`."""
    name = what or f"{versus(side, other)}, {race.title}"
    return Figure(name, race.ratio(side, other), "x", *race.between(side, other))


def size_of(size: int) -> str:
    """A number of parameters, in Mi if it is whole."""
    return f"{size // MIB} Mi" if size % MIB == 0 else f"{size:,}"


@dataclass(frozen=True)
class Section:
    """The cases and figures of one group, and a note on what was compared."""

    title: str
    note: str
    cases: Sequence[Case] = field(default_factory=list)
    figures: Sequence[Figure] = field(default_factory=list)
