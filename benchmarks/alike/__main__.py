"""The error rate of a comparison, tuning included: the tables of decisions 0011, 0027 and 0031.

Run `python -m benchmarks.alike FILE`: every comparison becomes a line of FILE, and what is there is
not done again, so it may be interrupted. An hour on two cores; `--table` only prints what FILE
holds; `--looks` does only the modes that look before the end, `--wide` only those that search more
than the rate. Two equal rules are compared ("alike"), and one that is worse with one that is not
("planted"); each comparison has seeds of its own, and a search, judges and words like any other.
"""

import argparse
import json
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.constants import ALPHA
from adamas.lab.entrants import entrant
from adamas.lab.protocol.best import lowest
from adamas.lab.protocol.plan import SIZES, Size, declare, growing
from adamas.lab.protocol.runner import Runner
from adamas.lab.protocol.sequential import in_looks
from adamas.lab.protocol.space import asked_for
from adamas.lab.statistics.repeated import compare_at
from adamas.lab.trial import Record
from benchmarks.alike.problems import TASKS, problem
from benchmarks.alike.statuses import statuses

HERE = Path(__file__).parent
PAIRS = {"alike": ("first", "second"), "planted": ("planted", "second")}
# What is searched besides the rate in the modes of `--wide`, whose rules have a weight decay.
SEARCHED = "weight_decay,betas,schedule"
LOOKS = ("quick, looks", "default, looks")
WIDE = ("quick, wide", "default, wide")
SIZES_OF: dict[str, Size] = {
    **{str(mode): size for mode, size in SIZES.items()},
    **dict(zip(LOOKS, (growing(SIZES["quick"]), growing(SIZES["default"])), strict=True)),
    **dict(zip(WIDE, (SIZES["quick"], SIZES["default"]), strict=True)),
}
# How many comparisons of each kind on each problem.
COUNTS: dict[tuple[str, str], int] = {
    ("quick", "alike"): 200,
    ("default", "alike"): 200,
    ("rigorous", "alike"): 70,
    ("quick", "planted"): 30,
    ("default", "planted"): 30,
    ("quick, looks", "alike"): 80,
    ("default, looks", "alike"): 30,
    ("quick, looks", "planted"): 20,
    ("quick, wide", "alike"): 60,
    ("default, wide", "alike"): 30,
    ("quick, wide", "planted"): 20,
    ("default, wide", "planted"): 10,
}
Case = tuple[str, str, str, int]


def cases(share: float, modes: Collection[str] = tuple(SIZES_OF)) -> Iterator[Case]:
    """Yield what is to be done in some modes, a little of everything at a time."""
    every = [
        ((number + 0.5) / count, (name, mode, pair, number))
        for (mode, pair), count in COUNTS.items()
        if mode in modes
        for number in range(max(1, round(share * count)))
        for name in TASKS
    ]
    return (case for _, case in sorted(every, key=lambda one: one[0]))


def carried_out(case: Case) -> dict[str, Any]:
    """Carry out one comparison in this process and return its word and what led to it."""
    name, mode, pair, number = case
    # Equal numbers are equal seeds: the modes differ in how many, the pairs in what runs on them.
    posed = problem(name, number)
    wide = mode in WIDE
    rules = [f"wide_rules.py:wide_{rule}" if wide else f"rules.py:{rule}" for rule in PAIRS[pair]]
    who = [entrant(f"{HERE / rule}") for rule in rules]
    searched = asked_for([SEARCHED]) if wide else None
    plan = declare(posed, {"number": number}, who, SIZES_OF[mode], searched,
                   references=(who[1].text,))  # fmt: skip
    runner = Runner(lambda: posed, number)
    with threadpool_limits(1):
        found = in_looks(plan, runner, lambda stage: None, lambda plan, look: None)
    finals = last_losses(found.report)
    spent = found.looks[-1].spent if found.looks else ALPHA
    (one,) = compare_at(finals, plan.references, spent, plan.margin)
    minima = {text: [lowest(run)[0] for run in runs] for text, runs in found.report.items()}
    (best,) = compare_at(minima, plan.references, spent, plan.margin)
    lrs = [found.tuned[text].lr for text in plan.optimizers]
    tree = {"case": list(case), "word": one.word, "percent": one.percent.mean, "lrs": lrs,
            "best": best.word, "spent": spent,
            "finals": [finals[text] for text in plan.optimizers]}  # fmt: skip
    if found.worth:
        alone = last_losses(found.worth.alone)
        tree["alone"] = compare_at(alone, plan.references, spent, plan.margin)[0].word
    return tree


def last_losses(runs: dict[str, list[Record]]) -> dict[str, list[float]]:
    """Return the final losses of each optimizer."""
    return {text: [run.final for run in these] for text, these in runs.items()}


@cache
def compiled(modes: Collection[str]) -> None:
    """Compile the rules of some modes once, before several processes want them."""
    for mode in {"quick, wide" if mode in WIDE else "quick" for mode in modes}:
        carried_out(("tumours", mode, "alike", 0))
        carried_out(("tumours", mode, "planted", 0))


def known(path: Path, judgement: str = "word") -> dict[Case, str]:
    """Return the words of the comparisons that are in the file.

    `judgement` is "word", of the last losses, "best", of the lowest ones, or, where more than the
    rate was searched, "alone", of the last losses at the rate alone.
    """
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    trees = [json.loads(line) for line in lines]
    return {tuple(tree["case"]): tree[judgement] for tree in trees if judgement in tree}


def table(words: dict[Case, str]) -> str:
    """Return the counts as Markdown: shares in per cent with their exact 95 % intervals."""
    head = "| mode | problem | equal | claims, % | tie, % | planted | found, % | called better |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for mode in SIZES_OF:
        for name in (*TASKS, "all"):
            row = []
            for pair in PAIRS:
                found = [word for (n, m, p, _), word in words.items()
                         if (m, p) == (mode, pair) and name in (n, "all")]  # fmt: skip
                row += counted(Counter(found), pair)
            lines.append(f"| {mode} | {name} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def counted(words: Counter[str], pair: str) -> list[str]:
    """Return the cells of one kind of pair."""
    total = words.total()
    if not total:
        return ["", "", ""]
    if pair == "alike":
        claims = share(words["better"] + words["worse"], total)
        return [str(total), claims, f"{100 * words['tie'] / total:.0f}"]
    return [str(total), share(words["worse"], total), str(words["better"])]


def share(count: int, total: int) -> str:
    """Return a share in per cent with its exact 95 % interval (Clopper and Pearson 1934)."""
    found = binomtest(count, total).proportion_ci()
    return f"{100 * count / total:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def main() -> None:
    """Do what is not done yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--looks", action="store_true", help="only the modes with looks")
    parser.add_argument("--wide", action="store_true", help="only the modes that search more")
    parser.add_argument("--share", type=float, default=1.0, help="a part of all comparisons")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    done = known(args.file)
    modes = (*(LOOKS if args.looks else ()), *(WIDE if args.wide else ())) or tuple(SIZES_OF)
    todo = [case for case in cases(args.share, modes) if case not in done]
    if todo and not args.table:
        compiled(modes)
        work = Parallel(args.workers, return_as="generator_unordered", batch_size=1)
        with args.file.open("a", encoding="utf-8") as file:
            for number, tree in enumerate(work(delayed(carried_out)(case) for case in todo), 1):
                file.write(json.dumps(tree) + "\n")
                file.flush()
                if number % 50 == 0:
                    print(f"{number} of {len(todo)}", flush=True)
    print(table(known(args.file)))
    print("\nThe second judgement, of the lowest loss of each run:\n")
    print(table(known(args.file, "best")))
    print("\nThe exit statuses of --fail-if-worse, and the seeds that judged:\n")
    print(statuses(args.file, share))
    print("\nThe rate alone, in the modes that search more:\n")
    print(table(known(args.file, "alone")))


if __name__ == "__main__":
    main()
