"""How to get the same numbers again, and how to use what was found."""

import html
import shlex

from adamas.lab.constants import MARGIN
from adamas.lab.doctor import LEAST
from adamas.lab.entrants import CLASSICAL
from adamas.lab.page.elements import details, paragraph, section, small, source, subheading
from adamas.lab.protocol.plan import REFERENCES, SIZES
from adamas.lab.report.code import FRAMEWORKS, snippets
from adamas.lab.report.subject import Subject, at, listed
from adamas.lab.text import Say

COMMAND = "adamas compare"


def chapter(subject: Subject) -> str:
    """Return the command line, and code with the chosen settings."""
    say = subject.say
    vain = in_vain(subject)
    ranked = sorted(subject.rows, key=lambda name: (name in vain, subject.mean(name)))
    first = "\n".join([subheading(subject.name(ranked[0])), *code(subject, ranked[0])])
    blocks = [f'<div class="chosen">{first}</div>']
    blocks += [details(subject.name(name), *code(subject, name)) for name in ranked[1:]]
    return section(
        "again",
        say("again_title"),
        paragraph(say("again_text")),
        source(command(subject)),
        small(say("again_note", hash=at(subject.results, "hash") or "–")),
        subheading(say("code_title")),
        paragraph(say("code_text")),
        *blocks,
    )


def command(subject: Subject) -> str:
    """Return the command line that makes the same plan.

    What a time budget left out, and the directory of a file, are not in the results.
    """
    plan = subject.plan
    problem = at(plan, "identity", "text") or plan.get("problem") or "PROBLEM"
    options = {"target": at(plan, "identity", "target"), "goal": plan.get("goal"),
               "hypothesis": plan.get("hypothesis")}  # fmt: skip
    parts = [COMMAND, shlex.quote(str(problem))]
    names = listed(plan, "optimizers")
    if names and set(names) != set(CLASSICAL):
        parts += [f"--optimizer {shlex.quote(str(name))}" for name in names]
    if listed(plan, "references") and set(plan["references"]) != set(REFERENCES) & set(names):
        parts += [f"--reference {shlex.quote(str(name))}" for name in plan["references"]]
    size = SIZES.get(plan.get("mode") or "default", SIZES["default"])
    if plan.get("mode") in ("quick", "rigorous"):
        parts.append(f"--{plan['mode']}")
    if subject.seeds not in (0, size.report) and subject.problem.get("random") is not False:
        parts.append(f"--seeds {subject.seeds}")
    if plan.get("margin") not in (None, MARGIN):
        parts.append(f"--margin {plan['margin']:g}")
    parts += [f"--{key} {shlex.quote(str(v))}" for key, v in options.items() if v is not None]
    return " ".join(parts)


def code(subject: Subject, name: str) -> list[str]:
    """Return the code of one optimizer at its tuned rate, unless no rate was of use."""
    row, say = subject.rows[name], subject.say
    lr = at(row, "lr")
    if lr is None:
        return [paragraph(say("code_no_rate"))]
    if name in in_vain(subject):
        return [paragraph(say("code_no_help", least=LEAST))]
    blocks = listing(name, lr, say)
    return [*blocks, small(say("code_at_edge"))] if row.get("at_edge") else blocks


def in_vain(subject: Subject) -> list[str]:
    """Return the optimizers that no learning rate helped."""
    found = [one for one in listed(subject.results, "doctor") if at(one, "kind") == "no_rate"]
    return [str(one.get("optimizer")) for one in found]


def listing(name: str, lr: float, say: Say) -> list[str]:
    """Return one piece of code for each framework that has the same rule."""
    found = snippets(name, lr)
    missing = [FRAMEWORKS[key] for key in FRAMEWORKS if key not in found]
    blocks = [
        f'<p class="framework">{html.escape(FRAMEWORKS[key])}</p>\n{source(text)}'
        for key, text in found.items()
    ]
    if missing:
        blocks.append(small(say("code_missing", names=say.names(missing))))
    return blocks
