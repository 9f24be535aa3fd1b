"""How to get the same numbers again, and how to use what was found."""

import html
import shlex
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from adamas.lab.constants import CLASSICAL, LAST_LOOK, MARGIN, REFERENCES
from adamas.lab.course import Further, further_of
from adamas.lab.doctor import LEAST
from adamas.lab.entrant_base import BETWEEN
from adamas.lab.foreign.arguments import literal
from adamas.lab.needs import LabError
from adamas.lab.own.options import TableOptions
from adamas.lab.protocol.plan import SIZES
from adamas.lab.report.code import FRAMEWORKS, snippets
from adamas.lab.report.numbers import whole
from adamas.lab.report.subject import Subject
from adamas.lab.text import Say
from adamas.pages.elements import details, fold, paragraph, small, source, subheading

COMMAND = "adamas compare"
# The words of an optimizer that is no rule.
OTHERS = {"torch": "PyTorch", "optax": "optax", "numpy": "NumPy"}
# What a plan's identity holds of the options, in the order in which they are written.
OF_TABLES = ("target", *(option.name for option in fields(TableOptions)))


def chapter(subject: Subject) -> str:
    """Return the command line, and code with the chosen settings."""
    say = subject.say
    vain = in_vain(subject)
    ranked = sorted(subject.rows, key=lambda name: (name in vain, subject.mean(name)))
    first = "\n".join([subheading(subject.name(ranked[0])), *code(subject, ranked[0])])
    blocks = [f'<div class="chosen">{first}</div>']
    blocks += [details(subject.name(name), *code(subject, name)) for name in ranked[1:]]
    return fold(
        "again",
        say("again_title"),
        paragraph(say("again_text")),
        source(command(subject)),
        small(say("again_note", hash=subject.results["hash"])),
        subheading(say("code_title")),
        paragraph(say("code_text")),
        *blocks,
    )


def command(subject: Subject, more: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Return the command line, or the call in Python, that makes the same plan.

    `more` are options that take the place of its own. What a time budget left out, and the
    directory of a file, are not in the results.
    """
    identity = subject.plan["identity"]
    if "python" in identity or "functions" in identity:
        return call(subject, identity, more)
    parts = [COMMAND, shlex.quote(identity["text"])]
    given = subject.results.get("names", {})
    for optimizer in optimizers(subject) or subject.plan["optimizers"] * bool(given):
        parts.append(option("optimizer", optimizer))
        parts += [option("name", given[optimizer])] if optimizer in given else []
    parts += [option("reference", name) for name in references(subject)]
    for name, value in {**options(subject), **more}.items():
        for one in value if isinstance(value, list) else [value]:
            text = f"{one:g}" if name == "margin" else one
            parts.append(f"--{name}" if one is True else option(name, text))
    return " ".join(parts)


def option(name: str, value: object) -> str:
    """Return an option with its value for a shell; one that looks like an option is joined to it.

    >>> option("name", "Adam, slow"), option("hypothesis", "-5 %")
    ("--name 'Adam, slow'", "--hypothesis='-5 %'")
    """
    text = shlex.quote(str(value))
    return f"--{name}={text}" if str(value).startswith("-") else f"--{name} {text}"


def call(subject: Subject, identity: dict[str, Any], more: Mapping[str, Any]) -> str:
    """Return the call in Python; what was handed over goes by a name."""
    functions = identity.get("functions", [])
    names = [handed(one) if one in functions else repr(one) for one in optimizers(subject)]
    parts = [identity.get("python") or repr(identity["text"])]
    parts += [f"[{', '.join(names)}]"] if names else []
    if found := references(subject):
        parts.append(f"reference={found!r}")
    named = {"names": subject.results["names"]} if subject.results.get("names") else {}
    given = {**options(subject), **more, **named}.items()
    parts += [f"{name.replace('-', '_')}={value!r}" for name, value in given]
    return f"import adamas.lab\n\nadamas.lab.compare({', '.join(parts)})"


def handed(text: str) -> str:
    """Return how an object is written in Python that was handed over under a text.

    >>> handed("Mine"), handed("Mine:bonus=2,betas=(0.8,0.9)")
    ('Mine', 'functools.partial(Mine, bonus=2, betas=(0.8, 0.9))')
    >>> handed("Mine:kind=abc,fast=True")
    "functools.partial(Mine, kind='abc', fast=True)"
    """
    name, colon, settings = text.partition(":")
    if not colon:
        return name
    return f"functools.partial({name}, {', '.join(map(given, BETWEEN.split(settings)))})"


def given(setting: str) -> str:
    """Return `name=value` of a text as it is written in Python; what is no plain value stays."""
    name, _, value = setting.partition("=")
    try:
        return f"{name}={literal(name, value)!r}"
    except LabError:
        return setting


def optimizers(subject: Subject) -> list[str]:
    """Return the optimizers, unless they are those by default."""
    names = subject.plan["optimizers"]
    return names if set(names) != set(CLASSICAL) else []


def references(subject: Subject) -> list[str]:
    """Return the references, unless they are those by default."""
    names = subject.plan["references"]
    usual = set(REFERENCES) & set(subject.plan["optimizers"])
    return names if set(names) != usual else []


def options(subject: Subject) -> dict[str, Any]:
    """Return the other options that are not at their defaults; True for those without a value."""
    plan = subject.plan
    found: dict[str, Any] = {}
    looks = plan.get("looks") or []
    if plan["mode"] != "default":
        found[plan["mode"]] = True
    if looks:
        found["until-decided"] = True
        if looks[-1] != LAST_LOOK * looks[0]:
            found["seeds"] = looks[-1]
    elif subject.seeds != SIZES[plan["mode"]].report and subject.problem["random"]:
        found["seeds"] = subject.seeds
    if plan["margin"] != MARGIN:
        found["margin"] = plan["margin"]
    if "search" in plan:
        found["search"] = ",".join(plan["search"]["asked"])
    values = {**{name: plan["identity"].get(name) for name in OF_TABLES},
              "goal": plan["goal"], "hypothesis": plan["hypothesis"]}  # fmt: skip
    return found | {name: value for name, value in values.items() if value is not None}


def code(subject: Subject, name: str) -> list[str]:
    """Return the code of one optimizer as it was tuned, unless no rate was of use."""
    row, say = subject.rows[name], subject.say
    lr = row["lr"]
    if name in in_vain(subject):
        return [paragraph(say("code_no_help", least=LEAST))]
    settings = further_of(row["worth"]["settings"]) if "worth" in row else ()
    blocks = listing(name, lr, say, row["kind"], settings, subject.plan["steps"])
    return [*blocks, small(say("code_at_edge"))] if row["at_edge"] else blocks


def in_vain(subject: Subject) -> list[str]:
    """Return the optimizers that no learning rate helped."""
    return [one["optimizer"] for one in subject.results["doctor"] if one["kind"] == "no_rate"]


def listing(
    name: str, lr: float, say: Say, kind: str = "rule", further: Further = (), steps: int = 0
) -> list[str]:
    """Return one piece of code for each framework that has the same rule; of others, their own.

    `kind`, `further` and `steps` as for `snippets`.
    """
    found = snippets(name, lr, kind, further, steps)
    moves = "adamas.schedule" in found.get("adamas", "")
    without = ("optax", "keras") if moves else ()
    missing = [FRAMEWORKS[key] for key in FRAMEWORKS
               if key not in found and key not in without and kind == "rule"]  # fmt: skip
    titles = FRAMEWORKS if kind == "rule" else OTHERS
    blocks = [
        f'<p class="framework">{html.escape(titles[key])}</p>\n{source(text)}'
        for key, text in found.items()
    ]
    if missing:
        blocks.append(small(say("code_missing", names=say.names(missing))))
    if moves:
        blocks.append(small(say("code_moves", steps=whole(steps))))
    return blocks
