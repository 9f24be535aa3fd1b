"""What the lab's commands do with the words of the command line."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from adamas.kernel.build import adamas_version
from adamas.lab import finder
from adamas.lab.commands import session
from adamas.lab.commands.further import check, write
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.suite import suite_tree
from adamas.lab.doctor import LEAST
from adamas.lab.entrants import CLASSICAL, entrant
from adamas.lab.needs import LabError
from adamas.lab.own import template
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.page.wording import rate
from adamas.lab.problems import Problem
from adamas.lab.protocol import promise
from adamas.lab.protocol.budget import seconds_in
from adamas.lab.protocol.output import output_directory, write_all
from adamas.lab.protocol.plan import PROTOCOL, REFERENCES, Mode
from adamas.lab.protocol.results import Tree
from adamas.lab.protocol.runner import Runner, Trial, cluster
from adamas.lab.protocol.store import held, kept_runs
from adamas.lab.report.found import render_found
from adamas.lab.report.page import render
from adamas.lab.report.suite import render_suite
from adamas.lab.text import Say
from adamas.lab.trial import Record
from adamas.lab.zoo import CATALOGUE, built_in

INTERRUPTED = 130
FOUND = "find-lr.json"


def compare(args: Namespace) -> int:
    """Carry out `adamas compare` and return its exit code."""
    if args.new or args.list:
        return instead(args)
    request = requested(args, named(args), args.out)
    check(args, request.out)
    say = Say(args.lang)
    progress = Progress(sys.stderr if args.json else sys.stdout, 1)
    try:
        tree = session.compare(request, progress, say)
    except KeyboardInterrupt:
        return interrupted(request.out, say)
    results, timing = tree["results"], tree["timing"]
    write_all(request.out, {session.PAGE: render(results, timing, say)})
    write(args, results)
    if args.json:
        print(session.pretty(results), end="")
    for line in summary(results, say):
        progress.say(line)
    page = (request.out / session.PAGE).resolve()
    progress.say(say("compare_done", seconds=progress.seconds, page=page))
    return verdict_code(results, args.fail_if_worse, say)


def instead(args: Namespace) -> int:
    """Write the template or list the problems; what else was given would not be heard."""
    chosen = ("--new",) if args.new else ("--list", "--lang")
    others = [name for name in args.given(args) if name not in chosen]
    if others:
        raise LabError(f"{chosen[0]} runs nothing, so {', '.join(others)} would not be heard")
    if args.new:
        template.write(args.new)
        print(f"wrote {args.new}; try: adamas compare {args.new}:problem --quick")
    else:
        print(listing(args.lang))
    return 0


def named(args: Namespace) -> Spec:
    """Return the problem that the arguments name."""
    if args.problem is None:
        raise LabError(f"name a problem: one of {', '.join(CATALOGUE)}, a file, or mine.py:problem")
    return Spec(args.problem, args.target)


def requested(args: Namespace, spec: Spec, out: Path | None) -> session.Request:
    """Return the request behind the arguments of `compare` or `suite`."""
    mode: Mode = "quick" if args.quick else "rigorous" if args.rigorous else "default"
    optimizers = [*(args.optimizer or CLASSICAL), *args.rule]
    more: dict[str, Any] = {}
    for name in ("goal", "hypothesis", "margin"):
        if getattr(args, name, None) is not None:
            more[name] = getattr(args, name)
    references = getattr(args, "reference", None) or REFERENCES
    unknown = [name for name in getattr(args, "reference", None) or () if name not in optimizers]
    if unknown:
        raise LabError(f"--reference {unknown[0]} does not take part; add --optimizer {unknown[0]}")
    if len(set(references)) < len(references):
        raise LabError(f"a reference is named twice in {', '.join(references)}")
    if args.budget is not None and args.seeds is not None:
        raise LabError(
            f"--budget {args.budget} chooses the number of seeds, so --seeds {args.seeds} would "
            "not be heard; give one of them"
        )
    if getattr(args, "fail_if_worse", None) is not None and len(optimizers) < 2:
        raise LabError("--fail-if-worse needs two optimizers or more; one is worse than nobody")
    return session.Request(
        spec=spec,
        out=out or Path(f"adamas-compare-{stem(spec)}"),
        optimizers=optimizers,
        references=tuple(references),
        mode=mode,
        seeds=args.seeds,
        budget=None if args.budget is None else seconds_in(args.budget),
        workers=args.workers,
        dask=args.dask,
        **more,
    )


def stem(spec: Spec) -> str:
    """Return a problem's name as a part of a directory's name.

    >>> stem(Spec("some/data.csv")), stem(Spec("mine.py:problem"))
    ('data', 'mine-problem')
    """
    file, _, function = spec.text.partition(":")
    name = Path(file).stem
    return f"{name}-{function}" if function else name


def listing(language: str) -> str:
    """Return the built-in problems, a line each."""
    lines = []
    for name in CATALOGUE:
        about = built_in(name).about
        title = about.title[language] if about else ""
        lines.append(f"{name:18} {title}")
    return "\n".join(lines)


def interrupted(out: Path, say: Say) -> int:
    """Say what an interrupted comparison leaves behind."""
    kept = kept_runs(out)
    print("\n" + say("compare_interrupted", kept=kept, out=out), file=sys.stderr)
    return INTERRUPTED


def summary(results: Tree, say: Say) -> list[str]:
    """Return the result in the terminal: a line for each optimizer, and the files."""
    lines = []
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
        lines.append(
            say("compare_row", name=name, lr=rate(row["lr"]), value=value, word=say(f"word_{word}"))
        )
    vain = [one["optimizer"] for one in results["doctor"] if one["kind"] == "no_rate"]
    said = say("compare_in_vain", names=say.names(vain), least=LEAST)
    return [*lines, *[said] * bool(vain)]


def verdict_code(results: Tree, limit: float | None, say: Say) -> int:
    """Return 1 if an optimizer is worse than the first reference by more than `limit`, else 0."""
    if limit is None:
        return 0
    reference = results["verdict"]["reference"]
    bad = [
        one["optimizer"]
        for one in results["comparisons"]
        if one["reference"] == reference and is_worse(one, limit)
    ]
    if bad:
        line = say("compare_worse", names=say.names(bad), reference=reference, limit=100 * limit)
        print(line, file=sys.stderr)
    return 1 if bad else 0


def is_worse(comparison: Tree, limit: float) -> bool:
    """Return whether a difference is shown and its mean is above the limit, or runs failed."""
    if comparison["word"] == "diverged":
        return True
    return bool(comparison["word"] == "worse" and comparison["percent"]["mean"] > 100 * limit)


def suite(args: Namespace) -> int:
    """Carry out `adamas suite` and return its exit code."""
    out = args.out or Path("adamas-suite")
    say = Say(args.lang)
    progress = Progress(sys.stdout, 1)
    chosen = args.problem or list(CATALOGUE)
    requests = {name: requested(args, Spec(name), out / name) for name in chosen}
    if len(requests) < len(chosen):
        raise LabError(f"a problem is named twice in {', '.join(chosen)}")
    ready, skipped = {}, {}
    for name, request in requests.items():
        entered = built_in(name)
        try:
            entered.task(1)
            ready[name] = request
        except LabError as error:
            skipped[name] = str(error)
            progress.say(say("suite_skipped", problem=name, reason=error))
    if not ready:
        raise LabError(f"no problem could be run: {'; '.join(skipped.values())}")
    with output_directory(out), held(out):
        seen = partial(promise.any_run, out, promise_all(out, requests))
        found = {}
        for name, request in ready.items():
            try:
                with promise.tried(out, seen):
                    tree = session.compare(request, progress, say)
            except KeyboardInterrupt:
                return interrupted(request.out, say)
            found[name] = tree["results"]
            page = render(tree["results"], tree["timing"], say)
            write_all(request.out, {session.PAGE: page})
        results = suite_tree(found, skipped)
        pages = {promise.SUITE: session.pretty(results), "suite.html": render_suite(results, say)}
        write_all(out, pages)
    progress.finish()
    page_path = (out / "suite.html").resolve()
    progress.say(say("compare_done", seconds=progress.seconds, page=page_path))
    return 0


def promise_all(out: Path, requests: Mapping[str, session.Request]) -> Tree:
    """Return what a suite declares; refuse if another plan was declared there and has been run.

    So that nobody runs all problems and then shows those that went well.
    """
    first = next(iter(requests.values()))
    entrants = [entrant(name) for name in first.optimizers]
    plan = {
        "problems": list(requests),
        "optimizers": list(first.optimizers),
        "formulas": {who.text: who.fingerprint for who in entrants},
        "mode": first.mode,
        "seeds": first.seeds,
        "budget": first.budget,
        "version": adamas_version(),
        "protocol": PROTOCOL,
    }
    old = promise.declared(out)
    if old is None or not promise.keep(
        out, old["plan"], plan, partial(promise.any_run, out, old["plan"])
    ):
        write_all(out, {promise.PLAN: session.pretty({"plan": plan})})
    return plan


def find_lr(args: Namespace) -> int:
    """Carry out `adamas find-lr` and return its exit code."""
    spec = named(args)
    say = Say(args.lang)
    progress = Progress(sys.stderr if args.json else sys.stdout, 1)
    problem = resolve(spec)
    who = entrant(args.optimizer)
    identity = spec.identity()
    question = {"identity": identity, "optimizers": [who.text], "seeds": args.seeds,
                "formulas": {who.text: who.fingerprint}, "version": adamas_version(),
                "protocol": PROTOCOL}  # fmt: skip
    out = args.out or Path(f"adamas-find-lr-{stem(spec)}-{stem(Spec(who.text))}")
    done = 0

    def seen(trial: Trial, key: str) -> None:
        nonlocal done
        done += 1
        said = {"optimizer": args.optimizer, "problem": problem.name, "done": done}
        if progress.live or done % 20 == 1:
            progress.status(say("find_running", **said))

    def train(_: Problem, optimizer: str, asks: Sequence[finder.Ask]) -> list[Record]:
        return runner.run([Trial(optimizer, *ask) for ask in asks])

    with cluster(args.dask) as everybody, output_directory(out), held(out):
        promise.answers(out, FOUND, question)
        workers = args.workers or everybody
        runner = Runner(partial(resolve, spec), identity, None, workers, seen)
        found = finder.find_lr(problem, args.optimizer, seeds=args.seeds, train=train)
        progress.finish()
        tree = {"problem": problem.name, **found.as_json(), "question": question}
        write_all(out, {FOUND: session.pretty(tree), "find-lr.html": render_found(tree, say)})
    if args.json:
        print(session.pretty(tree), end="")
    numbers = {"lr": rate(found.lr), "low": rate(found.low), "high": rate(found.high)}
    progress.say(say("find_answer", optimizer=args.optimizer, cost=found.cost, **numbers))
    if found.fallback:
        progress.say(found.fallback)
    page = (out / "find-lr.html").resolve()
    progress.say(say("compare_done", seconds=progress.seconds, page=page))
    return 0
