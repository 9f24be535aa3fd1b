"""Arguments of a factory: optax's names and the rule's own, checked and turned into a plan."""

import difflib
import functools
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import jax.numpy as jnp
import numpy as np

from adamas.engine.options import formula_of as parsed
from adamas.engine.settings import RATES, check, seeded
from adamas.homes.optax import FIRST, FIXED, MASKS, STARTS, STORED, moments
from adamas.homes.signature import Signature
from adamas.jax import formats as few_bits
from adamas.jax.keeping import Format
from adamas.jax.plans import Plan
from adamas.jax.words import warmed
from adamas.kernel.bound import refuse
from adamas.kernel.formula import Formula

# A factory may be called in every step: inject_hyperparams does.
formula_of = functools.lru_cache(256)(parsed)


def placed(takes: Signature) -> list[str]:
    """The arguments that may be given by position: those before the options of adamas."""
    names = list(takes.defaults)
    return names[: names.index(FIRST)]


def named(takes: Signature, args: Sequence[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument of `takes`, the rule's own names as optax's; raises TypeError for others."""
    order = placed(takes)
    if len(args) > len(order):
        raise TypeError(
            f"{takes.name} takes {len(order)} arguments by position, not {len(args)}; name the "
            "others."
        )
    values = dict(zip(order, args, strict=False))
    for name, value in given.items():
        key = name if name in takes.defaults else takes.sources.get(name, (name, None))[0]
        if key not in takes.defaults:
            raise TypeError(f"{takes.name} has no argument {name!r}.{_hint(takes, name)}")
        if key in values:
            raise TypeError(f"{takes.name} got {key!r} twice.")
        values[key] = value
    return {**takes.defaults, **values}


def _hint(takes: Signature, name: str) -> str:
    close = difflib.get_close_matches(name, [*takes.defaults, *takes.sources], 1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"{meant} It has {', '.join(takes.defaults)}."


def plan(takes: Signature, options: Mapping[str, Any]) -> Plan:
    """What a transformation with these options does; raises TypeError or ValueError."""
    _check_fixed(takes, options)
    formula = formula_of(takes.choose(options))
    refuse(formula, "in JAX")
    hypers = {n: _number(takes, options, n, default) for n, default in formula.hypers.items()}
    if options.get("warmup_steps") is not None:
        hypers["lr"] = warmed(hypers["lr"], options["warmup_steps"])
    return Plan(
        formula,
        hypers,
        fields(formula),
        formats(formula, options),
        {s: options[name] for name, s in STARTS.items() if name in options},
        _mask(takes, formula, options),
        _seed(takes, options["seed"]),
    )


def _check_fixed(takes: Signature, options: Mapping[str, Any]) -> None:
    for name, default in takes.defaults.items():
        if isinstance(default, bool) and not isinstance(options[name], bool | np.bool_):
            raise TypeError(f"{takes.name}: {name}={options[name]!r} must be True or False.")
    for name in takes.fixed | {"warmup_steps"} & options.keys():
        if hasattr(options[name], "dtype"):
            raise TypeError(
                f"{takes.name}: {name} must be a number of Python's, and is an array. Of "
                f"inject_hyperparams it stays one with static_args={name!r}."
            )
    for name in takes.fixed:
        value, allowed = options[name], [takes.defaults[name]]
        if name in ("eps", "eps_root"):
            # adabelief adds one number in both places.
            allowed.append(options["eps"] if takes.name == "adabelief" else 0.0)
        plain = value is None or isinstance(value, bool | Real)
        if not plain or value not in allowed:
            raise ValueError(f"{takes.name}: {name}={value!r} cannot be had: {FIXED[name]}.")


def _number(takes: Signature, options: Mapping[str, Any], name: str, default: float) -> Any:
    """A hyper-parameter: a number, an array of one, or a function of the count."""
    value, shown = takes.hyper(name, options), takes.sources.get(name, (name, None))[0]
    if hasattr(value, "dtype") and value.dtype.itemsize < 4 and RATES.fullmatch(name):
        raise ValueError(
            f"{takes.name}: {shown} is {value.dtype}, in which numbers near 1 are 1. Give it as a "
            "float32: inject_hyperparams(..., hyperparam_dtype=jnp.float32) does."
        )
    if callable(value) or (hasattr(value, "dtype") and np.shape(value) == ()):
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{takes.name}: {shown}={value!r} must be a number, an array of one, or a schedule: a "
            "function of the count."
        )
    if limit := check(name, float(value), default):
        raise ValueError(f"{takes.name}: {shown}={value!r} is not allowed; it must {limit}.")
    return float(value)


def _mask(takes: Signature, formula: Formula, options: Mapping[str, Any]) -> Any:
    given = {name: options[name] for name in MASKS if options.get(name) is not None}
    if len(given) > 1:
        raise TypeError(f"{takes.name}: give mask or weight_decay_mask, not both.")
    for name, value in given.items():
        if "weight_decay" not in formula.hypers:
            raise TypeError(f"{takes.name} has no weight_decay, and so no use for {name}.")
        if isinstance(value, str):
            _check_pattern(takes, name, value)
        return value
    return None


def _check_pattern(takes: Signature, name: str, value: str) -> None:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(
            f"{takes.name}: {name}={value!r} is no regular expression: {error}."
        ) from None


def fields(formula: Formula) -> dict[str, str]:
    """The field of each state; raises ValueError for names that a NamedTuple cannot have."""
    home = moments(formula)
    found = {name: home.get(name, name) for name in formula.initial}
    for name in found.values():
        if name == "count" or name.startswith("_") or keyword.iskeyword(name):
            raise ValueError(
                f"rule {formula.name!r} has a state {name!r}, which the state of a transformation "
                "cannot have as a field; give it another name."
            )
    return found


def formats(formula: Formula, options: Mapping[str, Any]) -> Callable[[str, str, Any], Format]:
    """How each state is kept: a function of its name, the path of the leaf and the leaf."""
    found = few_bits.formats(formula, options["state"], fields(formula))
    for name in (key for key in STORED if options.get(key) is not None):
        try:
            dtype = jnp.dtype(options[name]).name
            own = {state: dtype for state in STORED[name] if state in formula.initial}
            made = few_bits.formats(formula, own, fields(formula))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}={options[name]!r} cannot be had: {error}") from None
        found |= {state: made[state] for state in own}
    return lambda state, path, leaf: found[state]


def _seed(takes: Signature, seed: Any) -> Any:
    """The seed of rounding: a number, or an array of one, which may be traced."""
    if hasattr(seed, "dtype") and np.shape(seed) == () and np.issubdtype(seed.dtype, np.integer):
        return seed
    try:
        return seeded(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{takes.name}: {error}") from None
