"""Paired seeds: every side trains from the same start on the same batches, one seed at a time."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adamas.lab.statistics.intervals import t_interval
from benchmarks.fidelity import stress
from benchmarks.fidelity.side import Side
from benchmarks.fidelity.sides import BASELINE
from benchmarks.fidelity.training import Run, Training, train

# What a side may cost on the mean of the paired seeds, and its largest update beside float32's.
LOSS_BAR, TEXT_BAR, UPDATE_BAR = 3.0, 0.5, 3.0

Say = Callable[[str], None]


def progress(text: str) -> None:
    """One line that is written over on a terminal; kept lines elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def contest(training: Training, sides: Sequence[Side], seeds: int) -> dict[str, Any]:
    """Train every side with every seed; return plain data for the record."""
    begun = time.monotonic()
    runs: dict[str, list[Run]] = {side.name: [] for side in sides}
    failed: dict[str, str] = {}
    for seed in range(seeds):
        for side in sides:
            if side.name in failed:
                continue
            spent = time.monotonic() - begun
            progress(f"{training.name}: seed {seed + 1} of {seeds}, {side.name} ({spent:.0f} s)")
            try:
                runs[side.name].append(train(training, side.make, seed))
            except (TypeError, ValueError, NotImplementedError) as error:
                failed[side.name] = f"{type(error).__name__}: {error}"
                progress(f"{training.name}: {side.name} does not run: {failed[side.name]}\n")
    if sys.stderr.isatty():
        progress("")
    return {
        **terms(training, seeds),
        "seconds": round(time.monotonic() - begun, 1),
        "sides": {s.name: _data(s, runs[s.name]) for s in sides if s.name not in failed},
        "failed": failed,
    }


def terms(training: Training, seeds: int) -> dict[str, Any]:
    """What two runs must share before their sides may stand in one table."""
    return {
        "title": training.title,
        "steps": training.steps,
        "seeds": seeds,
        "lr": training.lr,
        "rate": training.rate.__name__,
    }


def _data(side: Side, runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "bytes": side.bytes,
        "note": side.note,
        "final": [run.final if math.isfinite(run.final) else None for run in runs],
        "largest": [run.largest_update for run in runs],
    }


@dataclass(frozen=True)
class Score:
    """One side of one training beside float32; percentages are of float32's final loss."""

    final: float
    each: tuple[float, ...]
    mean: float
    low: float
    high: float
    worst: float
    # Largest |update| / lr of all seeds, and its ratio to float32's.
    largest: float
    ratio: float
    diverged: int

    def misses(self, bar: float) -> str:
        """Which bars are missed, in words; empty if none is."""
        found = []
        if self.diverged:
            found.append(f"{self.diverged} diverged")
        elif abs(self.mean) > bar:
            found.append(f"loss {self.mean:+.2f} %")
        if self.ratio > UPDATE_BAR:
            found.append(f"update {self.ratio:.3g}x")
        return ", ".join(found)


def score(result: dict[str, Any], name: str) -> Score:
    """The figures of one side from the record."""
    side, base = result["sides"][name], result["sides"][BASELINE]
    pairs = list(zip(side["final"], base["final"], strict=True))
    each = tuple(100 * (q / f - 1) for q, f in pairs if q is not None)
    interval = t_interval(each) if each else t_interval([math.inf])
    largest, known = _largest(side), _largest(base)
    kept = [q for q in side["final"] if q is not None]
    return Score(
        final=statistics.mean(kept) if kept else math.nan,
        each=each,
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
        worst=max(each, key=abs, default=math.nan),
        largest=largest,
        ratio=largest / known,
        diverged=len(pairs) - len(each),
    )


def _largest(side: dict[str, Any]) -> float:
    return max((u for u in side["largest"] if u is not None), default=math.nan)


def stressed(sides: Sequence[Side], baseline: Side, seeds: int) -> dict[str, Any]:
    """Every stress case on every side; of several seeds the one furthest off counts."""
    cases: dict[str, Any] = {}
    for case in stress.CASES:
        found: dict[str, Any] = {}
        base = [stress.trace(case, baseline.make, seed) for seed in range(seeds)]
        for side in sides:
            progress(f"stress: {case.name}, {side.name}")
            try:
                traces = [stress.trace(case, side.make, seed) for seed in range(seeds)]
            except (TypeError, ValueError, NotImplementedError) as error:
                progress(f"stress: {side.name} does not run: {error}\n")
                continue
            found[side.name] = _stress_data(traces, base)
        cases[case.name] = {"title": case.title, "sides": found}
    if sys.stderr.isatty():
        progress("")
    return {"seeds": seeds, "cases": cases}


def _stress_data(traces: Sequence[stress.Trace], base: Sequence[stress.Trace]) -> dict[str, Any]:
    ratios: dict[str, float | None] = {}
    for group in base[0].rms:
        found = [
            t.rms[group] / b.rms[group] for t, b in zip(traces, base, strict=True) if b.rms[group]
        ]
        far = max(found, key=lambda r: abs(math.log(r)) if r > 0 else math.inf, default=None)
        ratios[group] = far
    largest = max(t.largest for t in traces)
    return {
        "ratio": ratios,
        "largest": largest,
        "over": max(t.largest / b.largest for t, b in zip(traces, base, strict=True)),
        "drift": {g: [max(t.drift[g][i] for t in traces) for i in (0, 1)] for g in base[0].rms},
    }
