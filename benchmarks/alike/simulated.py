"""Rules of choosing on tables of runs: the table of decision 0031.

Run `python -m benchmarks.alike.simulated FILE`: of every comparison all candidates of a search over
more than the rate run on all refining and judging seeds, so that each way to choose among them can
be judged on the same runs. Searches, points, seeds and words are the lab's own; the training loops
are those of `compiled.py`. FILE keeps what is done; `--table` only prints it. About ten minutes on
one core.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import inf, isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from adamas.lab.course import Course, Further
from adamas.lab.entrants import entrant
from adamas.lab.problems import generator
from adamas.lab.protocol.plan import SIZES, Mode, Plan, declare
from adamas.lab.protocol.search import Ask, drawn_again, search
from adamas.lab.protocol.space import asked_for
from adamas.lab.protocol.wider import ALONE, Setting, pick, short_rate
from adamas.lab.statistics.paired import compare
from adamas.lab.tuning import Tuned, tidy
from benchmarks.alike.__main__ import HERE, SEARCHED, share
from benchmarks.alike.compiled import logistic, network
from benchmarks.alike.problems import APART, TASKS, problem

# The phase of each rule's noise, and whether a tenth of it goes the wrong way.
RULES = {
    "first": (1.0, False),
    "second": (1.7, False),
    "planted": (1.3, True),
    "poor": (1.3, False),
}
COUNTS: dict[Mode, int] = {"quick": 120, "default": 80}
Scores = Sequence[Sequence[float]]


@cache
def drawn(name: str, seed: int) -> tuple[Any, ...]:
    """Return a task's training rows, their order, start, judging rows and loss at the start."""
    task, steps = TASKS[name]
    made = task(seed)
    rows, size, rng = len(made.train[0]), made.batch, generator(seed, 2)
    order: list[Any] = []
    while len(order) < steps:
        shuffled = rng.permutation(rows)
        order += [shuffled[k : k + size] for k in range(0, rows - size + 1, size)]
    start = made.start()
    sides = [
        (np.ascontiguousarray(x), np.eye(10)[y] if name == "digits" else np.ascontiguousarray(y))
        for x, y in (made.train, made.judge)
    ]
    return sides[0], np.array(order[:steps]), start, sides[1], made.evaluate(start)


@cache
def factors(schedule: str, steps: int) -> Any:
    """Return what a schedule multiplies the rate by, step by step."""
    factor = Course(schedule).factor(steps)
    return np.array([1.0 if factor is None else factor(t) for t in range(1, steps + 1)])


def final(name: str, rule: str, seed: int, steps: int, lr: float, further: Further = ()) -> float:
    """Return the loss at the end of a run; infinite where the lab would call it diverged."""
    train, order, start, judge, first = drawn(name, seed)
    phase, planted = RULES[rule]
    told: dict[str, Any] = {"beta": 0.0 if rule == "poor" else 0.9, "weight_decay": 0.0,
                            "schedule": "constant", **dict(further)}  # fmt: skip
    hypers = (lr, told["beta"], told["weight_decay"], phase, planted)
    moves, weights = factors(told["schedule"], steps), tuple(a.copy() for a in start.values())
    if name == "tumours":
        loss = logistic(train, order[:steps], weights, moves, hypers, judge)
    else:
        loss = network(train, order[:steps], weights, moves, hypers, name == "digits", judge)
    return float(loss) if isfinite(loss) and loss < 10 * first else inf


def planned(name: str, mode: Mode) -> Plan:
    """Return the lab's own plan of such a comparison."""
    who = [entrant(f"{HERE / 'wide_rules.py'}:wide_{rule}") for rule in RULES]
    return declare(problem(name, 0), {}, who, SIZES[mode], asked_for([SEARCHED]))


def searched(plan: Plan, text: str, run: Callable[[Ask], float]) -> Tuned:
    """Return what the search for the rate finds."""
    talk = search(plan.grids[text], plan.tuning, plan.refine, plan.report)
    asks = next(talk)
    while True:
        try:
            asks = talk.send([run(ask) for ask in asks])
        except StopIteration as end:
            found: Tuned = end.value
            return found


def runs(plan: Plan, text: str, number: int) -> dict[str, Scores]:
    """Return the losses of the rate alone and of the finalists, on refining and judging seeds."""
    rule = text.rpartition("wide_")[2]
    assert plan.search is not None

    def run(ask: Ask) -> float:
        steps = plan.steps if ask.full else plan.short_steps
        return final(plan.problem, rule, APART * number + ask.seed, steps, ask.lr, ask.further)

    tuned = searched(plan, text, run)
    settings = plan.search.settings(text)
    lr = short_rate(tuned)
    scores = [fmean(run(Ask(tidy(lr * multiple), seed, False, further)) for seed in plan.tuning)
              for multiple, further in settings]  # fmt: skip
    best = sorted(range(len(settings)), key=lambda place: (scores[place], place))
    last: list[Setting] = [ALONE, *(settings[place] for place in best[: plan.search.finalists])]
    full = [[run(Ask(tidy(tuned.lr * multiple), seed, True, further)) for seed in plan.refine]
            for multiple, further in last]  # fmt: skip
    judged = [[run(Ask(tidy(rate * multiple), seed, True, further))
               for seed, rate in zip(plan.report, tuned.drawn, strict=True)]
              for multiple, further in last]  # fmt: skip
    return {"refine": full, "report": judged}


def lowest(scores: Scores) -> int:
    """Return the place of the lowest mean, the first being the rate alone."""
    return min(range(len(scores)), key=lambda place: fmean(scores[place]))


CHOICES: dict[str, Callable[[Scores], int]] = {
    "rate alone": lambda scores: 0,
    "lowest mean": lowest,
    "one standard error": pick,
}


def judged(found: dict[str, Scores], choose: Callable[[Scores], int]) -> list[float]:
    """Return the judging seeds, each with what is chosen on refining seeds drawn again for it."""
    refine, report = found["refine"], found["report"]
    again = [drawn_again(seed, len(refine[0])) for seed in range(1, len(report[0]) + 1)]
    places = [choose([[scores[i] for i in these] for scores in refine]) for these in again]
    return [report[place][seed] for seed, place in enumerate(places)]


def table(trees: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the claims against `second` as Markdown: shares in per cent, exact 95 % intervals."""
    yield "| mode | rule | choice | comparisons | claims, % | loss of `second`, % of rate alone |"
    yield "|---|---|---|---|---|---|"
    for mode in COUNTS:
        these = [tree["rules"] for tree in trees if tree["case"][1] == mode]
        for rule in (name for name in RULES if name != "second" and these):
            for choice, choose in CHOICES.items():
                words, cost = Counter[str](), list[float]()
                for found in these:
                    pair = {name: judged(found[name], choose) for name in (rule, "second")}
                    words[compare(pair, ["second"])[0].word] += 1
                    cost.append(fmean(pair["second"]) / fmean(found["second"]["report"][0]) - 1)
                claims = words["worse"] + words["better"] * (rule == "first")
                more = 100 * fmean(one for one in cost if isfinite(one))
                cells = (mode, rule, choice, str(len(these)), share(claims, len(these)))
                yield "| " + " | ".join((*cells, f"{more:+.2f}")) + " |"


def cases(part: float) -> Iterator[tuple[str, Mode, int]]:
    """Yield the problem, the mode and the number of each comparison."""
    for mode, count in COUNTS.items():
        for number in range(max(1, round(part * count))):
            yield from ((name, mode, number) for name in TASKS)


def main() -> None:
    """Run what is not done yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--share", type=float, default=1.0, help="a part of all comparisons")
    args = parser.parse_args()
    lines = args.file.read_text("utf-8").splitlines() if args.file.exists() else []
    trees = [json.loads(line) for line in lines]
    done = [tree["case"] for tree in trees]
    for name, mode, number in cases(args.share):
        case, plan = [name, mode, number], planned(name, mode)
        if case in done or args.table:
            continue
        found = [runs(plan, text, number) for text in plan.optimizers]
        trees.append({"case": case, "rules": dict(zip(RULES, found, strict=True))})
        with args.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(trees[-1]) + "\n")
    print("\n".join(table(trees)))


if __name__ == "__main__":
    main()
