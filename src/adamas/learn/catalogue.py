"""The rule catalogue: every rule and every dialect on one page, made from the source."""

import html
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from adamas import rules
from adamas.classes import hypers
from adamas.kernel.kinds import kinds
from adamas.learn import entries, scripts
from adamas.learn.book import GUIDE
from adamas.learn.javascript import runs
from adamas.learn.numbers import shown
from adamas.learn.relations import base, computed
from adamas.learn.text import Say
from adamas.learn.typeset import letter, mathml
from adamas.pages.document import document
from adamas.pages.elements import details, facts, markup, paragraph, section, source, table

Draw = Callable[[dict[str, Any]], str]
"""Gives a picture as SVG by what `chart` in `script/chart.js` is told."""

# Lines of equal loss in a picture, as shares of the loss at the start, and points of each.
LEVELS, POINTS = (0.02, 0.15, 0.45, 1.0), 36
OVERVIEW = "overview"
# Two runs that are no farther apart differ by rounding alone.
SAME = 1e-12
# Axes, lines of equal loss and both dots of a picture, between what is its own.
BACKGROUND = re.compile(
    r'(?P<begin>.*</clipPath>)(?P<same_axes>.*)(?P<clip><g clip-path="[^"]*">)'
    r"(?P<same_lines>(?:<path [^>]*var\(--line\)[^>]*>)+)(?P<paths>.*?)"
    r"(?P<same_dots>(?:<circle [^>]*>){2})(?P<end>.*)"
)


def page(language: str, draw: Draw) -> str:
    """Return the catalogue in a language as a whole HTML file."""
    say = Say(language)
    titles = [(OVERVIEW, say("catalogue.overview")), *((one, title(one)) for one in entries.RULES)]
    guide = f'<p><a href="../learn/{GUIDE[language]}">{html.escape(say("catalogue.guide"))}</a></p>'
    lead = [f'<p class="lead">{markup(say("catalogue.lead"))}</p>', guide]
    body = [overview(say), *(entry(rule, say, draw) for rule in rules.__all__)]
    twin = GUIDE["zh" if language == "en" else "en"]
    return document(
        say("catalogue.title"),
        lead,
        titles,
        "\n".join(body),
        say,
        twin,
        style=scripts.style("catalogue"),
    )


def title(rule: str) -> str:
    """Return what a rule is called: by its class, a dialect by its own name."""
    return entries.CLASS_NAMES.get(rule, rule)


def overview(say: Say) -> str:
    """Return what the letters mean, and all rules in one table."""
    head = ["rule", "says", "kept_in", "kept_in", "moved_in"]
    formats = "", "", "float32", "int8", ""
    words = [say(f"catalogue.{k}", format=f) for k, f in zip(head, formats, strict=True)]
    rows = [
        [link(rule), markup(say(f"summary.{rule}")), shown(entries.kept(rule, "float32"), 3),
         shown(entries.kept(rule, "int8"), 3), shown(entries.moved(rule, "float32"), 3)]
        for rule in entries.RULES
    ]  # fmt: skip
    return section(
        OVERVIEW,
        say("catalogue.overview"),
        paragraph(say("catalogue.notation")),
        paragraph(say("catalogue.dialects")),
        f'<div class="prose">{table(say("catalogue.overview_table"), words, rows)}</div>',
    )


def link(rule: str) -> str:
    """Return a rule's name, which leads to its place."""
    return f'<a href="#{rule}">{name(rule)}</a>'


def name(rule: str) -> str:
    """Return a rule's name as code that may be broken after an underscore."""
    return f"<code>{rule.replace('_', '_<wbr>')}</code>"


def entry(rule: str, say: Say, draw: Draw) -> str:
    """Return the section of a rule, its dialects after it."""
    others = [
        f'<article id="{one}">\n<h3>{name(one)}</h3>\n{about(one, say, draw)}\n</article>'
        for one in entries.RULES
        if one != rule and base(one) == rule
    ]
    return section(rule, title(rule), about(rule, say, draw), *others)


def about(rule: str, say: Say, draw: Draw) -> str:
    """Return all that is said of a rule."""
    label = html.escape(say("catalogue.formula_of", rule=rule))
    formula_box = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f"{mathml(entries.formula(rule), say)}</div>"
    )
    return "\n".join([
        paragraph(say(f"summary.{rule}")),
        f'<div class="pair">\n{formula_box}\n{picture(rule, say, draw)}\n</div>'
        if runs(entries.formula(rule))
        else f"{formula_box}\n{paragraph(say('catalogue.no_path'))}",
        facts(told(rule, say)),
        arguments(rule, say),
        details(say("catalogue.calls"), source("\n".join(entries.calls(rule).values()))),
        details(say("catalogue.source"), source(entries.formula(rule).source)),
    ])  # fmt: skip


def told(rule: str, say: Say) -> list[tuple[str, str]]:
    """Return when to take it, its papers, its state and its relations."""
    separator = say("catalogue.separator")
    whose = base(rule)
    code = {k: separator.join(each) for k, each in callers(rule, say).items()}
    use, avoid = f"use.{rule}", f"avoid.{rule}"
    pairs = [
        ("use", say(use) if rule == whose else dialect_use(rule, say)),
        ("avoid", say(avoid) if rule == whose else say("catalogue.dialect_avoid", base=whose)),
        ("paper", "; ".join(entries.papers(rule))),
        ("remembers", remembered(rule, say)),
        ("kept", bytes_of(rule, say, entries.kept)),
        ("moved", bytes_of(rule, say, entries.moved)),
        ("computed_by", code[False] or say("catalogue.nobody")),
        ("decoupled_by", code[True]),
    ]
    found = [(say(f"catalogue.{key}"), markup(text)) for key, text in pairs if text]
    if rule != whose:
        return [*found, (say("catalogue.differs_from"), link(whose))]
    others = [link(one) for one in entries.RULES if one != rule and base(one) == rule]
    return [*found, (say("catalogue.dialect_list"), separator.join(others))] if others else found


def dialect_use(rule: str, say: Say) -> str:
    """Return when to take a dialect: beside those that compute it, and how near it comes."""
    found = [one for one in computed() if one.rule == rule and not one.decoupled]
    exact = [one for one in found if not one.rounded]
    homes = say("catalogue.separator").join(f"`{one.call}`" for one in exact or found)
    return say(f"catalogue.dialect_use{'' if exact else '_rounded'}", homes=homes)


def callers(rule: str, say: Say) -> dict[bool, list[str]]:
    """Return the calls that compute a rule, by whether the decay is decoupled there."""
    found: dict[bool, list[str]] = {False: [], True: []}
    for one in computed():
        if one.rule == rule:
            call = f"`{one.call}`"
            found[one.decoupled] += [say("catalogue.rounded", call=call) if one.rounded else call]
    return found


def remembered(rule: str, say: Say) -> str:
    """Return a rule's states, and which of them are kept otherwise than the others."""
    found, separator = entries.formula(rule), say("catalogue.separator")
    exact = [name for name, kind in kinds(found).items() if kind.exact]
    parts = [separator.join(f"`{name}`" for name in found.states)]
    for key, names in (("exact", exact), ("scalar", found.scalars)):
        listed = separator.join(f"`{name}`" for name in names)
        parts.append(say(f"catalogue.{key}", names=listed) if names else "")
    return "; ".join(part for part in parts if part) or say("catalogue.nothing")


def bytes_of(rule: str, say: Say, measure: Callable[[str, str], float]) -> str:
    """Return some bytes of a rule by the format of its state; one number where all are the same."""
    each = {name: shown(measure(rule, name), 4) for name in entries.STATE_FORMATS}
    if len({*each.values()}) == 1:
        return each[entries.STATE_FORMATS[0]]
    parts = [say("catalogue.bytes_in", bytes=size, format=name) for name, size in each.items()]
    return say("catalogue.separator").join(parts)


def arguments(rule: str, say: Say) -> str:
    """Return the table of a rule's hyper-parameters."""
    head = [say(f"catalogue.{key}") for key in ("argument", "letter", "default", "meaning")]
    rows = [
        [f"<code>{name}</code>", letter(name), f"<code>{value!r}</code>", say(f"hyper.{name}")]
        for name, value in hypers(entries.RULES[rule]).items()
    ]
    return f'<div class="prose">{table(say("catalogue.arguments"), head, rows)}</div>'


def picture(rule: str, say: Say, draw: Draw) -> str:
    """Return a rule's path in the valley, a dialect's beside that of its rule."""
    whose = base(rule)
    plain = entries.best(whose)
    run = plain if rule == whose else entries.path(rule, plain.lr)
    far = entries.apart(run, plain)
    numbers: dict[str, object] = {"steps": entries.STEPS, "lr": shown(run.lr, 3), "base": whose}
    rates = entries.RATES
    numbers |= {"rates": len(rates), "least": shown(rates[0], 3), "most": shown(rates[-1], 3)}
    numbers |= {"first": shown(run.losses[0], 3), "last": shown(run.losses[-1], 2)}
    which = "path" if rule == whose else "beside" if far > SAME else "same"
    note = say(f"catalogue.{which}_note", far=shown(far, 2), **numbers)
    heading = say("catalogue.path")
    (left, right), (low, high) = entries.VALLEY.view
    ends = entries.START, entries.VALLEY.least
    spec = {
        "key": rule, "title": f"{title(rule)}: {heading}", "width": 400, "height": 220,
        "x": {"low": left, "high": right}, "y": {"low": low, "high": high},
        "series": [*contours(), *([curve(plain, "muted", "4 3")] if rule != whose else []),
                   curve(run, "adam")],
        "dots": [{"x": x, "y": y, "hue": "ink", "size": 3} for x, y in ends],
    }  # fmt: skip
    svg = shared(draw(spec), first=rule == rules.__all__[0])
    return (
        f'<figure class="path">\n{svg}\n<figcaption><strong>{html.escape(heading)}</strong> '
        f"{markup(note)}</figcaption>\n</figure>"
    )


def shared(svg: str, first: bool) -> str:
    """Return a picture that draws what is the same in all as the `first` on the page does."""
    found = BACKGROUND.fullmatch(svg)
    assert found is not None, svg
    text = ""
    for name, part in found.groupdict().items():
        if not name.startswith("same"):
            text += part
        else:
            text += f'<g id="{name}">{part}</g>' if first else f'<use href="#{name}"/>'
    return text


def curve(run: entries.Path, hue: str, dashes: str = "") -> dict[str, Any]:
    """Return a path as a line of a chart."""
    found = {"hue": hue, "points": [[round(x, 4) for x in point] for point in run.points]}
    return {**found, "dashes": dashes} if dashes else found


def contours() -> Sequence[dict[str, Any]]:
    """Return lines of equal loss: in this valley, which lies diagonally, they are ellipses."""
    at = entries.VALLEY.loss
    loss, along, across = at(*entries.START), at(1.0, 1.0), at(1.0, -1.0)
    made = []
    for share in LEVELS:
        long, short = math.sqrt(share * loss / along), math.sqrt(share * loss / across)
        turns = (2 * math.pi * k / POINTS for k in range(POINTS + 1))
        pairs = [(long * math.cos(a), short * math.sin(a)) for a in turns]
        made.append({"hue": "line", "points": [[a + b, a - b] for a, b in pairs]})
    return made
