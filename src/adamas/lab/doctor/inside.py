"""What happens inside an optimizer during one run: step lengths, moments, corrections, gradients.

What a learning rate means is seen in the steps that come of it: how many learning rates long they
are, and what one unit of gradient is multiplied by. One run is watched at some sixty of its steps.
"""

import ast
from typing import Any

import numpy as np

import adamas
from adamas.engine.tensors import Key
from adamas.kernel.formula import Formula
from adamas.lab.course import Further
from adamas.lab.doctor.effective import EffectiveStep, effective_step
from adamas.lab.problems import Array, Params, Problem
from adamas.lab.trial import Watch, finite, run


def seen_inside(
    problem: Problem,
    optimizer: str,
    lr: float,
    seed: int,
    points: int = 60,
    further: Further = (),
) -> dict[str, Any]:
    """Run one training and return what was seen at about `points` steps, the first ones included.

    `further` are hyper-parameters besides lr. Sizes in learning rates are in units of `lr`, however
    a schedule moves it.

    Lists with one number a step in `at` (None where it is not finite): `update_in_lr`, the sizes of
    all single updates in learning rates; `effective_step`, what a unit of gradient is multiplied
    by, for Adam lr / (sqrt(v_hat) + eps), or None for rules that divide by nothing of an element;
    `m_rms` and `v_rms`, root mean squares of the states of those names, or None; `bias_m` and
    `bias_v`, 1 - beta**t, or None for rules without that correction; `grad_norm` of the batch; and
    for every parameter `update_to_weight`, the ratio of their Euclidean norms.
    """
    seen = Inside(spread(problem.steps, points), lr)
    with np.errstate(all="ignore"):
        run(problem, optimizer, lr, seed, seen, further)
    return seen.tree()


def spread(steps: int, points: int) -> list[int]:
    """Return about `points` steps from 1 to `steps`: the first ten, then in equal ratios.

    >>> spread(1000, 14)
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 32, 100, 316, 1000]
    """
    first = range(1, min(10, steps) + 1)
    later = np.geomspace(first[-1], steps, max(points - len(first), 1) + 1)
    return sorted({*first, *(round(float(step)) for step in later)})


class Inside(Watch):
    """Looks at the steps `at`, and only at those."""

    def __init__(self, at: list[int], lr: float) -> None:
        self._wanted, self._lr = set(at), lr
        self._before: Params = {}
        self._grad_norm = 0.0
        self.at: list[int] = []
        self._columns: dict[str, list[float | None]] = {}
        self._ratios: dict[str, list[float | None]] = {}
        self._params: Params = {}
        self._optimizer: adamas.Optimizer | None = None
        self._step: EffectiveStep | None = None
        self._earlier: dict[Key, dict[str, Any]] = {}

    def begin(self, params: Params, opt: adamas.Optimizer | None) -> None:
        """Hold on to the parameters and the state, which are updated in place."""
        self._params, self._optimizer = params, opt
        self._step = None if opt is None else effective_step(opt.formula)

    def gradient(self, step: int, loss: float, grads: Params) -> None:
        """Copy the parameters before a step that is wanted."""
        if step in self._wanted:
            self._before = {name: param.copy() for name, param in self._params.items()}
            self._grad_norm = norm(flat(list(grads.values())))
            if self._step and self._step.before and self._optimizer:
                self._earlier = {
                    name: {**held(self._optimizer, name), "p": self._before[name], "g": grad.copy()}
                    for name, grad in grads.items()
                }

    def updated(self, step: int, params: Params, opt: adamas.Optimizer | None) -> None:
        """Measure a step that is wanted."""
        if step not in self._wanted:
            return
        self.at.append(step)
        updates = {name: params[name] - before for name, before in self._before.items()}
        sizes = np.abs(flat(list(updates.values()))) / self._lr
        self._put("grad_norm", self._grad_norm)
        for name, value in zip(("median", "p90"), np.quantile(sizes, (0.5, 0.9)), strict=True):
            self._put(f"update_in_lr {name}", value)
        self._put("update_in_lr max", sizes.max())
        for name, update in updates.items():
            weight = norm(self._before[name])
            ratio = norm(update) / weight if weight else np.inf
            self._ratios.setdefault(name, []).append(finite(ratio))
        if opt is not None:
            self._moments(opt, step)

    def _moments(self, opt: adamas.Optimizer, step: int) -> None:
        formula, hypers = opt.formula, opt.settings()
        names = list(opt.state)
        for moment in {"m", "v"} & set(formula.states):
            values = flat([opt.values(name)[moment] for name in names])
            self._put(f"{moment}_rms", norm(values) / values.size**0.5)
        for moment in ("m", "v"):
            if (beta := corrected_by(formula, moment)) is not None:
                self._put(f"bias_{moment}", 1 - hypers[beta] ** step)
        if self._step is not None:
            steps = [
                self._step(step, hypers, held(opt, name), self._earlier.get(name)) for name in names
            ]
            for kind, value in zip(("median", "p10", "p90"), quantiles(flat(steps)), strict=True):
                self._put(f"effective_step {kind}", value)

    def _put(self, column: str, value: float) -> None:
        self._columns.setdefault(column, []).append(finite(value))

    def tree(self) -> dict[str, Any]:
        """Return what was seen, in the shape of the report's "inside"."""
        columns = self._columns
        return {
            "at": self.at,
            "update_in_lr": self._group("update_in_lr", ("median", "p90", "max")),
            "effective_step": self._group("effective_step", ("median", "p10", "p90")),
            **{name: columns.get(name) for name in ("m_rms", "v_rms", "bias_m", "bias_v")},
            "grad_norm": columns.get("grad_norm", []),
            "update_to_weight": self._ratios,
        }

    def _group(self, title: str, names: tuple[str, ...]) -> dict[str, Any] | None:
        found = {name: self._columns.get(f"{title} {name}") for name in names}
        return found if all(found.values()) else None


def held(opt: adamas.Optimizer, name: Key) -> dict[str, Any]:
    """Return all states of a parameter as numbers: copies, those it has once included."""
    kept = opt.state[name]
    return {state: kept[state] for state in opt.formula.initial if state in kept} | opt.values(name)


def quantiles(values: Array) -> tuple[float, float, float]:
    """Return the median and the 10 % and 90 % quantiles."""
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return float(middle), float(low), float(high)


def flat(arrays: list[Array]) -> Array:
    """Return all elements as one float64 vector."""
    return np.concatenate([np.asarray(a, np.float64).ravel() for a in arrays])


def norm(values: Array) -> float:
    """Return the Euclidean norm, in float64."""
    return float(np.linalg.norm(np.asarray(values, np.float64).ravel()))


def corrected_by(formula: Formula, moment: str) -> str | None:
    """Return the hyper-parameter whose power of t corrects a moment's zero start, if one does.

    >>> from adamas.kernel.formula import parse
    >>> from adamas.rules import adam, rmsprop
    >>> corrected_by(parse(adam), "v"), corrected_by(parse(rmsprop), "v")
    ('beta2', None)
    """
    if moment not in formula.states:
        return None
    for name in ("beta1", "beta") if moment == "m" else ("beta2", "beta"):
        if name in formula.hypers:
            powers = (node for s in formula.statements for node in ast.walk(s))
            texts = {ast.unparse(node) for node in powers if isinstance(node, ast.BinOp)}
            return name if f"{name} ** t" in texts else None
    return None
