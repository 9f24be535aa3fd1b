"""How near to the best learning rate `find-lr` ends, and what it costs: a table.

    python -m benchmarks.find_lr --workers 2

The oracle is a grid in quarter decades, every run in full length, on the fresh seeds that the found
learning rate is judged on too. So it is better than anybody could know, by a few per cent of luck.
The search is repeated on other seeds of its own.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from statistics import fmean

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.constants import CLASSICAL
from adamas.lab.finder import Found, find_lr
from adamas.lab.trial import run
from adamas.lab.zoo import built_in

PROBLEMS = ("digits", "digits-softmax", "diabetes")
FRESH = tuple(range(100, 105))
# Where the best of the four optimizers was on these problems, and a decade to either side.
RANGES = {
    "sgd": (-2.5, 1.0),
    "momentum": (-3.25, 0.25),
    "rmsprop": (-4.0, -0.5),
    "adam": (-3.5, 0.0),
}
# Not the seeds that the numbers of the rule were chosen on.
DRAWS = 20_000
LIMIT = 0.15


@dataclass(frozen=True)
class Case:
    """One optimizer on one problem."""

    problem: str
    optimizer: str

    def final(self, lr: float) -> float:
        """Return the mean final loss on the fresh seeds."""
        with threadpool_limits(limits=1):
            problem = built_in(self.problem)
            return fmean(run(problem, self.optimizer, lr, seed).final for seed in FRESH)

    def found(self, draw: int) -> Found:
        """Search once, on the seeds of one draw."""
        problem = built_in(self.problem)
        moved = replace(problem, task=lambda seed: problem.task(seed + DRAWS + 1000 * draw))
        with threadpool_limits(limits=1):
            return find_lr(moved, self.optimizer)

    def grid(self) -> list[float]:
        """Return the oracle's learning rates."""
        low, high = RANGES[self.optimizer]
        return [10 ** (low + k / 4) for k in range(round((high - low) * 4) + 1)]


def row(case: Case, draws: int, workers: int) -> tuple[str, list[float]]:
    """Return a line of the table, and how far each draw ended above the oracle."""
    parallel = Parallel(workers)
    grid = case.grid()
    finals = parallel(delayed(case.final)(lr) for lr in grid)
    best = min(finals)
    searches: list[Found] = parallel(delayed(case.found)(draw) for draw in range(draws))
    above = [f / best - 1 for f in parallel(delayed(case.final)(found.lr) for found in searches)]
    lrs = " ".join(f"{found.lr:g}" for found in searches)
    shown = " ".join(f"{100 * value:+.0f}" for value in above)
    cost = fmean(found.cost for found in searches)
    oracle = grid[finals.index(best)]
    cells = case.problem, case.optimizer, lrs, f"{oracle:.3g}", f"{best:.4f}", shown, f"{cost:.1f}"
    return "| " + " | ".join(cells) + " |", above


def main() -> int:
    """Print the table; return 1 if a search ended further above the oracle than promised."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    print("| problem | optimizer | found | best | loss at best | % above it | cost, full runs |")
    print("|---|---|---|---|---|---|---|", flush=True)
    missed = 0
    for name in args.problems:
        for optimizer in CLASSICAL:
            line, above = row(Case(name, optimizer), args.draws, args.workers)
            missed += sum(value > LIMIT for value in above)
            print(line, flush=True)
    print(f"\n{missed} searches ended more than {LIMIT:.0%} above the best.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
