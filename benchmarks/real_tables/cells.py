"""The texts of a page, and the cells of its tables."""

import re
from html.parser import HTMLParser

# What a page must not show: a number that was never there, or a name that was never filled in.
HOLLOW = re.compile(r"\b(?:nan|None|null|undefined|inf)\b|\{[a-z_]+\}")
UNSEEN = {"script", "style", "title"}
EMPTY = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Cells(HTMLParser):
    """The rows of all tables of a page as texts, and all text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        if tag in EMPTY:
            return
        self.inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those in it that were never closed."""
        while tag in self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep a text that is seen."""
        if UNSEEN & {*self.inside}:
            return
        self.texts.append(data)
        if {"td", "th"} & {*self.inside} and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def about(self, name: str) -> str:
        """Return what the first row of a table that begins with a name says in its other cells."""
        row = next((row for row in self.rows if row and row[0].strip() == name), [])
        return " · ".join(text for text in map(str.strip, row[1:]) if text)

    def hollow(self) -> set[str]:
        """Return what the texts show that was never filled in."""
        return {found for text in self.texts for found in HOLLOW.findall(text)}
