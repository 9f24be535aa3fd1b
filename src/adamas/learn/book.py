"""The whole guide as one HTML file, and what is written where."""

import html
import json
from collections.abc import Callable

from adamas.learn import scripts
from adamas.learn.chapters import (
    adam,
    correction,
    cost,
    decay,
    divide,
    eps,
    exercises,
    frameworks,
    limits,
    momentum,
    noise,
    one,
    playground,
    questions,
    rare,
    reach,
)
from adamas.learn.frames import NAMES, Draw
from adamas.learn.text import LANGUAGES, Say
from adamas.pages.document import document
from adamas.pages.elements import markup

Chapter = Callable[[Say, Draw], str]
CHAPTERS: dict[str, Chapter] = {
    "one": one.chapter,
    "momentum": momentum.chapter,
    "divide": divide.chapter,
    "adam": adam.chapter,
    "correction": correction.chapter,
    "reach": reach.chapter,
    "eps": eps.chapter,
    "decay": decay.chapter,
    "noise": noise.chapter,
    "rare": rare.chapter,
    "limits": limits.chapter,
    "cost": cost.chapter,
    "frameworks": frameworks.chapter,
    "playground": playground.chapter,
    "exercises": exercises.chapter,
    "questions": questions.chapter,
}
"""The chapters by their anchors, in the order of the page."""

# Names of built files by language.
GUIDE = {"en": "en.html", "zh": "zh.html"}


def constants(language: str) -> str:
    """Return what the script is told.

    `TEXT` are the sentences that it says, `NAMES` what rules are called, and `BYTES` what AdamW's
    state takes of each format for a parameter.
    """
    texts = {
        key: text
        for key, text in LANGUAGES[language].items()
        if key.partition(".")[0] in ("play", "button", "axis")
    }
    both = {"TEXT": texts, "NAMES": NAMES, "BYTES": cost.bytes_each()}
    return "\n".join(
        f"const {name} = {json.dumps(value, ensure_ascii=False)};" for name, value in both.items()
    )


def script(language: str) -> str:
    """Return the whole script of a page but for what needs a page, in a language."""
    return f"{scripts.library()}\n{constants(language)}"


def guide(language: str, draw: Draw, shorten: Callable[[str], str] = str) -> str:
    """Return the guide in a language; `draw` runs `playHtml` of that language's `script`.

    `shorten` takes comments and blanks out of a script.
    """
    say = Say(language)
    body = "\n".join(chapter(say, draw) for chapter in CHAPTERS.values())
    parts = [(key, say(f"{key}.title")) for key in CHAPTERS]
    lead = [
        f'<p class="lead">{markup(say("lead", versions=frameworks.versions()))}</p>',
        languages(say),
    ]
    inside = "\n".join([scripts.of_guide(), constants(language), scripts.page()])
    code = shorten(f"(() => {{\n{inside}}})();")
    assert "</script" not in code and "<!--" not in code, "it would end the element around it"
    return document(say("title"), lead, parts, body, say, style=scripts.style(), script=code)


def languages(say: Say) -> str:
    """Return the link to the same page in the other language."""
    other = "zh" if say.language == "en" else "en"
    name = html.escape(say("other_language"))
    return f'<p class="languages"><a href="{GUIDE[other]}" lang="{other}">{name}</a></p>'
