"""What can be said of a page's file without a browser."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

MOST_BYTES = 300_000
# Attributes by which a page loads something; a link that the reader may follow is none of them.
LOADS = {"src", "srcset", "poster", "data", "background", "action", "formaction", "manifest"}
LOADING_LINKS = {"link", "image", "use", "feimage", "base"}
# Attributes that name other elements, several of them where spaces part them.
POINTS = {
    "for", "list", "headers", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns",
    "aria-details", "aria-errormessage", "aria-flowto", "aria-activedescendant",
}  # fmt: skip
INSIDE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
STYLED = re.compile(r"url\(\s*['\"]?(?!#|data:)([^)'\"]+)|@import\s+['\"]([^'\"]+)")


class Tags(HTMLParser):
    """The tags of a page with their attributes, and the text of its styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.styles: list[str] = []
        self._in_style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        """Leave a style."""
        self._in_style = False

    def handle_data(self, data: str) -> None:
        """Keep what is a style."""
        if self._in_style:
            self.styles.append(data)


def loaded(text: str) -> list[str]:
    """Return every address that the page would load, its own parts and data: aside."""
    page, found = Tags(text), []
    for tag, attributes in page.tags:
        keys = LOADS | ({"href", "xlink:href"} if tag in LOADING_LINKS else set())
        found += [value for key, value in attributes.items() if key in keys]
        page.styles.append(attributes.get("style", ""))
    found += [a or b for style in page.styles for a, b in STYLED.findall(style)]
    return [address for address in found if address and not address.startswith(("#", "data:"))]


def twice(text: str) -> list[str]:
    """Return every id that more than one element has."""
    ids = Counter(attributes["id"] for _, attributes in Tags(text).tags if "id" in attributes)
    return [name for name, count in ids.items() if count > 1]


def lost(text: str) -> list[str]:
    """Return every id that something refers to and nothing has."""
    page = Tags(text)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    wanted: list[str] = INSIDE.findall(" ".join(page.styles))
    for _, attributes in page.tags:
        wanted += INSIDE.findall(" ".join(attributes.values()))
        wanted += [name for key in POINTS & attributes.keys() for name in attributes[key].split()]
        for key in ("href", "xlink:href"):
            if attributes.get(key, "").startswith("#") and len(attributes[key]) > 1:
                wanted.append(attributes[key][1:])
    return sorted(set(wanted) - ids)


def dead(file: Path) -> list[str]:
    """Return every link to a file of this machine that is not there, or lacks the place it names.

    What follows a question mark, or has an equals sign, is a state and no place.
    """
    found = []
    for tag, attributes in Tags(file.read_text("utf-8")).tags:
        address = attributes.get("href", "")
        if tag != "a" or re.match(r"[a-z]+:|#|$", address):
            continue
        name, _, place = address.partition("#")
        target, place = file.parent / unquote(name), place.partition("?")[0]
        if not target.is_file():
            found.append(f"{address} leads nowhere")
        elif place and "=" not in place and f'id="{place}"' not in target.read_text("utf-8"):
            found.append(f"{address} leads to no place in its page")
    return found


def too_large(text: str) -> list[str]:
    """Return the size of a page of the guide that is too large to be sent around."""
    size = len(text.encode())
    return [f"{size:,} bytes, limit {MOST_BYTES:,}"] if size >= MOST_BYTES else []


def static_findings(text: str) -> list[str]:
    """Return what is wrong with a page's file: what it loads, and its ids."""
    found = [f"loads {address}" for address in loaded(text)]
    found += [f"the id {name} is there twice" for name in twice(text)]
    return found + [f"nothing has the id {name} that something refers to" for name in lost(text)]
