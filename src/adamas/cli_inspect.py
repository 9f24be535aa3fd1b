"""`adamas inspect`: what is in a file, of adamas, torch, Keras or any safetensors."""

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from adamas.cli_lab import add_command, add_language
from adamas.cli_language import Speech, width_of
from adamas.cli_text.core_words import told
from adamas.cli_values import path, reading
from adamas.pages.sentences import printable
from adamas.pages.told import system

Subparsers = Any  # argparse names this type only in private
HEADS = ("name", "shape", "format", "bytes", "norm", "odd", "floor")


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
    from adamas.others.opening import looked_at

    try:
        found = looked_at(os.fspath(args.file))
    except OSError as error:
        print(f"adamas inspect: {args.file}: {system(error)[args.lang]}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"adamas inspect: {told(error)[args.lang]}", file=sys.stderr)
        return 1
    print(json.dumps(plain(found), ensure_ascii=False, indent=2) if args.json else
          shown(found, Speech(args.lang)))  # fmt: skip
    return 0


def plain(given: Any) -> Any:
    """Return the same for JSON, which has no infinity and no NaN: they are None."""
    if isinstance(given, Mapping):
        return {key: plain(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [plain(value) for value in given]
    return None if isinstance(given, float) and not math.isfinite(given) else given


def shown(found: Mapping[str, Any], say: Speech) -> str:
    """Return the file in a line, the groups of another library's optimizer, and its arrays."""
    lines = [printable(heading(found, say)), *map(printable, groups(found))]
    heads = [say(f"inspect.{key}") for key in HEADS]
    rows = [
        [
            printable(one["name"]).replace("\n", "\\n"),
            "×".join(map(str, one["shape"])) or "1",
            printable(one["format"]),
            f"{one['bytes']:,}",
            "-" if one["norm"] is None else f"{one['norm']:.6g}",
            "-" if one["nonfinite"] is None else f"{one['nonfinite']:,}",
            "-" if one["floor"] is None else f"{one['floor']:.1%}",
        ]
        for one in found["tensors"]
    ]
    return "\n".join([*lines, "", *table([heads, *rows])])


def heading(found: Mapping[str, Any], say: Speech) -> str:
    """Return what file it is, in a line."""
    count = len(found["tensors"])
    if found["kind"] != "adamas":
        known = {"optimizer": found["optimizer"], "steps": found["steps"]}
        told = [say(f"inspect.{k}", **{k: v}) for k, v in known.items() if v is not None]
        line = say(
            "inspect.other", **{**found, "count": f"{count:,}", "bytes": f"{found['bytes']:,}"}
        )
        return line + "".join(told)
    rules = ", ".join(
        name if name == known else f"{name} ({known})" for name, known in found["rules"].items()
    )
    numbers = {key: f"{found[key]:,}" for key in ("steps", "parameters", "elements", "bytes")}
    return say("inspect.file", **{**found, **numbers, "rules": rules})


def groups(found: Mapping[str, Any]) -> list[str]:
    """Return a line for each group of hyper-parameters."""
    return [
        "  " + ", ".join(f"{key}={value}" for key, value in one.items() if value is not None)
        for one in found.get("groups", ())
    ]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of columns that stand below each other; all but the first end on the right."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        begin = first + " " * (widths[0] - width_of(first))
        ends = [" " * (w - width_of(c)) + c for c, w in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([begin, *ends]).rstrip())
    return lines
