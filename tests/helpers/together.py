"""The float64 oracle of a rule over a list of tensors, whose sums over all of them are over all."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adamas import words
from adamas.kernel.formula import parse, target
from adamas.kernel.reference import Reference, compiled, execute
from adamas.kernel.scopes import ALL, reduction
from foreign import Array


class Together:
    """One float64 run for each tensor, line by line side by side."""

    def __init__(self, rule: Callable[..., Any], params: Sequence[Array]) -> None:
        self.formula = parse(rule)
        self.runs = [Reference(self.formula, p) for p in params]

    def step(self, grads: Sequence[Array | None]) -> None:
        """Step the tensors that have a gradient; the others only share what is of all."""
        moving = [k for k, g in enumerate(grads) if g is not None]
        every = [self.runs[k].begin(np.asarray(grads[k], np.float64)) for k in moving]
        for statement in self.formula.statements:
            over_all(statement, every) or [execute([compiled(statement)], one) for one in every]
        for k, names in zip(moving, every, strict=True):
            self.runs[k].end(names)
        for k in range(len(self.runs)) if moving else ():
            if k not in moving:
                shared = {name: self.runs[moving[0]].state[name] for name in self.formula.shared}
                self.runs[k].state.update(shared)


def over_all(statement: ast.Assign, every: Sequence[dict[str, Any]]) -> bool:
    """Give each tensor the sum of all, if this is one: the word, of the numbers of all in a row."""
    found = reduction(statement.value)
    if found is None or found.over != ALL:
        return False
    line = ast.Assign([ast.Name("argument_", ast.Store())], found.argument, lineno=1)
    parts = [np.zeros(0)]
    for names in every:
        execute([compiled(line)], names)
        parts.append(np.ravel(names["argument_"]))
    with np.errstate(all="ignore"):
        value = getattr(words, found.word)(np.concatenate(parts))
    for names in every:
        names[target(statement)] = value
    return True
