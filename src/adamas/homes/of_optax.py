"""States of optax and of `adamas.jax`: NamedTuples somewhere in a chain, filled by the same kind.

What holds the moments is found by its fields, wherever it lies: in `chain`, `inject_hyperparams`,
`masked`, `partition` or `MultiSteps`. A parameter is called by its path, parts joined by dots. JAX
is not imported: arrays are made by those that stand in the target's state.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from adamas.codecs import FORMATS
from adamas.engine.grid import Order
from adamas.homes.continuing import steps_of
from adamas.homes.few_bits import encoded
from adamas.homes.filed_trees import restored
from adamas.homes.known import kin, split
from adamas.homes.neutral import Entry, Group, Key, Neutral, numbers, scalar
from adamas.homes.optax import STARTS
from adamas.homes.trees import fields, is_array, leaves, rebuilt, walk
from adamas.homes.writers import End
from adamas.kernel.formula import Formula

# Fields that count steps, and from where.
COUNTERS = {"count": 0, "count_m2": 0, "gradient_step": 0, "step_count": 1}
# What else stands beside moments in a record.
BESIDE = frozenset({*COUNTERS, "b1", "base_optimizer_state"})
# Records of optax that have the fields of another rule, with the rule that they are of.
ALONE = {"ScaleByBeliefState": "adabelief", "ScaleByNovogradState": ""}


class Contents:
    """The state of one rule: `called` has the state's name of each field, `records` hold them."""

    def __init__(self, state: Any, end: End) -> None:
        self.state, self.end = state, end
        self.rule = end.rule(end.given)
        self.formula: Formula = end.formula(self.rule)
        known = end.home.states(end.signature, self.formula)
        self.states = {known.get(name, name): name for name in self.formula.initial}
        self.records = [one for one in walk(state) if self._holds(one)]
        left = self.states.keys() - {name for one in self.records for name in fields(one)}
        if left or not all(map(self._fits, self.records)):
            kinds = {type(one).__name__ for one in walk(state) if fields(one)}
            raise ValueError(
                f"this is no state of {end.title}, which computes {self.rule} and keeps "
                f"{', '.join(self.states)}: it has {', '.join(sorted(kinds)) or 'no records'}. "
                "Options that choose a rule belong to the name: "
                '"optax.rmsprop(1e-3, centered=True)".'
            )
        self.injected = {
            key: scalar(key, value)
            for one in walk(state)
            for key, value in (getattr(one, "hyperparams", None) or {}).items()
            if not getattr(value, "shape", ()) and hasattr(value, "__array__")
        }

    def _fits(self, record: Any) -> bool:
        """Whether a record with the fields of the rule may be of it."""
        kind = type(record).__name__
        alone = self.end.home.name == "optax" and self.rule in ALONE.values()
        return ALONE.get(kind) == self.rule if kind in ALONE or alone else True

    def _holds(self, record: Any) -> bool:
        names = set(fields(record)) - BESIDE
        return bool(names) and names <= self.states.keys()

    def sign(self, state: str) -> float:
        """-1 where optax keeps the other sign: a momentum behind lr sums what is added."""
        inside = kin(split(self.rule)[0]).lr
        return -1.0 if self.end.home.name == "optax" and state == "m" and inside else 1.0

    def starts(self, state: str) -> float | None:
        """What a state is before the first step; None for one that begins as the parameter."""
        given = {**self.end.signature.defaults, **self.end.given}
        option = next((name for name, one in STARTS.items() if one == state and name in given), "")
        if state in self.formula.starts:
            return None
        return float(given[option] if option else self.formula.initial[state])

    def trees(self, record: Any) -> dict[str, dict[str, Any]]:
        """The arrays of each state in a record, by the paths of their parameters."""
        held = (name for name in fields(record) if name in self.states)
        return {self.states[name]: leaves(getattr(record, name)) for name in held}

    def blank(self) -> Neutral:
        """The parameters, their shapes and the hyper-parameters, without any number of a state."""
        shapes: dict[Key, tuple[int, ...]] = {}
        seen: set[tuple[str, str]] = set()
        for record in self.records:
            for state, tree in self.trees(record).items():
                if state in self.formula.scalars:
                    continue
                if twice := [path for path in tree if (state, path) in seen]:
                    raise ValueError(
                        f"two records of {self.end.title} hold {state} of {twice[0]!r}: a chain "
                        "of two such rules is no single rule. Convert the state of one of them."
                    )
                seen |= {(state, path) for path in tree}
                shapes |= {p: tuple(getattr(x, "codes", x).shape) for p, x in tree.items()}
            if many := [c for c in COUNTERS if getattr(getattr(record, c, 0), "shape", ())]:
                raise ValueError(
                    f"{many[0]} of {type(record).__name__} is no single number, as under jax.vmap: "
                    "convert each state by itself, such as jax.tree.map(lambda x: x[0], state)."
                )
        self._warn_of_others(shapes)
        end, rule = self.end, self.rule
        hypers = end.hypers(rule, {**end.given, **self.injected})
        takes = frozenset(name for name in hypers if self.hyper(name) in self.injected)
        one = Group(list(shapes), rule, hypers, end.title, takes, end.fixed(rule))
        return Neutral([one], {}, shapes, together="t" in self.formula.given)

    def _warn_of_others(self, shapes: Mapping[Key, tuple[int, ...]]) -> None:
        """Warn of records that keep arrays of the parameters and are not of the rule."""
        ours = {id(one) for one in self.records}
        others = {
            type(one).__name__
            for one in walk(self.state)
            if fields(one)
            and not any(id(part) in ours for part in walk(one))
            and any(shapes.get(p) == x.shape for f in fields(one) for p, x in _shaped(one, f))
        }
        if others:
            warnings.warn(
                f"{', '.join(sorted(others))} in a state of {self.end.title} is no part of "
                f"{self.rule}; its arrays are not converted.",
                stacklevel=6,
            )

    def hyper(self, name: str) -> str:
        """The argument of a hyper-parameter."""
        return self.end.signature.sources.get(name, (name,))[0]


def read(state: Any, end: End) -> Neutral:
    """The moments, counts and injected hyper-parameters of a state."""
    contents = Contents(opened(state), end)
    found = contents.blank()
    for record in contents.records:
        trees, steps = contents.trees(record), _count(record)
        for name in dict.fromkeys(path for tree in trees.values() for path in tree):
            entry: Entry = {} if steps is None else {"step": steps}
            for key, tree in trees.items():
                if key in contents.formula.scalars:
                    entry[key] = scalar(key, tree[name if name in tree else ""])
                elif name in tree:
                    entry[key] = numbers(f"{key} of {name!r}", tree[name]) * contents.sign(key)
            if name in found.shapes:
                found.state[name] = {**found.state.get(name, {}), **entry}
    state = contents.state
    if any(scalar("mini_step", getattr(one, "mini_step", 0)) for one in walk(state)):
        raise ValueError("MultiSteps is between two steps; convert when its mini_step is 0.")
    counts = [count for one in walk(state) if (count := _count(one)) is not None]
    found.steps = max(counts, default=None)
    return found


def opened(state: Any) -> Any:
    """A state as it is, or as a file has it."""
    if isinstance(state, Mapping) and state.keys() == {"state", "records"}:
        arrays, listed = state["state"], state["records"]
        known = isinstance(arrays, Mapping) and isinstance(listed, list)
        if not (known and all(map(is_array, arrays.values()))):
            raise ValueError("the state of a transformation is arrays by path, and these are none")
        return restored(state["state"], state["records"])
    return state


def _shaped(record: Any, field: str) -> list[tuple[str, Any]]:
    """The arrays in a field of a record, with the paths of their parameters."""
    return [(p, x) for p, x in leaves(getattr(record, field)).items() if getattr(x, "shape", ())]


def _counters(record: Any) -> list[str]:
    held = (name for name in fields(record) if name in COUNTERS)
    return [name for name in held if not getattr(getattr(record, name), "shape", ())]


def _count(record: Any) -> int | None:
    each = {int(scalar(n, getattr(record, n))) - COUNTERS[n] for n in _counters(record)}
    if len(each) > 1:
        raise ValueError(f"a {type(record).__name__} counts {sorted(each)} steps; it must be one.")
    return next(iter(each), None)


def blank(end: End) -> Neutral:
    """What the target's state has room for; ValueError without one."""
    if end.state is None:
        raise ValueError(
            f"the structure of an optax state is the user's: give the pair "
            f'("{end.title}", tx.init(params)), and it comes back filled.'
        )
    return Contents(end.state, end).blank()


def write(found: Neutral, end: End) -> Any:
    """The target's state with these numbers in it."""
    contents = Contents(end.state, end)
    steps = steps_of(found)
    hypers = {contents.hyper(name): value for name, value in found.groups[0].hypers.items()}
    held = {id(record) for record in contents.records}

    def part(path: str, tree: Any) -> Any:
        new = {}
        if id(tree) in held:
            for name in fields(tree):
                if name in contents.states:
                    new[name] = _filled(found.state, contents, name, getattr(tree, name))
        if steps is not None:
            for name in _counters(tree):
                new[name] = placed(steps + COUNTERS[name], getattr(tree, name))
        if isinstance(given := getattr(tree, "hyperparams", None), Mapping):
            new["hyperparams"] = {k: placed(hypers.get(k, v), v) for k, v in given.items()}
        if not new:
            return tree
        rest = {n: rebuilt(getattr(tree, n), part) for n in fields(tree) if n not in new}
        return type(tree)(**new, **rest)

    return rebuilt(end.state, part)


def _filled(state: Mapping[Any, Entry], contents: Contents, field: str, tree: Any) -> Any:
    name = contents.states[field]

    def leaf(path: str, part: Any) -> Any:
        if not is_array(part):
            return part
        alone = name in contents.formula.scalars and path not in state
        each = {one[name] for one in state.values()} if alone else set()
        if len(each) > 1:
            raise ValueError(f"{name} is one number there, and here it is {sorted(each)}.")
        value = each.pop() if each else state.get(path, {}).get(name)
        if value is not None:
            return placed(value * contents.sign(name), part)
        # What the source has no number of is as it is before the first step.
        start = contents.starts(name)
        shape = getattr(part, "codes", part).shape
        return part if start is None else placed(np.full(shape, start), part)

    return rebuilt(tree, leaf)


def placed(values: Any, like: Any) -> Any:
    """`values` as an array of the kind and dtype of `like`: JAX' where that is JAX' own."""
    if hasattr(like, "numbers"):
        order = Order(values.shape, tuple(range(values.ndim)), like.rowwise)
        codec = next(one for one in FORMATS["int8"].values() if one.name == like.codec)
        codes, scales = encoded(codec, "", values, order).values()
        return replace(like, codes=placed(codes, like.codes), scales=placed(scales, like.scales))
    array = np.asarray(values).astype(getattr(like, "dtype", None))
    at = getattr(like, "at", None)
    return array if at is None else at[...].set(array)
