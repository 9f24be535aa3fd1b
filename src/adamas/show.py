"""The kernel that a rule becomes, as text."""

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from adamas import rules
from adamas.cli_text import SENTENCES
from adamas.codecs import BFLOAT16_RANDOM, CODECS, FLOAT32, find, stored
from adamas.define import Rule
from adamas.engine.options import formula_of
from adamas.kernel.build import adamas_version
from adamas.kernel.formula import Formula, FormulaError, parse
from adamas.kernel.kinds import kinds
from adamas.kernel.layout import Layout
from adamas.kernel.processors import here
from adamas.kernel.traffic import Pass, passes
from adamas.kernel.weave import weave
from adamas.pages.sentences import Both, filled
from adamas.pages.told import TranslatedError

__all__ = ["ShowError", "find_rule", "kernel_source", "layout_of", "listing", "moved"]

# What the modules of users' files are called, before the file's name.
USER_MODULE = "adamas_user_"


class ShowError(TranslatedError, ValueError):
    """A rule that cannot be found or shown, in one sentence that says what to do."""

    SENTENCES = SENTENCES


def listing(language: str = "en") -> str:
    """Every rule with its state and the first sentence of its docstring, in "en" or "zh".

    A state that is kept in full even where few bits are asked for is marked with a star.
    """
    lines = []
    for name in rules.__all__:
        function = getattr(rules, name)
        if "g" not in inspect.signature(function).parameters:
            continue
        formula = parse(function)
        found = kinds(formula)
        kept = [f"{k}*" if k in found and found[k].exact else k for k in formula.initial]
        sentence = SENTENCES[f"rule.{name}"][language]
        lines.append(f"{name:20} {', '.join(kept) or '-'}\n    {sentence}")
    return "\n".join([*lines, SENTENCES["show.exact"][language]])


def find_rule(name: str) -> Formula:
    """The formula called `name`: a rule of the family, or `file.py:function`.

    Raises ValueError that lists the rules, or names the file or the function that is missing, or
    says why the file cannot be imported.
    """
    file, colon, function = name.rpartition(":")
    if not colon:
        if name not in rules.__all__:
            raise ShowError("refused.no_rule", name=name, names=", ".join(rules.__all__))
        return parse(getattr(rules, name))
    found = load_from(Path(file), function)
    return formula_of(found)


def load_from(path: Path, function: str) -> Rule | Callable[..., Any]:
    """What `function` is in the Python file `path`.

    Raises ValueError if either does not exist, if it is no function, or with the error and its line
    if the file cannot be run.
    """
    found: Rule | Callable[..., Any] | None = getattr(load_module(path), function, None)
    if found is None:
        raise ShowError("refused.no_function", path=path, name=function)
    if not callable(found):
        kind = type(found).__name__
        raise ShowError("refused.not_function", path=path, name=function, kind=kind)
    return found


def load_module(path: Path) -> ModuleType:
    """The Python file `path`, run as a module.

    Raises ValueError if there is no such file, or with the error and its line if it cannot be run.
    """
    spec = importlib.util.spec_from_file_location(f"{USER_MODULE}{path.stem}", path)
    if not os.path.isfile(path) or spec is None or spec.loader is None:
        raise ShowError("refused.not_python", path=path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except FormulaError:
        # It names the place itself, with a caret.
        raise
    except (Exception, SystemExit) as error:
        raise ShowError("refused.failed", path=path, error=described(error, path)) from error
    return module


def described(error: BaseException, path: Path) -> Both:
    """An error of somebody's file in one line: its kind, its words, and the last line it passed.

    The words are the error's own, in whatever language they are; around them is every language.
    """
    trace, own = extract_tb(error.__traceback__), (path, path.absolute())
    passed = [one.lineno for one in trace if Path(one.filename) in own]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(passed), None)
    said = " ".join(str(error).split()) or SENTENCES["error.silent"]
    text = filled(SENTENCES["error.said"], kind=type(error).__name__, words=said)
    return filled(SENTENCES["error.at"], text=text, line=line) if line else text


def layout_of(formula: Formula, dtype: str = "float32", state: str | None = None) -> Layout:
    """The formats of parameters and gradients of `dtype`, and of the state stored as `state`.

    Raises ValueError naming a storage format that does not exist, or that no parameter can have.
    """
    gradient = find(dtype)
    parameter = BFLOAT16_RANDOM if dtype == "bfloat16" else gradient
    form = state or ("float32" if dtype == "bfloat16" else dtype)
    stored(form, "exact")  # a rule without state has a format too, which must exist
    if dtype == "float16":
        raise ShowError("refused.float16")
    found = [stored(form, kind.name) for kind in kinds(formula).values()]
    kept = tuple(gradient if codec is FLOAT32 and dtype == "float64" else codec for codec in found)
    second = CODECS["float64" if dtype == "float64" else "float32"]
    return Layout(parameter, gradient, kept, second=second if "h" in formula.given else None)


def kernel_source(formula: Formula, dtype: str = "float32", state: str | None = None) -> str:
    """The source of the kernel for arrays in the formats of `layout_of`; raises as it does."""
    return weave(formula, layout_of(formula, dtype, state), adamas_version(), here()).source


def moved(
    formula: Formula, dtype: str = "float32", state: str | None = None, language: str = "en"
) -> str:
    """What a step of that kernel moves, in one line of "en" or "zh", with default settings."""
    return _told(passes(formula, layout_of(formula, dtype, state)))[language]


def _told(made: list[Pass]) -> Both:
    """The bytes of a step in words, to a hundredth of one."""
    total = round(sum(one.moved for one in made), 2)
    if len(made) == 1:
        return filled(SENTENCES["moved.one"], total=total)
    each = " + ".join(f"{round(one.moved, 2):g}" for one in made)
    count = SENTENCES.get(f"moved.{len(made)}", str(len(made)))
    return filled(SENTENCES["moved.many"], total=total, each=each, count=count)
