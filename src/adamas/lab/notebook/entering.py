"""What a comparison was handed from Python, so that a plan can name it and any process rebuild it.

Texts stay what they are on the command line, so that both go on in each other's directories. Other
things are written to a file once, from which worker processes read them, and named by a hash of
their content.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from pathlib import Path
from threading import RLock
from types import FunctionType
from typing import Any

import numpy as np
from joblib import wrap_non_picklable_objects

import adamas
from adamas import rules
from adamas.classes import CLASSES
from adamas.define import Rule
from adamas.kernel.formula import parse
from adamas.lab.entrant_base import Entrant
from adamas.lab.entrants import entered, entrant, hand
from adamas.lab.foreign.arguments import RATES
from adamas.lab.foreign.finding import is_rule, parameters
from adamas.lab.names import own_name
from adamas.lab.needs import LabError
from adamas.lab.notebook.strangers import public, stranger, text_of
from adamas.lab.own import arrays, data_frame
from adamas.lab.own.content import UnknownError, content
from adamas.lab.own.data_frame import DataFrame
from adamas.lab.own.frame import Frame
from adamas.lab.own.from_python import check
from adamas.lab.own.loop import Train, is_loop, loop_problem
from adamas.lab.own.options import NOTHING_SAID, TableOptions
from adamas.lab.own.spec import Spec
from adamas.lab.own.tabular import tabular_problem
from adamas.lab.problems import Array, Problem
from adamas.show import USER_MODULE

try:
    from cloudpickle import register_pickle_by_value  # type: ignore[import-untyped]
except ImportError:  # until joblib 1.6 a part of it
    from joblib.externals.cloudpickle import register_pickle_by_value

Enterable = str | os.PathLike[str] | Problem | Train | tuple[Any, Any] | DataFrame
OptimizerLike = str | Rule | Callable[..., Any]
Source = Spec | tuple[Frame, TableOptions] | Problem
# The rules of adamas by the objects that stand for them, such as adamas.Adam.
NAMES = {getattr(adamas, name): rule.__name__ for name, rule in CLASSES.items()}
NAMES |= {getattr(rules, name): name for name in rules.__all__}
# What this process was handed last, by the file that it is kept in; for one thread at a time.
_HERE: dict[Path, Problem] = {}
_ONE = RLock()


@dataclass(frozen=True)
class Handed:
    """A problem that is kept in a file for worker processes, with the optimizers that it meets.

    `named` is its identity in a plan. `missing` is what has no hash, so that nobody can tell the
    problem from another one.
    """

    path: Path
    named: dict[str, Any]
    missing: str | None = None

    def identity(self) -> dict[str, Any]:
        """Return what a plan is hashed over."""
        return self.named

    def problem(self) -> Problem:
        """Return the problem, and let texts mean the optimizers it came with."""
        if self.path not in _HERE:
            source, entrants = pickle.loads(self.path.read_bytes())
            hand(entrants)
            _HERE.clear()
            _HERE[self.path] = built(source)
        return _HERE[self.path]

    def keep(self, source: Source, optimizers: Sequence[str]) -> bool:
        """Write the file, and return whether other processes can read it."""
        entrants = {text: entrant(text) for text in optimizers}
        sent = True
        # No other process has the modules that optimizers named by a file come from.
        for module in [one for name, one in sys.modules.items() if name.startswith(USER_MODULE)]:
            register_pickle_by_value(module)
        try:
            whole = wrap_non_picklable_objects((source, entrants), keep_wrapper=False)
            self.path.write_bytes(pickle.dumps(whole))
        except (pickle.PicklingError, TypeError, ValueError, AttributeError, RecursionError):
            sent = False
        if not sent or isinstance(source, Problem):  # the object itself, not a copy of it
            _HERE.clear()
            _HERE[self.path] = built(source)
        return sent


@contextmanager
def alone() -> Iterator[None]:
    """Let this thread alone compare; a comparison inside another gives back what was handed.

    Raises `LabError` while another thread compares.
    """
    if not _ONE.acquire(blocking=False):
        raise LabError("error.thread")
    problems, entrants = dict(_HERE), hand({})
    try:
        yield
    finally:
        _HERE.clear()
        _HERE.update(problems)
        hand(entrants)
        _ONE.release()


def built(source: Source) -> Problem:
    """Return the problem that was handed."""
    if isinstance(source, tuple):
        return tabular_problem(*source)
    return source.problem() if isinstance(source, Spec) else source


def entered_options(
    task: Any, drop: Any, group: Any, time: Any, rows: Any, encoding: Any
) -> TableOptions:
    """Return what was said of a table; columns may be named by numbers, as frames do.

    Raises ValueError or TypeError for what is no such value.
    """
    if task not in (None, "classification", "regression"):
        raise ValueError(f"task={task!r} is not known; give 'classification' or 'regression'")
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, Integral)):
        raise TypeError(f"rows={rows!r} is not a whole number")
    if not isinstance(encoding, str | None):
        raise TypeError(f"encoding={encoding!r} is not the name of an encoding")
    several = tuple(map(str, drop if isinstance(drop, list | tuple) else [drop]))
    left, right = (None if name is None else str(name) for name in (group, time))
    count = None if rows is None else int(rows)
    return TableOptions(task, several, left, right, count, encoding)


def entered_problem(
    problem: Enterable, target: str | None, path: Path, options: TableOptions = NOTHING_SAID
) -> tuple[Handed, Source]:
    """Return a problem ready to be named in a plan, and what is to be kept at `path`.

    Raises `LabError` for what cannot be trained, and TypeError for what is no problem.
    """
    if isinstance(problem, str | os.PathLike):
        spec = Spec(os.fspath(problem), target, options)
        return Handed(path, spec.identity()), spec.absolute()
    if data_frame.is_frame(problem):
        return _table(data_frame.read(problem, target), options, "frame", path)
    if target is not None:
        raise LabError("error.target_for_tables", option=f"--target {target}")
    if is_loop(problem):
        problem = loop_problem(problem, name=problem.__name__)  # type: ignore[arg-type, union-attr]
    if isinstance(problem, Problem):
        if options.first:
            raise LabError("error.target_for_tables", option=options.first)
        check(problem, problem.name, path)
        named = {"text": problem.name, "target": None, "python": "problem", "sha256": None}
        try:
            return Handed(path, named | {"sha256": content(problem)}), problem
        except UnknownError as error:
            return Handed(path, named, missing=str(error)), problem
    if not isinstance(problem, tuple) or len(problem) != 2:
        raise TypeError(
            "a problem is a name, a file, a data frame, (X, y), an adamas.lab.Problem, or a "
            f"function train(make_optimizer, seed, steps), not {type(problem).__name__}"
        )
    x, y = problem[0], _array(problem[1])
    if data_frame.is_frame(x):
        return _table(data_frame.beside(x, y), options, "(X, y)", path)
    x = _array(x)
    frame = arrays.framed(("X", x), ("y", y), "arrays", "")
    return _table(replace(frame, sha256=content((x, y))), options, "(X, y)", path)


def _array(value: Any) -> Array:
    """Return an array, of a tensor too; texts among Python objects are texts."""
    array = np.asarray(value.detach().cpu() if hasattr(value, "requires_grad") else value)
    if array.dtype == object and all(isinstance(one, str) for one in array.flat):
        return array.astype(np.str_)
    return array


def _table(
    frame: Frame, options: TableOptions, python: str, path: Path
) -> tuple[Handed, tuple[Frame, TableOptions]]:
    if options.encoding is not None:
        raise LabError("error.encoding_no_text", asked=options.encoding, file=frame.name)
    target = frame.target if python == "frame" else None
    named = {"text": frame.name, "target": target, "python": python, "sha256": frame.sha256}
    return Handed(path, named | options.identity()), (frame, options)


def entered_optimizers(
    optimizers: Iterable[OptimizerLike] | Mapping[str, OptimizerLike],
    reference: object,
    names: Mapping[OptimizerLike, str] | None = None,
) -> tuple[list[str], list[str], list[str] | None, dict[str, str]]:
    """Return optimizers as texts, which of these stand for functions, the references, and names.

    `optimizers` may be a mapping from names to optimizers, and `names` one from optimizers to
    names. From here on the texts mean those functions. Raises `LabError` for a function that is
    called as another rule is, FormulaError for one that is no rule, TypeError for what is no list,
    no optimizer, or a name that is no text.
    """
    handed: dict[str, Entrant] = {}
    own = optimizers if isinstance(optimizers, Mapping) else {}
    many = list(own.values()) if own else _listed("optimizers", optimizers)
    texts = [_name(one) or _handed(one, handed) for one in many]
    called = dict(zip(texts, own, strict=True)) if own else dict[str, str]()
    hand(handed)
    for one, name in (names or {}).items():
        called[_told(one)] = name
    if strange := [name for name in called.values() if not isinstance(name, str)]:
        raise TypeError(f"{strange[0]!r} is no name for an optimizer; give a text")
    if reference is None:
        return texts, list(handed), None, called
    given = {name: text for text, name in called.items()}
    listed = reference if isinstance(reference, list | tuple) else [reference]
    references = [given.get(_told(one), _told(one)) for one in _listed("reference", listed)]
    return texts, list(handed), references, called


def _told(one: object) -> str:
    """Return the text of an optimizer that takes part already."""
    return _name(one) or (text_of(one) if callable(one) else str(one))


def _listed(name: str, value: Any) -> list[Any]:
    """Return what an argument lists; a text alone or an empty list is none."""
    found = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else []
    if not found:
        raise TypeError(f"{name}={value!r} is no list of optimizers; give one such as ['adam']")
    return found


def _name(one: object) -> str | None:
    """Return the text that is an optimizer already, or names one of adamas or of a package."""
    if isinstance(one, str):
        return own_name(one)
    known = next((name for known, name in NAMES.items() if known is one), None)
    return known or public(one)


def _handed(one: object, handed: dict[str, Entrant]) -> str:
    """Return the text of the user's own optimizer, under which it is added to `handed`."""
    # Of a function that is neither, the formula's reader says why it is no rule.
    neither = isinstance(one, FunctionType) and not set(RATES) & set(parameters(one))
    rule: Any = one.func if isinstance(one, partial) and not one.args else one
    if is_rule(rule) or neither:
        formula = rule.formula if isinstance(rule, Rule) else parse(rule)
        fixed = one.keywords if isinstance(one, partial) else {}
        pairs = [(name, str(value)) for name, value in fixed.items()]
        made: Entrant = entered(text_of(one, formula.name), formula, pairs)
    elif callable(one):
        made = stranger(one)
    else:
        raise TypeError(f"{one!r} is no optimizer; give a name, a class, a function, or a rule")
    if made.text in handed or made.text in rules.__all__:
        raise LabError("error.rule_names", rule=made.text)
    handed[made.text] = made
    return made.text
