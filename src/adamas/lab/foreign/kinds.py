"""An optimizer that somebody else wrote, as one that takes part."""

import sys
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from adamas.lab.course import Further, gathered
from adamas.lab.entrant_base import Entrant, Pairs, own_settings, split
from adamas.lab.foreign.apart import apart
from adamas.lab.foreign.arguments import RATES, Arguments, arguments_of, by_name, reader
from adamas.lab.foreign.array_steps import ArrayStepping, OptaxStepping
from adamas.lab.foreign.finding import Found, is_rule, parameters, version_of
from adamas.lab.foreign.torch_steps import TorchStepping
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.stepping import StepError, Stepping, theirs


@dataclass(frozen=True)
class ForeignEntrant(Entrant):
    """Somebody else's class or function; `origin` changes with its code."""

    made: Callable[..., Any] = field(kw_only=True)
    arguments: Arguments = field(kw_only=True)
    origin: str = field(kw_only=True)

    @property
    def default_lr(self) -> float:
        """Return the learning rate of its signature, or 0.001 where it declares none."""
        return self.arguments.default_lr

    @property
    def free(self) -> dict[str, Any]:
        """Return the arguments of its signature that have a plain default."""
        return self.arguments.simple

    @property
    def code(self) -> str:
        """Return where it comes from, with version and hash."""
        return self.origin

    def apart(self, seed: int) -> AbstractContextManager[None]:
        """Keep a run apart from the process, with random numbers of its seed."""
        return apart(seed)

    def begin(self, params: Params, grads: Params, lr: float, further: Further = ()) -> Stepping:
        """Return the optimizer on the parameters; `StepError` where it cannot be made.

        Raises `LabError` where what is made is no optimizer.
        """
        try:
            with theirs():
                return self._begin(params, grads, lr, self._given(further))
        except StepError as error:
            raise StepError(f"{error} (lr={lr:g})") from error

    def _given(self, further: Further) -> dict[str, Any]:
        return gathered({**self.hypers, **own_settings(further)}, self.free)

    @abstractmethod
    def _begin(
        self, params: Params, grads: Params, lr: float, chosen: dict[str, Any]
    ) -> Stepping: ...


@dataclass(frozen=True)
class TorchEntrant(ForeignEntrant):
    """A class of PyTorch's kind, or a function that returns such an optimizer."""

    def _begin(
        self, params: Params, grads: Params, lr: float, chosen: dict[str, Any]
    ) -> TorchStepping:
        return TorchStepping(partial(self._make, chosen), params, grads, lr, self.asks)

    def _make(self, chosen: dict[str, Any], params: Any, lr: float) -> Any:
        import torch

        made = self.made(params, **{self.arguments.rate: lr}, **chosen)
        if not isinstance(made, torch.optim.Optimizer):
            kind = type(made).__name__
            raise LabError("error.foreign_factory", text=self.text, kind=kind)
        return made

    def of_torch(self, params: Any, lr: float, further: Further = ()) -> Any:
        """Return the optimizer itself, on tensors or groups of them."""
        return self._make(self._given(further), params, lr)

    @property
    def kind(self) -> str:
        """Return that it steps tensors of PyTorch."""
        return "torch"

    @cached_property
    def asks(self) -> bool:
        """Return whether its steps need a closure, seen by trying both on two small matrices."""
        return not self._steps(False) and self._steps(True)

    def _steps(self, asks: bool) -> bool:
        params = {name: np.linspace(-1.0, 1.0, 16).reshape(4, 4) for name in ("w", "v")}
        grads = {name: np.linspace(-0.5, 1.0, 16).reshape(4, 4) for name in ("w", "v")}
        make = partial(self._make, self.hypers)
        with apart(0):
            try:
                stepping = TorchStepping(make, params, grads, self.default_lr, asks)
                stepping.step(grads, 1.0, lambda: 1.0)
            except (StepError, Exception, SystemExit):
                return False
        return True


@dataclass(frozen=True)
class ArrayEntrant(ForeignEntrant):
    """A class made of a dict of NumPy's arrays, with `step(grads)`."""

    @property
    def kind(self) -> str:
        """Return that it steps NumPy's arrays."""
        return "numpy"

    def _begin(
        self, params: Params, grads: Params, lr: float, chosen: dict[str, Any]
    ) -> ArrayStepping:
        return ArrayStepping(self.made(params, **{self.arguments.rate: lr}, **chosen), params)


@dataclass(frozen=True)
class OptaxEntrant(ForeignEntrant):
    """A function of a learning rate that returns a transformation of optax."""

    @property
    def kind(self) -> str:
        """Return that it is one of optax."""
        return "optax"

    def _begin(
        self, params: Params, grads: Params, lr: float, chosen: dict[str, Any]
    ) -> OptaxStepping:
        import optax

        transformation = self._transformation(chosen, lr)
        if not isinstance(transformation, optax.GradientTransformation):
            kind = type(transformation).__name__
            raise LabError("error.foreign_transformation", text=self.text, kind=kind)
        first = partial(self._first, chosen)
        return OptaxStepping(first, self._compiled(tuple(sorted(chosen.items()))), params, lr)

    def _transformation(self, chosen: dict[str, Any], lr: Any) -> Any:
        return self.made(**{self.arguments.rate: lr}, **chosen)

    def _first(self, chosen: dict[str, Any], params: Any, lr: float) -> Any:
        return self._transformation(chosen, lr).init(params)

    def _compiled(self, chosen: tuple[tuple[str, Any], ...]) -> Any:
        """Return the update with the rate as an argument, compiled once for all runs."""
        if chosen not in self._updates:
            import jax
            import optax

            def update(grads: Any, state: Any, params: Any, lr: Any) -> Any:
                made = self._transformation(dict(chosen), lr)
                moves, state = made.update(grads, state, params)
                return optax.apply_updates(params, moves), state

            self._updates[chosen] = jax.jit(update)
        return self._updates[chosen]

    @cached_property
    def _updates(self) -> dict[Any, Any]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what other processes are sent: what is compiled stays here."""
        return {name: value for name, value in vars(self).items() if name != "_updates"}


def foreign(text: str, found: Found, pairs: Pairs = ()) -> ForeignEntrant:
    """Return what was found as an optimizer called `text`, some of its arguments fixed.

    Raises `LabError` for what is no optimizer, has no learning rate, or has no such argument.
    """
    thing = found.thing
    kind = _kind(text, thing)
    arguments = arguments_of(text, thing)
    hypers, course = split(
        text, pairs, found.source, list(arguments.others), reader(text, arguments)
    )
    missing = [name for name in arguments.missing if name not in hypers]
    if missing:
        raise LabError("error.foreign_needs", text=text, names=", ".join(missing))
    under = {TorchEntrant: "torch", OptaxEntrant: "jax"}.get(kind, "numpy")
    origin = f"{found.origin} {under} {version_of(under)}"
    return kind(text, hypers, course=course, made=thing, arguments=arguments, origin=origin)


def _kind(text: str, thing: Any) -> type[ForeignEntrant]:
    """Return which kind of optimizer something is."""
    torch: Any = sys.modules.get("torch")
    made = thing.func if isinstance(thing, partial) else thing  # a partial call of one is its kind
    if isinstance(made, type):
        if torch is not None and issubclass(made, torch.optim.Optimizer):
            return TorchEntrant
        if callable(getattr(made, "step", None)) and set(RATES) & set(by_name(thing)):
            return ArrayEntrant
    elif callable(thing) and not is_rule(made):
        names = list(parameters(thing))
        if set(RATES) & set(names[1:]):
            return TorchEntrant
        if set(RATES) & set(names[:1]):
            return OptaxEntrant
    taken = ", ".join(parameters(thing)) if callable(thing) else type(thing).__name__
    raise LabError("error.not_optimizer", text=text, taken=taken)
