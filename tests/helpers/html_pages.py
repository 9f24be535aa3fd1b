"""Reads a page of the lab as a browser would: do tags nest, what does it load, what is where."""

import re
from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "input", "wbr"}
LOADING = {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "source"}


class Page(HTMLParser):
    """A parsed page; feeding it one whose tags do not close in order fails."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.labels: list[str] = []
        self.tags: Counter[str] = Counter()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what must be closed."""
        if tag not in VOID:
            self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect ids and references."""
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids[str(value)] += 1
            if name in ("href", "src"):
                self.links.append(str(value))
            if name == "aria-labelledby":
                self.labels.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        """Close the tag opened last."""
        assert self.open.pop() == tag

    @property
    def words(self) -> str:
        """Return what a reader reads, without tags and style."""
        return re.sub(r"<style>.*?</style>|<[^>]+>", " ", self.text, flags=re.DOTALL)

    @property
    def targets(self) -> set[str]:
        """Return every id that something on the page refers to."""
        inner = {link.removeprefix("#") for link in self.links if link.startswith("#")}
        return inner | set(self.labels) | set(re.findall(r"url\(#([^)]+)\)", self.text))
