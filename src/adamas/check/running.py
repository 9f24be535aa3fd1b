"""One face for optimizers of every home: start, step, read, save and load."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import numpy as np

from adamas.check.plan import Array, Path, Plan

DTYPES = ("float64", "float32", "bfloat16", "float16")


class Library:
    """A framework by the name of an attribute, imported when it is asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, run: Any, owner: type) -> Any:
        return import_module(self.name)


class Run(ABC):
    """An optimizer of one home with its parameters; `make` and `arguments` are the home's own."""

    home = ""

    def __init__(self, make: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        self.make, self.arguments = make, dict(arguments)
        self.optimizer: Any = None
        self.held: list[Any] = []

    @abstractmethod
    def start(self, params: Sequence[Array], dtype: str, lay: Any = None) -> None:
        """Make parameters of these numbers and the optimizer; `lay` places a tensor in memory."""

    @abstractmethod
    def step(self, grads: Sequence[Array]) -> None:
        """Take one step by these gradients, in the dtype of the parameters."""

    @abstractmethod
    def params(self) -> list[Array]:
        """The parameters as arrays of float64."""

    @abstractmethod
    def param_dtypes(self) -> set[str]:
        """The dtypes that the parameters have now."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """The arrays and numbers that the optimizer keeps, by a name."""

    @abstractmethod
    def state_dtypes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The dtype and the shape of each array that the optimizer keeps."""

    @abstractmethod
    def save(self) -> Any:
        """What the home saves, as a file would hold it."""

    @abstractmethod
    def load(self, saved: Any) -> None:
        """Load what `save` returned into this optimizer, which has not stepped."""

    def rate(self, lr: float) -> None:  # noqa: B027
        """Set the learning rate of the next steps, where this can be done."""

    def numbers(self) -> dict[str, Any]:
        """The arguments as the optimizer keeps them, where it does."""
        return {}

    def inside(self) -> dict[str, float]:
        """Numbers that the optimizer keeps beside what it saves, by the name of the attribute."""
        return {}

    def scope(self) -> AbstractContextManager[Any]:
        """What all of this is done inside."""
        return nullcontext()

    def moment_dtypes(self) -> list[str]:
        """The dtypes of what is kept in the shape of a parameter."""
        shapes = {p.shape for p in self.params()}
        return sorted({dtype for dtype, shape in self.state_dtypes().values() if shape in shapes})

    def onward(self, plan: Plan) -> Path:
        """The parameters after every step of a plan, from where the run is."""
        found, now = [], plan.rates[0]
        for grads, lr in zip(plan.gradients, plan.rates, strict=True):
            if lr != now:
                self.rate(lr)
                now = lr
            self.step(grads)
            found.append(self.params())
        return found


def tidy(kind: Any) -> str:
    """A dtype as NumPy writes it, without the name of its home."""
    return str(kind).rpartition(".")[2]


def flatten(tree: Any, name: str = "") -> dict[str, Any]:
    """The leaves of dicts, tuples and lists by their path; `None` and texts are none."""
    if not isinstance(tree, Mapping | tuple | list):
        return {} if tree is None or isinstance(tree, str) else {name: tree}
    pairs = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    found: dict[str, Any] = {}
    for key, value in pairs:
        found |= flatten(value, f"{name}.{key}" if name else str(key))
    return found


def same_bits(one: Sequence[Array], other: Sequence[Array]) -> bool:
    """Whether two lists of arrays hold the same numbers, NaN for NaN."""
    return len(one) == len(other) and all(
        a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(one, other, strict=True)
    )


def same_path(one: Path, other: Path) -> bool:
    """Whether two paths are the same, bit for bit."""
    return all(same_bits(a, b) for a, b in zip(one, other, strict=True))
