"""What every page keeps to, as functions that return sentences: an empty list is a good page.

They take a page that is open (`browser.py`); what they look at is in `browser_checks.js`.
"""

from pathlib import Path
from typing import Any

from browser import Browser, Page
from browser_static import static_findings

WIDTHS = (360, 768, 1200, 1600)
SCRIPT = Path(__file__).with_name("browser_checks.js").read_text("utf-8")
# Roles that the browser gives to what a reader works with, and to what only eyes would understand.
NAMED = {
    "button", "checkbox", "combobox", "DisclosureTriangle", "link", "listbox", "menuitem",
    "radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox", "image", "img",
    "graphics-document", "radiogroup",
}  # fmt: skip
MOST_STOPS = 1000
Reading = dict[str, Any]
# What a page without its script must still hold of its text, and of its pictures.
SHARE_OF_TEXT = 0.8


def ask(page: Page, function: str) -> Any:
    """Return what a function of browser_checks.js finds in the page."""
    return page.evaluate(f"({SCRIPT.strip().rstrip(';')}).{function}()")


def unfold(page: Page) -> None:
    """Open everything that the reader may unfold."""
    ask(page, "unfold")
    page.settle()


def cut(page: Page) -> list[str]:
    """Return what is wider than the page, and text that is cut, covered or too small.

    At each of `WIDTHS`; text of a picture has to lie inside it and off its other texts.
    """
    found = []
    for width in WIDTHS:
        page.resize(width)
        page.settle()
        found += [
            f"{width} px: {text}"
            for name in ("overflow", "hiddenText", "labels", "tiny")
            for text in ask(page, name)
        ]
    return found


def stuck(page: Page) -> list[str]:
    """Return first columns that cover most of a table while it is scrolled on a phone."""
    page.resize(WIDTHS[0])
    page.settle()
    found: list[str] = ask(page, "stuck")
    return found


def contrast(page: Page) -> list[str]:
    """Return text that is too pale on its ground, in light and in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        page.settle()
        found += [f"{scheme}: {text}" for text in ask(page, "contrast")]
    page.prefer()
    return found


def noise(page: Page) -> list[str]:
    """Return what the page threw, warned of, and asked for beside its own file."""
    own = page.evaluate("location.href.replace(/#.*/, '')")
    asked = [url for url in page.requests if url != own and not url.startswith("data:")]
    loud = [line for line in page.console if line.startswith(("error", "warning", "assert"))]
    return [f"threw: {text}" for text in page.errors] + loud + [f"asked for {u}" for u in asked]


def keyboard(page: Page) -> list[str]:
    """Return what Tab does not reach, and where one cannot see what has the focus."""
    found: list[str] = []
    for _ in range(min(ask(page, "prepare") + 5, MOST_STOPS)):
        page.press("Tab")
        arrived = ask(page, "arrive")
        found += arrived["found"]
        if not arrived["fresh"]:
            break
    return found + ask(page, "missed")


def names(page: Page) -> list[str]:
    """Return controls, pictures and regions that a screen reader has no name for."""
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    nameless = [
        node
        for node in nodes
        if not node["ignored"]
        and node.get("role", {}).get("value") in NAMED
        and not node.get("name", {}).get("value", "").strip()
    ]
    found = [f"{node['role']['value']} without a name: {_tag(page, node)}" for node in nameless]
    return found + ask(page, "untold")


def _tag(page: Page, node: dict[str, Any]) -> str:
    described = page.call("DOM.describeNode", backendNodeId=node["backendDOMNodeId"])["node"]
    pairs = described.get("attributes", [])
    attributes = [f'{a}="{b[:40]}"' for a, b in zip(pairs[::2], pairs[1::2], strict=True)]
    return f"<{' '.join([described['localName'], *attributes[:4]])}>"


def headings(page: Page) -> list[str]:
    """Return headings out of order, a missing title, a missing language."""
    found: list[str] = ask(page, "headings")
    return found


def formulas(page: Page) -> list[str]:
    """Return MathML that the browser does not set as a formula."""
    found: list[str] = ask(page, "formulas")
    return found


def without_script(browser: Browser, file: Path, full: Reading) -> list[str]:
    """Return what only the script brings, controls dead without it, and what is cut then.

    `full` is what `reading` has found in the page with its script.
    """
    page = browser.open(file, script=False)
    plain = reading(page)
    found = [f"this does nothing: {control}" for control in plain["dead"]]
    if plain["text"] < SHARE_OF_TEXT * full["text"]:
        found.append(f"{plain['text']} characters, with it {full['text']}")
    if plain["pictures"] < full["pictures"]:
        found.append(f"{plain['pictures']} pictures, with it {full['pictures']}")
    found += cut(page)
    page.close()
    return found


def reading(page: Page) -> Reading:
    """Return how much a page holds for a reader who unfolds everything, and its controls."""
    unfold(page)
    found: Reading = ask(page, "reading")
    return found


CHECKS = (noise, headings, names, formulas, keyboard, contrast, cut)


def audit(browser: Browser, file: Path) -> list[str]:
    """Return everything that is wrong with a page of this machine, one sentence each."""
    page = browser.open(file)
    full = reading(page)
    found = [f"{check.__name__}: {text}" for check in CHECKS for text in check(page)]
    page.close()
    found += [f"without script: {text}" for text in without_script(browser, file, full)]
    return found + [f"file: {text}" for text in static_findings(file.read_text("utf-8"))]
