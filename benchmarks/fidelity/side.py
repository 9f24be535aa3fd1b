"""What the trainings ask of an optimizer: make it over some arrays, then step it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from benchmarks.fidelity.formats import Floats

Params = Mapping[str, Floats]


@dataclass(frozen=True)
class Hypers:
    """The hyper-parameters of AdamW that stay the same through one training."""

    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8


class Stepper(Protocol):
    """An optimizer over fixed arrays."""

    def step(self, grads: Params, lr: float) -> None:
        """Update the arrays in place."""


# (params, hypers, seed) -> optimizer; the seed is that of stochastic rounding.
Make = Callable[[Params, Hypers, int], Stepper]


@dataclass(frozen=True)
class Side:
    """One row of the tables: an optimizer and how its state is kept."""

    name: str
    make: Make
    # Bytes of state for one parameter, block scales included.
    bytes: float
    note: str = ""
