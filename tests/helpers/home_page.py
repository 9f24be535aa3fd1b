"""The table of `docs/convert.md`, made of what the runs of `home_map.py` gave.

`python tests/helpers/home_page.py` reads those runs from standard input and writes the pages.
"""

import json
import re
import sys
from typing import Any

from places import ROOT

PAGES = ("docs/convert.md", "docs/convert.zh.md")
BEGIN, END = "<!-- made by tests/homes/test_convert_map.py -->", "<!-- end -->"
HOMES = ("torch", "optax", "Keras")
PAIRS = (("torch", "optax"), ("torch", "Keras"), ("optax", "Keras"))
WORDS = {
    "en": ("rule", "exact", "numbers", "no", "none"),
    "zh": ("规则", "精确", "数值", "否", "无"),
}


def marked(text: str) -> str:
    """What stands between the marks of a page."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def block(rows: dict[str, Any], page: str) -> str:
    """The table, in the page's language."""
    word, *words = WORDS["zh" if ".zh." in page else "en"]
    heads = [word, "torch.optim", "optax", "Keras", *(f"{a} ↔ {b}" for a, b in PAIRS)]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, found in rows.items():
        own = [rule(found, home, words[-1]) for home in HOMES]
        both = [direction(found, *pair, words) for pair in PAIRS]
        lines.append(f"| {' | '.join([f'`{name}`', *own, *both])} |")
    return "\n".join(lines)


def rule(found: dict[str, Any], home: str, none: str) -> str:
    """The rule of adamas that goes on exactly as a home, and as which the home goes on."""
    one = found.get(f"{home} -> adamas")
    if one is None:
        return "–"
    return none if one["rule"] is None else f"`{one['rule']}`"


def direction(found: dict[str, Any], a: str, b: str, words: list[str]) -> str:
    """How it goes from one home to another, and back where that differs."""
    exact, numbers, no, _ = words
    there, back = (found.get(f"{x} -> {y}") for x, y in ((a, b), (b, a)))
    if there is None or back is None:
        return "–"
    told = [
        exact if "difference" in one else numbers if "ignored" in one else no
        for one in (there, back)
    ]
    return told[0] if told[0] == told[1] else f"→ {told[0]}, ← {told[1]}"


if __name__ == "__main__":
    runs = json.load(sys.stdin)["map"]
    for name in PAGES:
        path = ROOT / name
        made = f"{BEGIN}\n{block(runs, name)}\n{END}"
        text = re.sub(f"{BEGIN}.*?{END}", lambda _, m=made: m, path.read_text("utf-8"), flags=re.S)
        path.write_text(text, "utf-8")
