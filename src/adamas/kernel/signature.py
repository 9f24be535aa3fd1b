"""The signature of a rule: its states with their first values, and its hyper-parameters."""

import ast
import math
from collections.abc import Mapping, Sequence, Set
from numbers import Real
from types import FunctionType
from typing import NamedTuple, TypeAlias

from adamas.kernel.language import GIVEN, TAKEN
from adamas.kernel.origin import defaults
from adamas.kernel.text import Text

# What the state of a tensor keeps besides, under these names.
TAKEN_STATES = frozenset({"step", "rounding", "stepped", "memory_order"})

Defaults: TypeAlias = Mapping[str, object]
MISSING = object()


class Signature(NamedTuple):
    """States and hyper-parameters in their order, and the numbers of a step that are `given`."""

    states: dict[str, float]
    hypers: dict[str, float]
    given: tuple[str, ...]


def read_signature(
    text: Text, tree: ast.FunctionDef, function: FunctionType, reserved: Set[str]
) -> Signature:
    """Read the arguments of a rule; raises `FormulaError` if it does not begin with `p, g`."""
    arguments = tree.args
    for star in (arguments.vararg, arguments.kwarg):
        if star:
            text.fault(star, f"{star.arg!r} stands for any argument", "Name every argument.")
    positional = [*arguments.posonlyargs, *arguments.args]
    for k, name in enumerate("pg"):
        if k >= len(positional) or positional[k].arg != name:
            text.refuse(
                positional[k] if k < len(positional) else tree,
                "the first two arguments must be `p, g`",
                "p is the parameter, g its gradient; the other positional names are the state, "
                "the hyper-parameters follow after `*`.",
            )
    begin = defaults(function)
    only = arguments.kwonlyargs
    asked = tuple(name for name in GIVEN if name in {a.arg for a in only} - begin.keys())
    return Signature(
        _states(text, positional[2:], begin), _hypers(text, only, begin, reserved), asked
    )


def _states(text: Text, nodes: Sequence[ast.arg], given: Defaults) -> dict[str, float]:
    states: dict[str, float] = {}
    for node in nodes:
        if node.arg == "t":
            text.fault(node, "t is the step, not a state", "Write it after `*`: `*, t, lr=1e-3`.")
        _check_argument(text, node, TAKEN_STATES)
        default = given.get(node.arg, MISSING)
        states[node.arg] = 0.0 if default is MISSING else _finite(text, node, default)
    return states


def _hypers(
    text: Text, nodes: Sequence[ast.arg], given: Defaults, reserved: Set[str]
) -> dict[str, float]:
    hypers: dict[str, float] = {}
    for node in nodes:
        default = given.get(node.arg, MISSING)
        if node.arg == "t" and default is not MISSING:
            text.fault(node, "t is the step and has no default", "Write `t` alone.")
            continue
        if node.arg in GIVEN and default is MISSING:
            continue
        _check_argument(text, node, reserved)
        if default is MISSING:
            advice = f"Write `{node.arg}=0.9`."
            text.fault(node, f"hyper-parameter {node.arg!r} has no default", advice)
        hypers[node.arg] = 0.0 if default is MISSING else _finite(text, node, default)
    return hypers


def _check_argument(text: Text, node: ast.arg, taken: Set[str]) -> None:
    if node.arg in TAKEN or node.arg.startswith("_"):
        problem = f"the name {node.arg!r} is taken by the machinery"
        text.fault(node, problem, "Choose another name.")
    if node.arg in taken:
        text.fault(node, f"the optimizer itself has a {node.arg!r}", "Choose another name.")


def _finite(text: Text, node: ast.arg, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        text.fault(
            node,
            f"the default {value!r} of {node.arg!r} is not a number",
            f"Write `{node.arg}=0.9`.",
        )
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        number = -math.inf if value < 0 else math.inf
    if not math.isfinite(number):
        text.fault(node, f"the default of {node.arg!r} is {number}", "Choose a finite one.")
    return number
