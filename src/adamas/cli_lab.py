"""The commands of the lab: `adamas compare`, `adamas find-lr`, `adamas suite`.

Only the parsers are here and what turns their words into requests; the work is in `adamas.lab`,
which is imported when a command runs.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adamas.cli_language import Speech
from adamas.cli_values import Naming, count, loss, path, reading, row_count, share, text
from adamas.lab import constants
from adamas.pages.sentences import CODES, printable

if TYPE_CHECKING:
    from adamas.lab.commands.session import Request
    from adamas.lab.own.spec import Spec

Subparsers = Any  # argparse names this type only in private


def add_command(commands: Subparsers, name: str, say: Speech) -> argparse.ArgumentParser:
    """Add a command with its help, its description and its examples."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=say(f"{name}.help"),
        description=say(f"{name}.description"),
        epilog=say(f"{name}.examples"),
        formatter_class=say.layout(argparse.RawDescriptionHelpFormatter),
    )
    return parser


def add_language(parser: argparse.ArgumentParser, say: Speech) -> None:
    """Add `--lang`, which is known before the others are read; see `asked_language`."""
    parser.add_argument("--lang", choices=CODES, default=say.language, help=say("option.lang"))


def add_compare(commands: Subparsers, say: Speech) -> None:
    """Add `adamas compare`."""
    parser, spoken = add_command(commands, "compare", say), say.language
    add_problem(parser, say)
    parser.add_argument("--new", type=reading(path, spoken), metavar="FILE", help=say("option.new"))
    parser.add_argument("--list", action="store_true", help=say("option.list"))
    add_optimizers(parser, say)
    add_effort(parser, say)
    parser.add_argument(
        "--reference",
        action="append",
        type=reading(rule, spoken),
        metavar="RULE",
        help=say("option.reference", names=say("option.and").join(constants.REFERENCES)),
    )
    parser.add_argument(
        "--goal", type=reading(loss, spoken), metavar="LOSS", help=say("option.goal")
    )
    parser.add_argument(
        "--hypothesis", type=reading(text, spoken), metavar="TEXT", help=say("option.hypothesis")
    )
    parser.add_argument(
        "--margin",
        type=reading(share, spoken),
        default=constants.MARGIN,
        metavar="2%",
        help=say("option.margin", margin=constants.MARGIN),
    )
    parser.add_argument(
        "--fail-if-worse",
        type=reading(share, spoken),
        metavar="2%",
        help=say(
            "option.fail_if_worse", worse=constants.SHOWN_WORSE, undecided=constants.UNDECIDED
        ),
    )
    decided = say("option.until_decided", times=constants.LAST_LOOK)
    parser.add_argument("--until-decided", action="store_true", help=decided)
    add_output(parser, say, "adamas-compare-PROBLEM")
    parser.add_argument("--json", action="store_true", help=say("option.json_compare"))
    for name, metavar in (("csv", "FILE"), ("latex", "FILE"), ("figures", "DIR")):
        parser.add_argument(
            f"--{name}", type=reading(path, spoken), metavar=metavar, help=say(f"option.{name}")
        )
    parser.set_defaults(run=guarded("compare", run_compare), given=partial(given, parser))


def add_find_lr(commands: Subparsers, say: Speech) -> None:
    """Add `adamas find-lr`."""
    parser = add_command(commands, "find-lr", say)
    add_problem(parser, say)
    parser.add_argument(
        "--optimizer",
        default=constants.FIND_LR_FOR,
        type=reading(rule, say.language),
        metavar="RULE",
        help=say("option.optimizer_find"),
    )
    parser.add_argument(
        "--seeds",
        type=reading(count, say.language),
        default=constants.FIND_LR_SEEDS,
        metavar="N",
        help=say("option.seeds_find"),
    )
    add_output(parser, say, "adamas-find-lr-PROBLEM-RULE")
    parser.add_argument("--json", action="store_true", help=say("option.json_find"))
    parser.set_defaults(run=guarded("find-lr", run_find_lr))


def add_suite(commands: Subparsers, say: Speech) -> None:
    """Add `adamas suite`."""
    parser = add_command(commands, "suite", say)
    parser.add_argument(
        "--problem",
        action="append",
        type=reading(text, say.language),
        metavar="NAME",
        help=say("option.problem_suite"),
    )
    add_optimizers(parser, say)
    add_effort(parser, say)
    add_output(parser, say, "adamas-suite")
    parser.set_defaults(run=guarded("suite", run_suite))


def add_problem(parser: argparse.ArgumentParser, say: Speech) -> None:
    """Add what names a problem."""
    read = reading(text, say.language)
    parser.add_argument(
        "problem", nargs="?", type=read, metavar="PROBLEM", help=say("option.problem")
    )
    parser.add_argument("--target", type=read, metavar="COLUMN", help=say("option.target"))
    add_table(parser, say)


def add_table(parser: argparse.ArgumentParser, say: Speech) -> None:
    """Add what else is said of a table."""
    read = reading(text, say.language)
    parser.add_argument("--task", choices=("classification", "regression"), help=say("option.task"))
    several: dict[str, Any] = {"action": "append", "default": [], "type": read}
    parser.add_argument("--drop", metavar="COLUMN", help=say("option.drop"), **several)
    for name in ("group", "time"):
        told = say(f"option.{name}")
        parser.add_argument(f"--{name}", type=read, metavar="COLUMN", help=told)
    number = reading(row_count, say.language)
    parser.add_argument("--rows", type=number, metavar="N", help=say("option.rows"))
    parser.add_argument("--encoding", type=read, metavar="NAME", help=say("option.encoding"))


def rule(value: str) -> str:
    """Return a rule under its own name: `AdamW` is `adamw`."""
    from adamas.lab.names import own_name

    return own_name(text(value))


def add_optimizers(parser: argparse.ArgumentParser, say: Speech) -> None:
    """Add what names optimizers."""
    naming, read = Naming(say.language), reading(rule, say.language)
    taking = naming.option(name=False)
    told = say("option.optimizer", names=", ".join(constants.CLASSICAL))
    parser.add_argument("--optimizer", action=taking, type=read, metavar="RULE", help=told)
    parser.add_argument(
        "--rule", action=taking, default=[], type=read, metavar="FILE.py:RULE",
        help=say("option.rule")
    )  # fmt: skip
    parser.add_argument(
        "--name", action=naming.option(name=True), type=reading(text, say.language),
        metavar="TEXT", help=say("option.name")
    )  # fmt: skip
    parser.add_argument(
        "--search", action="append", type=reading(text, say.language), metavar="NAMES",
        help=say("option.search")
    )  # fmt: skip


def add_effort(parser: argparse.ArgumentParser, say: Speech) -> None:
    """Add how much is run."""
    seeds = constants.REPORT_SEEDS
    effort = parser.add_mutually_exclusive_group()
    for mode in ("quick", "rigorous"):
        told = say(f"option.{mode}", seeds=seeds[mode])
        effort.add_argument(f"--{mode}", action="store_true", help=told)
    effort.add_argument("--budget", metavar="5m", help=say("option.budget"))
    parser.add_argument(
        "--seeds",
        type=reading(count, say.language),
        metavar="N",
        help=say("option.seeds", seeds=seeds["default"]),
    )


def add_output(parser: argparse.ArgumentParser, say: Speech, default: str) -> None:
    """Add where results go, in which language, and who works."""
    parser.add_argument(
        "--out",
        type=reading(path, say.language),
        metavar="DIR",
        help=say("option.out", default=default),
    )
    add_language(parser, say)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=reading(count, say.language), metavar="N", help=say("option.workers")
    )
    where.add_argument("--dask", metavar="ADDRESS", help=say("option.dask"))


def given(parser: argparse.ArgumentParser, args: argparse.Namespace) -> list[str]:
    """Return the arguments that are not at their defaults, as the user writes them."""
    names = [name for name in vars(args) if name not in ("run", "given")]
    changed = [name for name in names if getattr(args, name) != parser.get_default(name)]
    return ["PROBLEM" if name == "problem" else f"--{name.replace('_', '-')}" for name in changed]


def guarded(
    name: str, command: Callable[[argparse.Namespace], int]
) -> Callable[[argparse.Namespace], int]:
    """Return the command with its refusals as one line, and packages checked before it starts."""

    def run(args: argparse.Namespace) -> int:
        from adamas.lab.needs import LabError, require_packages

        try:
            require_packages()
            return command(args)
        except LabError as error:
            print(printable(f"adamas {name}: {error.words[args.lang]}"), file=sys.stderr)
            return 1

    return run


def run_compare(args: argparse.Namespace) -> int:
    """Run `adamas compare`."""
    from adamas.lab.commands.compare import instead, run_comparison
    from adamas.lab.commands.further import Files
    from adamas.lab.text import Say

    if args.new or args.list:
        heard = ("--new",) if args.new else ("--list", "--lang")
        others = [name for name in args.given(args) if name not in heard]
        return instead(args.new, others, args.lang)
    declared = {name: getattr(args, name) for name in ("goal", "hypothesis", "margin")}
    declared["until_decided"] = args.until_decided
    request = requested(args, named_spec(args), args.out, references=args.reference, **declared)
    files = Files(args.csv, args.latex, args.figures)
    say, limit = Say(args.lang), args.fail_if_worse
    return run_comparison(request, say, files, json=args.json, fail_if_worse=limit)


def requested(
    args: argparse.Namespace, spec: "Spec", out: Path | None, **declared: Any
) -> "Request":
    """Return the request behind what `compare` and `suite` share; `declared` are further fields."""
    from adamas.lab.commands.session import Request
    from adamas.lab.protocol.space import asked_for

    return Request(
        spec=spec,
        out=out or Path(f"adamas-compare-{spec.stem}"),
        optimizers=[*(args.optimizer or constants.CLASSICAL), *args.rule],
        names=args.name or {},
        mode="quick" if args.quick else "rigorous" if args.rigorous else "default",
        search=asked_for(args.search) if args.search else None,
        **{name: getattr(args, name) for name in ("seeds", "budget", "workers", "dask")},
        **declared,
    )


def named_spec(args: argparse.Namespace) -> "Spec":
    """Return what the user named, with what is said of a table."""
    from dataclasses import fields

    from adamas.lab.own.options import TableOptions
    from adamas.lab.own.spec import named

    said = {option.name: getattr(args, option.name) for option in fields(TableOptions)}
    return named(args.problem, args.target, TableOptions(**said | {"drop": tuple(args.drop)}))


def run_find_lr(args: argparse.Namespace) -> int:
    """Run `adamas find-lr`."""
    from adamas.lab.commands.find_lr import Question, find_lr
    from adamas.lab.text import Say

    fields = {name: getattr(args, name) for name in ("optimizer", "seeds", "out", "workers")}
    asked = Question(named_spec(args), dask=args.dask, **fields)
    return find_lr(asked, Say(args.lang), json=args.json)


def run_suite(args: argparse.Namespace) -> int:
    """Run `adamas suite`."""
    from adamas.lab.commands.suite import suite
    from adamas.lab.needs import LabError
    from adamas.lab.own.spec import Spec
    from adamas.lab.text import Say
    from adamas.lab.zoo import CATALOGUE

    out = args.out or Path("adamas-suite")
    chosen = args.problem or list(CATALOGUE)
    requests = {name: requested(args, Spec(name), out / name) for name in chosen}
    if len(requests) < len(chosen):
        raise LabError("error.problem_twice", names=", ".join(chosen))
    return suite(requests, out, Say(args.lang))
