"""Build the guide for learners: `python tools/write_learn.py [DIR]` writes one page a language.

Pictures are drawn by the page's own script, in a V8; without DIR the pages go to where `adamas
learn` and the documentation have them.
"""

import sys
from pathlib import Path

from py_mini_racer import MiniRacer

from adamas.learn import book
from adamas.learn import playground_page as playground
from short_script import short

ROOT = Path(__file__).parents[1]
PLACES = (ROOT / "src" / "adamas" / "learn" / "built", ROOT / "docs")


def pages() -> dict[str, str]:
    """Return the text of every page by its file's name."""
    found = {}
    for language, name in book.GUIDE.items():
        context = MiniRacer()
        context.eval(book.script(language))

        def draw(play: str, context: MiniRacer = context) -> str:
            return str(context.eval(f"playHtml({play!r})"))

        found[f"learn/{name}"] = book.guide(language, draw, short)
    return found | playgrounds()


def playgrounds() -> dict[str, str]:
    """Return the text of the playground's pages by their files' names."""
    found = {}
    for language, name in playground.PAGE.items():
        context = MiniRacer()
        context.eval(playground.script(language))

        def draw(expression: str, context: MiniRacer = context) -> str:
            return str(context.eval(expression))

        found[f"{playground.FOLDER}/{name}"] = playground.page(language, draw, short)
    return found


def main(arguments: list[str]) -> None:
    """Write the pages."""
    places = tuple(map(Path, arguments)) or PLACES
    for name, text in pages().items():
        for place in places:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
