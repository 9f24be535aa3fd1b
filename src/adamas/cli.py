"""The command line: `adamas demo`, `learn`, `check`, `inspect`, `convert`, ..., and the lab's.

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

from adamas.cli_check import add_check
from adamas.cli_convert import add_convert
from adamas.cli_inspect import add_inspect
from adamas.cli_lab import add_command, add_compare, add_find_lr, add_language, add_suite, guarded
from adamas.cli_language import Speech, asked_language, environment_language, speaking
from adamas.cli_text.core_words import told
from adamas.cli_values import mebi_count, path, reading, seed_count
from adamas.kernel.build import adamas_version
from adamas.lab.constants import DEMO_SEEDS, INTERRUPTED
from adamas.pages.sentences import CODES
from adamas.pages.told import system

Subparsers = Any  # argparse names this type only in private


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a failure, 130 when interrupted.

    Wrong arguments end with argparse's exit code 2. All that it says is in the language of
    `asked_language`.
    """
    words = sys.argv[1:] if argv is None else argv
    say = Speech(asked_language(words))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What a terminal has no letters for is shown as stderr shows it: nothing is lost.
        sys.stdout.reconfigure(errors="backslashreplace")
    with speaking(say.language):
        args = build_parser(say.language).parse_args(words)
    command: Callable[[argparse.Namespace], int] = args.run
    try:
        return command(args)
    except KeyboardInterrupt:
        print(f"\n{say('interrupted')}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # A full disk, a limit of the system: what commands do not foresee at the place itself.
        error.strerror = system(error)[say.language]
        print(f"adamas: {error}", file=sys.stderr)
        return 1


def build_parser(language: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with every command, in "en" or "zh", by default as the environment asks."""
    say = Speech(language or environment_language(os.environ))
    with speaking(say.language):
        parser = argparse.ArgumentParser(
            prog="adamas",
            description=say("top.description"),
            epilog=say("top.examples"),
            formatter_class=say.layout(argparse.RawDescriptionHelpFormatter),
        )
        version = f"adamas {installed_version(say)}"
        parser.add_argument(
            "--version", action="version", version=version, help=say("option.version")
        )
        add_language(parser, say)
        commands = parser.add_subparsers(
            title=say("top.commands"), metavar="COMMAND", required=True
        )
        for add in COMMANDS:
            add(commands, say)
    return parser


def installed_version(say: Speech) -> str:
    """Return the installed version, or what to do when only the source tree is there."""
    found = adamas_version()
    return found if found != "0" else say("top.not_installed")


def add_demo(commands: Subparsers, say: Speech) -> None:
    """Add `adamas demo`."""
    parser = commands.add_parser(
        "demo",
        help=say("demo.help"),
        description=say("demo.description"),
        formatter_class=say.layout(argparse.HelpFormatter),
    )
    parser.add_argument(
        "--out",
        type=reading(path, say.language),
        default=Path("adamas-demo"),
        metavar="DIR",
        help=say("option.out_demo"),
    )
    add_language(parser, say)
    parser.add_argument(
        "--seeds",
        type=reading(seed_count, say.language),
        default=DEMO_SEEDS,
        metavar="N",
        help=say("option.seeds_demo"),
    )
    parser.set_defaults(run=guarded("demo", run_demo))


def run_demo(args: argparse.Namespace) -> int:
    """Run `adamas demo`."""
    from adamas.lab.demo.command import demo
    from adamas.lab.demo.demo_results import Settings

    demo(args.out, args.lang, Settings(seeds=args.seeds), sys.stdout)
    return 0


def add_learn(commands: Subparsers, say: Speech) -> None:
    """Add `adamas learn`."""
    parser = add_command(commands, "learn", say)
    parser.add_argument(
        "--out",
        type=reading(path, say.language),
        default=Path("adamas-learn"),
        metavar="DIR",
        help=say("option.out_learn"),
    )
    help_of = say("option.lang_learn")
    parser.add_argument("--lang", choices=CODES, default=say.language, help=help_of)
    parser.set_defaults(run=run_learn)


def run_learn(args: argparse.Namespace) -> int:
    """Run `adamas learn`."""
    from adamas.learn.command import BUILT, write

    say = Speech(args.lang)
    if not BUILT.is_dir():
        print(f"adamas learn: {say('refused.no_pages')}", file=sys.stderr)
        return 1
    try:
        guide = write(args.out, args.lang).resolve()
    except OSError as error:
        reason = system(error)[args.lang]
        said = say("refused.learn_out", out=args.out, reason=reason)
        print(f"adamas learn: {said}", file=sys.stderr)
        return 1
    print(guide)
    return 0


def add_show(commands: Subparsers, say: Speech) -> None:
    """Add `adamas show`."""
    parser = add_command(commands, "show", say)
    parser.add_argument("rule", nargs="?", metavar="RULE", help=say("option.rule_show"))
    parser.add_argument("--dtype", help=say("option.dtype"))
    parser.add_argument("--state", metavar="FORMAT", help=say("option.state"))
    parser.add_argument("--formula", action="store_true", help=say("option.formula"))
    add_language(parser, say)
    parser.set_defaults(run=run_show)


def run_show(args: argparse.Namespace) -> int:
    """Run `adamas show`."""
    from adamas import show

    say = Speech(args.lang)
    try:
        if (args.rule is None or args.formula) and (args.dtype or args.state):
            raise show.ShowError("refused.kernel_options")
        if args.rule is None:
            if args.formula:
                raise show.ShowError("refused.formula_of")
            print(show.listing(args.lang))
            return 0
        formula = show.find_rule(args.rule)
        formats = args.dtype or "float32", args.state
        print(
            whole(formula.source if args.formula else show.kernel_source(formula, *formats)), end=""
        )
        # Not among the text, which may go into a file.
        moved = show.moved(formula, *formats, args.lang)
        print(say("moved.by", name=formula.name, moved=moved), file=sys.stderr)
    except ValueError as error:
        print(f"adamas show: {told(error)[args.lang]}", file=sys.stderr)
        return 1
    return 0


def whole(text: str) -> str:
    """Return the text of a program, which stdout must hold letter by letter, else `ShowError`."""
    from adamas.show import ShowError

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        letters = text[error.start : error.end]
        raise ShowError("refused.letters", letters=letters, encoding=encoding) from None
    return text


def add_bench(commands: Subparsers, say: Speech) -> None:
    """Add `adamas bench`."""
    parser = add_command(commands, "bench", say)
    parser.add_argument(
        "--size",
        type=reading(mebi_count, say.language),
        default=16,
        metavar="MI",
        help=say("option.size"),
    )
    parser.add_argument(
        "--out", type=reading(path, say.language), metavar="FILE", help=say("option.out_bench")
    )
    parser.add_argument("--quick", action="store_true", help=say("option.quick_bench"))
    add_language(parser, say)
    parser.set_defaults(run=run_bench)


def run_bench(args: argparse.Namespace) -> int:
    """Run `adamas bench`."""
    from adamas.bench import run as bench

    if args.out is not None and (args.out.is_dir() or not args.out.absolute().parent.is_dir()):
        said = Speech(args.lang)("refused.bench_out", out=args.out)
        print(f"adamas bench: {said}", file=sys.stderr)
        return 1
    asked = {"out": args.out, "quick": args.quick, "language": args.lang}
    return bench.run(size=args.size << 20, **asked)


# A new command is one `add_...` function above and its name here.
COMMANDS: tuple[Callable[[Subparsers, Speech], None], ...] = (
    add_demo,
    add_compare,
    add_find_lr,
    add_suite,
    add_check,
    add_inspect,
    add_convert,
    add_learn,
    add_show,
    add_bench,
)

if __name__ == "__main__":
    sys.exit(main())
