"""The guide's pages as they ship; `test_learn_built` holds them to what a build makes today."""

from places import PACKAGE

SHIPPED = PACKAGE / "learn" / "built"


def shipped(name: str) -> str:
    """Return the text of one page, such as "learn/en.html"."""
    return (SHIPPED / name).read_text("utf-8")
