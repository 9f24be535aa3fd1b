"""The command line: `adamas demo`, `learn`, `show`, `bench`, and those of the lab.

Each command is one function that adds its own parser and one that runs it. A command imports what
it needs when it runs, so that `adamas --help` is quick and no command needs another's packages.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adamas.cli_lab import add_compare, add_find_lr, add_suite
from adamas.cli_language import environment_language
from adamas.cli_values import mebi_count, path, seed_count
from adamas.kernel.build import adamas_version
from adamas.lab.constants import DEMO_SEEDS, INTERRUPTED
from adamas.pages.sentences import CODES

EXAMPLES = """examples:
  adamas demo                     run the tutorial, check it, compare, write a page
  adamas demo --lang zh           the same in Chinese
  adamas demo --out report        put the page into the directory "report"
  adamas compare digits           tune SGD, Momentum, RMSProp and Adam alike, then judge them
  adamas compare data.csv --target price    on data of yours
  adamas find-lr digits           a learning rate, an interval, and what it cost
  adamas suite --quick            all built-in problems
  adamas learn                    the guide to Adam, with figures to play with
  adamas show                     list the rules
  adamas show adamw               print the kernel that AdamW becomes
  adamas show mine.py:signum      the same for a rule of your own
  adamas bench                    time a step on this computer, beside what is installed
"""

Subparsers = Any  # argparse names this type only in private


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a failure, 130 when interrupted.

    Wrong arguments end with argparse's exit code 2.
    """
    args = build_parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.run
    try:
        return command(args)
    except KeyboardInterrupt:
        print("\nInterrupted: nothing was written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # A full disk, a limit of the system: what commands do not foresee at the place itself.
        print(f"adamas: {error}", file=sys.stderr)
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    parser = argparse.ArgumentParser(
        prog="adamas",
        description="The Adam family of optimizers: one formula, from the paper to machine code.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"adamas {installed_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    return parser


def installed_version() -> str:
    """Return the installed version, or what to do when only the source tree is there."""
    found = adamas_version()
    return found if found != "0" else "(not installed; pip install -e .)"


def add_demo(commands: Subparsers) -> None:
    """Add `adamas demo`."""
    parser = commands.add_parser(
        "demo",
        help="run the tutorial, check it, compare optimizers, write a page",
        description=(
            "Reproduces the tutorial, shows why it has not converged, compares Adam with SGD, "
            "Momentum, Adagrad and RMSProp (each at its own tuned learning rate) on the tutorial's "
            "line, on rare features and on real digits, and writes one HTML page and its numbers."
        ),
    )
    parser.add_argument(
        "--out",
        type=path,
        default=Path("adamas-demo"),
        metavar="DIR",
        help="directory for demo.html and demo.json (default: %(default)s)",
    )
    parser.add_argument(
        "--lang",
        choices=CODES,
        default=environment_language(),
        help="language (default: that of the environment, here %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=seed_count,
        default=DEMO_SEEDS,
        metavar="N",
        help="fresh seeds that judge the optimizers (default: %(default)s)",
    )
    parser.set_defaults(run=run_demo)


def run_demo(args: argparse.Namespace) -> int:
    """Run `adamas demo`."""
    from adamas.lab.needs import LabError, require_packages

    try:
        require_packages()
        from adamas.lab.demo.command import demo
        from adamas.lab.demo.demo_results import Settings

        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal without Chinese letters shows question marks rather than a traceback.
            sys.stdout.reconfigure(errors="replace")
        demo(args.out, args.lang, Settings(seeds=args.seeds), sys.stdout)
    except LabError as error:
        print(f"adamas demo: {error}", file=sys.stderr)
        return 1
    return 0


def add_learn(commands: Subparsers) -> None:
    """Add `adamas learn`."""
    parser = commands.add_parser(
        "learn",
        help="write the guide to Adam, its playground and the catalogue of rules",
        description=(
            "Writes the guide for learners, with figures to play with, and the catalogue of rules "
            "as HTML pages, in English and in Chinese; they open from disk, without a network."
        ),
        epilog="examples:\n  adamas learn\n  adamas learn --lang zh\n  adamas learn --out pages\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=path,
        default=Path("adamas-learn"),
        metavar="DIR",
        help="directory for the pages (default: %(default)s)",
    )
    parser.add_argument(
        "--lang",
        choices=("en", "zh"),
        default=environment_language(),
        help="whose page is named at the end (default: that of the environment, here %(default)s)",
    )
    parser.set_defaults(run=run_learn)


def run_learn(args: argparse.Namespace) -> int:
    """Run `adamas learn`."""
    from adamas.learn.command import write

    print(write(args.out, args.lang).resolve())
    return 0


def add_show(commands: Subparsers) -> None:
    """Add `adamas show`."""
    parser = commands.add_parser(
        "show",
        help="print the kernel that a rule becomes",
        description=(
            "Prints the source that is compiled for a rule of adamas, or of a file of yours, and "
            "on standard error the bytes that a step moves; without a rule, the list of rules."
        ),
        epilog="examples:\n  adamas show adamw\n  adamas show adamw --formula\n"
        "  adamas show adam --dtype float64\n"
        "  adamas show adamw --state int8\n  adamas show mine.py:signum\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rule", nargs="?", metavar="RULE", help="a name, or file.py:function")
    parser.add_argument("--dtype", help="of parameters and gradients (default: float32)")
    stored = "float32, float64, bfloat16, int8 or int4"
    parser.add_argument("--state", metavar="FORMAT", help=f"of the state: {stored} (as --dtype)")
    parser.add_argument("--formula", action="store_true", help="print the rule itself instead")
    parser.set_defaults(run=run_show)


def run_show(args: argparse.Namespace) -> int:
    """Run `adamas show`."""
    from adamas import show

    try:
        if (args.rule is None or args.formula) and (args.dtype or args.state):
            raise ValueError("--dtype and --state are of a rule's kernel, which is not shown here.")
        if args.rule is None:
            if args.formula:
                raise ValueError("--formula needs the name of a rule.")
            print(show.listing())
            return 0
        formula = show.find_rule(args.rule)
        formats = args.dtype or "float32", args.state
        print(formula.source if args.formula else show.kernel_source(formula, *formats), end="")
        # Not among the text, which may go into a file.
        print(f"{formula.name} moves {show.moved(formula, *formats)}", file=sys.stderr)
    except ValueError as error:
        print(f"adamas show: {error}", file=sys.stderr)
        return 1
    return 0


def add_bench(commands: Subparsers) -> None:
    """Add `adamas bench`."""
    parser = commands.add_parser(
        "bench",
        help="time a step of AdamW on this computer, beside what is installed",
        description=(
            "Times a step of AdamW beside the limit of this computer's memory, plain NumPy, and "
            "torch and optax where they are installed; all in one process, in turns."
        ),
        epilog="examples:\n  adamas bench\n  adamas bench --quick\n"
        "  adamas bench --size 64 --out bench.json\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--size",
        type=mebi_count,
        default=16,
        metavar="MI",
        help="parameters, in units of 1,048,576 (default: %(default)s)",
    )
    parser.add_argument("--out", type=path, metavar="FILE", help="write every sample as JSON")
    parser.add_argument("--quick", action="store_true", help="one large array only, fewer rounds")
    parser.set_defaults(run=run_bench)


def run_bench(args: argparse.Namespace) -> int:
    """Run `adamas bench`."""
    from adamas.bench import run as bench

    if args.out is not None and (args.out.is_dir() or not args.out.absolute().parent.is_dir()):
        print(f"adamas bench: --out {args.out} cannot be written; name a file", file=sys.stderr)
        return 1
    return bench.run(size=args.size << 20, out=args.out, quick=args.quick)


# A new command is one `add_...` function above and its name here.
COMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    add_demo,
    add_compare,
    add_find_lr,
    add_suite,
    add_learn,
    add_show,
    add_bench,
)

if __name__ == "__main__":
    sys.exit(main())
