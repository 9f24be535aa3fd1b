"""The script of the pages: what is written by hand, and the formulas in JavaScript before it."""

from functools import cache
from importlib.resources import files
from types import ModuleType

from adamas import dialects, rules
from adamas.kernel.formula import parse
from adamas.learn import problems
from adamas.learn.javascript import rule

# In this order; whatever is in `plays/` comes after them.
FILES = ("runtime", "chart", "controls")


@cache
def formulas() -> str:
    """Return `RULES`, every rule and every dialect by name, and the problems."""
    entries = ",\n".join(f"{name}: {rule(parse(getattr(m, name)))}" for m, name in _names())
    return f"const RULES = {{\n{entries}\n}};\n{problems.script()}"


def _names() -> list[tuple[ModuleType, str]]:
    # Dialects are rules of their own; what they share with `rules` is only their language.
    return [(module, name) for module in (rules, dialects) for name in module.__all__]


@cache
def library() -> str:
    """Return all that the script knows, without a page to act on."""
    folder = files("adamas.learn") / "script"
    plays = sorted(one.name for one in (folder / "plays").iterdir() if one.name.endswith(".js"))
    names = [f"{name}.js" for name in FILES] + [f"plays/{name}" for name in plays]
    texts = [
        folder.joinpath(name).read_text("utf-8") for name in names if (folder / name).is_file()
    ]
    return "\n".join(['"use strict";', formulas(), *texts])


def page() -> str:
    """Return what binds the figures to a page, which runs in a browser only."""
    return (files("adamas.learn") / "script" / "page.js").read_text("utf-8")


def style() -> str:
    """Return the style of figures to play with."""
    return (files("adamas.learn") / "learn.css").read_text("utf-8")
