"""States of Keras' optimizers and of `adamas.keras`: a flat list of variables, told by their names.

An optimizer's variable is called after the model's variable and the state; parameters are called by
the model's `variable.path`. What is read and written is what `save_own_variables` fills and
`load_own_variables` takes. Keras is not imported.

Two names are Keras' own business and have no public twin: `_trainable_variables`, which `build` was
given, and `_u_product` of its Nadam. A test holds both.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from adamas.engine.options import formula_of
from adamas.homes.continuing import steps_of
from adamas.homes.neutral import Group, Key, Neutral, numbers
from adamas.homes.writers import Side
from adamas.kernel.formula import Formula

# A variable's own count of steps, where adamas.keras has one.
STEPS = "steps"
# What a variable of gradients that are not a step yet is called, behind the model's name.
GATHERED = "_gradient_accumulator"


class Book:
    """A built optimizer of Keras: which variable holds what."""

    def __init__(self, side: Side) -> None:
        signature = side.signature
        if side.live is None or not side.live.built:
            raise ValueError(
                f"{side.title} knows which of its variables is what only when it is built: give "
                "the optimizer itself, after optimizer.build(model.trainable_variables)."
            )
        self.side, self.live, self.signature = side, side.live, signature
        self.options = dict(side.live.get_config())
        self.rule = side.rule(self.options)
        self.formula: Formula = formula_of(self.signature.choose(self.options))
        self.trained: dict[str, Any] = {one.path: one for one in side.live._trainable_variables}
        self.at: dict[str, list[int]] = {}
        for k, variable in enumerate(self.live.variables):
            self.at.setdefault(variable.name, []).append(k)
        self.rate = self.at.get("learning_rate", [None])[0]
        self.places = self._places()

    def _places(self) -> dict[tuple[str, str], int]:
        """The number of the variable that holds a state of a parameter."""
        known = self.side.home.states(self.signature, self.formula)
        found: dict[tuple[str, str], int] = {}
        averages = ["average"] if self.live.use_ema else []
        for path in self.trained:
            for state in [*self.formula.initial, STEPS, *averages]:
                name = f"{path.replace('/', '_')}_{known.get(state, state)}"
                if self.at.get(name):
                    found[path, state] = self.at[name].pop(0)
                elif state in self.formula.scalars:
                    found[path, state] = self._product(state)
                elif state != STEPS:
                    raise ValueError(f"{self.side.title} has no variable {name!r}.")
        return found

    def _product(self, state: str) -> int:
        """The number of the variable that Nadam has for all parameters; ValueError for others."""
        product = getattr(self.live, "_u_product", None)
        for k, one in enumerate(self.live.variables):
            if one is product:
                return k
        raise ValueError(f"{self.side.title} has no variable for {state}.")

    @property
    def micro(self) -> int:
        """Gradients that make a step."""
        return self.live.gradient_accumulation_steps or 1

    def blank(self, rate: Any) -> Neutral:
        """What the optimizer is made for, at a learning rate."""
        options = {**self.options, "learning_rate": rate}
        hypers = self.side.hypers(self.rule, options)
        if self.live.use_ema:
            hypers["ema"] = self.live.ema_momentum
        fixed = replace(self.side, given=options).fixed(self.rule)
        takes = frozenset() if self.rate is None else frozenset({"lr"})
        averages = bool(self.live.use_ema)
        names: list[Key] = list(self.trained)
        one = Group(names, self.rule, hypers, self.side.title, takes, fixed, averages)
        shapes: Any = {path: tuple(one.shape) for path, one in self.trained.items()}
        return Neutral([one], {}, shapes, together="t" in self.formula.given)


def read(state: Any, side: Side) -> Neutral:
    """The moments, the count and the hyper-parameters of an optimizer."""
    book = Book(side)
    if hasattr(state, "keys"):
        count = len(book.live.variables)
        state = [state[str(k)] for k in range(count) if str(k) in state]
    if not isinstance(state, list | tuple) or len(state) != len(book.live.variables):
        raise ValueError(
            f"the state of {side.title} is its {len(book.live.variables)} optimizer.variables, or "
            f"what save_own_variables fills; this is {type(state).__name__}"
            f"{f' of {len(state)}' if hasattr(state, '__len__') else ''}."
        )
    values = [numbers(f"variable {k}", value) for k, value in enumerate(state)]
    found = book.blank("a schedule" if book.rate is None else float(values[book.rate]))
    steps, rest = divmod(int(values[book.at["iteration"][0]]), book.micro)
    if rest:
        raise ValueError(
            f"gradients are being accumulated, {rest} of {book.micro}; convert when a step is done."
        )
    found.steps, found.state = steps, {path: {"step": steps} for path in book.trained}
    for (path, name), k in book.places.items():
        single = name == STEPS or name in book.formula.scalars
        value = values[k].item() if single else values[k]
        found.state[path]["step" if name == STEPS else name] = value
    return found


def blank(side: Side) -> Neutral:
    """What the optimizer is made for."""
    book = Book(side)
    return book.blank("a schedule" if book.rate is None else book.options["learning_rate"])


def write(found: Neutral, side: Side) -> dict[str, Any]:
    """A store for `load_own_variables`: every variable by its number."""
    book, store = Book(side), dict[str, Any]()
    book.live.save_own_variables(store)
    # What the source has no number of is as it is before the first step.
    begins: dict[str, float] = {**book.formula.initial, STEPS: 0}
    new: dict[int, Any] = {
        place: np.full_like(store[str(place)], begins[name])
        for (_, name), place in book.places.items()
        if name in begins
    }
    for name, places in book.at.items():
        if name.endswith(GATHERED):
            new |= {place: np.zeros_like(store[str(place)]) for place in places}
    for path, entry in found.state.items():
        for name, value in entry.items():
            place = book.places.get((str(path), STEPS if name == "step" else name))
            new |= {} if place is None else {place: value}
    steps = steps_of(found)
    if steps is not None:
        new[book.at["iteration"][0]] = steps * book.micro
    if book.rate is not None:
        new[book.rate] = found.groups[0].hypers["lr"]
    for k, value in new.items():
        store[str(k)] = np.asarray(value).astype(store[str(k)].dtype)
    return store
