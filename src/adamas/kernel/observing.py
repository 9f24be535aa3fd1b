"""What a step did, made part of the rule: norms that kernels, threads and ranks sum up as any."""

import ast
from dataclasses import replace
from functools import lru_cache

from adamas.kernel.first import names
from adamas.kernel.formula import Formula, fresh, target
from adamas.kernel.scopes import matrix, reduction

NOTED = ("update", "weight", "gradient")
"""What is noted of each tensor, in the order of `Formula.noted`."""
UNKNOWN = float("nan")


@lru_cache
def with_observation(formula: Formula) -> Formula:
    """The same rule, which also notes the norms of its step, once for each tensor.

    The update is the new parameter minus the old one, the weight the old one, the gradient what the
    rule was given; all in the dtype of the arithmetic, before a new parameter is rounded to a
    narrower format. They are `noted`, in the order of `NOTED`, and NaN until a step was done.
    """
    taken = {"p", "g", "t", *formula.initial, *formula.hypers, *formula.given}
    taken = taken.union(*map(names, formula.statements), map(target, formula.statements))
    made: list[str] = []
    for base in (*NOTED, *(f"{what}_norm" for what in NOTED), "before", "moved"):
        made.append(fresh(base, taken))
        taken.add(made[-1])
    noted, (update, weight, gradient, before, moved) = tuple(made[:3]), made[3:]
    first = f"{weight} = norm(p, over='tensor')\n{gradient} = norm(g, over='tensor')\n{before} = p"
    last = f"{moved} = {formula.outputs['p']} - {before}\n{update} = norm({moved}, over='tensor')"
    return replace(
        formula,
        scalars=(*formula.scalars, *noted),
        initial={**formula.initial, **dict.fromkeys(noted, UNKNOWN)},
        statements=(*_lines(first), *formula.statements, *_lines(last)),
        outputs={**formula.outputs, **dict(zip(noted, (update, weight, gradient), strict=True))},
        noted=noted,
    )


def who_sums(formula: Formula) -> str:
    """Who asks for sums over tensors: the rule, or else the option that makes it note norms."""
    asking = [s for s in formula.statements if reduction(s.value) or matrix(s.value)]
    return formula.name if len(asking) > len(formula.noted) else "observe=True"


def _lines(text: str) -> list[ast.Assign]:
    return [s for s in ast.parse(text).body if isinstance(s, ast.Assign)]
