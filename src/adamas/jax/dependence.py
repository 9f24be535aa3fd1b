"""Whether a rule's step depends on the parameter at all: who calls `update` without is told so."""

from collections.abc import Mapping
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np

from adamas.kernel.formula import Formula
from adamas.kernel.reference import Reference

# Stands for a hyper-parameter that is not known yet: some number that is not 0.
UNKNOWN = 0.37


def needed(formula: Formula, hypers: Mapping[str, Any]) -> bool:
    """Whether a step depends on the parameter, and not on its gradient and states alone.

    Told by what the formula makes of two different parameters, in three steps of twelve elements.
    """
    return _told(
        formula, *((k, float(v) if isinstance(v, Real) else UNKNOWN) for k, v in hypers.items())
    )


@lru_cache
def _told(formula: Formula, *known: tuple[str, float]) -> bool:
    random = np.random.default_rng(0)
    g, h, p, *drawn = random.uniform(0.1, 1.0, (3 + len(formula.initial), 3, 4))
    for done in (0, 1, 7):
        moved = list[Any]()
        for start in (np.zeros_like(p), p):
            one = Reference(formula, start, **dict(known))
            one.t = done
            for (name, shape), values in zip(one.shapes.items(), drawn, strict=True):
                one.state[name] = np.resize(values, shape)[()]
            one.step(g, h)
            moved.append(one.p - start)
        if not np.allclose(moved[0], moved[1], rtol=1e-9, atol=1e-12, equal_nan=True):
            return True
    return False
