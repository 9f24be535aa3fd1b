"""`adamas check`: which formula an optimizer computes, and what its arguments do."""

import argparse
import ast
import contextlib
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adamas.cli_lab import add_command, add_language
from adamas.cli_language import Speech
from adamas.cli_text.core_words import told
from adamas.cli_values import WordError, path, reading, text

if TYPE_CHECKING:
    from adamas.check.report import Report
    from adamas.check.text import Say

Subparsers = Any  # argparse names this type only in private
# The exit status where `--expect` names another rule; 1 is a refusal, 2 a wrong word.
UNEXPECTED = 3
# Of Keras, those first that compile nothing.
BACKENDS = ("torch", "jax", "tensorflow")
# Programs of XLA are tiny here and run a few times: compiling them takes all the time.
QUICK_XLA = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false"
)


def add_check(commands: Subparsers, say: Speech) -> None:
    """Add `adamas check`."""
    parser, spoken = add_command(commands, "check", say), say.language
    parser.add_argument(
        "optimizer", type=reading(text, spoken), metavar="OPTIMIZER", help=say("option.checked")
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=reading(setting, spoken),
        metavar="KEY=VALUE",
        help=say("option.set"),
    )
    parser.add_argument(
        "--expect", type=reading(text, spoken), metavar="RULE", help=say("option.expect")
    )
    parser.add_argument("--json", action="store_true", help=say("option.json_check"))
    parser.add_argument(
        "--out", type=reading(path, spoken), metavar="DIR", help=say("option.out_check")
    )
    add_language(parser, say)
    parser.set_defaults(run=run_check)


def setting(value: str) -> tuple[str, Any]:
    """Return `betas=(0.8,0.9)` as a name and a value; `WordError` says why it is none.

    >>> setting("amsgrad=True")
    ('amsgrad', True)
    """
    name, equals, said = value.partition("=")
    if not equals or not name.strip().isidentifier():
        raise WordError("refused.setting", value=value)
    try:
        return name.strip(), ast.literal_eval(said.strip())
    except (ValueError, SyntaxError):
        return name.strip(), said.strip()


def run_check(args: argparse.Namespace) -> int:
    """Run `adamas check`."""
    os.environ.setdefault("XLA_FLAGS", QUICK_XLA)
    installed = [name for name in BACKENDS if find_spec(name)]
    os.environ.setdefault("KERAS_BACKEND", [*installed, "tensorflow"][0])
    from adamas.check import check
    from adamas.check.text import Say
    from adamas.lab.needs import LabError
    from adamas.lab.protocol.output import output_directory

    say = Say(args.lang)
    place = contextlib.nullcontext() if args.out is None else output_directory(args.out)
    try:
        with place:
            report = check(args.optimizer, **dict(args.set))
            if args.out is not None:
                write(report, say, args.out)
    except (ValueError, LabError) as error:
        print(f"adamas check: {told(error)[args.lang]}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(terminal(report, say))
    if args.out is not None:
        print(say("wrote", page=(args.out / "check.html").resolve()), file=sys.stderr)
    return expected(report, args.expect, say)


def terminal(report: "Report", say: "Say") -> str:
    """Return everything as plain text, the answer first."""
    from adamas.check.told import answer, chapters, said_versions

    lines = [answer(report, say)]
    for chapter in chapters(report, say):
        lines += ["", say(f"chapter.{chapter.key}")]
        lines += [f"  {label}: {value}" for label, value in chapter.pairs]
        lines += [f"    {line}" for line in chapter.source.splitlines()]
    lines += ["", say("versions", versions=said_versions(report))]
    return "\n".join(line.replace("`", "").replace("**", "") for line in lines)


def write(report: "Report", say: "Say", out: Path) -> None:
    """Write the page in both languages, and all that was found as JSON."""
    from adamas.check.page import page
    from adamas.check.text import LANGUAGES, Say
    from adamas.lab.protocol.output import write_all

    there = next(code for code in LANGUAGES if code != say.language)
    names = {say.language: "check.html", there: f"check.{there}.html"}
    pages = {names[code]: page(report, Say(code), names[other])
             for code, other in ((say.language, there), (there, say.language))}  # fmt: skip
    numbers = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
    write_all(out, {**pages, "check.json": numbers})


def expected(report: "Report", rule: str | None, say: "Say") -> int:
    """Return the exit status: 0 unless another rule was expected; say so on stderr."""
    if rule is None:
        return 0
    if rule in (report.dialect.rule, report.dialect.with_decay):
        print(say("answer.expected", rule=rule), file=sys.stderr)
        return 0
    found = report.rule or say("answer.no_rule")
    print(say("answer.unexpected", rule=rule, found=found), file=sys.stderr)
    return UNEXPECTED
