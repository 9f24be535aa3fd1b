"""What of a Chinese page is English: read as a reader reads it, tooltips and pictures included."""

import re
from html.parser import HTMLParser

# Read as they are in every language.
SKIPPED_TAGS = ("style", "code", "pre")
# Attributes that a screen reader or a tooltip says.
SPOKEN = ("aria-label", "title", "alt")
# Words that make an English phrase of what would else be a few names.
GLUE = (
    r"\b(?:a|an|and|are|as|at|beside|but|by|each|for|from|has|have|if|in|is|it|its|no|not|of|on|or|so"
    r"|than|that|the|their|there|this|to|was|were|which|with|without|your)\b"
)
RUN = re.compile(r"[A-Za-z][A-Za-z'’]*(?:[,;:]? [A-Za-z][A-Za-z'’]*){2,}")
GLUED = re.compile(GLUE, re.IGNORECASE)
# Names that stay Latin on a Chinese page, each with the reason.
NAMES = {
    r"pip install [^；。]*": "a command",
    r"adamas \w[-\w]*( [-<>\w./]+)*": "a command",
    r"On the Convergence of Adam and Beyond": "the title of a cited paper",
    r"H\. H\. Rosenbrock, The Computer Journal": "a citation",
    r"Barto、Sutton 与 Anderson": "authors",
    r"Linux \S+|Example CPU @ 2 GHz": "the machine as it names itself",
}
ALLOWED = re.compile("|".join(NAMES))


class Reader(HTMLParser):
    """Collects the texts of a page, one for each element that holds text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._skipped: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what attributes say; step into what is not read."""
        if tag in SKIPPED_TAGS:
            self._skipped.append(tag)
        self.texts += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        """Step out of what is not read."""
        if self._skipped and tag == self._skipped[-1]:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        """Collect what is read."""
        if not self._skipped and data.strip():
            self.texts.append(data.strip())


def english(page: str) -> list[str]:
    """Return every text of a page that has three English words in a row, or one that joins them."""
    # Citations and licences are in the language of their source.
    cited = re.compile(r'<div class="prose">.*?</div></div>', re.DOTALL)
    # Where a long name may break is no end of it.
    whole = cited.sub("", page).replace("<wbr>", "")
    texts = [ALLOWED.sub(" ", text) for text in Reader(whole).texts]
    return [text for text in texts if RUN.search(text) or GLUED.search(text)]
