"""Functions beside a rule are put in its place: a formula is one text, and calls nothing.

What Python runs is the function's own text, with its arguments for its names; whatever else a call
may mean, another file's function, a decorator's or one that calls itself, is a fault.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from adamas.kernel.flatten import Known, Statements
from adamas.kernel.language import Read
from adamas.kernel.nodes import signed
from adamas.kernel.origin import defaults, number, same_text
from adamas.kernel.text import NoTextError

WRITE = "Write what it does into the rule, or as a `def` in the rule's own file."
MOST = 1000
"""Calls in one rule: functions that call others twice, and those others, would never end."""


@dataclass
class Reader(Statements):
    """Reads a rule or a function that it calls; `within` are those whose call this is inside."""

    within: tuple[CodeType, ...] = ()
    trees: dict[CodeType, ast.FunctionDef] = field(default_factory=dict)

    @property
    def instead(self) -> str:
        """What an unknown name may be made; a function that is called knows no state."""
        if not self.free:
            return super().instead
        name = self.function.__name__
        return f"Make it an argument of {name!r}, or a number above it, or assign it first."

    def helper(self, node: ast.Call, function: Any) -> Sequence[Read]:
        """What the function returns for these arguments; empty where the call is a fault."""
        tree = self.tree(node.func, function)
        if tree is None:
            return []
        known = self.arguments(node, tree, function)
        if known is None:
            return []
        self.shared.calls += 1
        reader = Reader(
            self.shared, function, known, self.block, nested=True, free=True,
            within=(*self.within, function.__code__), trees=self.trees,
        )  # fmt: skip
        *body, last = tree.body[1 if ast.get_docstring(tree) is not None else 0 :] or [ast.Pass()]
        reader.statements(body)
        if isinstance(last, ast.Return) and last.value is not None:
            return reader.values(last.value)
        name = tree.name
        self.fault(tree, f"{name!r} does not return", f"End {name} with `return ...`.")
        return []

    def tree(self, node: ast.expr, function: Any) -> ast.FunctionDef | None:
        """The text of a function, if that is all it does; None where it is a fault."""
        problem = self.foreign(ast.unparse(node), function)
        if problem:
            self.fault(node, *problem)
            return None
        code = function.__code__
        if code not in self.trees:
            try:
                tree = self.shared.text.read(function)
            except NoTextError as error:
                self.fault(node, f"{function.__name__!r}: {error.problem}", error.advice)
                return None
            if not isinstance(tree, ast.FunctionDef):
                advice = "Write it as `def name(x, y): ...`."
                self.fault(node, f"{ast.unparse(node)!r} is not a plain function", advice)
                return None
            if not same_text(tree, function):
                self.fault(
                    node,
                    f"the text of {function.__name__!r} is not what Python runs: the file was "
                    "edited after it was imported, or the function was changed",
                    "Import the file again, or start a new process.",
                )
                return None
            self.trees[code] = tree
        return self.trees[code]

    def foreign(self, name: str, function: Any) -> tuple[str, str] | None:
        """Why a function cannot be put in the place of its call, and what to do."""
        if not isinstance(function, FunctionType):
            kind = type(function).__name__
            return f"{name!r} is no plain function, but of type {kind}", WRITE
        if hasattr(function, "__wrapped__"):
            return (
                f"a decorator has put another function around {name!r}",
                "Remove the decorator, or write what it does into the function.",
            )
        if function.__globals__ is not self.function.__globals__:
            return f"{name!r} is a function of another file", WRITE
        if function.__code__ in self.within:
            return f"{name!r} calls itself", "Write the values out, line by line."
        if self.shared.calls >= MOST:
            return f"the rule calls more than {MOST} functions", "Write the values out."
        return None

    def arguments(
        self, node: ast.Call, tree: ast.FunctionDef, function: FunctionType
    ) -> Known | None:
        """What the names of the function are at first; None where the call does not fit it."""
        given = tree.args
        for star in (given.vararg, given.kwarg):
            if star:
                self.fault(star, f"{star.arg!r} stands for any argument", "Name every argument.")
                return None
        only = [a.arg for a in given.kwonlyargs]
        named = [a.arg for a in given.args]
        positional = [*(a.arg for a in given.posonlyargs), *named]
        begun = dict(zip(positional, node.args, strict=False))
        later = {k.arg: k.value for k in node.keywords if k.arg is not None}
        begins = defaults(function)
        missing = {*positional, *only} - {*begun, *later, *begins}
        twice = len(node.args) > len(positional) or {*later} & {*begun}
        known_here = all(k.arg in (*named, *only) for k in node.keywords)
        starred = any(isinstance(argument, ast.Starred) for argument in node.args)
        if missing or twice or starred or not known_here:
            self.fault(
                node,
                f"this call does not fit {tree.name!r}",
                f"Its arguments are `{ast.unparse(given)}`.",
            )
            return None
        known: Known = {}
        for name, argument in {**begun, **later}.items():
            value = self.expression(argument)
            known[name] = Read(self.named(name.strip("_") or "value", value.node), value.truth)
        for name in [one for one in (*positional, *only) if one not in known]:
            found = number(begins[name])
            if found is None:
                place = next(a for a in ast.walk(given) if isinstance(a, ast.arg) and a.arg == name)
                problem = f"the default {begins[name]!r} of {name!r} is not a finite number"
                self.fault(place, problem, f"Write `{name}=0.9`.")
            known[name] = Read(signed(1.0 if found is None else found), False)
        return known
