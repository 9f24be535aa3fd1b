"""How to get the same numbers again, and how to use what was found."""

import html
import shlex

from adamas.lab.elements import details, paragraph, section, small, source, subheading
from adamas.lab.report.code import FRAMEWORKS, snippets
from adamas.lab.report.subject import Subject, at, listed

COMMAND = "adamas compare"


def chapter(subject: Subject) -> str:
    """Return the command line, and code with the chosen settings."""
    say = subject.say
    ranked = sorted(subject.rows, key=subject.mean)
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

    A file is named by its name alone: the results do not know in which directory it was.
    """
    plan = subject.plan
    parts = [
        COMMAND,
        shlex.quote(str(plan.get("problem") or at(subject.problem, "name") or "PROBLEM")),
    ]
    names = listed(plan, "optimizers")
    if names:
        parts.append(f"--optimizers {shlex.quote(' '.join(map(str, names)))}")
    if plan.get("mode") in ("quick", "rigorous"):
        parts.append(f"--{plan['mode']}")
    return " ".join(parts)


def code(subject: Subject, name: str) -> list[str]:
    """Return one piece of code for each framework that has the same rule."""
    say = subject.say
    lr = at(subject.rows[name], "lr")
    if lr is None:
        return [paragraph(say("code_no_rate"))]
    found = snippets(name, lr)
    missing = [FRAMEWORKS[key] for key in FRAMEWORKS if key not in found]
    blocks = [
        f'<p class="framework">{html.escape(FRAMEWORKS[key])}</p>\n{source(text)}'
        for key, text in found.items()
    ]
    if missing:
        blocks.append(small(say("code_missing", names=say.names(missing))))
    return blocks
