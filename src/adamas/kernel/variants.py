"""One rule made of another by changing its formula: what an option adds is written once, here."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from adamas.kernel.first import names, starts
from adamas.kernel.formula import Formula, FormulaError, fresh, scoped, target
from adamas.kernel.orthogonal import of_vector
from adamas.kernel.scopes import COLUMN, ROW, TENSOR, matrix, reduction, scope

# `g = g + weight_decay * p`, whichever way round.
PENALTIES = frozenset({
    "g + weight_decay * p", "g + p * weight_decay", "weight_decay * p + g", "p * weight_decay + g",
})  # fmt: skip


def decoupled(formula: Formula) -> Formula:
    """The same rule, which decays the parameter directly instead of through the gradient.

    `g = g + weight_decay * p` becomes `p = (1 - lr * weight_decay) * p`, as `adam` becomes `adamw`
    (Loshchilov & Hutter 2019, Algorithm 2, the decay multiplied by lr as in torch). Raises
    `FormulaError` for a rule without that line, for one that needs its decay elsewhere too, and
    for one without an lr.
    """
    statements = list(formula.statements)
    place = next((k for k, s in enumerate(statements) if _penalty(s)), None)
    if place is None:
        reason = "no line of it is `g = g + weight_decay * p`"
    elif missing := {"lr", "weight_decay"} - formula.hypers.keys():
        reason = f"it has no hyper-parameter {min(missing)!r}"
    elif changed := {"p", "g", "lr", "weight_decay"} & set(map(target, statements[:place])):
        reason = f"it assigns {min(changed)!r} before the line that adds the decay"
    elif any("weight_decay" in names(s) for s in (*statements[:place], *statements[place + 1 :])):
        reason = "it reads or assigns weight_decay in more than one line"
    else:
        statements[place] = _lines("p = (1 - lr * weight_decay) * p")[0]
        first, *rest = formula.name.split("_")
        begun = starts(statements, formula.states, formula.hypers)
        return replace(
            formula,
            name="_".join((f"{first}w", *rest)),
            statements=tuple(statements),
            starts={**formula.starts, **begun},
        )
    raise FormulaError(
        f"rule {formula.name!r}: its decay cannot be decoupled: {reason}.\n"
        "  Write `g = g + weight_decay * p` as its first line, with lr and weight_decay among the "
        "hyper-parameters,\n  or decay the parameter in the rule itself, as `adamw` does."
    )


def _penalty(statement: ast.Assign) -> bool:
    return target(statement) == "g" and ast.unparse(statement.value) in PENALTIES


@lru_cache
def of_vectors(formula: Formula) -> Formula:
    """The same rule for tensors of fewer than two dimensions, which are one column.

    Each element is a row of its own, so that what is over a row is the element itself; what is
    over the column is over the tensor. States follow: what was kept once a row is kept for every
    element, and what was kept once a column is one number.
    """
    if not formula.rowwise:
        return formula
    known, made = formula.scopes, list[ast.Assign]()
    taken = {*formula.initial, *formula.hypers, *map(target, formula.statements)}
    for statement in formula.statements:
        square = matrix(statement.value)
        parts = of_vector(statement, square, taken) if square else [_of_vector(statement, known)]
        made, taken = [*made, *parts], taken | set(map(target, parts))
        known[target(statement)] = scope(statement.value, known)
    return scoped(replace(formula, statements=tuple(made)))


def _of_vector(statement: ast.Assign, known: Mapping[str, str]) -> ast.Assign:
    found = reduction(statement.value)
    if found is None:
        return statement
    # There is one column, whose number is the tensor's already.
    alone = found.over == TENSOR and scope(found.argument, known) == COLUMN
    if found.over not in (ROW, COLUMN) and not alone:
        return statement
    value: ast.expr
    if found.over == COLUMN:
        value = ast.Call(
            ast.Name(found.word, ast.Load()),
            [found.argument],
            [ast.keyword("over", ast.Constant(TENSOR))],
        )
    elif found.word in ("norm", "rms"):
        value = ast.Call(ast.Name("abs", ast.Load()), [found.argument], [])
    else:
        value = found.argument
    return ast.Assign(statement.targets, value, lineno=1)


@lru_cache
def with_average(formula: Formula) -> Formula:
    """The same rule, which also keeps an exponential moving average of the parameter.

    The average is one more state: `average = p` at the first step, afterwards
    `ema * average + (1 - ema) * p` with the new parameter (Polyak & Juditsky 1992; as torch's
    `AveragedModel` with an EMA function). Raises ValueError for a rule that has such a state.
    """
    if "average" in formula.initial:
        raise ValueError(f"{formula.name} has a state 'average' of its own: rename it to use ema.")
    taken = {"p", "g", "t", *formula.initial, *formula.hypers}
    taken = taken.union(*map(names, formula.statements))
    # The rule may have used these names for something else by the time it ends.
    share, new, before, after = (
        fresh(n, taken) for n in ("kept", "begins", "average_before", "average_next")
    )
    first = _lines(f"{share} = ema\n{new} = t == 1\n{before} = average")
    p = formula.outputs["p"]
    last = _lines(f"{after} = {p} if {new} else {share} * {before} + (1 - {share}) * {p}")
    return replace(
        formula,
        name=f"{formula.name}_with_average",
        states=(*formula.states, "average"),
        initial={**formula.initial, "average": 0.0},
        hypers={**formula.hypers, "ema": 0.999},
        statements=(*first, *formula.statements, *last),
        outputs={**formula.outputs, "average": after},
        starts={**formula.starts, "average": ast.Name("p", ast.Load())},
    )


def without_average(formula: Formula) -> Formula:
    """The rule that `with_average` was given; what it did not make, as it is."""
    name = formula.name.removesuffix("_with_average")
    if name == formula.name or formula.initial.keys().isdisjoint({"average"}):
        return formula
    bare = replace(
        formula,
        name=name,
        states=tuple(state for state in formula.states if state != "average"),
        initial={k: v for k, v in formula.initial.items() if k != "average"},
        hypers={k: v for k, v in formula.hypers.items() if k != "ema"},
        # Three lines before the rule's, one after.
        statements=formula.statements[3:-1],
        outputs={k: v for k, v in formula.outputs.items() if k != "average"},
        starts={k: v for k, v in formula.starts.items() if k != "average"},
    )
    return bare if with_average(bare).key == formula.key else formula


def _lines(text: str) -> list[ast.Assign]:
    return [s for s in ast.parse(text).body if isinstance(s, ast.Assign)]
