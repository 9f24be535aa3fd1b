"""A formula as an optax gradient transformation: `init` and `update`, and nothing hidden between.

The formula makes the new parameter, optax adds updates: u = p_new - p. The difference is exact
where p_new is between half and twice p (Sterbenz 1974), and `apply_updates` then gives p_new back.
So a bfloat16 parameter is rounded at random before the difference is taken: nothing is left for the
sum to round, or the sum is right on average.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adamas.jax.checks import aligned, check_leaf, check_like, check_state, like
from adamas.jax.coded import added, at_random, straight
from adamas.jax.keeping import Place, parts, whole, wide
from adamas.jax.masks import decaying, is_none, leaf_names
from adamas.jax.plans import Form, Plan, of_shape, own_numbers
from adamas.jax.words import at, exact


def transformation(plan: Plan) -> optax.GradientTransformationExtraArgs:
    """The transformation that steps by `plan`."""

    def init(params: Any) -> Any:
        with promoting():
            return start(plan, params)

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> Any:
        with promoting():
            return step(plan, updates, state, params, extra)

    return optax.GradientTransformationExtraArgs(init, update)


@contextmanager
def promoting() -> Iterator[None]:
    """JAX's usual promotion of dtypes and ranks, whatever a program forbids elsewhere."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def start(plan: Plan, params: Any) -> Any:
    """The state before the first step; params may be abstract, or a tree without leaves."""
    leaves, tree = jax.tree.flatten(params, is_leaf=is_none)
    named = leaf_names(params)
    for path, leaf in zip(named, leaves, strict=True):
        check_leaf(plan.formula, path, leaf)

    def begun(name: str, path: str, leaf: Any) -> Any:
        if leaf is None:
            return None
        leaf = leaf if hasattr(leaf, "shape") else jnp.asarray(leaf)
        like = of_shape(plan.form(leaf), name, leaf)
        return plan.format(name, path, leaf).start(like, plan.initial(name))

    fields: dict[str, Any] = {"count": jnp.zeros([], jnp.int32)}
    for name, one in plan.remembered.items():
        fields[one] = jnp.asarray(at(plan.hypers[name], fields["count"]), float)
    for name in plan.formula.initial:
        pairs = zip(named, leaves, strict=True)
        fields[plan.fields[name]] = (
            jnp.asarray(plan.initial(name), float)
            if name in plan.shared
            else jax.tree.unflatten(tree, [begun(name, path, leaf) for path, leaf in pairs])
        )
    return plan.state(**fields)


class Arrays(NamedTuple):
    """One leaf: its gradient, its parameter, and the second array of a rule that reads one."""

    g: jax.Array
    p: jax.Array
    h: Any = None


class Step:
    """One step of all leaves: what is the same for all of them is computed once.

    `known` says that the parameters are, to which the updates will be added.
    """

    def __init__(self, plan: Plan, state: Any, known: bool) -> None:
        self.plan, self.count, self.known = plan, state.count, known
        self.hypers = plan.at(state.count)
        kept = {name: getattr(state, plan.fields[name]) for name in plan.shared}
        with jax.enable_x64(True):
            numbers = {**self.hypers, **kept}
            self.numbers = {n: exact(x) if hasattr(x, "dtype") else x for n, x in numbers.items()}
            self.numbers["t"] = exact(state.count) + 1.0
        self._found: dict[Any, Any] = {}

    def once(self, form: Form, leaf: jax.Array, decays: bool, own: dict[str, Any]) -> Any:
        """The constants of `form` for one leaf, and its new scalar states."""
        numbers = {**self.numbers, **own_numbers(leaf), **own}
        if not decays:
            numbers["weight_decay"] = 0.0
        given = form.formula.given
        key = (form, decays, leaf.shape if given & {"rows", "columns"} else None)
        if own or key not in self._found:
            with jax.enable_x64(True):
                self._found[key] = form.once(numbers)
        return self._found[key]

    def shared(self, before: Any) -> dict[str, Any]:
        """The new scalar states that are one number for all leaves."""
        plan = self.plan
        if not plan.shared:
            return {}
        with jax.enable_x64(True):
            _, following = plan.matrix.once({**self.numbers, "rows": 1.0, "columns": 1.0})
            old = {name: getattr(before, plan.fields[name]) for name in plan.shared}
            return {plan.fields[n]: following[n].astype(one.dtype) for n, one in old.items()}

    def remembered(self, name: str, before: Any) -> jax.Array:
        """A hyper-parameter of this step, as the state keeps it."""
        with jax.enable_x64(True):
            return exact(self.hypers[name]).astype(before.dtype)

    def leaf(self, k: int, path: str, arrays: Arrays, kept: dict[str, Any], decays: bool) -> Any:
        """The update of leaf number `k` and its new states, which `kept` are before."""
        plan, g, p = self.plan, arrays.g, arrays.p
        formats = {name: plan.format(name, path, p) for name in kept}
        old = parts(p.astype(wide(p)))
        numbers = {name: formats[name].decode(one, old) for name, one in kept.items()}
        with jax.enable_x64(True) if plan.matrix.reduces else nullcontext():
            new = self.body(plan.form(p), arrays, old, numbers, decays)
        # Kernels count what they round in this order.
        coarse = self.known and p.dtype == jnp.bfloat16
        rounded = ["p"] if coarse else []
        rounded += [name for name, one in kept.items() if formats[name].rounds(one)]
        rounded += ["update"] if coarse else []
        place = {name: Place(plan.seed, k, self.count, i) for i, name in enumerate(rounded)}
        made = {n: formats[n].encode(new[n], one, place.get(n)) for n, one in kept.items()}
        return self.moved(g, p, new["p"], place).astype(self.dtype(g, p)), made

    def dtype(self, g: jax.Array, p: jax.Array) -> Any:
        """Of an update: no parameter loses anything in a gradient that is narrower."""
        return jnp.promote_types(g.dtype, p.dtype) if self.known else g.dtype

    def moved(self, g: jax.Array, p: jax.Array, new: jax.Array, place: dict[str, Place]) -> Any:
        """What takes a leaf to `new`, its real numbers; those of bfloat16 are rounded first."""
        old = parts(p.astype(wide(p)))
        if "p" not in place:
            return whole(new - old, wide(p))
        target = at_random(new, place["p"], self.plan.rowwise)
        target = straight(target.astype(new.dtype), new)
        if self.dtype(g, p) == p.dtype:
            return added(target, old, place["update"], self.plan.rowwise)
        return target - old

    def body(
        self, form: Form, arrays: Arrays, p: jax.Array, kept: dict[str, Any], decays: bool
    ) -> dict[str, Any]:
        """What the formula makes of one leaf `p`, real numbers of 32 or 64 bits, and its states."""
        given = [arrays.g, arrays.h] if form.second else [arrays.g]
        given = [parts(jnp.asarray(x).astype(wide(arrays.p))) for x in given]
        own = {name: one for name, one in kept.items() if name not in form.kept}
        constants, following = self.once(form, p, decays, own)
        if not form.reduces:
            constants = [c.astype(p.dtype) for c in constants]
        made = form.body(p, *given, *(kept[name] for name in form.kept), *constants)
        new = {**following, **dict(zip(("p", *form.kept, *form.makes), made, strict=True))}
        shapes = {"p": p.shape, **{name: one.shape for name, one in kept.items()}}
        return {n: jnp.broadcast_to(new[n].astype(p.dtype), s) for n, s in shapes.items()}


def step(plan: Plan, updates: Any, state: Any, params: Any, extra: dict[str, Any]) -> Any:
    """One step: the updates to add, and the new state."""
    check_state(plan, state)
    gradients, tree = jax.tree.flatten(updates, is_leaf=is_none)
    named = leaf_names(updates)
    theirs, second = aligned(plan, tree, params, extra)
    fields = {n: plan.fields[n] for n in plan.formula.initial if n not in plan.shared}
    kept = {n: like(tree, "state", getattr(state, one)) for n, one in fields.items()}
    decays = decaying(plan.mask, updates if params is None else params, named, tree)
    now, made = Step(plan, state, params is not None), []
    for k, (path, g) in enumerate(zip(named, gradients, strict=True)):
        mine = {n: kept[n][k] for n in fields}
        if g is None:
            made.append((None, mine))
            continue
        arrays = Arrays(*check_like(plan, path, g, theirs[k], second[k]))
        made.append(now.leaf(k, path, arrays, mine, decays[k]))
    new = {one: jax.tree.unflatten(tree, [m[1][n] for m in made]) for n, one in fields.items()}
    moved = jax.tree.unflatten(tree, [m[0] for m in made])
    new |= {one: now.remembered(n, getattr(state, one)) for n, one in plan.remembered.items()}
    count = optax.safe_increment(state.count)
    return moved, plan.state(count=count, **new, **now.shared(state))
