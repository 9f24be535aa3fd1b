"""`adamas convert`: the state in a file of one library as a file of another."""

import argparse
import json
import sys
from typing import Any

from adamas.cli_lab import add_command, add_language
from adamas.cli_language import Speech
from adamas.cli_text.core_words import known, told
from adamas.cli_values import path, reading
from adamas.pages.told import system

Subparsers = Any  # argparse names this type only in private


def add_convert(commands: Subparsers, say: Speech) -> None:
    """Add `adamas convert`."""
    parser, spoken = add_command(commands, "convert", say), say.language
    for name, metavar in (("source", "FILE"), ("target", "NEW")):
        help_of = say(f"option.{name}_convert")
        parser.add_argument(name, type=reading(path, spoken), metavar=metavar, help=help_of)
    for name, metavar in (("from", "CLASS"), ("to", "CLASS"), ("names", "JSON")):
        parser.add_argument(
            f"--{name}", dest=f"{name}_", metavar=metavar, help=say(f"option.{name}_convert")
        )
    for name, metavar in (("params", "FILE"), ("like", "FILE")):
        kind = reading(path, spoken)
        help_of = say(f"option.{name}_convert")
        parser.add_argument(f"--{name}", type=kind, metavar=metavar, help=help_of)
    parser.add_argument("--entry", metavar="PATH", help=say("option.entry_convert"))
    parser.add_argument("--state", metavar="FORMAT", help=say("option.state_convert"))
    for name in ("ignore", "force"):
        parser.add_argument(f"--{name}", action="store_true", help=say(f"option.{name}_convert"))
    parser.add_argument("--json", action="store_true", help=say("option.json_check"))
    add_language(parser, say)
    parser.set_defaults(run=run_convert)


def run_convert(args: argparse.Namespace) -> int:
    """Run `adamas convert`."""
    from adamas.others.beside import listed
    from adamas.others.conversion import Asked, convert_file

    asked = Asked(
        args.from_, args.to_, args.names_, args.params and str(args.params), args.entry, args.state,
        args.like and str(args.like), args.ignore, args.force,
    )  # fmt: skip
    say = Speech(args.lang)
    try:
        done = convert_file(str(args.source), str(args.target), asked)
    except OSError as error:
        where = error.filename or args.target
        print(f"adamas convert: {where}: {system(error)[args.lang]}", file=sys.stderr)
        return 1
    except (ValueError, TypeError) as error:
        print(f"adamas convert: {told(error)[args.lang]}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(done, ensure_ascii=False, indent=2))
        return 0
    for one in done["warnings"]:
        print(f"adamas convert: {known(one)[args.lang]}", file=sys.stderr)
    numbers = {
        key: "?" if done[key] is None else f"{done[key]:,}" for key in ("parameters", "steps")
    }
    line = say("convert.done", **flat(done), **numbers)
    print(line + (say("convert.left", left=listed(done["left"])) if done["left"] else ""))
    return 0


def flat(done: dict[str, Any]) -> dict[str, str]:
    """Return the files and what they are of, by the names that the sentence has."""
    ends = ("source", "target")
    return {f"{end}_{key}": value for end in ends for key, value in done[end].items()}
