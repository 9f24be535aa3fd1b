"""What is refused, as early as it can be known: when a factory is called, at init, in the trace."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamas.jax.dependence import needed
from adamas.jax.keeping import dtype_of
from adamas.jax.plans import OWN, Plan
from adamas.kernel.formula import Formula


def check_leaf(formula: Formula, path: str, leaf: Any) -> None:
    """Raise TypeError or ValueError for a parameter that the rule cannot step."""
    if leaf is None:
        return
    name = f"parameter {path!r}" if path else "the parameter"
    try:
        dtype = dtype_of(leaf)
    except TypeError:
        dtype = type(leaf).__name__
    if isinstance(dtype, str) or not jnp.issubdtype(dtype, jnp.inexact):
        raise TypeError(
            f"{name} is {dtype}; {formula.name} steps floating and complex numbers. Keep others "
            "out of params: equinox.filter(model, equinox.is_inexact_array), or optax.partition."
        )
    if jnp.issubdtype(dtype, jnp.complexfloating) and (formula.rowwise or formula.given & OWN):
        raise ValueError(
            f"{name} is {dtype}, and {formula.name} asks for its rows or columns, which are of "
            "real numbers. Train its real and imaginary parts."
        )


def aligned(
    plan: Plan, tree: Any, params: Any, extra: dict[str, Any]
) -> tuple[list[Any], list[Any]]:
    """The leaves of params and of the second array, as in `tree`; None where there is none."""
    name = plan.formula.name
    absent = [None] * tree.num_leaves
    if params is None and plan.needs_params:
        decays = not needed(plan.formula, {**plan.hypers, "weight_decay": 0.0})
        raise ValueError(
            f"{name} needs the parameters: call update(grads, state, params)"
            + (", or give the number 0 as weight_decay." if decays else ".")
        )
    if plan.matrix.second and "h" not in extra:
        raise TypeError(
            f"{name} reads a second array beside the gradient: call "
            "update(grads, state, params, h=...) with a tree like grads."
        )
    return (
        absent if params is None else like(tree, "params", params),
        like(tree, "h", extra["h"]) if plan.matrix.second else absent,
    )


def check_state(plan: Plan, state: Any) -> None:
    """Raise TypeError for the state of another optimizer."""
    wanted = ("count", *(plan.fields[name] for name in plan.formula.initial))
    if missing := [name for name in wanted if not hasattr(state, name)]:
        raise TypeError(
            f"{plan.formula.name} got a state without {missing[0]!r}, a {type(state).__name__}; "
            "init(params) makes its own, and adamas.convert one of another optimizer's."
        )


def like(tree: Any, what: str, other: Any) -> list[Any]:
    """The leaves of a tree that should have this structure; raises ValueError that says both."""
    try:
        found: list[Any] = tree.flatten_up_to(other)
    except ValueError as error:
        shown = jax.tree.structure(other)
        raise ValueError(f"{what} is {shown}, and the gradients are {tree}: {error}") from None
    return found


def check_like(plan: Plan, path: str, g: Any, p: Any, h: Any) -> tuple[Any, Any, Any]:
    """The arrays of one leaf, whole numbers as floats.

    Raises ValueError for one that has not the gradient's shape, TypeError for complex ones beside a
    real parameter.
    """
    where = f"of {path!r} " if path else ""
    # Keys, and the derivatives of integers.
    if (kind := dtype_of(g)) == jax.dtypes.float0 or jnp.issubdtype(kind, jax.dtypes.extended):
        raise TypeError(f"the gradient {where}is {kind}, which is no number.")
    g = _inexact(g)
    if p is None and plan.needs_params:
        raise ValueError(f"the gradient {where}has no parameter, which {plan.formula.name} needs.")
    p = jnp.zeros_like(g) if p is None else p
    check_leaf(plan.formula, path, p)
    given = {"parameter": jnp.asarray(p)}
    if plan.matrix.second:
        given["second array"] = h = _inexact(h)
    for what, one in given.items():
        if np.shape(one) != np.shape(g):
            raise ValueError(
                f"the gradient {where}has shape {np.shape(g)}, its {what} {np.shape(one)}."
            )
    p = given.pop("parameter")
    for what, one in {"gradient": g, **given}.items():
        if jnp.iscomplexobj(one) and not jnp.iscomplexobj(p):
            raise TypeError(
                f"the {what} {where}is {one.dtype}, its parameter {p.dtype}: a real parameter "
                "has no imaginary part to step. Give the real part."
            )
    return g, p, h


def _inexact(x: Any) -> Any:
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)
