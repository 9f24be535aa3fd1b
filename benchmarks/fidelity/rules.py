"""`python -m benchmarks.fidelity.rules`: the state of other rules in few bits beside float32.

The language model, every tensor in few bits; the rows of the table in docs/few-bits.md are what it
prints. Rates are the best of 1, 2 and 5 times powers of ten for the final loss in float32, seed 0,
found with `--rates --quick`. The network on digits is of no use here: some of these rules learn its
data by heart, and losses of 0 are no measure.
"""

import argparse
import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import adamas
from adamas import rules
from adamas.kernel.formula import parse
from adamas.lab.statistics.intervals import t_interval
from benchmarks.fidelity.contest import progress
from benchmarks.fidelity.side import Hypers, Make, Params, Stepper
from benchmarks.fidelity.sides import every
from benchmarks.fidelity.text import text
from benchmarks.fidelity.training import Training, train

FORMATS = ("bfloat16", "int8", "int4")
RATES: dict[str, float] = {"muon": 0.05, "lamb": 0.02, "adafactor": 0.05}
TRIED = [float(f"{digit}e{power}") for power in range(-4, 0) for digit in (1, 2, 5)]


class Stepped:
    """Any rule over float32 arrays, by its own hyper-parameters but lr."""

    def __init__(self, rule: Any, params: Mapping[str, Any], **settings: Any) -> None:
        self.optimizer = adamas.Optimizer(rule, dict(params), **settings)

    def step(self, grads: Mapping[str, Any], lr: float) -> None:
        """Update the arrays in place."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step(dict(grads))


class SteppedLayers:
    """A rule that makes matrices on those of hidden layers, and AdamW beside it.

    AdamW's rate is as much larger or smaller than its default as the rule's is.
    """

    def __init__(self, rule: Any, params: Mapping[str, Any], **settings: Any) -> None:
        self.layers = [name for name in params if "." in name and params[name].ndim > 1]
        self.share = default_lr(rules.adamw) / default_lr(rule)
        mine, others = self.apart(params)
        groups = [{"params": mine, "rule": rule}, {"params": others, "rule": "adamw"}]
        self.optimizer = adamas.Optimizer(rule, groups, **settings)

    def apart(self, arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The matrices of hidden layers, and everything else."""
        mine = {name: arrays[name] for name in self.layers}
        return [mine, {name: one for name, one in arrays.items() if name not in mine}]

    def step(self, grads: Mapping[str, Any], lr: float) -> None:
        """Update the arrays in place."""
        for group, rate in zip(self.optimizer.param_groups, (lr, lr * self.share), strict=True):
            group["lr"] = rate
        self.optimizer.step(self.apart(grads))


def default_lr(rule: Any) -> float:
    """The rate that a rule declares."""
    return float(parse(rule).hypers["lr"])


def making(name: str, form: str) -> Make:
    """Make the optimizer of a rule with its state in a format."""
    rule = getattr(rules, name)
    kind = SteppedLayers if parse(rule).orthogonalizes else Stepped

    def make(params: Params, hypers: Hypers, seed: int) -> Stepper:
        return kind(rule, params, state=every(form), seed=seed)

    return make


def row(name: str, training: Training, seeds: int, formats: Sequence[str]) -> str:
    """One row: the rule, what it keeps, and each format beside float32."""
    whole = [train(training, making(name, "float32"), seed).final for seed in range(seeds)]
    cells = [f"`{name}`", ", ".join(f"`{state}`" for state in parse(getattr(rules, name)).states)]
    for form in formats:
        progress(f"{name}, {form}")
        runs = [train(training, making(name, form), seed) for seed in range(seeds)]
        each = [100 * (run.final / one - 1) for run, one in zip(runs, whole, strict=True)]
        lost = sum(not math.isfinite(one) for one in each)
        found = t_interval([one for one in each if math.isfinite(one)]) if lost < seeds else None
        cells.append(f"{found.mean:.1f} ± {found.high - found.mean:.1f}" if found else "")
        cells[-1] += f" ({lost} of {seeds} diverged)" if lost else ""
    return f"| {' | '.join(cells)} |"


def best(name: str, training: Training) -> float:
    """The rate that ends lowest in float32."""
    finals = {
        lr: train(dataclasses.replace(training, lr=lr), making(name, "float32"), 0).final
        for lr in TRIED
    }
    return min(finals, key=lambda lr: finals[lr] if math.isfinite(finals[lr]) else math.inf)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, or the rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity.rules")
    parser.add_argument("--rule", action="append", choices=rules.__all__, help="only these")
    parser.add_argument("--format", action="append", choices=FORMATS, help="only these")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="150 steps in place of 1,500")
    parser.add_argument("--rates", action="store_true", help="find the rates of the rules")
    args = parser.parse_args(argv)
    training = dataclasses.replace(text(args.quick), watched=False)
    names, formats = args.rule or list(RATES), args.format or FORMATS
    if not args.rates:
        print(f"| rule | keeps | {' | '.join(formats)} |\n|---|---|{'---:|' * len(formats)}")
    for name in names:
        if args.rates:
            print(f'    "{name}": {best(name, training):g},', flush=True)
        else:
            at = dataclasses.replace(training, lr=RATES[name])
            print(row(name, at, args.seeds, formats), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
