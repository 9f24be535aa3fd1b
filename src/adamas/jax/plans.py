"""What one transformation does: its formula, numbers, and the fields that its states stand in."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamas.homes.optax import remembered
from adamas.jax.dependence import needed
from adamas.jax.keeping import Format, wide
from adamas.jax.states import state_class, state_name
from adamas.jax.words import (
    ELEMENTWISE,
    REDUCED,
    at,
    differentiable,
    exact,
    narrow,
    orthogonalize,
)
from adamas.kernel.bound import Bound
from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target
from adamas.kernel.scopes import COLUMN, ELEMENT, ONCE, ROW
from adamas.kernel.variants import of_vectors

# Numbers of a step that differ between tensors.
OWN = frozenset({"rows", "columns"})


class Form:
    """One formula as functions of arrays: of a matrix, or of a vector."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        bound = Bound(formula)
        self.kept, self.makes, self.following = bound.kept, bound.makes, bound.following
        self.reduces, self.second = bound.reduces, bound.second
        self._once = bound.once(ELEMENTWISE, np.float64)
        self.body = bound.body({**ELEMENTWISE, **REDUCED, "orthogonalize": orthogonalize}, narrow)

    def once(self, numbers: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The constants of the body and the new scalar states, all of float64.

        To be called in a scope of float64.
        """
        arrays = {k: v for k, v in numbers.items() if isinstance(v, jax.Array)}

        def made(*values: jax.Array) -> Any:
            given = {**numbers, **dict(zip(arrays, values, strict=True))}
            # Both sides of a choice are evaluated, so the side not taken may divide by zero.
            with np.errstate(all="ignore"):
                found = self._once(**{k: exact(v) for k, v in given.items()})
            return jax.tree.map(jnp.asarray, found)

        found, following = differentiable(made)(*arrays.values())
        return found, dict(zip(self.following, following, strict=True))


# Making a form compiles Python text, and a factory may be called in every trace.
form_of = functools.lru_cache(256)(Form)
_vectors = functools.lru_cache(256)(of_vectors)


@dataclass(frozen=True)
class Plan:
    """One transformation as data: `hypers` are numbers, arrays or functions of the count.

    `fields` has the home's name of each state; `format` says how one is kept, of its name, the path
    of the leaf and the leaf. `starts` replace first values, `mask` says which leaves decay.
    """

    formula: Formula
    hypers: dict[str, Any]
    fields: dict[str, str]
    format: Callable[[str, str, Any], Format]
    starts: dict[str, Any] = field(default_factory=dict)
    mask: Any = None
    seed: Any = 0

    @property
    def rowwise(self) -> bool:
        """Whether what is rounded in blocks has blocks that begin anew with every row."""
        return self.formula.rowwise

    @cached_property
    def matrix(self) -> Form:
        """The formula for tensors of two dimensions or more."""
        return form_of(self.formula)

    @cached_property
    def vector(self) -> Form:
        """The formula for tensors of one dimension or none."""
        return form_of(_vectors(self.formula))

    def form(self, leaf: Any) -> Form:
        """The formula for this leaf."""
        return self.matrix if leaf.ndim > 1 else self.vector

    @cached_property
    def needs_params(self) -> bool:
        """Whether a step depends on the parameters."""
        return needed(self.formula, self.hypers)

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """The scalar states that are one number for all leaves."""
        differs = OWN | ({"weight_decay"} if self.mask is not None else set())
        return tuple(
            name
            for name in self.matrix.following
            if name in self.vector.following and not differs & read(self.formula, name)
        )

    @cached_property
    def remembered(self) -> dict[str, str]:
        """The fields of hyper-parameters that the state keeps."""
        return remembered(self.formula)

    @cached_property
    def state(self) -> Any:
        """The class of the state: `count`, a field for each state, and what is remembered."""
        fields = tuple(self.fields[name] for name in self.formula.initial)
        named = ("count", *fields, *self.remembered.values())
        return state_class(state_name(self.formula.name), named)

    def initial(self, name: str) -> Any:
        """The first value of a state."""
        return self.starts.get(name, self.formula.initial[name])

    def at(self, count: jax.Array) -> dict[str, Any]:
        """The hyper-parameters after `count` steps."""
        return {name: at(value, count) for name, value in self.hypers.items()}


def read(formula: Formula, name: str) -> set[str]:
    """Every name that the new value of a state depends on."""
    found, before = {formula.outputs[name]}, set[str]()
    while found != before:
        before = set(found)
        for statement in formula.statements:
            if target(statement) in found:
                found |= names(statement.value)
    return found


def of_shape(form: Form, name: str, leaf: Any) -> Any:
    """Something of the shape and sharding of what `form` keeps for this leaf; it may be abstract.

    Of a row or a column there is one number, and all the dimensions of the leaf.
    """
    scope = form.formula.scopes.get(name, ONCE)
    if scope == ELEMENT:
        return leaf
    if scope not in (ROW, COLUMN):
        return jnp.zeros((), jnp.zeros((), wide(leaf)).real.dtype)
    axis: Any = tuple(range(1, leaf.ndim)) if scope == ROW else 0
    if isinstance(leaf, jax.Array):
        return jnp.sum(leaf, axis, keepdims=True)
    return jax.eval_shape(lambda x: jnp.sum(x, axis, keepdims=True), leaf)


def own_numbers(leaf: Any) -> dict[str, float]:
    """What of a step differs between tensors."""
    rows = float(leaf.shape[0] if leaf.ndim else 1)
    return {"rows": rows, "columns": float(math.prod(leaf.shape[1:]))}
