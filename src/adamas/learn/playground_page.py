"""The playground as one HTML file: optimizers side by side, each with its own rule and numbers."""

import html
import inspect
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote_plus

from adamas.learn import scripts
from adamas.learn.frames import NAMES
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS, best_line
from adamas.learn.text import LANGUAGES, Say
from adamas.learn.trace import trace, trace_of_line
from adamas.pages.document import document
from adamas.pages.elements import markup, paragraph, section, table
from adamas.rules import adam, amsgrad, momentum, sgd

PAGE = {"en": "en.html", "zh": "zh.html"}
FOLDER = "playground"
# What a text of the reader's own may begin with.
EXAMPLE = """def mine(p, g, m, *, t, lr=0.05, beta=0.9):
    m = beta * m + (1 - beta) * g
    return p - lr * sign(m / (1 - beta**t)), m
"""


PRESETS = {
    "fault": "problem=line&length=1000&t=1000&o=adam,lr:0.001&o=adam,lr:0.1&o=sgd,lr:0.01",
    "narrow": "t=100&o=sgd,lr:0.039&o=momentum,lr:0.01&o=rmsprop,lr:0.02&o=adam,lr:0.1",
    "beta2": "problem=bowl&length=500&t=500&noise=1&o=adam,lr:0.05,beta2:0.1&o=adam,lr:0.05",
    "reddi": "problem=reddi&t=200&o=adam,lr:0.1,beta1:0,beta2:0.1"
    "&o=amsgrad,lr:0.1,beta1:0,beta2:0.1",
    "own": f"problem=rosenbrock&o=adam,lr:0.05&o=own&text={quote_plus(EXAMPLE)}",
}
"""States worth a look, as the part of an address after #, in the order of the page."""


@cache
def numbers() -> Mapping[str, str]:
    """Return what the sentences about the presets are filled with: those runs, in Python."""
    line = {lr: trace_of_line(adam, 1000, lr=lr).last[0] for lr in (0.001, 0.1)}
    narrow = {
        rule.__name__: trace(rule, PROBLEMS["valley"], 100, lr=lr).losses[-1]
        for rule, lr in ((sgd, 0.039), (momentum, 0.01), (adam, 0.1))
    }
    noisy = [
        trace(adam, PROBLEMS["bowl"], 500, lr=0.05, beta2=beta2, noise=1, seed=1).losses[-250:]
        for beta2 in (0.1, 0.999)
    ]
    reddi = {
        rule.__name__: trace(rule, PROBLEMS["reddi"], 200, lr=0.1, beta1=0.0, beta2=0.1).last[0]
        for rule in (adam, amsgrad)
    }
    found = {
        "fault_slow": line[0.001],
        "fault_best": line[0.1],
        **{f"narrow_{name}": loss for name, loss in narrow.items()},
        "beta2_ratio": sum(noisy[0]) / sum(noisy[1]),
        **{f"reddi_{name}": x for name, x in reddi.items()},
    }
    return {name: shown(value, 2 if "narrow" in name else 3) for name, value in found.items()}


def problems(say: Say) -> str:
    """Return a table of the problems, their losses as they are computed."""
    rows = [
        (say("playground.problem.line"), say("playground.about.squares"), "0", best(False)),
        (say("playground.problem.line_bias"), say("playground.about.squares"), "0, 0", best(True)),
    ]
    for name, one in PROBLEMS.items():
        start, least = (", ".join(shown(x, 4) for x in point) for point in (one.start, one.least))
        formula = f"<code>{html.escape(text_of(one.loss))}</code>"
        rows.append((say(f"playground.problem.{name}"), formula, start, least))
    head = [say(f"playground.about.{name}") for name in ("problem", "formula", "from", "to")]
    return table(say("playground.about.problems"), head, rows)


def best(bias: bool) -> str:
    """Return the line of least loss."""
    return ", ".join(shown(x, 4) for x in best_line(bias))


def text_of(formula: Callable[..., Any]) -> str:
    """Return the text of a function of assignments and a `return`, in one line.

    >>> text_of(PROBLEMS["rosenbrock"].loss)
    'a = 1 - x; b = y - x * x; a * a + 100 * b * b'
    """
    lines = inspect.getsource(formula).strip().split("\n")[1:]
    return "; ".join(line.strip().removeprefix("return ") for line in lines)


def presets(say: Say, page: str) -> str:
    """Return links to the presets on `page`."""
    items = [
        f'<li><a href="{html.escape(page)}#{html.escape(state)}">'
        f"{html.escape(say(f'playground.preset.{name}'))}</a> "
        f"{markup(say(f'playground.look.{name}', **numbers()))}</li>"
        for name, state in PRESETS.items()
    ]
    return "<ul>\n" + "\n".join(items) + "\n</ul>"


def script(language: str) -> str:
    """Return the script of the page but for what needs a page."""
    parts = ("button", "axis", "playground", "reader", "controls")
    texts = {key: one for key, one in LANGUAGES[language].items() if key.split(".")[0] in parts}
    constants = f"const TEXT = {json.dumps(texts, ensure_ascii=False)};\n"
    return (
        f"{scripts.base()}\n{constants}const NAMES = {json.dumps(NAMES)};\n{scripts.playground()}"
    )


def page(language: str, draw: Callable[[str], str], shorten: Callable[[str], str] = str) -> str:
    """Return the page in a language; `draw` evaluates an expression of its `script`."""
    say, own, other = Say(language), PAGE[language], "zh" if language == "en" else "en"
    lead = [
        f'<p class="lead">{markup(say("playground.lead"))}</p>\n<p class="languages">'
        f'<a href="../learn/{own}">{html.escape(say("playground.back"))}</a> · '
        f'<a href="{PAGE[other]}" lang="{other}">{html.escape(say("other_language"))}</a></p>',
    ]
    ground = f'<div id="ground">{draw("playgroundHtml(startState())")}</div>'
    about = ("see", "keys", "text", "run", "address")
    words = [paragraph(say(f"playground.about.{name}")) for name in about]
    sections: list[tuple[str, str, list[str]]] = [
        ("playground", "playground.title", [ground]),
        ("presets", "playground.presets", [presets(say, own)]),
        ("about", "playground.about.title", [*words, problems(say)]),
    ]
    body = "\n".join(section(key, say(title), *inner) for key, title, inner in sections)
    parts = [(key, say(title)) for key, title, _ in sections]
    code = shorten(f"(() => {{\n{script(language)}\n{scripts.playground_page()}}})();")
    assert "</script" not in code and "<!--" not in code, "it would end the element around it"
    style = scripts.style() + scripts.playground_style()
    return document(say("playground.name"), lead, parts, body, say, style=style, script=code)
