"""The error rate with an optimizer of PyTorch on one side: the table of docs/decisions/0030.

Run `python -m benchmarks.alike.foreign FILE`: every comparison becomes a line of FILE, and what is
there is not done again; `--table` only prints what FILE holds. In quick mode, one after the other:
Adam here and Adam of torch.optim, which differ by rounding ("rounding"); two that are equal in
distribution, a rule and a class of PyTorch's kind ("alike"); and a class of which a tenth of the
coordinates go the wrong way ("planted"). About twelve minutes on one core.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.entrants import entrant
from adamas.lab.protocol.plan import SIZES, declare
from adamas.lab.protocol.runner import Runner
from adamas.lab.protocol.study import study
from adamas.lab.statistics.paired import compare
from benchmarks.alike.__main__ import Case, known, share
from benchmarks.alike.problems import TASKS, problem

HERE = Path(__file__).parent
RULE, CLASS = f"{HERE / 'rules.py'}:second", f"{HERE / 'torch_rules.py'}"
PAIRS = {
    "alike": (f"{CLASS}:First", RULE),
    "planted": (f"{CLASS}:Planted", RULE),
    "rounding": ("torch.optim.Adam", "adam"),
}
# How many comparisons of each kind on each problem.
COUNTS = {"alike": 70, "planted": 22, "rounding": 10}


def carried_out(case: Case) -> dict[str, Any]:
    """Carry out one comparison and return its word and what led to it."""
    name, _, pair, number = case
    posed = problem(name, number)
    who = [entrant(text) for text in PAIRS[pair]]
    plan = declare(posed, {"number": number}, who, SIZES["quick"], references=(who[1].text,))
    with threadpool_limits(1):
        found = study(plan, Runner(lambda: posed, number), lambda stage: None)
    finals = {text: [run.final for run in runs] for text, runs in found.report.items()}
    (one,) = compare(finals, plan.references, plan.margin)
    lrs = [found.tuned[text].lr for text in plan.optimizers]
    return {"case": list(case), "word": one.word, "percent": one.percent.mean, "lrs": lrs}


def cases() -> list[Case]:
    """Return what is to be done, a little of everything at a time."""
    every = [
        ((number + 0.5) / count, (name, "quick", pair, number))
        for pair, count in COUNTS.items()
        for number in range(count)
        for name in TASKS
    ]
    return [case for _, case in sorted(every, key=lambda one: one[0])]


def table(words: dict[Case, str]) -> str:
    """Return the counts as Markdown: shares in per cent with their exact 95 % intervals."""
    lines = ["| pair | problem | comparisons | better, % | worse, % | tie, % |", "|---" * 6 + "|"]
    for pair in PAIRS:
        for name in (*TASKS, "all"):
            found = Counter(
                w for (n, _, p, _), w in words.items() if p == pair and name in (n, "all")
            )
            total = found.total()
            if total:
                cells = [share(found[word], total) for word in ("better", "worse", "tie")]
                lines.append(f"| {pair} | {name} | {total} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Do what is not done yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    done = known(args.file)
    with args.file.open("a", encoding="utf-8") as file:
        for case in () if args.table else cases():
            if case not in done:
                file.write(json.dumps(carried_out(case)) + "\n")
                file.flush()
    print(table(known(args.file)))


if __name__ == "__main__":
    main()
