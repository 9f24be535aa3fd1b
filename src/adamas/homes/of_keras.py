"""States of Keras' optimizers and of `adamas.keras`: a flat list of variables, told by their names.

An optimizer's variable is called after the model's variable and the state; parameters are called by
the model's `variable.path`. What is read and written is what `save_own_variables` fills and
`load_own_variables` takes. Keras is not imported.

Two names are Keras' own business and have no public twin: `_trainable_variables`, which `build` was
given, and `_u_product` of its Nadam. A test holds both.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from adamas.engine.options import formula_of
from adamas.homes.continuing import steps_of
from adamas.homes.keras_filed import Filed
from adamas.homes.neutral import Group, Key, Neutral, numbers
from adamas.homes.writers import End
from adamas.kernel.formula import Formula

# A variable's own count of steps, where adamas.keras has one.
STEPS = "steps"
# What a variable of gradients that are not a step yet is called, behind the model's name.
GATHERED = "_gradient_accumulator"


class Contents:
    """A built optimizer of Keras: which variable holds what."""

    def __init__(self, end: End) -> None:
        signature = end.signature
        if end.live is None or not end.live.built:
            raise ValueError(
                f"{end.title} knows which of its variables is what only when it is built: give "
                "the optimizer itself, after optimizer.build(model.trainable_variables)."
            )
        self.end, self.live, self.signature = end, end.live, signature
        self.options = dict(end.live.get_config())
        self.rule = end.rule(self.options)
        self.formula: Formula = formula_of(self.signature.choose(self.options))
        self.trained: dict[str, Any] = {one.path: one for one in end.live._trainable_variables}
        self.at: dict[str, list[int]] = {}
        for k, variable in enumerate(self.live.variables):
            self.at.setdefault(variable.name, []).append(k)
        self.rate = self.at.get("learning_rate", [None])[0]
        self.places = self._places()

    def _places(self) -> dict[tuple[str, str], int]:
        """The number of the variable that holds a state of a parameter."""
        known = self.end.home.states(self.signature, self.formula)
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
                    raise ValueError(f"{self.end.title} has no variable {name!r}.")
        return found

    def _product(self, state: str) -> int:
        """The number of the variable that Nadam has for all parameters; ValueError for others."""
        product = getattr(self.live, "_u_product", None)
        for k, one in enumerate(self.live.variables):
            if one is product:
                return k
        raise ValueError(f"{self.end.title} has no variable for {state}.")

    @property
    def micro(self) -> int:
        """Gradients that make a step."""
        return self.live.gradient_accumulation_steps or 1

    def blank(self, rate: Any) -> Neutral:
        """What the optimizer is made for, at a learning rate."""
        options = {**self.options, "learning_rate": rate}
        hypers = self.end.hypers(self.rule, options)
        if self.live.use_ema:
            hypers["ema"] = self.live.ema_momentum
        fixed = replace(self.end, given=options).fixed(self.rule)
        takes = frozenset() if self.rate is None else frozenset({"lr"})
        averages = bool(self.live.use_ema)
        names: list[Key] = list(self.trained)
        one = Group(names, self.rule, hypers, self.end.title, takes, fixed, averages)
        shapes: Any = {path: tuple(one.shape) for path, one in self.trained.items()}
        return Neutral([one], {}, shapes, together="t" in self.formula.given)


def read(state: Any, end: End) -> Neutral:
    """The moments, the count and the hyper-parameters of an optimizer."""
    if end.live is None and isinstance(state, Mapping) and "record" in state:
        filed = Filed(state, end.signature.defaults)
        end, state = replace(end, live=filed), filed.values
    contents = Contents(end)
    count = len(contents.live.variables)
    if hasattr(state, "keys"):
        state = [state[str(k)] for k in range(count) if str(k) in state]
    if not isinstance(state, list | tuple) or len(state) != count:
        raise ValueError(
            f"the state of {end.title} is its {count} optimizer.variables, or "
            f"what save_own_variables fills; this is {type(state).__name__}"
            f"{f' of {len(state)}' if hasattr(state, '__len__') else ''}."
        )
    values = [numbers(f"variable {k}", value) for k, value in enumerate(state)]
    found = contents.blank("a schedule" if contents.rate is None else float(values[contents.rate]))
    steps, rest = divmod(int(values[contents.at["iteration"][0]]), contents.micro)
    if rest:
        raise ValueError(
            f"gradients are being accumulated, {rest} of {contents.micro}; convert when a step is "
            "done."
        )
    found.steps, found.state = steps, {path: {"step": steps} for path in contents.trained}
    for (path, name), k in contents.places.items():
        single = name == STEPS or name in contents.formula.scalars
        value = values[k].item() if single else values[k]
        found.state[path]["step" if name == STEPS else name] = value
    return found


def blank(end: End) -> Neutral:
    """What the optimizer is made for."""
    contents = Contents(end)
    return contents.blank(
        "a schedule" if contents.rate is None else contents.options["learning_rate"]
    )


def write(found: Neutral, end: End) -> dict[str, Any]:
    """A store for `load_own_variables`: every variable by its number."""
    contents, store = Contents(end), dict[str, Any]()
    contents.live.save_own_variables(store)
    # What the source has no number of is as it is before the first step.
    begins: dict[str, float] = {**contents.formula.initial, STEPS: 0}
    new: dict[int, Any] = {
        place: np.full_like(store[str(place)], begins[name])
        for (_, name), place in contents.places.items()
        if name in begins
    }
    for name, places in contents.at.items():
        if name.endswith(GATHERED):
            new |= {place: np.zeros_like(store[str(place)]) for place in places}
    for path, entry in found.state.items():
        for name, value in entry.items():
            place = contents.places.get((str(path), STEPS if name == "step" else name))
            new |= {} if place is None else {place: value}
    steps = steps_of(found)
    if steps is not None:
        new[contents.at["iteration"][0]] = steps * contents.micro
    if contents.rate is not None:
        new[contents.rate] = found.groups[0].hypers["lr"]
    for k, value in new.items():
        store[str(k)] = np.asarray(value).astype(store[str(k)].dtype)
    return store
