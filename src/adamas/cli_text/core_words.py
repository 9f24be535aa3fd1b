"""What the core says in English, which knows of no language, in every language.

Its sentences are recognised by their form, so that they stand where they are raised, once. The
faults of a formula are those of the playground, which refuses the same text in the same words.
"""

import re
from functools import cache

from adamas.pages.sentences import CODES, Both, filled, sentences
from adamas.pages.told import TranslatedError

CORE = sentences("adamas.cli_text", "core")
# A field with one of these names is a sentence or a phrase itself; others are somebody's names.
PHRASES = {"limit", "branch", "test", "choose", "scope", "over", "number", "allowed", "problem"}
# A field with this name is several of these.
LIST = "numbers"
# One fault of a formula: what is wrong, the line with carets under it, what to write instead.
FAULT = re.compile(r"rule '(.*?)': (.*?)\n(  .*?:\d+\n    .*\n    .*\n)  (.*)")


def told(error: BaseException) -> Both:
    """Return what an error says in every language, as far as what it says is known."""
    return error.words if isinstance(error, TranslatedError) else known(str(error))


def known(said: str) -> Both:
    """Return a text of the core in every language; in English where its form is not known.

    >>> known("adam: beta1=2.0 is not allowed; beta1 must be at least 0 and below 1.")["zh"]
    'adam：不能用 beta1=2.0；beta1 必须不小于 0 且小于 1。'
    """
    pieces = [_fault(piece) for piece in said.split("\n\n")]
    return {code: "\n\n".join(piece[code] for piece in pieces) for code in CODES} | {"en": said}


def _fault(said: str) -> Both:
    found = FAULT.fullmatch(said)
    if not found:
        return _sentences(said)
    rule, problem, place, advice = found.groups()
    told = {"problem": _sentences(problem), "advice": _sentences(advice)}
    return filled(CORE["fault"], rule=rule, place=place, **told)


def _sentences(said: str) -> Both:
    """Return one sentence, or several that are known one by one."""
    if (whole := _sentence(said)) is not None:
        return whole
    pieces = [_sentence(piece) for piece in re.split(r"(?<=\.) (?=[A-Z])", said)]
    if None in pieces:
        return dict.fromkeys(CODES, said)
    return {code: "".join(piece[code] for piece in pieces if piece) for code in CODES}


def _sentence(said: str) -> Both | None:
    """Return one sentence by the form that it has, of several by that with most words."""
    for form, both in _forms():
        if found := form.fullmatch(said):
            inner = {
                name: _listed(text) if name in (*PHRASES, LIST) else text
                for name, text in found.groupdict().items()
            }
            if not _foreign(found.groupdict().get("problem", ""), inner.get("problem")):
                return filled(both, **inner)
    return None


def _listed(said: str) -> Both:
    """Return what a field says: a phrase, or several, each with something in brackets."""
    pieces = [_sentences(piece) for piece in re.split(r"(?<=\)), (?=\w+=)", said)]
    commas = {"en": ", ", "zh": "，"}
    return {code: commas[code].join(piece[code] for piece in pieces) for code in CODES}


def _foreign(said: str, told: object) -> bool:
    """Whether it is a sentence that is English in every language, as what stands around it is."""
    return " " in said and told == dict.fromkeys(CODES, said)


@cache
def _forms() -> list[tuple[re.Pattern[str], Both]]:
    """Return the form of every sentence that is known."""
    files = (("adamas.cli_text", "core"), ("adamas.learn.text", "reader"))
    every = [both for place in files for both in sentences(*place).values()]
    words = {both["en"]: re.sub(r"\{\w+\}", "", both["en"]) for both in every}
    # What is nothing but a field has no form.
    told = [both for both in every if words[both["en"]].strip()]
    # A sentence that begins with a field would take the name of a file into it.
    told.sort(key=lambda both: (both != CORE["file"], -len(words[both["en"]])))
    return [(re.compile(_pattern(both["en"]), re.DOTALL), both) for both in told]


def _pattern(sentence: str) -> str:
    """Return the pattern of a sentence; a field that comes again is the same text again."""
    seen: set[str] = set()

    def field(found: re.Match[str]) -> str:
        name, again = found[1], found[1] in seen
        seen.add(name)
        return f"(?P={name})" if again else f"(?P<{name}>.+?)"

    return re.sub(r"\\\{(\w+)\\\}", field, re.escape(sentence))
