"""A learning rate for a training script of one's own, found in the middle of it and left as it was.

`step()` is the script's own training step. Every learning rate starts from the same snapshot of
parameters, optimizer and random states, and at the end, however it comes, the snapshot is put back
bit for bit.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil, inf
from typing import Any

from adamas.lab.finder.answer import Found, answer
from adamas.lab.finder.keeping import Put, around, every, is_torch, keep, randomness
from adamas.lab.finder.range_test import averaged, relative, rising
from adamas.lab.finder.sweep import sweep
from adamas.lab.finder.trials import LATE
from adamas.lab.needs import LabError
from adamas.lab.statistics.moments import average

# Planned training is taken to be this many times as long as a run of the sweep, if nobody says.
LONGER = 5
# Steps without any update, which tell the loss at the start.
STILL = 10


def find_lr(
    step: Callable[[], Any],
    optimizer: Any,
    *,
    steps: int = 100,
    total: int | None = None,
    low: float = 1e-6,
    high: float = 1e2,
    restore: Any = (),
) -> Found:
    """Find a learning rate for the training step of a script, and leave everything as it was.

    `step()` does one training step (forward, backward, `optimizer.step()`) and returns its loss, a
    number or a tensor of one. `optimizer` is an `adamas.Optimizer` or a `torch.optim.Optimizer`,
    those of `adamas.torch` among them. The answer is for its first group whose lr is not 0; others
    keep their ratio to it.

    - `steps`: length of each run of the sweep; some ten of them are made.
    - `total`: how many steps the training is planned to have; 5 times `steps` if not given.
    - `low`, `high`: no lr outside of these is tried.
    - `restore`: whatever else `step` changes, one thing or a list: other modules, such as mean
      weights, arrays, random generators, a GradScaler or other objects with `state_dict` and
      `load_state_dict`, or functions that rewind something, such as the data; each is put back
      before every run and at the end.

    Parameters, gradients, optimizer state, groups, the buffers and the mode of torch modules that
    hold the parameters, torch schedulers of the optimizer, and the global random states of Python,
    NumPy and PyTorch are restored in any case, also when `step` raises or is interrupted. A loss
    that is not finite, or an ArithmeticError, counts as divergence; other errors are passed on.
    Raises `LabError` for a wrong argument.
    """
    if steps < STILL or not 0 < low < high < inf or (total is not None and total < steps):
        raise LabError(
            "error.live_arguments", steps=steps, least=STILL, total=total, low=low, high=high
        )
    things = restore if isinstance(restore, list | tuple) else (restore,)
    rates = Rates(optimizer)
    back = every([keep(optimizer), around(optimizer), *map(keep, things), randomness()])
    trial = Trial(step, rates, back)
    try:
        return _search(trial, rates, steps, total or LONGER * steps, (low, high))
    finally:
        back()


def _search(
    trial: "Trial", rates: "Rates", steps: int, total: int, within: tuple[float, float]
) -> Found:
    still = list(trial.run([0.0] * STILL))
    if len(still) < STILL:
        raise LabError("error.live_loss")
    base = average(still)
    lrs = rising(*within, max(steps, 2))
    shares = relative(list(trial.run(lrs)), lrs, base)
    curve = averaged(lrs, [shares], trial.made, after=0.0)

    def measure(asked: Sequence[float], _: int) -> list[float]:
        return [score(list(trial.run([lr] * steps)), steps, base) for lr in asked]

    share = steps / total
    points = sweep(measure, curve.lowest, 1, share, within)
    name, cost = rates.name, trial.made / total
    return answer(name, points, curve, steps=steps, share=share, cost=cost, default=rates.first)


def score(losses: Sequence[float], steps: int, base: float) -> float:
    """Return the mean loss over the last quarter of a run; infinite if it failed or did not fall.

    >>> score([4.0, 3.0, 2.0, 1.0], steps=4, base=4.0)
    1.0
    """
    if len(losses) < steps:
        return inf
    mean = average(losses[-ceil(steps * (1 - LATE)) :])
    return mean if mean < base else inf


class Trial:
    """Runs of a user's step from one snapshot; `made` counts the steps of all."""

    def __init__(self, step: Callable[[], Any], rates: "Rates", back: Put) -> None:
        self._step, self._rates, self._back = step, rates, back
        self.made = 0

    def run(self, lrs: Sequence[float]) -> Iterator[float]:
        """Yield the loss of a step at each of `lrs`, up to one that failed."""
        self._back()
        for lr in lrs:
            self._rates.set(lr)
            self.made += 1
            try:
                loss = loss_of(self._step())
            except ArithmeticError:
                return
            if not abs(loss) < inf:
                return
            yield loss


def loss_of(value: Any) -> float:
    """Return the number in what a step returned; raises `LabError` if there is none."""
    try:
        return float(value.detach() if is_torch(value, "Tensor") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LabError("error.live_returned", value=value) from error


class Rates:
    """The learning rates of an optimizer's groups, moved together.

    `first` is that of the first group whose lr is not 0, which the answer is for.
    """

    def __init__(self, optimizer: Any) -> None:
        self._groups: list[dict[str, Any]] = getattr(optimizer, "param_groups", [])
        if not self._groups or any("lr" not in group for group in self._groups):
            raise LabError("error.no_groups", kind=type(optimizer).__name__)
        given = [_now(optimizer, k) for k in range(len(self._groups))]
        self.first = next((lr for lr in given if lr > 0), 0.0)
        if not self.first:
            raise LabError("error.zero_lr")
        self._ratios = [lr / self.first for lr in given]
        formula = getattr(optimizer, "formula", None)
        self.name: str = formula.name if formula else type(optimizer).__name__

    def set(self, lr: float) -> None:
        """Give every group its share of `lr`; before every step, because a step may change it."""
        for group, ratio in zip(self._groups, self._ratios, strict=True):
            if is_torch(group["lr"], "Tensor"):
                group["lr"].fill_(lr * ratio)
            else:
                group["lr"] = lr * ratio


def _now(optimizer: Any, group: int) -> float:
    """Return a group's lr; that of the next step if it is a schedule."""
    lr = optimizer.param_groups[group]["lr"]
    return float(lr(optimizer.steps + 1) if callable(lr) else lr)
