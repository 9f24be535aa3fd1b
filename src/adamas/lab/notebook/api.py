"""`adamas.lab.compare`: the comparison of the command line, for a notebook or a script."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from adamas.lab.commands.progress import Progress
from adamas.lab.commands.session import PAGE, Request, perform
from adamas.lab.constants import CLASSICAL, MARGIN, MOST_SEEDS, is_count, is_goal, is_share
from adamas.lab.needs import LabError, require_packages
from adamas.lab.notebook import entering
from adamas.lab.notebook.comparison import ComparisonResult
from adamas.lab.notebook.entering import Enterable, OptimizerLike
from adamas.lab.notebook.in_place import shown
from adamas.lab.own.options import TaskKind
from adamas.lab.protocol.budget import LONGEST
from adamas.lab.protocol.plan import Mode
from adamas.lab.protocol.space import Asked, asked_for
from adamas.lab.report.compare_page import render
from adamas.lab.report.twins import publish
from adamas.lab.text import Say

SearchLike = str | Sequence[str] | Mapping[str, Sequence[float] | None]


def compare(
    problem: Enterable,
    optimizers: Sequence[OptimizerLike] | Mapping[str, OptimizerLike] | None = None,
    *,
    target: str | int | None = None,
    task: TaskKind | None = None,
    drop: str | int | Sequence[str | int] = (),
    group: str | int | None = None,
    time: str | int | None = None,
    rows: int | None = None,
    encoding: str | None = None,
    quick: bool = False,
    rigorous: bool = False,
    budget: str | float | None = None,
    seeds: int | None = None,
    until_decided: bool = False,
    goal: float | None = None,
    margin: float = MARGIN,
    reference: OptimizerLike | Sequence[OptimizerLike] | None = None,
    hypothesis: str | None = None,
    names: Mapping[OptimizerLike, str] | None = None,
    search: SearchLike | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    lang: Literal["en", "zh"] = "en",
    progress: bool = True,
) -> ComparisonResult:
    """Find out which optimizer is better on a problem, and how sure that is.

    Every optimizer's learning rate is tuned with an equal budget, then fresh seeds judge, the same
    for all; differences are paired, their intervals are Student's at 95 %, and p-values are
    corrected for the number of comparisons (Holm 1979). This is `adamas compare` of the command
    line; docs/decisions/0011 and 0012 say why it is done so.

    - `problem`: a built-in name, a file of data, `"mine.py:function"`, an `adamas.lab.Problem`, a
      training loop of yours, `train(make_optimizer, seed, steps)` (see `loop_problem`), a data
      frame (pandas or polars, whose index is not read), or `(X, y)`, arrays of shape (n, ...) and
      (n,), X perhaps a data frame.
    - `optimizers`: names such as "adam:beta1=0.8", "torch.optim.Adafactor" or "file.py:rule",
      classes and rules of adamas, rules of yours as functions, classes of PyTorch's kind, functions
      f(params, lr) that return one, or `functools.partial` of these (default: sgd, momentum,
      rmsprop, adam). In a mapping the keys are what they are called; `names` says so beside a list,
      such as {"adam:beta1=0.8": "Adam, slow"}.
    - `target`: the column to predict, for data files and data frames. For these and for arrays:
      `task`, "classification" or "regression" (default: numbers are classes if they are few and
      whole); `drop`, columns that are no inputs; `group`, a column whose rows of one value train or
      judge together; `time`, a column whose last fifth judges; `rows`, the size of a sample;
      `encoding`, that of a file of text.
    - `quick`, `rigorous`: 6 or 20 report seeds instead of 10. `seeds` sets their number; `budget`,
      such as "5m" or seconds, takes as many seeds and rates as fit in that time. `until_decided`
      looks at the results at growing numbers of seeds, which are declared beforehand and keep the
      5 % of false claims, and ends when every comparison with the first reference is decided;
      `seeds` or `budget` then limit the last look.
    - `reference`: whom the others are compared with, given as optimizers are (default: adam and
      momentum, if they take part). `margin`: the share below which a difference does not matter.
      `goal`: the loss that is time's target. `hypothesis`: what you expect; goes into the plan.
    - `search`: what is searched besides the learning rate, such as `["weight_decay", "betas",
      "warmup", "schedule"]`, or a mapping of names to ranges, `{"eps": (1e-10, 1e-4)}`, None for
      the usual one; as many settings for every optimizer. The results then say what it was worth.
    - `out`: a directory for the plan, every run, the results and the page. The same call goes on
      there and makes no run twice; another plan is refused. Without it nothing is kept on disk.
    - `workers`: processes (default: one for each core). `lang`: of sentences. `progress=False`
      prints nothing.

    Interrupted, it raises KeyboardInterrupt, and the runs that ended are kept in `out`. One thread
    of a process compares at a time. Raises `LabError` for what cannot be carried out, ValueError or
    TypeError for an argument that is none, and FormulaError for a function that is no rule.

    >>> found = compare("line", ["sgd", "adam"], quick=True, workers=1, progress=False)
    >>> found.words["sgd"] in ("better", "worse", "tie")
    True
    >>> found.optimizers[0]["optimizer"], len(found.to_dict()["comparisons"])
    ('sgd', 1)
    """
    _check(seeds=seeds, workers=workers, goal=goal, margin=margin, budget=budget, lang=lang)
    if sum([quick, rigorous, budget is not None]) > 1:
        raise ValueError("quick, rigorous and budget each choose the seeds; give one of them")
    mode: Mode = "quick" if quick else "rigorous" if rigorous else "default"
    say, bar = Say(lang), shown(progress)
    with _in_python_words(bar), entering.alone(), TemporaryDirectory(prefix="adamas-") as kept:
        require_packages()
        given = CLASSICAL if optimizers is None else optimizers
        texts, functions, references, called = entering.entered_optimizers(given, reference, names)
        column = None if target is None else str(target)
        options = entering.entered_options(task, drop, group, time, rows, encoding)
        handed, source = entering.entered_problem(problem, column, Path(kept, "problem"), options)
        if functions:
            handed = replace(handed, named={**handed.named, "functions": functions})
        if out is not None and handed.missing:
            raise LabError("error.untold", what=handed.missing)
        if not handed.keep(source, texts) and workers != 1:
            workers = 1
            bar.say(say("compare_one_process"))
        request = Request(
            spec=handed, out=Path(kept, "report") if out is None else Path(out), optimizers=texts,
            references=references, mode=mode, seeds=seeds and int(seeds), budget=budget,
            until_decided=bool(until_decided), names=called,
            goal=goal and float(goal), margin=float(margin), hypothesis=hypothesis,
            search=asked(search),
            workers=workers and int(workers)
        )  # fmt: skip
        found = perform(request, bar, say)
        if out is not None:
            publish(request.out, PAGE, say, partial(render, *found), {})
    return ComparisonResult(found.results, found.timing, say)


def asked(search: SearchLike | None) -> Asked | None:
    """Return what is searched besides the learning rate, by name.

    Raises `LabError` for a text that is no name or range, TypeError for what is no pair of numbers.

    >>> asked(["weight_decay", "beta1=0.8..0.99"]), asked({"eps": (1e-10, 1e-4), "warmup": None})
    ({'weight_decay': None, 'beta1': (0.8, 0.99)}, {'eps': (1e-10, 0.0001), 'warmup': None})
    """
    if search is None:
        return None
    if not isinstance(search, Mapping):
        return asked_for([search] if isinstance(search, str) else search)
    found: dict[str, tuple[float, float] | None] = {}
    for name, ends in search.items():
        pair = ends if ends is None else tuple(ends)
        if pair is not None and (len(pair) != 2 or not all(isinstance(e, Real) for e in pair)):
            raise TypeError(f"search[{name!r}]={ends!r} is no range; give (low, high), or None")
        found[name] = None if pair is None else (float(pair[0]), float(pair[1]))
    return found


def _check(*, seeds: Any, workers: Any, goal: Any, margin: Any, budget: Any, lang: Any) -> None:
    """Refuse numbers that the command line refuses."""
    for name, count in (("seeds", seeds), ("workers", workers)):
        whole = isinstance(count, Integral) and not isinstance(count, bool)
        if count is not None and not (whole and is_count(count)):
            raise ValueError(f"{name}={count!r} is not a whole number from 1 to {MOST_SEEDS}")
    if goal is not None and not (isinstance(goal, Real) and is_goal(float(goal))):
        raise ValueError(f"goal={goal!r} is not a loss; give a finite number above 0")
    if not (isinstance(margin, Real) and is_share(float(margin))):
        raise ValueError(f"margin={margin!r} is not a share; give a number from 0 to below 1")
    number = isinstance(budget, Real) and not isinstance(budget, bool)
    if not isinstance(budget, str | None) and not (number and 0 < budget < LONGEST):
        raise ValueError(f"budget={budget!r} is not a time; give seconds, or a text such as '5m'")
    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r} is not known; give 'en' or 'zh'")


@contextmanager
def _in_python_words(bar: Progress) -> Iterator[None]:
    """Let refusals name arguments as they are written in Python, on a line below the progress."""
    try:
        yield
    except LabError as error:
        if type(error) is LabError:  # others have words of their own, in every language
            said = {code: in_python(text) for code, text in error.words.items()}
            error.key, error.fields = "error.plain", {"reason": said}
        raise
    finally:
        bar.finish()


def in_python(message: str) -> str:
    """Return a message with the options of the command line as arguments of `compare`.

    >>> in_python("give --budget 90s or more, or fewer --optimizers; pip install --no-deps a--out")
    'give budget=90s or more, or fewer optimizers; pip install --no-deps a--out'
    """
    message = message.replace("--until-decided", "until_decided")
    names = "|".join(["optimizer", *signature(compare).parameters])
    message = re.sub(rf"(?<!\S)--({names}) (?=\S)", r"\1=", message)
    return re.sub(rf"(?<!\S)--({names})(?![\w-])", r"\1", message)
