"""Who wrote a state, or shall read it: a class of some home, the rule it computes, its numbers.

A home is named as its users write it: "torch.AdamW", "optax.adamw(1e-3, weight_decay=0.01)", a live
optimizer. What a name alone does not say is not known, but for options that choose a formula: they
have the home's defaults.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adamas.engine.options import formula_of
from adamas.homes import keras, optax, own, torch
from adamas.homes.known import identity, shipped
from adamas.homes.signature import Signature
from adamas.kernel.formula import Formula

# What a rule is computed with where a home has no argument for it.
CONSTANTS = dict.fromkeys(
    ("weight_decay", "alpha_warmup", "beta3_warmup", "dampening", "lr_decay", "r"), 0.0
)
REFUSED = {
    "optax.adan": "it averages other gradient differences than adan (by 1 - b2 where adan has b2)",
    "optax.adafactor": "it factors no side below 128, and keeps its moments in another form",
    "optax.muon": "it is a muon_corrected of matrices and an Adam of the rest, in one state",
    "keras.ScheduleFreeAdamW": "it averages with weights 1/t, schedule_free_adamw with those of lr",
}
"""What has a rule's name and computes none of them."""


@dataclass(frozen=True)
class Home:
    """A home: how its texts and modules begin, its classes, and its names of a rule's states."""

    name: str
    prefixes: tuple[str, ...]
    classes: Mapping[str, Signature]
    states: Callable[[Signature, Formula], Mapping[str, str]]


HOMES = [
    Home("adamas.torch", ("adamas.torch",), torch.SIGNATURES, torch.moments),
    Home("adamas.jax", ("adamas.jax",), own.JAX, lambda one, f: optax.moments(f)),
    Home("adamas.keras", ("adamas.keras",), keras.SIGNATURES, lambda one, f: keras.moments(f)),
    Home("adamas", ("adamas",), {}, lambda one, f: {}),
    Home("torch", ("torch.optim", "torch"), own.TORCH, torch.moments),
    Home("optax", ("optax.contrib", "optax"), own.OPTAX, lambda one, f: optax.moments(f)),
    Home("keras", ("keras.optimizers", "keras"), keras.OWN, lambda one, f: keras.moments(f)),
    Home(
        "bitsandbytes", ("bitsandbytes.optim", "bitsandbytes"), own.BITSANDBYTES,
        lambda one, f: one.moments,
    ),
    Home("schedulefree", ("schedulefree",), own.SCHEDULEFREE, lambda one, f: one.moments),
]  # fmt: skip


@dataclass(frozen=True)
class End:
    """One end of a conversion: a home, the name of a class there, and what is known of it.

    `given` are arguments with their values, `whole` says that all others have their defaults;
    `live` is the optimizer itself, `state` the one that is to be filled.
    """

    home: Home
    name: str
    given: Mapping[str, Any]
    whole: bool = False
    live: Any = None
    state: Any = None

    @property
    def title(self) -> str:
        """The class as its users write it."""
        return f"{self.home.name}.{self.name}".rstrip(".")

    @property
    def signature(self) -> Signature:
        """Its class; ValueError for one that computes no rule here."""
        if isinstance(own := getattr(self.live, "signature", None), Signature):
            return own
        if self.name in self.home.classes:
            return self.home.classes[self.name]
        why = REFUSED.get(self.title, f"known there: {', '.join(self.home.classes)}")
        raise ValueError(f"{self.title} is none of adamas' rules: {why}.")

    def rule(self, options: Mapping[str, Any]) -> str:
        """What the rule that it computes with these options is called, see `known`.

        Raises ValueError for what no rule computes.
        """
        signature = self.signature
        every = {**signature.defaults, **options}
        for name in signature.fixed:
            if every[name] != (usual := signature.defaults[name]):
                raise ValueError(
                    f"{self.title}({name}={every[name]!r}) is no rule of adamas; only {usual!r} is."
                )
        try:
            return identity(formula_of(signature.choose(every)))
        except ValueError as error:
            raise ValueError(f"{self.title}: {error}") from error

    def hypers(self, rule: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The hyper-parameters of `rule` that are known, by its own names."""
        signature = self.signature
        known = {**signature.defaults, **options} if self.whole else options
        found: dict[str, Any] = {}
        for name, default in self.formula(rule).hypers.items():
            key, place = signature.sources.get(name, (name, None))
            if key in known:
                found[name] = known[key] if place is None else known[key][place]
            elif key not in signature.defaults:
                found[name] = CONSTANTS.get(name, default)
        # Keras says None for no decay.
        if found.get("weight_decay", 0.0) is None:
            found["weight_decay"] = 0.0
        return {name: value for name, value in found.items() if value is not None}

    def fixed(self, rule: str) -> frozenset[str]:
        """The hyper-parameters of `rule` for which it has no argument."""
        signature = self.signature
        # A live optimizer lists its arguments, if it tells them at all.
        settable = (self.live is not None and self.given) or signature.defaults
        places = {n: signature.sources.get(n, (n,))[0] for n in self.formula(rule).hypers}
        return frozenset(name for name, key in places.items() if key not in settable)

    def formula(self, rule: str) -> Formula:
        """The formula of a rule; a user's own is what its class has."""
        known = shipped(rule)
        return known or formula_of(self.signature.choose(self.signature.defaults))


def end_of(what: Any) -> End:
    """The end that a text, an optimizer or a pair of one of these and a state means.

    Raises TypeError or ValueError naming the homes.
    """
    if type(what) is tuple and len(what) == 2:
        return replace(end_of(what[0]), state=what[1])
    if isinstance(what, str):
        return _named(what)
    for kind in type(what).__mro__:
        found = _home(kind.__module__)
        known = hasattr(what, "param_groups") or hasattr(what, "learning_rate")
        if known and found and kind.__module__ != "torch.optim.optimizer":
            return End(found, kind.__name__, {}, True, what)
    raise TypeError(
        f"{type(what).__name__} is no optimizer of {', '.join(home.name for home in HOMES)}; name "
        'its class, such as "torch.AdamW" or "optax.adamw(1e-3)".'
    )


def _home(dotted: str) -> Home | None:
    found = (h for h in HOMES for p in h.prefixes if f"{dotted}.".startswith(f"{p}."))
    return next(found, None)


def _named(text: str) -> End:
    """A dotted name, or a call of one with plain numbers."""
    try:
        node: Any = ast.parse(text.strip(), mode="eval").body
        called = isinstance(node, ast.Call)
        values = [ast.literal_eval(one) for one in node.args] if called else []
        named = {k.arg: ast.literal_eval(k.value) for k in node.keywords} if called else {}
        dotted = ast.unparse(node.func if called else node)
    except (SyntaxError, ValueError) as error:
        raise ValueError(
            f"{text!r} is not a name such as 'torch.AdamW', nor a call of one with numbers, such "
            "as 'optax.adamw(1e-3, weight_decay=0.01)'."
        ) from error
    home = _home(dotted)
    if home is None:
        raise ValueError(f"{text!r}: no such home; there are {', '.join(h.name for h in HOMES)}.")
    prefix = next(p for p in home.prefixes if f"{dotted}.".startswith(f"{p}."))
    plain = End(home, dotted[len(prefix) + 1 :], named, called)
    if not called:
        return plain
    arguments = plain.signature.defaults
    wrong = [name for name in named if name not in arguments] or values[len(arguments) :]
    if wrong:
        raise ValueError(
            f"{plain.title} does not take {wrong[0]!r}; it takes {', '.join(arguments)}."
        )
    return replace(plain, given={**dict(zip(arguments, values, strict=False)), **named})
