"""The commands of the lab: `adamas compare`, `adamas find-lr`, `adamas suite`.

Only the parsers are here and what turns their words into requests; the work is in `adamas.lab`,
which is imported when a command runs.
"""

import argparse
import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adamas.cli_language import environment_language
from adamas.cli_values import count, loss, path, share, text
from adamas.lab import constants
from adamas.pages.sentences import CODES

if TYPE_CHECKING:
    from adamas.lab.commands.session import Request
    from adamas.lab.own.spec import Spec

COMPARE_EXAMPLES = """examples:
  adamas compare digits                      SGD, Momentum, RMSProp and Adam on real digits
  adamas compare digits --quick              in about a minute, with fewer seeds
  adamas compare --list                      the built-in problems
  adamas compare data.csv --target price     on a table of yours (CSV, TSV, Parquet, npz)
  adamas compare --new mine.py               write a template for a problem in Python
  adamas compare mine.py:problem             and compare on it
  adamas compare digits --optimizer adam --optimizer adamw --optimizer adam:beta1=0.8
  adamas compare digits --rule mine.py:signum     your rule beside the classical four
  adamas compare digits --budget 5m --out report --lang zh
  adamas compare digits --optimizer adam --rule mine.py:signum --fail-if-worse 2%
"""
FIND_EXAMPLES = """examples:
  adamas find-lr digits --optimizer adam
  adamas find-lr data.csv --target price --optimizer adamw
  adamas find-lr mine.py:problem --optimizer mine.py:signum --out found
"""
SUITE_EXAMPLES = """examples:
  adamas suite                               the classical four on every built-in problem
  adamas suite --quick --problem digits --problem diabetes --problem line
  adamas suite --rule mine.py:signum         with a rule of yours
"""

Subparsers = Any  # argparse names this type only in private


def add_compare(commands: Subparsers) -> None:
    """Add `adamas compare`."""
    parser = commands.add_parser(
        "compare",
        help="find out which optimizer is better on a problem, and how sure that is",
        description=(
            "Tunes every optimizer with an equal budget, judges them on fresh seeds, and writes "
            "one HTML page with the verdict, its intervals and every run. Interrupted, the same "
            "command goes on."
        ),
        epilog=COMPARE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_problem(parser)
    parser.add_argument("--new", type=path, metavar="FILE", help="write a template, run nothing")
    parser.add_argument("--list", action="store_true", help="list the built-in problems")
    add_optimizers(parser)
    add_effort(parser)
    parser.add_argument(
        "--reference",
        action="append",
        type=text,
        metavar="RULE",
        help="compare the others with this one "
        f"(default: {' and '.join(constants.REFERENCES)}); may be repeated",
    )
    parser.add_argument("--goal", type=loss, metavar="LOSS", help="the loss that is time's target")
    parser.add_argument(
        "--hypothesis", type=text, metavar="TEXT", help="what you expect; goes into the plan"
    )
    parser.add_argument(
        "--margin",
        type=share,
        default=constants.MARGIN,
        metavar="2%",
        help=f"a difference below this does not matter (default: {constants.MARGIN:.0%}%)",
    )
    parser.add_argument(
        "--fail-if-worse",
        type=share,
        metavar="2%",
        help="exit with 1 if any optimizer is worse than the first reference by more than this",
    )
    add_output(parser, "adamas-compare-PROBLEM")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--csv", type=path, metavar="FILE", help="write every run as CSV")
    parser.add_argument("--latex", type=path, metavar="FILE", help="write the table as LaTeX")
    parser.add_argument("--figures", type=path, metavar="DIR", help="write pictures, PNG and SVG")
    parser.set_defaults(run=guarded("compare", run_compare), given=partial(given, parser))


def add_find_lr(commands: Subparsers) -> None:
    """Add `adamas find-lr`."""
    parser = commands.add_parser(
        "find-lr",
        help="find a learning rate: a number, an interval, and what it cost",
        description=(
            "Brackets the learning rate with a short range test and then compares a few rates in "
            "short runs on several seeds."
        ),
        epilog=FIND_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_problem(parser)
    parser.add_argument(
        "--optimizer",
        default=constants.FIND_LR_FOR,
        type=text,
        metavar="RULE",
        help="which (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=count,
        default=constants.FIND_LR_SEEDS,
        metavar="N",
        help="seeds (default: %(default)s; a problem without chance has one)",
    )
    add_output(parser, "adamas-find-lr-PROBLEM-RULE")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(run=guarded("find-lr", run_find_lr))


def add_suite(commands: Subparsers) -> None:
    """Add `adamas suite`."""
    parser = commands.add_parser(
        "suite",
        help="compare on all built-in problems; performance profiles",
        description=(
            "Runs `adamas compare` on every built-in problem whose data are installed, and writes "
            "performance profiles, an aggregate with its interval, and a table per problem."
        ),
        epilog=SUITE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--problem",
        action="append",
        type=text,
        metavar="NAME",
        help="only this one; may be repeated",
    )
    add_optimizers(parser)
    add_effort(parser)
    add_output(parser, "adamas-suite")
    parser.set_defaults(run=guarded("suite", run_suite))


def add_problem(parser: argparse.ArgumentParser) -> None:
    """Add what names a problem."""
    parser.add_argument(
        "problem",
        nargs="?",
        type=text,
        metavar="PROBLEM",
        help="a built-in name, a file of data, or mine.py:problem",
    )
    parser.add_argument(
        "--target", type=text, metavar="COLUMN", help="what to predict, in a file of data"
    )


def add_optimizers(parser: argparse.ArgumentParser) -> None:
    """Add what names optimizers."""
    parser.add_argument(
        "--optimizer",
        action="append",
        type=text,
        metavar="RULE",
        help="a rule, RULE:beta1=0.8, or file.py:function; may be repeated "
        f"(default: {', '.join(constants.CLASSICAL)})",
    )
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        type=text,
        metavar="FILE.py:RULE",
        help="one more optimizer",
    )


def add_effort(parser: argparse.ArgumentParser) -> None:
    """Add how much is run."""
    seeds = {mode: f"{count} report seeds" for mode, count in constants.REPORT_SEEDS.items()}
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help=f"{seeds['quick']}, about a minute")
    effort.add_argument("--rigorous", action="store_true", help=seeds["rigorous"])
    effort.add_argument(
        "--budget", metavar="5m", help="fit into this time, with fewer seeds and learning rates"
    )
    parser.add_argument(
        "--seeds",
        type=count,
        metavar="N",
        help=f"report seeds (default: {constants.REPORT_SEEDS['default']}; "
        "a problem without chance has one)",
    )


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """Add where results go, in which language, and who works."""
    parser.add_argument("--out", type=path, metavar="DIR", help=f"directory (default: {default})")
    parser.add_argument(
        "--lang",
        choices=CODES,
        default=environment_language(),
        help="language (default: that of the environment, here %(default)s)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=count, metavar="N", help="processes (default: one for each core)"
    )
    where.add_argument(
        "--dask", metavar="ADDRESS", help="run on a Dask cluster, such as tcp://host:8786"
    )


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
            if isinstance(sys.stdout, io.TextIOWrapper):
                # A terminal without Chinese letters shows question marks rather than a traceback.
                sys.stdout.reconfigure(errors="replace")
            return command(args)
        except LabError as error:
            print(f"adamas {name}: {error}", file=sys.stderr)
            return 1

    return run


def run_compare(args: argparse.Namespace) -> int:
    """Run `adamas compare`."""
    from adamas.lab.commands.compare import instead, run_comparison
    from adamas.lab.commands.further import Files
    from adamas.lab.own.spec import named
    from adamas.lab.text import Say

    if args.new or args.list:
        heard = ("--new",) if args.new else ("--list", "--lang")
        others = [name for name in args.given(args) if name not in heard]
        return instead(args.new, others, args.lang)
    declared = {name: getattr(args, name) for name in ("goal", "hypothesis", "margin")}
    spec = named(args.problem, args.target)
    request = requested(args, spec, args.out, references=args.reference, **declared)
    files = Files(args.csv, args.latex, args.figures)
    say, limit = Say(args.lang), args.fail_if_worse
    return run_comparison(request, say, files, json=args.json, fail_if_worse=limit)


def requested(
    args: argparse.Namespace, spec: "Spec", out: Path | None, **declared: Any
) -> "Request":
    """Return the request behind what `compare` and `suite` share; `declared` are further fields."""
    from adamas.lab.commands.session import Request

    return Request(
        spec=spec,
        out=out or Path(f"adamas-compare-{spec.stem}"),
        optimizers=[*(args.optimizer or constants.CLASSICAL), *args.rule],
        mode="quick" if args.quick else "rigorous" if args.rigorous else "default",
        **{name: getattr(args, name) for name in ("seeds", "budget", "workers", "dask")},
        **declared,
    )


def run_find_lr(args: argparse.Namespace) -> int:
    """Run `adamas find-lr`."""
    from adamas.lab.commands.find_lr import Question, find_lr
    from adamas.lab.own.spec import named
    from adamas.lab.text import Say

    fields = {name: getattr(args, name) for name in ("optimizer", "seeds", "out", "workers")}
    asked = Question(named(args.problem, args.target), dask=args.dask, **fields)
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
        raise LabError(f"a problem is named twice in {', '.join(chosen)}")
    return suite(requests, out, Say(args.lang))
