"""Sides that take turns: how the lab times steps, and what must be written beside a time.

Milliseconds of different days, computers or programs say little. All sides therefore run in one
process and take turns, and what is read is their ratio.
"""

import itertools
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from adamas.engine.cpus import taken

# The OpenMP workers of torch spin for some milliseconds after each parallel region, and slow down
# whoever runs next. The pause is spent busy: after 30 ms asleep every side took up to twice as
# long.
PAUSE = 0.02
SAMPLE = 0.01  # seconds; shorter steps are timed several at a time
MOST_STEPS = 10_000
IDLE = 0.03  # share of the processors that others may use before figures are not to be trusted
PACKAGES = ("adamas", "numpy", "numba", "torch", "jax", "optax", "bitsandbytes", "torchao")


@dataclass(frozen=True)
class Side:
    """One contestant: `step` updates its parameters once, `result` reads its first parameter.

    `held` counts the bytes of the arrays that its state is kept in, once it has stepped.
    """

    step: Callable[[], object]
    result: Callable[[], NDArray[np.float32]]
    held: Callable[[], int] = int


@dataclass(frozen=True)
class Case:
    """Samples of every side, in `unit` per step; the first side is what others are compared to.

    `elements` is how many parameters a step updates, or 0 where that says nothing.
    """

    title: str
    samples: dict[str, list[float]]
    elements: int = 0
    unit: str = "s"

    def median(self, side: str) -> float:
        """The median of a side's samples."""
        return median(self.samples[side])

    def ratio(self, side: str, other: str) -> float:
        """How many times as long as `other` a side takes, by medians."""
        return self.median(side) / self.median(other)

    def scale(self) -> tuple[str, float]:
        """The unit to show, and what samples are multiplied by to be in it."""
        if self.unit != "s":
            return self.unit, 1.0
        small = min(self.median(side) for side in self.samples) < 1e-3
        return ("us", 1e6) if small else ("ms", 1e3)


def take_turns(sides: Mapping[str, Side], rounds: int) -> dict[str, list[float]]:
    """Seconds per step of every side, `rounds` samples each, timed by `clock` after a `rest`."""
    clocks = {name: clock(side.step) for name, side in sides.items()}
    samples: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for _ in range(rounds):
        for name in order:
            rest()
            samples[name].append(clocks[name]())
        # Nobody runs after the same neighbour every time.
        order = [*order[1:], order[0]]
    return samples


def clock(step: Callable[[], object]) -> Callable[[], float]:
    """What takes one sample of `step`, in seconds a step; it steps twice before anything is timed.

    A step below `SAMPLE` is timed several times at once, after one untimed step that brings its
    data back into the caches.
    """
    step()
    step()
    count = max(1, min(MOST_STEPS, round(SAMPLE / _seconds(step, 3))))

    def sample() -> float:
        if count > 1:
            step()
        return _seconds(step, count)

    return sample


def rest() -> None:
    """Wait busily for `PAUSE` seconds."""
    end = time.perf_counter() + PAUSE
    while time.perf_counter() < end:
        pass


def _seconds(step: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in itertools.repeat(None, count):
        step()
    return (time.perf_counter() - start) / count


@dataclass(frozen=True)
class Machine:
    """Where and when something was measured; nothing that names the computer or its user.

    `memory` is in GiB, or 0 where it cannot be read; `load` the averages over 1, 5 and 15 minutes.
    """

    cpu: str
    cores: int
    threads: dict[str, int]
    memory: float
    system: str
    versions: dict[str, str]
    date: str
    load: list[float]

    def __str__(self) -> str:
        """All of it in one paragraph."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        threads = ", ".join(f"{name} {count}" for name, count in self.threads.items())
        load = ", ".join(f"{average:.2f}" for average in self.load) or "unknown"
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory:.0f} GiB; {self.system}; {versions}; "
            f"threads: {threads}; load average {load}; {self.date}"
        )


def machine() -> Machine:
    """Describe this computer and this moment."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    threads: dict[str, int] = {"adamas": taken(None)}
    if "torch" in sys.modules:
        threads["torch"] = sys.modules["torch"].get_num_threads()
    return Machine(
        cpu=_proc("cpuinfo", "model name") or platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        threads=threads,
        memory=memory("MemTotal") / 2**30,
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        versions=versions,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        load=[round(average, 2) for average in os.getloadavg()]
        if hasattr(os, "getloadavg")
        else [],
    )


def _proc(file: str, key: str) -> str:
    """The first value of `key` in a file of Linux's /proc; empty where there is none."""
    try:
        lines = Path("/proc", file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def memory(key: str, file: str = "meminfo") -> float:
    """Bytes of `MemTotal`, `MemAvailable`, ... from /proc; 0 where there is no such file."""
    words = _proc(file, key).split()
    return float(words[0]) * 1024 if words else 0.0


class Others:
    """How busy other programs keep the processors, from the moment this is made."""

    def __init__(self) -> None:
        self._start = self._now()

    def share(self) -> float | None:
        """Their share of all processor time so far, from 0 to 1; None where it cannot be read."""
        (all_before, own_before, start), (everyone, own, now) = self._start, self._now()
        if everyone == 0 or now == start:
            return None
        busy = (everyone - all_before) - (own - own_before)
        return max(0.0, busy / (now - start) / (os.cpu_count() or 1))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        try:
            user, nice, kernel, _, _, irq, soft, steal = map(
                int, Path("/proc/stat").read_text().split()[1:9]
            )
        except (OSError, ValueError):
            return 0.0, 0.0, 0.0
        ticks = user + nice + kernel + irq + soft + steal
        return ticks / os.sysconf("SC_CLK_TCK"), sum(os.times()[:4]), time.monotonic()
