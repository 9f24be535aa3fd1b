"""A user's own training loop as a problem: it makes its optimizer, trains, and yields losses."""

import inspect
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from adamas.lab.course import Further
from adamas.lab.entrants import entrant
from adamas.lab.finder.keeping import randomness
from adamas.lab.needs import LabError
from adamas.lab.own.adapters import EVALUATIONS, Label
from adamas.lab.own.maker import Maker
from adamas.lab.problems import About, Problem, Task
from adamas.lab.regrouped import in_units, with_batch
from adamas.lab.text import words
from adamas.lab.trial import Record, lost, run
from adamas.show import described

# `train(make_optimizer, seed, steps)` yields losses, or mappings with a loss among other numbers.
Train = Callable[..., Iterable[Any]]
# What a run that goes out of bounds may end in; anything else is a fault of the loop.
FAILURES = (ArithmeticError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Loop(Problem):
    """A problem whose training is the user's own code."""

    train: Train = field(kw_only=True)


def loop_problem(
    train: Train,
    *,
    name: str = "mine",
    steps: int = 1000,
    every: int | None = None,
    batch: int = 1,
    higher: tuple[str, ...] = (),
    label: Label = "real",
) -> Loop:
    """Return a problem from a training loop of yours, whatever model, data and loop it has.

    `train(make_optimizer, seed, steps)` is a generator. It makes whatever it trains for `seed`
    (the split, the start and the order of the batches, so that optimizers under one seed meet the
    same training), calls `make_optimizer(parameters)` for a PyTorch optimizer on tensors or groups
    of them, or an `adamas.Optimizer` on NumPy arrays, makes `steps` updates, and yields now and
    then the loss that judges, best a validation loss, the first before any update. Instead of the
    loss it may yield a mapping with `"loss"`, a training loss `"train"`, and further numbers by
    name, of which the last are shown; `higher` names those that are better when larger.

    Runs differ in length: a search runs a quarter of the steps. The global random numbers of
    Python, NumPy and PyTorch are seeded by `seed` before each run and put back afterwards. `every`
    says how many updates lie between two losses (by default a thirtieth of the steps), which no run
    of a search is shorter than; `batch` says how
    many samples an update takes, for the page. A loop with a further
    argument `batch` is given that of an optimizer such as `adam:batch=64`, and fewer steps. Raises
    `LabError` for counts below 1.

    >>> def train(make_optimizer, seed, steps):
    ...     w = np.random.default_rng(seed).normal(size=3)
    ...     optimizer = make_optimizer({"w": w})
    ...     for step in range(steps + 1):
    ...         yield 1 + (w @ w)
    ...         optimizer.step({"w": 2 * w})
    >>> loop_problem(train, steps=100).every
    3
    """
    often = max(1, steps // EVALUATIONS) if every is None else every
    if not 1 <= often <= steps or batch < 1:
        raise LabError("error.loop_counts", steps=steps, every=often, batch=batch)
    about = About(
        title={"en": name, "zh": name},
        kind="own",
        model=words("own.loop"),
        loss=words("own.loop_loss"),
        label=label,
        higher=higher,
    )
    return Loop(name, steps, often, batch, _no_task, about=about, train=train)


def _no_task(seed: int) -> Task:
    raise LabError("error.loop_task")


def trained(
    problem: Problem, optimizer: str, lr: float, seed: int, further: Further = ()
) -> Record:
    """Train a problem of either kind once and return its record."""
    if isinstance(problem, Loop):
        return run_loop(problem, optimizer, lr, seed, further)
    return run(problem, optimizer, lr, seed, further=further)


def run_loop(problem: Loop, optimizer: str, lr: float, seed: int, further: Further = ()) -> Record:
    """Run a loop once and return its record; a run that overflows is one that diverged.

    Raises `LabError` for a loop that fails otherwise, or yields what is no loss.
    """
    who = entrant(optimizer)
    made, more = sized(problem, who.course.changed(further).batch)
    maker = Maker(who, lr, further, made.steps)
    seen = Seen()
    put_back = randomness()
    seeded(seed)
    try:
        with np.errstate(all="ignore"):
            for told in problem.train(maker, seed, made.steps, **more):
                if not seen.heard(told, maker.updates):
                    break
    except LabError:
        raise
    except FAILURES:
        seen.failed(maker.updates)
    except Exception as error:
        reason = described(error, place_of(problem.train))
        raise LabError("error.loop_failed", name=problem.name, optimizer=optimizer, lr=lr,
                       seed=seed, error=reason) from error  # fmt: skip
    finally:
        put_back()
    seen.steps = list(in_units(seen.steps, made, problem))
    return seen.record(problem, (optimizer, lr, seed), further)


def sized(problem: Loop, batch: int | None) -> tuple[Problem, dict[str, int]]:
    """Return the problem with the batch that an optimizer is given, and what tells the loop.

    Raises `LabError` for a loop that takes none.
    """
    if batch is None:
        return problem, {}
    if "batch" not in inspect.signature(problem.train).parameters:
        raise LabError("error.loop_batch", name=problem.name)
    return with_batch(problem, batch), {"batch": batch}


class Seen:
    """What a loop told so far."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.train: list[float] = []
        self.extras: dict[str, float] = {}

    def heard(self, told: Any, updates: int) -> bool:
        """Take in what was yielded after so many updates; return whether the run goes on.

        Of two losses after the same update the later one counts.
        """
        said = dict(told) if isinstance(told, Mapping) else {"loss": told}
        loss, train = numeral(said.pop("loss", None)), numeral(said.pop("train", nan))
        if self.steps and self.steps[-1] == updates:
            del self.steps[-1], self.losses[-1], self.train[-1]
        self.steps.append(updates)
        self.losses.append(loss)
        self.train.append(train)
        self.extras = {str(name): numeral(value) for name, value in said.items()}
        return isfinite(loss)

    def failed(self, updates: int) -> None:
        """Take in that the loop went out of bounds."""
        self.heard(nan, updates)

    def record(self, problem: Problem, trial: tuple[str, float, int], further: Further) -> Record:
        """Return the record; `LabError` where there is no loss to judge."""
        if not self.steps or not self.steps[-1]:
            raise LabError("error.loop_silent", name=problem.name, steps=problem.steps)
        known = [value for value in self.train if isfinite(value)]
        trained = (known[0], self.train[-1]) if known else (self.losses[0], self.losses[-1])
        diverged = lost((self.losses[0], self.losses[-1]), trained)
        final = inf if diverged else self.losses[-1]
        curve, train = (tuple(self.steps), tuple(self.losses)), tuple(self.train)
        return Record(*trial, *curve, final, diverged, self.extras, train, further)


def place_of(function: Callable[..., Any]) -> Path:
    """Return the file that a function was written in, also one that is no file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return Path(getattr(code, "co_filename", ""))


def numeral(value: Any) -> float:
    """Return a loss as a number, of an array or a tensor of one element too."""
    if hasattr(value, "requires_grad"):
        value = value.detach()
    if isinstance(value, Real) or hasattr(value, "__array__"):
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError):
            pass
    raise LabError("error.loop_loss", kind=type(value).__name__)


def seeded(seed: int) -> None:
    """Seed what is random for all, so that a loop that forgets to is paired nevertheless."""
    random.seed(seed)
    np.random.seed(seed)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)


def parameters(problem: Problem) -> int:
    """Return how many numbers a problem trains."""
    if not isinstance(problem, Loop):
        return sum(int(array.size) for array in problem.task(1).start().values())
    maker = Maker(entrant("sgd"), 1e-9, (), problem.steps)
    put_back = randomness()
    seeded(1)
    try:
        for _ in problem.train(maker, 1, min(problem.every, problem.steps)):
            if maker.size:
                break
    finally:
        put_back()
    return maker.size


def is_loop(thing: Any) -> bool:
    """Return whether something is a function of `make_optimizer`, `seed` and `steps`."""
    if not inspect.isfunction(inspect.unwrap(thing) if callable(thing) else None):
        return False
    names = list(inspect.signature(thing).parameters)
    return names[:3] == ["make_optimizer", "seed", "steps"]


def begun(problem: Loop) -> None:
    """Run a loop up to its first loss after an update, and refuse what could not be compared."""
    maker = Maker(entrant("sgd"), 1e-9, (), problem.steps)
    seen, put_back = Seen(), randomness()
    seeded(1)
    try:
        for told in problem.train(maker, 1, problem.steps):
            if not seen.heard(told, maker.updates) or maker.updates:
                break
    except LabError:
        raise
    except Exception as error:
        reason = described(error, place_of(problem.train))
        raise LabError("error.loop_failed", name=problem.name, optimizer="sgd", lr=1e-9,
                       seed=1, error=reason) from error  # fmt: skip
    finally:
        put_back()
    record = seen.record(problem, ("sgd", 1e-9, 1), ())
    if not (isfinite(record.losses[0]) and record.losses[0] > 0):
        raise LabError("error.start_judged", text=problem.name, judged=record.losses[0])
    if maker.updates > problem.every:
        often = {"every": problem.every, "first": maker.updates}
        raise LabError("error.loop_every", name=problem.name, steps=problem.steps, **often)
