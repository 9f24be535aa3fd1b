"""The candidates: rules that ship, rules of papers, and every combination of Adam's choices."""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

from adamas import dialects, rules
from adamas.check.formulas import Base, read
from adamas.check.tables import table

TRAITS = ("momentum", "second", "correction", "eps", "lookahead")
HEAD = "p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0"
# Numbers that some home has instead of the rule's own and that no argument sets: Keras' Nadam.
FIXED: dict[str, dict[str, float]] = {"nadam": {"momentum_decay": 1.0}}


@cache
def named() -> tuple[Base, ...]:
    """Every rule and dialect that ships, in order, then those of papers.

    `adamw` is `adam` with a decoupled decay.
    """
    functions = [getattr(m, name) for m in (rules, dialects) for name in m.__all__]
    taken = [f for f in functions if "g" in inspect.signature(f).parameters and f != rules.adamw]
    # Each tensor of a plan is tried by itself.
    taken = [f for f in taken if 'over="all"' not in inspect.getsource(f)]
    known: dict[str, Any] = table("family")["shipped"]
    shipped = [read(inspect.getsource(f), known.get(f.__name__, {})) for f in taken]
    other = [replace(base, fixed=FIXED[base.name]) for base in shipped if base.name in FIXED]
    return (*shipped, *other, *map(read, table("papers").values()))


@cache
def family() -> tuple[Base, ...]:
    """Formulas that have no name: every member, the most ordinary first."""
    return tuple(_members())


def _members() -> Iterator[Base]:
    choices = table("family")
    for made in product(*(choices[trait] for trait in TRAITS)):
        first, _, fixed, _, ahead = made
        # What another member is too, or nobody would write.
        if ahead in ("nesterov", "nesterov_plain") and (first, fixed) != ("ema", "both"):
            continue
        if first == "none" and (ahead != "none" or fixed not in ("none", "second")):
            continue
        lines = [choices[trait][one] for trait, one in zip(TRAITS, made, strict=True)]
        body = "\n    ".join([*lines, "p = p - lr * u / d", "return p, m, v"])
        found = read(f"def family({HEAD}):\n    {body}\n", dict(zip(TRAITS, made, strict=True)))
        yield replace(found, native="coupled")
