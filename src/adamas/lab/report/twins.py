"""A page in both languages: the one asked for under its own name, its twin beside it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from adamas.lab.protocol.output import write_all
from adamas.lab.text import LANGUAGES, Say


def twin_name(name: str, language: str) -> str:
    """Return what the twin of a page is called that is in `language`.

    >>> twin_name("demo.html", "zh")
    'demo.zh.html'
    """
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{language}{dot}{ending}"


def both(name: str, say: Say, page: Callable[[Say, str], str]) -> dict[str, str]:
    """Return a page in the language of `say`, and in the other one, by their file names.

    `page(say, twin)` makes one of them; `twin` is the file that it links to.
    """
    there = Say(next(language for language in LANGUAGES if language != say.language))
    beside = twin_name(name, there.language)
    return {name: page(say, beside), beside: page(there, name)}


def publish(
    out: Path, name: str, say: Say, page: Callable[[Say, str], str], files: Mapping[str, str]
) -> None:
    """Write a page in both languages and `files` into `out`, all of them or none.

    What an earlier run in the other language left there as its twin is removed.
    """
    write_all(out, {**files, **both(name, say, page)})
    (out / twin_name(name, say.language)).unlink(missing_ok=True)
