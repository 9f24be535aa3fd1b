"""The texts of a page, and the cells of its tables."""

import re
from html.parser import HTMLParser

# What a page must not show: a number that was never there, or a name that was never filled in. In
# quotes it is a value of the table.
HOLLOW = re.compile(r"(?<!['\w])(?:nan|None|null|undefined|inf)(?!['\w])|\{[a-z_]+\}")
UNSEEN = {"script", "style", "title"}
EMPTY = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Cells(HTMLParser):
    """All tables of a page as rows of texts, and all text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        if tag in EMPTY:
            return
        self.inside.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those in it that were never closed."""
        while tag in self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep a text that is seen."""
        if UNSEEN & {*self.inside}:
            return
        self.texts.append(data)
        if {"td", "th"} & {*self.inside} and self.tables and self.tables[-1]:
            self.tables[-1][-1][-1] += data

    def about(self, name: str, head: str) -> dict[str, str]:
        """Return what stands beside a name, by the heads of the columns, of which `head` is one."""
        for names, *rows in filter(None, self.tables):
            for row in rows:
                if head in names and row and row[0].strip() == name:
                    return {key: cell.strip() for key, cell in zip(names, row, strict=False)}
        return {}

    def says(self, text: str) -> bool:
        """Return whether a text, without the marks of code, stands on the page."""
        return text.replace("`", "").strip() in "".join(self.texts)

    def hollow(self) -> set[str]:
        """Return what the texts show that was never filled in."""
        return {found for text in self.texts for found in HOLLOW.findall(text)}
