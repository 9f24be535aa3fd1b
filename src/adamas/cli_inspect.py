"""`adamas inspect`: what is in a file that an optimizer was saved to."""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from adamas.cli_lab import add_command, add_language
from adamas.cli_language import Speech, width_of
from adamas.cli_text.core_words import told
from adamas.cli_values import path, reading
from adamas.pages.told import system

Subparsers = Any  # argparse names this type only in private


def add_inspect(commands: Subparsers, say: Speech) -> None:
    """Add `adamas inspect`."""
    parser = add_command(commands, "inspect", say)
    parser.add_argument(
        "file", type=reading(path, say.language), metavar="FILE", help=say("option.inspected")
    )
    parser.add_argument("--json", action="store_true", help=say("option.json_check"))
    add_language(parser, say)
    parser.set_defaults(run=run_inspect)


def run_inspect(args: argparse.Namespace) -> int:
    """Run `adamas inspect`."""
    from adamas.files.checkpoint import Checkpoint
    from adamas.files.summary import summary

    try:
        found = summary(Checkpoint(args.file, through=True))
    except OSError as error:
        print(f"adamas inspect: {args.file}: {system(error)[args.lang]}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"adamas inspect: {told(error)[args.lang]}", file=sys.stderr)
        return 1
    print(json.dumps(plain(found), ensure_ascii=False, indent=2) if args.json else
          shown(found, Speech(args.lang)))  # fmt: skip
    return 0


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same for JSON, which has no infinity: a norm that is too large is None."""
    tensors = [
        {**one, "norm": None if one["norm"] == math.inf else one["norm"]}
        for one in found["tensors"]
    ]
    return {**found, "tensors": tensors}


def shown(found: Mapping[str, Any], say: Speech) -> str:
    """Return the file in a line, and a table of its arrays."""
    rules = ", ".join(
        name if name == known else f"{name} ({known})" for name, known in found["rules"].items()
    )
    numbers = {key: f"{found[key]:,}" for key in ("steps", "parameters", "elements", "bytes")}
    line = say("inspect.file", **{**found, **numbers, "rules": rules})
    heads = [say(f"inspect.{key}") for key in ("name", "shape", "format", "bytes", "norm", "odd")]
    rows = [
        [
            one["name"],
            "×".join(map(str, one["shape"])) or "1",
            one["format"],
            f"{one['bytes']:,}",
            "-" if one["norm"] is None else f"{one['norm']:.6g}",
            "-" if one["nonfinite"] is None else f"{one['nonfinite']:,}",
        ]
        for one in found["tensors"]
    ]
    return "\n".join([line, "", *table([heads, *rows])])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of columns that stand below each other; all but the first end on the right."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        begin = first + " " * (widths[0] - width_of(first))
        ends = [" " * (w - width_of(c)) + c for c, w in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([begin, *ends]).rstrip())
    return lines
