"""`adamas.lab.compare`: the comparison of the command line, for a notebook or a script."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from adamas.lab.commands.session import PAGE, Request, perform
from adamas.lab.constants import CLASSICAL, MARGIN, MOST_SEEDS, is_count, is_goal, is_share
from adamas.lab.needs import LabError, require_packages
from adamas.lab.notebook.comparison import ComparisonResult
from adamas.lab.notebook.entering import (
    Enterable,
    Optimizer,
    entered_optimizers,
    entered_problem,
    forget,
)
from adamas.lab.notebook.in_place import shown
from adamas.lab.protocol.output import write_all
from adamas.lab.protocol.plan import Mode
from adamas.lab.report.compare_page import render
from adamas.lab.text import Say


def compare(
    problem: Enterable,
    optimizers: Sequence[Optimizer] | None = None,
    *,
    target: str | None = None,
    quick: bool = False,
    rigorous: bool = False,
    budget: str | float | None = None,
    seeds: int | None = None,
    goal: float | None = None,
    margin: float = MARGIN,
    reference: str | Sequence[str] | None = None,
    hypothesis: str | None = None,
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
      data frame (pandas or polars, whose index is not read), or `(X, y)`, arrays of shape (n, ...)
      and (n,), X perhaps a data frame.
    - `optimizers`: names such as "adam" or "adam:beta1=0.8", "file.py:rule", classes and rules of
      adamas, or rules of yours as functions (default: sgd, momentum, rmsprop, adam).
    - `target`: the column to predict, for data files and data frames.
    - `quick`, `rigorous`: 6 or 20 report seeds instead of 10. `seeds` sets their number; `budget`,
      such as "5m" or seconds, takes as many seeds and rates as fit in that time.
    - `reference`: whom the others are compared with (default: adam and momentum, if they take
      part). `margin`: the share below which a difference does not matter. `goal`: the loss that is
      time's target. `hypothesis`: what you expect; goes into the plan.
    - `out`: a directory for the plan, every run, the results and the page. The same call goes on
      there and makes no run twice; another plan is refused. Without it nothing is kept on disk.
    - `workers`: processes (default: one for each core). `lang`: of sentences. `progress=False`
      prints nothing.

    Interrupted, it raises KeyboardInterrupt, and the runs that ended are kept in `out`. Raises
    `LabError` for what cannot be carried out, ValueError or TypeError for an argument that is none,
    and FormulaError for a function that is no rule.

    >>> found = compare("line", ["sgd", "adam"], quick=True, workers=1, progress=False)
    >>> found.words["sgd"] in ("better", "worse", "tie")
    True
    >>> found.optimizers[0]["optimizer"], len(found.to_dict()["comparisons"])
    ('sgd', 1)
    """
    _check(seeds=seeds, workers=workers, goal=goal, margin=margin, lang=lang)
    if sum([quick, rigorous, budget is not None]) > 1:
        raise ValueError("quick, rigorous and budget each choose the seeds; give one of them")
    mode: Mode = "quick" if quick else "rigorous" if rigorous else "default"
    say, bar = Say(lang), shown(progress)
    with _in_python_words(), TemporaryDirectory(prefix="adamas-") as kept:
        require_packages()
        try:
            texts, functions = entered_optimizers(optimizers or CLASSICAL)
            handed, source = entered_problem(problem, target, Path(kept, "problem.pickle"))
            if functions:
                handed = replace(handed, named={**handed.named, "functions": functions})
            if out is not None and handed.missing:
                raise LabError(
                    f"the problem holds {handed.missing}, so nobody could tell whether a later "
                    "call means the same; leave --out away, or name it as mine.py:problem"
                )
            if not handed.keep(source, texts) and workers != 1:
                workers = 1
                bar.say(say("compare_one_process"))
            request = Request(
                spec=handed, out=Path(kept, "report") if out is None else Path(out),
                optimizers=texts, mode=mode, seeds=seeds, budget=budget, goal=goal, margin=margin,
                references=[reference] if isinstance(reference, str) else reference,
                hypothesis=hypothesis, workers=workers
            )  # fmt: skip
            found = perform(request, bar, say)
        finally:
            bar.finish()
            forget()
        if out is not None:
            write_all(request.out, {PAGE: render(found.results, found.timing, say)})
    return ComparisonResult(found.results, found.timing, say)


def _check(
    *, seeds: int | None, workers: int | None, goal: float | None, margin: float, lang: str
) -> None:
    """Refuse numbers that the command line refuses."""
    for name, count in (("seeds", seeds), ("workers", workers)):
        if count is not None and not is_count(count):
            raise ValueError(f"{name}={count} is not a whole number from 1 to {MOST_SEEDS}")
    if goal is not None and not is_goal(goal):
        raise ValueError(f"goal={goal} is not a loss; give a finite number above 0")
    if not is_share(margin):
        raise ValueError(f"margin={margin} is not a share; give a number from 0 to below 1")
    if lang not in ("en", "zh"):
        raise ValueError(f"lang={lang!r} is not known; give 'en' or 'zh'")


@contextmanager
def _in_python_words() -> Iterator[None]:
    """Let refusals name arguments as they are written in Python."""
    try:
        yield
    except LabError as error:
        raise LabError(in_python(str(error))) from error


def in_python(message: str) -> str:
    """Return a message with `--out DIR` as `out=DIR`.

    >>> in_python("give --budget 90s or more, or fewer --optimizers")
    'give budget=90s or more, or fewer optimizers'
    """
    message = re.sub(r"--(\w+)(?: (?=\S))(?!=)", r"\1=", message)
    return message.replace("--", "")
