"""A user's own training loop as a problem: it makes its optimizer, trains, and yields losses."""

import inspect
import sys
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from adamas.lab.course import Further
from adamas.lab.entrants import entrant
from adamas.lab.finder.keeping import randomness
from adamas.lab.foreign.apart import seeded
from adamas.lab.needs import LabError
from adamas.lab.own.adapters import EVALUATIONS, Label
from adamas.lab.own.loop_losses import Seen
from adamas.lab.own.maker import EndedError, Maker
from adamas.lab.problems import About, Problem, Task
from adamas.lab.regrouped import in_units, with_batch
from adamas.lab.text import LANGUAGES, words
from adamas.lab.trial import Record, run
from adamas.pages.sentences import printable
from adamas.show import described

# `train(make_optimizer, seed, steps)` yields losses, or mappings with a loss among other numbers.
Train = Callable[..., Iterable[Any]]
Enough = Callable[[], bool]
# What a run of NumPy's arrays that goes out of bounds may end in.
FAILURES = (ArithmeticError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Loop(Problem):
    """A problem whose training is the user's own code.

    `told` says whether anybody said how many samples an update takes.
    """

    train: Train = field(kw_only=True)
    told: bool = field(default=True, kw_only=True)


def loop_problem(
    train: Train,
    *,
    name: str = "mine",
    steps: int = 1000,
    every: int | None = None,
    batch: int | None = None,
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
    name, of which the last are shown; `higher` names those that are better when larger. A run is
    ended after `steps` updates, and one whose last loss comes more than a tenth earlier is refused.

    Runs differ in length: a search runs a quarter of the steps. The global random numbers of
    Python, NumPy and PyTorch are seeded by `seed` before each run and put back afterwards. `every`
    says how many updates lie between two losses (by default a thirtieth of the steps), which no run
    of a search is shorter than; `batch` says how many samples an update takes, by default what the
    loop's own argument `batch` has as its default. A loop with that argument is given the batch of
    an optimizer such as `adam:batch=64`, with steps for as many samples, and `batch` else. Raises
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
    size = own_batch(train) if batch is None else batch
    if not 1 <= often <= steps or (size is not None and size < 1):
        raise LabError("error.loop_counts", steps=steps, every=often, batch=size)
    about = About(
        title=dict.fromkeys(LANGUAGES, printable(name)), kind="own", model=words("own.loop"),
        loss=words("own.loop_loss"), label=label, higher=higher
    )  # fmt: skip
    return Loop(
        name, steps, often, size or 1, _no_task, about=about, train=train, told=size is not None
    )


def own_batch(train: Train) -> int | None:
    """Return the default of a loop's own argument `batch`; None where it says no count."""
    taken = inspect.signature(train).parameters.get("batch")
    default = None if taken is None else taken.default
    return default if isinstance(default, int) and not isinstance(default, bool) else None


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
    seen = drive(problem, Maker(who, lr, further, made.steps), seed, more)
    record = seen.record(made, (optimizer, lr, seed), further)
    return replace(record, steps=in_units(record.steps, made, problem))


def drive(
    problem: Loop, maker: Maker, seed: int, more: dict[str, int], enough: Enough = lambda: False
) -> Seen:
    """Run a loop until its updates are made, its loss is no number, or there is `enough`."""
    put_back, seen, losses = randomness(), Seen(), None
    seeded(seed)  # so that a loop that forgets to seed is paired nevertheless
    try:
        with np.errstate(all="ignore"):
            losses = problem.train(maker, seed, maker.steps, **more)
            if not isinstance(losses, Generator):
                raise LabError("error.loop_yields", name=problem.name)
            for told in losses:
                going = seen.heard(told, maker.updates) and maker.updates < maker.steps
                seen.refuse_negative(problem.name)
                if not going or enough():
                    break
            maker.over = True
            losses.close()
    except EndedError:
        if losses is None:  # it trained where it was called
            raise LabError("error.loop_yields", name=problem.name) from None
    except LabError:
        raise
    except (Exception, SystemExit) as error:
        if not maker.updates or not (maker.inside or isinstance(error, out_of_bounds())):
            reason = described(error, place_of(problem.train))
            raise LabError("error.loop_failed", name=problem.name, optimizer=maker.who.text,
                           lr=maker.lr, seed=seed, error=reason) from error  # fmt: skip
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        seen.failed(maker.updates, said if maker.inside else "")
    finally:
        put_back()
    return seen


def out_of_bounds() -> tuple[type[BaseException], ...]:
    """Return what a run may end in that goes out of bounds; all else is a fault of the loop."""
    torch: Any = sys.modules.get("torch")
    return FAILURES if torch is None else (*FAILURES, torch.linalg.LinAlgError)


def sized(problem: Loop, batch: int | None) -> tuple[Problem, dict[str, int]]:
    """Return the problem with the batch that an optimizer is given, and what tells the loop.

    Raises `LabError` for a loop that takes none, or of which nobody knows how many samples it takes
    without being told, so that no number of steps is fair.
    """
    takes = "batch" in inspect.signature(problem.train).parameters
    if batch is None:
        return problem, {"batch": problem.batch} if takes and problem.told else {}
    if not takes:
        raise LabError("error.loop_batch", name=problem.name)
    if not problem.told:
        raise LabError("error.loop_batch_untold", name=problem.name, batch=batch)
    return with_batch(problem, batch), {"batch": batch}


def place_of(function: Callable[..., Any]) -> Path:
    """Return the file that a function was written in, also one that is no file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return Path(getattr(code, "co_filename", ""))


def parameters(problem: Problem) -> int:
    """Return how many numbers a problem trains."""
    if not isinstance(problem, Loop):
        return sum(int(array.size) for array in problem.task(1).start().values())
    maker = Maker(entrant("sgd"), 1e-9, (), problem.steps)
    drive(problem, maker, 1, sized(problem, None)[1], lambda: maker.size > 0)
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
    seen = drive(problem, maker, 1, sized(problem, None)[1], lambda: maker.updates > 0)
    first = seen.steps[-1] if seen.steps else 0
    seen.record(replace(problem, every=problem.steps), ("sgd", 1e-9, 1), ())
    if first > problem.every:
        often = {"every": problem.every, "first": first}
        raise LabError("error.loop_every", name=problem.name, steps=problem.steps, **often)
