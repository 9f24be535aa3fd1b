"""Build the guide and the rule catalogue: `python tools/write_learn.py [DIR]`, in both languages.

Pictures are drawn by the page's own script, in a V8; without DIR the pages go to where `adamas
learn` and the documentation have them.
"""

import json
import sys
from pathlib import Path

from py_mini_racer import MiniRacer

from adamas.learn import book, catalogue
from adamas.learn import playground_page as playground
from short_script import short

ROOT = Path(__file__).parents[1]
PLACES = (ROOT / "src" / "adamas" / "learn" / "built", ROOT / "docs")


def opened(language: str) -> MiniRacer:
    """Return a V8 that knows all that the script of a page in a language does."""
    context = MiniRacer()
    context.eval(book.script(language))
    return context


def guide(language: str) -> str:
    """Return the guide in a language."""
    context = opened(language)
    return book.guide(language, lambda play: str(context.eval(f"playHtml({play!r})")), short)


def rules(language: str) -> str:
    """Return the rule catalogue in a language."""
    context = opened(language)
    return catalogue.page(language, lambda spec: str(context.eval(f"chart({json.dumps(spec)})")))


def pages() -> dict[str, str]:
    """Return the text of every page by its file's name."""
    found = {f"learn/{name}": guide(language) for language, name in book.GUIDE.items()}
    found |= {f"rules/{name}": rules(language) for language, name in book.GUIDE.items()}
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
