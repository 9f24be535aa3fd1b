"""`adamas compare`: compare, write the page and what else is wanted, and say who won."""

import sys
from collections.abc import Sequence
from functools import partial
from math import nan
from pathlib import Path

from adamas.lab.commands import session
from adamas.lab.commands.further import Files, check, write
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.results_alone import printing_apart
from adamas.lab.commands.session import Request
from adamas.lab.constants import ALPHA, INTERRUPTED, MINIMUM_SEEDS, SHOWN_WORSE, UNDECIDED
from adamas.lab.doctor import LEAST
from adamas.lab.needs import LabError
from adamas.lab.own import template
from adamas.lab.protocol.promise import free
from adamas.lab.protocol.results_types import Results
from adamas.lab.protocol.store import kept_runs
from adamas.lab.report import baseline_chapter, more_seeds, worth
from adamas.lab.report.compare_page import render
from adamas.lab.report.numbers import learning_rate
from adamas.lab.report.subject import subject
from adamas.lab.report.twins import publish
from adamas.lab.statistics.limits import beyond
from adamas.lab.text import Say
from adamas.lab.zoo import CATALOGUE, built_in
from adamas.pages.sentences import plain


def run_comparison(
    request: Request, say: Say, files: Files, *, json: bool, fail_if_worse: float | None
) -> int:
    """Carry out a comparison as the command line asks for it, and return the exit code.

    With `json` the results alone are printed, and people are told on stderr, where what the
    user's code prints goes, too.
    """
    if fail_if_worse is not None and len(request.optimizers) < 2:
        raise LabError("error.two_optimizers")
    check(files, request.out)
    progress = Progress(sys.stderr if json else sys.stdout, 1)
    with printing_apart(json):
        try:
            found = session.perform(request, progress, say)
        except KeyboardInterrupt:
            return interrupted(request, say)
        publish(request.out, session.PAGE, say, partial(render, *found), {})
        write(files, found.results)
    if json:
        print(session.pretty(found.results), end="")
    for line in summary(found.results, say):
        progress.say(line)
    for line in next_step(found, request.out, say):
        progress.say(line)
    page = (request.out / session.PAGE).resolve()
    progress.say(say("compare_done", seconds=progress.seconds, page=page))
    return verdict_code(found.results, fail_if_worse, say)


def instead(new: Path | None, others: Sequence[str], language: str) -> int:
    """Write the template `new`, or list the problems; `others` would not be heard."""
    if others:
        chosen = "--new" if new else "--list"
        raise LabError("error.runs_nothing", chosen=chosen, names=", ".join(others))
    if new:
        template.write(new)
        print(Say(language)("compare_written", file=new))
    else:
        print(listing(language))
    return 0


def listing(language: str) -> str:
    """Return the built-in problems, a line each."""
    lines = []
    for name in CATALOGUE:
        about = built_in(name).about
        title = about.title[language] if about else ""
        lines.append(f"{name:18} {title}")
    return "\n".join(lines)


def interrupted(request: Request, say: Say) -> int:
    """Say what an interrupted comparison leaves behind."""
    kept = kept_runs(request.out)
    print("\n" + say("compare_interrupted", kept=kept, out=request.out), file=sys.stderr)
    return INTERRUPTED


def summary(results: Results, say: Say) -> list[str]:
    """Return the result in the terminal: a line for each optimizer, and the files."""
    lines = []
    called = subject(results, None, say).name
    words = {(c["optimizer"], c["reference"]): c["word"] for c in results["comparisons"]}
    reference = results["verdict"]["reference"]
    for name, row in results["optimizers"].items():
        found = row["interval"]
        value = say("word_diverged")
        if found["mean"] is not None:
            value = f"{found['mean']:.4g}"
            if found["low"] is not None:
                value += f" [{found['low']:.4g}, {found['high']:.4g}]"
        word = "reference" if name == reference else words[name, reference]
        lr, shown = learning_rate(row["lr"]), say(f"word_{word}")
        lines.append(say("compare_row", name=called(name), lr=lr, value=value, word=shown))
    lines += worth.line(subject(results, None, say))
    vain = [one["optimizer"] for one in results["doctor"] if one["kind"] == "no_rate"]
    said = say("compare_in_vain", names=say.names([called(name) for name in vain]), least=LEAST)
    return [*lines, *[said] * bool(vain), *baseline_chapter.lines(results, say)]


def next_step(found: session.Outcome, out: Path, say: Say) -> list[str]:
    """Return how many seeds would decide what these did not, and the command."""
    told = subject(found.results, found.timing, say)
    command = more_seeds.command(told, free(out))
    lines = (plain(more_seeds.sentence(told)), f"  {command}" if command else "")
    return [line for line in lines if line]


def verdict_code(results: Results, limit: float | None, say: Say) -> int:
    """Return how the others stand to the first reference and the limit, as an exit status.

    `SHOWN_WORSE` if any is shown to be worse by more, 0 if all are shown not to be, else
    `UNDECIDED`; 0 without a limit. After looks it has the level of the last one, as the words do.
    """
    if limit is None:
        return 0
    reference = results["verdict"]["reference"]
    finals = {
        name: [nan if loss is None else loss for loss in row["finals"]]
        for name, row in results["optimizers"].items()
    }
    least = MINIMUM_SEEDS if results["problem"]["random"] else 1
    looks = results.get("looks")
    spent = looks[-1]["spent"] if looks else ALPHA
    found = beyond(finals, reference, limit, spent, least)
    called = subject(results, None, say).name
    for word, code in (("worse", SHOWN_WORSE), ("open", UNDECIDED), ("not", 0)):
        names = [name for name, standing in found.items() if standing == word]
        if names:
            told = {"reference": called(reference), "limit": f"{100 * limit:g}"}
            print(
                say(f"compare_limit_{word}", names=say.names(list(map(called, names))), **told),
                file=sys.stderr,
            )
            return code
    return 0
