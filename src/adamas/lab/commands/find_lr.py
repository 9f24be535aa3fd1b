"""`adamas find-lr`: one learning rate with its interval, the page that shows it, and its cost."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from adamas.kernel.build import adamas_version
from adamas.lab import finder
from adamas.lab.commands import session
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.results_alone import printing_apart
from adamas.lab.constants import FIND_LR_FOR, FIND_LR_SEEDS
from adamas.lab.entrants import entrant
from adamas.lab.own.sharing import shared
from adamas.lab.own.spec import Spec
from adamas.lab.own.telling import listening
from adamas.lab.problems import Problem
from adamas.lab.protocol import promise
from adamas.lab.protocol.first_step import try_out
from adamas.lab.protocol.output import output_directory
from adamas.lab.protocol.plan import PROTOCOL
from adamas.lab.protocol.runner import Runner, Trial, cluster
from adamas.lab.protocol.store import held
from adamas.lab.report import column_chapter
from adamas.lab.report.find_lr_page import render_found
from adamas.lab.report.numbers import learning_rate
from adamas.lab.report.twins import publish
from adamas.lab.text import Say
from adamas.lab.trial import Record

FOUND = "find-lr.json"


@dataclass(frozen=True)
class Question:
    """What the user asked for; the defaults are those of the command line."""

    spec: Spec
    optimizer: str = FIND_LR_FOR
    seeds: int = FIND_LR_SEEDS
    out: Path | None = None
    workers: int | None = None
    dask: str | None = None


def find_lr(asked: Question, say: Say, *, json: bool) -> int:
    """Find a learning rate as the command line asks for it, and return the exit code.

    With `json` the answer alone is printed, and all else goes to stderr.
    """
    progress = Progress(sys.stderr if json else sys.stdout, 1)
    with printing_apart(json):
        found, tree, out = answered(asked, say, progress)
    if json:
        print(session.pretty(tree), end="")
    ends = {end: learning_rate(getattr(found, end)) for end in ("lr", "low", "high")}
    progress.say(say("find_answer", optimizer=asked.optimizer, cost=found.cost, **ends))
    if found.reason:
        progress.say(found.reason[say.language])
    place = (out / "find-lr.html").resolve()
    progress.say(say("compare_done", seconds=progress.seconds, page=place))
    return 0


def answered(
    asked: Question, say: Say, progress: Progress
) -> tuple[finder.Found, dict[str, Any], Path]:
    """Return the rate that was found, as JSON too, and the directory that holds it now."""
    with listening(lambda key, **numbers: progress.status(say(key, **numbers))):
        problem = asked.spec.problem()
    for line in column_chapter.lines(problem.about, say):
        progress.say(line)
    who = entrant(asked.optimizer)
    try_out(problem, [who])
    finder.movable(problem, who.text)
    identity = asked.spec.identity()
    question = {"identity": identity, "optimizers": [who.text], "seeds": asked.seeds,
                "formulas": {who.text: who.fingerprint}, "version": adamas_version(),
                "protocol": PROTOCOL}  # fmt: skip
    out = asked.out or Path(f"adamas-find-lr-{asked.spec.stem}-{Spec(who.text).stem}")
    done = 0

    def seen(trial: Trial, key: str) -> None:
        nonlocal done
        done += 1
        said = {"optimizer": asked.optimizer, "problem": problem.name, "done": done}
        if progress.live or done % 20 == 1:
            progress.status(say("find_running", **said))

    def train(_: Problem, optimizer: str, asks: Sequence[finder.Wanted]) -> list[Record]:
        return runner.run([Trial(optimizer, *ask) for ask in asks])

    with (
        cluster(asked.dask) as everybody,
        output_directory(out),
        held(out),
        shared(problem, asked.spec, out) as load,
    ):
        promise.answers(out, FOUND, question)
        workers = asked.workers or everybody
        runner = Runner(load, identity, None, workers, seen)
        found = finder.find_lr(problem, asked.optimizer, seeds=asked.seeds, train=train)
        progress.finish()
        tree = {"problem": problem.name, "kind": who.kind, **found.as_json(), "question": question}
        page, numbers = partial(render_found, tree), {FOUND: session.pretty(tree)}
        publish(out, "find-lr.html", say, page, numbers)
    return found, tree, out
