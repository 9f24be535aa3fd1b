"""The script of the pages: what is written by hand, and the formulas in JavaScript before it."""

import ast
import builtins
import inspect
import json
import math
import re
from collections.abc import Container, Mapping
from functools import cache
from importlib.resources import files
from types import ModuleType

import numpy as np

from adamas import dialects, rules
from adamas.engine.options import RESERVED
from adamas.kernel import advice
from adamas.kernel.formula import TAKEN_STATES, Formula, parse
from adamas.kernel.language import TAKEN, WORDS
from adamas.kernel.origin import CALLED_HERE
from adamas.learn import javascript, problems
from adamas.learn.javascript import function, rule, runs
from adamas.learn.text import SENTENCES
from adamas.schedule import shapes

# In this order; whatever is in `plays/` comes after them.
READER = ("reader_text", "reader_tree", "reader", "reader_rule")
FILES = ("runtime", "chart", "controls")
PLAYGROUND = ("playground", "playground_controls")
# torch is not asked what it has: the guide is built without it.
OF_TORCH = WORDS - {"rms", "total", "uniform", "normal", "orthogonalize"} | {
    "absolute",
    "arctan2",
    "clamp",
}


def formulas(names: Container[str]) -> str:
    """Return `RULES`, the rules and dialects of these names, the problems, and a schedule."""
    entries = ",\n".join(f"{n}: {rule(one)}" for n, one in _runs().items() if n in names)
    return f"const RULES = {{\n{entries}\n}};\n{problems.script()}{_schedule()}"


@cache
def _schedule() -> str:
    """`halfCosine`, the curve of `adamas.schedule.cosine`, of the finished steps."""
    (tree,) = ast.parse(inspect.getsource(shapes.half_cosine)).body
    assert isinstance(tree, ast.FunctionDef)
    numbers = {name: value for name, value in vars(shapes).items() if isinstance(value, float)}
    return f"const halfCosine = {function(tree, numbers)};\n"


def _names() -> list[tuple[ModuleType, str]]:
    # Dialects are rules of their own; what they share with `rules` is only their language.
    return [(module, name) for module in (rules, dialects) for name in module.__all__]


@cache
def _runs() -> Mapping[str, Formula]:
    """The rules and dialects that a page can run."""
    every = {name: parse(getattr(module, name)) for module, name in _names()}
    return {name: formula for name, formula in every.items() if runs(formula)}


@cache
def known_names() -> str:
    """Return `READER`: what the reader of a typed rule must know of names, from the kernel."""
    spoken = {both["en"]: key.removeprefix("reader.") for key, both in SENTENCES.items()}
    meant = sorted(WORDS | CALLED_HERE.keys())
    libraries: dict[str, object] = {"numpy": np, "numpy.linalg": np.linalg, "math": math}
    found = {
        name: [word for word in meant if hasattr(one, word)] for name, one in libraries.items()
    }
    found |= {"jax.numpy": found["numpy"], "torch": sorted(OF_TORCH), "torch.linalg": ["norm"]}
    entries = {
        "words": sorted(WORDS),
        "builtins": [name for name in dir(builtins) if name.islower() and name[0] != "_"],
        "libraries": found,
        "called_here": CALLED_HERE,
        "taken": sorted(TAKEN),
        "taken_states": sorted(TAKEN_STATES),
        "reserved": sorted(RESERVED),
        "reserved_here": sorted(javascript.RESERVED),
        "axes": advice.AXES,
        "instead": advice.INSTEAD,
        "missing": {name: spoken[sentence] for name, sentence in advice.MISSING.items()},
    }
    return f"const READER = {json.dumps(entries)};"


def written(name: str) -> str:
    """Return a file of the script."""
    return (files("adamas.learn") / "script" / name).read_text("utf-8")


@cache
def plays() -> str:
    """Return all figures to play with."""
    folder = files("adamas.learn") / "script" / "plays"
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".js"))
    return "\n".join(written(f"plays/{name}") for name in names)


@cache
def library() -> str:
    """Return all that the script knows, without a page to act on."""
    return _together(formulas({name for _, name in _names()}), plays())


@cache
def of_guide() -> str:
    """Return as much of the library as the guide's figures need: the rules that they name."""
    named = {name for _, name in _names() if re.search(rf"\b{name}\b", plays())}
    return _together(formulas(named), plays())


@cache
def base() -> str:
    """Return what the playground shares with figures: the rules, and the files for all."""
    return _together(formulas(set(rules.__all__)), "")


def _together(formulas: str, figures: str) -> str:
    return "\n".join(
        ['"use strict";', formulas, *(written(f"{name}.js") for name in FILES), figures]
    )


@cache
def reader() -> str:
    """Return what reads a typed rule; all but what is named here stays inside."""
    inside = "\n".join([known_names(), *(written(f"{name}.js") for name in READER)])
    given = "{ readRule, ownRule, faultsText, wide, LONGEST }"
    return f"const {given} = (() => {{\n{inside}\nreturn {given};\n}})();"


@cache
def playground() -> str:
    """Return what the playground knows besides `base`, without a page to act on."""
    return "\n".join([reader(), *(written(f"{name}.js") for name in PLAYGROUND)])


def page() -> str:
    """Return what binds the figures to a page, which runs in a browser only."""
    return written("page.js")


def playground_page() -> str:
    """Return what binds the playground to its page."""
    return written("playground_page.js")


def style(name: str = "learn") -> str:
    """Return a style, of figures to play with by default, and that of formulas."""
    folder = files("adamas.learn")
    return "".join((folder / f"{one}.css").read_text("utf-8") for one in ("formula", name))


def playground_style() -> str:
    """Return the style of the playground besides that of figures."""
    return (files("adamas.learn") / "playground.css").read_text("utf-8")
