"""A run with the norms of every step written down: what a diagnosis is read from.

Norms only, one number a step and parameter, so that a chart of a long run stays small.
"""

import ast
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

import adamas
from adamas.kernel.formula import Formula, target
from adamas.lab.course import Further
from adamas.lab.doctor.inside import corrected_by, norm
from adamas.lab.problems import Array, Params, Problem
from adamas.lab.trial import Record, Watch, run

# A root of the second moment this near to eps makes the step depend on eps.
NEAR = 10.0


@dataclass
class Column:
    """What was seen of one parameter, one number a step: Euclidean norms and shares.

    `weight` is before the update. `root` is the root mean square of the root that divides the step,
    `near_eps` the share of its elements that are not 0 and below ten times eps; empty for rules
    without such a root.
    """

    size: int
    update: list[float] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    grad: list[float] = field(default_factory=list)
    root: list[float] = field(default_factory=list)
    near_eps: list[float] = field(default_factory=list)

    def ratio(self, step: int) -> float:
        """Return update / weight at a step (1 is the first); 0 while the weight is still 0."""
        weight = self.weight[step - 1]
        return self.update[step - 1] / weight if weight else 0.0


class Chart(Watch):
    """The recorded run; `record` is what it left behind."""

    record: Record

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.columns: dict[str, Column] = {}
        self.first: Params = {}
        self.last: Params = {}
        self.pull: Params = {}
        self.hypers: dict[str, float] = {}
        self._root: str | None = None
        self._beta: str | None = None

    @property
    def steps(self) -> int:
        """Return how many updates were made."""
        return len(self.losses)

    def begin(self, params: Params, opt: adamas.Optimizer | None) -> None:
        """Copy the start."""
        self.first = {name: param.copy() for name, param in params.items()}
        self.last = {name: param.copy() for name, param in params.items()}
        self.pull = {name: np.zeros(param.shape) for name, param in params.items()}
        self.columns = {name: Column(param.size) for name, param in params.items()}
        if opt is not None:
            self._root, self._beta = rooted(opt.formula), corrected_by(opt.formula, "v")

    def gradient(self, step: int, loss: float, grads: Params) -> None:
        """Write down the loss and the gradient."""
        self.losses.append(float(loss))
        for name, grad in grads.items():
            self.columns[name].grad.append(norm(grad))
            self.pull[name] += grad

    def updated(self, step: int, params: Params, opt: adamas.Optimizer | None) -> None:
        """Write down the update."""
        for name, param in params.items():
            column, before = self.columns[name], self.last[name]
            column.weight.append(norm(before))
            column.update.append(norm(param - before))
            np.copyto(before, param)
        if opt is None:
            return
        self.hypers = opt.settings()
        if self._root is not None:
            share = 1 - self.hypers[self._beta] ** step if self._beta else 1.0
            state = opt.state
            for name, column in self.columns.items():
                self._second(column, state[name][self._root], share)

    def _second(self, column: Column, moment: Array, share: float) -> None:
        limit = (NEAR * self.hypers["eps"]) ** 2 * share
        column.root.append(norm(np.sqrt(moment)) / (column.size * share) ** 0.5)
        column.near_eps.append(float(np.mean((moment > 0) & (moment < limit))))

    @property
    def uphill(self) -> bool:
        """Return whether the whole way of the run goes along the sum of its gradients."""
        ways = ((self.last[name] - self.first[name]) * pull for name, pull in self.pull.items())
        return bool(sum(float(way.sum()) for way in ways) > 0)

    def grad_norm(self, step: int) -> float:
        """Return the norm of all gradients together at a step."""
        return norm(np.array([column.grad[step - 1] for column in self.columns.values()]))

    def path(self, name: str) -> float:
        """Return how far a parameter went, step lengths added up: per element, a mean square."""
        column = self.columns[name]
        return float(sum(column.update) / column.size**0.5)

    def way(self, name: str, end: Array) -> float:
        """Return how far `end` is from where the parameter started, as `path` measures."""
        return float(norm(end - self.first[name]) / self.columns[name].size ** 0.5)

    def widest(self, step: int) -> str | None:
        """Return the parameter of the largest update for its weight, if that is above 0."""
        ratios = {name: column.ratio(step) for name, column in self.columns.items()}
        ratios = {name: ratio for name, ratio in ratios.items() if isfinite(ratio) and ratio > 0}
        return max(ratios, key=ratios.__getitem__) if ratios else None


def charted(problem: Problem, optimizer: str, lr: float, seed: int, further: Further = ()) -> Chart:
    """Run a trial again with every step recorded."""
    chart = Chart()
    with np.errstate(all="ignore"):
        chart.record = run(problem, optimizer, lr, seed, chart, further)
    return chart


def rooted(formula: Formula) -> str | None:
    """Return the state whose root, plus eps, divides the step of a rule, if it has one.

    >>> from adamas.kernel.formula import parse
    >>> from adamas.rules import adam, adamax, amsgrad
    >>> [rooted(parse(rule)) for rule in (adam, amsgrad, adamax)]
    ['v', 'v_max', None]
    """
    texts = {target(s): ast.unparse(s.value) for s in formula.statements}
    steps = " ".join(texts.values())
    if "eps" not in formula.hypers or not any(
        f"(sqrt({name}) + eps)" in steps for name in ("v", "v_hat", "v_max")
    ):
        return None
    return "v_max" if "v_max" in formula.states else "v"
