"""What the steppers of one optimizer hold together: the entries of all parameters, in their order.

An optimizer of one rule has one stepper, one of several has one for each.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from adamas.engine.loading import FORMAT, Grouped, described
from adamas.engine.observed import Record
from adamas.engine.state import Store
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import Key
from adamas.engine.threads import Action


class Whole(Protocol):
    """The steppers of an optimizer, and where the tensors of each stand among all of them."""

    @property
    def parts(self) -> Sequence[Stepper]:
        """One for each rule."""

    @property
    def places(self) -> Sequence[Sequence[int]]:
        """For each of them the places of its tensors."""

    @property
    def settings(self) -> Grouped:
        """The groups of all of them."""


def entries(whole: Whole, read: Callable[[Store], Mapping[Key, Any]]) -> dict[Key, Any]:
    """What `read` finds for each parameter in the store of its rule, in the order of all."""
    found: dict[int, tuple[Key, Any]] = {}
    for part, places in zip(whole.parts, whole.places, strict=True):
        found |= zip(places, read(part.store).items(), strict=True)
    return dict(found[place] for place in sorted(found))


def everything(whole: Whole, read: Callable[[Store], Mapping[Key, Any]]) -> dict[str, Any]:
    """Everything but the parameters, as `Optimizer.state_dict` has it; `read` reads a store."""
    first, settings = whole.parts[0], whole.settings
    return {
        "format": FORMAT,
        "rule": ", ".join(part.formula.name for part in whole.parts),
        "steps": first.steps,
        "seed": int(first.numbers.seed[0]),
        "state": entries(whole, read),
        "param_groups": [
            described(settings.of(k)[0], group, first.steps)
            for k, group in enumerate(settings.groups)
        ],
    }


def records(whole: Whole) -> list[Record]:
    """What the last step did to each parameter, in the order of all."""
    found: dict[int, Record] = {}
    for part, places in zip(whole.parts, whole.places, strict=True):
        for index, (place, tensor) in enumerate(zip(places, part.tensors, strict=True)):
            found[place] = part.record(index, tensor.given.shape, part.rule.name)
    return [found[place] for place in sorted(found)]


def taking(whole: Whole, saved: Mapping[Key, Any], strict: bool) -> list[Action]:
    """What to do to take over the saved state of every tensor that is in `saved`.

    Raises TypeError or ValueError that names what does not fit.
    """
    parts, actions = whole.parts, list[Action]()
    known = {key for part in parts for key in part.keys}
    if strict and saved.keys() != known:
        wrong = sorted(known ^ saved.keys(), key=str)
        raise ValueError(f"saved state and parameters differ in {wrong}; or use strict=False.")
    owners = {one for part in parts for one in part.store.owners()}
    for part in parts:
        own = {key: saved[key] for key in part.keys if key in saved}
        for index, taken in part.store.taking(own, owners).items():
            # The saved state is up to date; what its rows missed here is no longer theirs.
            actions += [*part.sparse.forgetting(index), *taken]
    return actions


def counting(whole: Whole, steps: int, seed: int | None) -> list[Action]:
    """What to do to go on after so many steps, and with a seed if there is one."""
    numbers = [part.numbers for part in whole.parts]
    actions: list[Action] = [partial(one.steps.__setitem__, -1, steps) for one in numbers]
    if seed is not None:
        actions += [partial(one.seed.__setitem__, 0, seed) for one in numbers]
    return [*actions, *(part.store.share for part in whole.parts)]
