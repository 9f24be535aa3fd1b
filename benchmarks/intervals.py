"""How often 95 % intervals over seeds hold the truth: the table of docs/decisions/0011.

Run `python -m benchmarks.intervals`; about three minutes. Losses are simulated with mean 1.
"paired" is the difference of two optimizers, times a factor that both share because a seed draws
it. "widened" is the interval of `adamas.lab.statistics.intervals` from ten seeds on.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from adamas.lab.statistics.intervals import bootstrap_level, t_quantile

Floats = NDArray[np.float64]
Shape = tuple[int, int]
STUDIES = 4_000
RESAMPLES = 1_999
BATCH = 400
KINDS: dict[str, Callable[[np.random.Generator, Shape], Floats]] = {
    "normal, sd 0.05": lambda rng, shape: rng.normal(1, 0.05, shape),
    "lognormal, sd 0.3": lambda rng, shape: rng.lognormal(-0.045, 0.3, shape),
    "lognormal, sd 0.8": lambda rng, shape: rng.lognormal(-0.32, 0.8, shape),
    "Student, 3 df": lambda rng, shape: 1 + 0.05 * rng.standard_t(3, shape),
    "one in ten bad": lambda rng, shape: (
        rng.normal(0.97, 0.03, shape) + 0.3 * (rng.random(shape) < 0.1)
    ),
}


def covered(values: Floats, truth: float, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of rows whose interval holds `truth`, by method."""
    count = values.shape[1]
    centre = values.mean(axis=1)
    half = t_quantile(count) * values.std(axis=1, ddof=1) / sqrt(count)
    hits = {"t": float((abs(centre - truth) <= half).mean())}
    if count < 10:
        return hits
    found: dict[str, list[Floats]] = {"percentile": [], "BCa": [], "widened": []}
    for start in range(0, len(values), BATCH):
        rows = values[start : start + BATCH]
        means = rows[:, rng.integers(0, count, (RESAMPLES, count))].mean(axis=2)
        tail = np.full(len(rows), 0.025)
        wide = np.full(len(rows), (1 - bootstrap_level(count)) / 2)
        ends = {"percentile": (tail, 1 - tail), "widened": (wide, 1 - wide)}
        for name, levels in (ends | {"BCa": accelerated(rows, means)}).items():
            low, high = (row_quantiles(means, level) for level in levels)
            found[name].append(np.asarray((low <= truth) & (truth <= high), dtype=np.float64))
    return hits | {name: float(np.concatenate(parts).mean()) for name, parts in found.items()}


def accelerated(rows: Floats, means: Floats) -> tuple[Floats, Floats]:
    """Return the levels at which BCa reads the bootstrap distribution (Efron 1987)."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    bias = stats.norm.ppf((means < rows.mean(axis=1, keepdims=True)).mean(axis=1))
    skew = (centred**3).sum(axis=1) / (6 * (centred**2).sum(axis=1) ** 1.5)
    sides = (bias + side for side in stats.norm.ppf([0.025, 0.975]))
    low, high = (stats.norm.cdf(bias + side / (1 - skew * side)) for side in sides)
    return low, high


def row_quantiles(rows: Floats, levels: Floats) -> Floats:
    """Return one quantile of each row, at the row's own level."""
    return np.array([np.quantile(row, level) for row, level in zip(rows, levels, strict=True)])


def main() -> None:
    """Print the table as Markdown, in per cent."""
    rng = np.random.default_rng(11)
    print("| losses | seeds | t | percentile | BCa | widened |\n|---|---|---|---|---|---|")
    for paired in (False, True):
        for kind, draw in KINDS.items():
            for count in (3, 5, 10, 20, 30):
                shape = (STUDIES, count)
                values = draw(rng, shape)
                if paired:
                    values = (values - draw(rng, shape)) * rng.lognormal(0, 0.1, shape)
                hits = covered(values, 0.0 if paired else 1.0, rng)
                cells = " | ".join(
                    f"{100 * hits[name]:.1f}" if name in hits else ""
                    for name in ("t", "percentile", "BCa", "widened")
                )
                print(f"| {'paired ' if paired else ''}{kind} | {count} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
