"""A formula as functions over any words: NumPy's, torch's, JAX's, TensorFlow's.

The kernel is not the only machine that runs a rule. What depends on hyper-parameters and t alone
is one function here, called once a step and a tensor with numbers of 64 bits wherever they are to
be had; what is left is another, on whole arrays. Both are made of the text that the kernel is
woven from, and a home says what the words mean in it.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from adamas import words
from adamas.kernel.calls import DRAWN
from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target
from adamas.kernel.hoist import Hoisted, hoist, renamed
from adamas.kernel.scopes import ALL, ELEMENT, MATRICES, ONCE, REDUCTIONS

__all__ = ["ELEMENTWISE", "Bound", "refuse"]

# `clip` is spelled by two others where it is read.
ELEMENTWISE = tuple(w for w in words.__all__ if w not in (*REDUCTIONS, *MATRICES, *DRAWN, "clip"))
"""The words that a home gives for single elements; what reduces is in `totals`."""

Words = Mapping[str, Callable[..., Any]]
Values = tuple[Any, ...]


class Bound:
    """The functions of one formula, `once(...)` and `body(...)`, over words that a home gives.

    `once(t=, hyper-parameters, scalar states, what is given)` returns the `constants` of the body
    and the new values of those scalar states that are `following`, both as tuples in the order of
    these attributes. `body(p, g, *kept, *constants)` returns the new parameter and the new `kept`,
    which are the states of elements, then of rows, then of columns, and those scalar states that
    it `makes`. `second` says that it takes the array h after g.

    Where a formula `reduces`, its constants and what is not of elements should be in the widest
    dtype; states of rows and columns have all the dimensions of the parameter. `asks_first` says
    that some element may be in its first step while others are not.
    """

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self._parts = parts = hoist(formula)
        self.kept = (*formula.states, *formula.rows, *formula.columns)
        self.constants, self.following = tuple(parts.constants), tuple(parts.next_scalars)
        self.makes = tuple(s for s in formula.scalars if s not in parts.next_scalars)
        self.asks_first, self.reduces = parts.first is not None, bool(formula.over)
        self.second = "h" in formula.given

    def once(
        self, words: Words, number: Callable[[float], Any] = float
    ) -> Callable[..., tuple[Values, Values]]:
        """The function for once a step; `number` makes one of this home of each in the text.

        Both sides of a choice are evaluated, so the side not taken may divide by zero.
        """
        parts = self._parts
        made = [*parts.constants.values(), *parts.next_scalars.values()]
        count = len(parts.constants)
        numbers = _Numbers()
        lines = [f"{target(s)} = {numbers.text(s.value)}" for s in parts.prologue]
        shown = [numbers.text(value) for value in made]
        lines.append(f"return ({_listed(shown[:count])}), ({_listed(shown[count:])})")
        values = {name: number(value) for name, value in numbers.found.items()}
        given = dict.fromkeys(("t", *self._given(), *self.formula.hypers, *self.formula.scalars))
        return self._function("once", f"*, {', '.join(given)}, **_", lines, {**words, **values})

    def body(
        self, words: Words, narrow: Callable[[Any, Any], Any] = lambda value, like: value
    ) -> Callable[..., Values]:
        """The function on arrays; `narrow(value, p)` gives a coarser value the dtype of `p`.

        Sums are called with the name of what they go over, `over="tensor"` and so on, for whatever
        `scopes.REDUCTIONS` names; `orthogonalize` with what was divided by its norm already.
        """
        parts = self._parts
        lines = _reducing(parts) if self.reduces else list(map(ast.unparse, parts.body))
        outputs = [parts.outputs[name] for name in ("p", *self.kept, *self.makes)]
        lines.append(f"return ({_listed(outputs)})")
        second = ("h",) if self.second else ()
        arguments = ", ".join(("p", "g", *second, *self.kept, *parts.constants))
        return self._function("body", arguments, lines, {**words, "_narrow": narrow})

    def _given(self) -> tuple[str, ...]:
        return tuple(sorted(self.formula.given - {"h", "t"}))

    def _function(
        self, name: str, arguments: str, lines: list[str], namespace: dict[str, Any]
    ) -> Callable[..., Any]:
        source = f"def {name}({arguments}):\n" + "".join(f"    {line}\n" for line in lines)
        exec(compile(source, f"<{name} of {self.formula.name}>", "exec"), namespace)
        function: Callable[..., Any] = namespace[name]
        return function


def refuse(formula: Formula, where: str) -> None:
    """Raise ValueError for a rule that only kernels can step: the message says why.

    `where` says in whose words, as in "in JAX".
    """
    reason = ""
    if formula.draws:
        reason = "draws random numbers, which are the kernels' own"
    elif ALL in formula.over:
        reason = 'sums over all tensors (over="all"), and here each is stepped by itself'
    if reason:
        raise ValueError(
            f"{formula.name} {reason}: {where} it cannot be had yet. Step NumPy arrays with it, "
            "or parameters on the CPU with adamas.torch."
        )


class _Numbers(ast.NodeTransformer):
    """Give every number in an expression a name, and make a choice the word that takes arrays."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    def text(self, node: ast.expr) -> str:
        copy = ast.parse(ast.unparse(node), mode="eval").body
        return ast.unparse(self.visit(copy))

    def visit_Constant(self, node: ast.Constant) -> ast.Name:
        assert isinstance(node.value, int | float)
        name = f"_number_{len(self.found)}"
        self.found[name] = float(node.value)
        return ast.Name(name, ast.Load())

    def visit_IfExp(self, node: ast.IfExp) -> ast.Call:
        parts = [self.visit(one) for one in (node.test, node.body, node.orelse)]
        return ast.Call(ast.Name("where", ast.Load()), parts, [])


def _listed(names: list[str]) -> str:
    return "".join(f"{name}, " for name in names)


def _reducing(parts: Hoisted) -> list[str]:
    """The lines of a body in which elements read coarser numbers in their own dtype."""
    lines, narrow = [], dict[str, str]()
    for statement in parts.body:
        value = statement.value
        if parts.scopes[target(statement)] == ELEMENT:
            coarse = {n for n in names(value) if parts.scopes.get(n, ONCE) != ELEMENT}
            for name in sorted(coarse - narrow.keys()):
                narrow[name] = f"_narrow_{name}"
                lines.append(f"{narrow[name]} = _narrow({name}, p)")
            value = renamed(value, narrow)
        lines.append(f"{target(statement)} = {ast.unparse(value)}")
    return lines
