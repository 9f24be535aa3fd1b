"""What a user's own loop is handed: a function that makes the optimizer which takes part."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import adamas
from adamas.kernel.formula import Formula
from adamas.lab.course import Further
from adamas.lab.entrant_base import Entrant, own_settings
from adamas.lab.needs import LabError

if TYPE_CHECKING:
    import torch


class EndedError(BaseException):
    """A loop goes on although its run is over; no `except Exception` of a user's stops it."""


class Maker:
    """`make_optimizer(parameters)` of one run, which counts the updates of what it made.

    A loop may make several optimizers, each on parameters of its own; `updates` are those of the
    one that is furthest, `size` is how many numbers they step. None makes more than `steps`, nor
    any more once the run is `over`: the next one raises `EndedError`.
    `inside` says whether an optimizer that is no rule is in a step, outside its closure.
    """

    def __init__(self, who: Entrant, lr: float, further: Further, steps: int) -> None:
        self.who, self.lr, self.further, self.steps = who, lr, further, steps
        self.factor = who.course.changed(further).factor(steps)
        self.size = 0
        self.over = self.inside = False
        self._counts: list[Callable[[], int]] = []

    @property
    def updates(self) -> int:
        """Return the updates that were made so far."""
        return max((count() for count in self._counts), default=0)

    def __call__(self, params: Any) -> Any:
        """Return an optimizer for PyTorch's tensors, or groups of them, or for NumPy's arrays.

        Raises `LabError` for anything else, and where the optimizer is one of PyTorch alone and
        the parameters are not.
        """
        held = kept(params)
        if of_torch(held):
            return self._on_tensors(held)
        return self._on_arrays(held)

    def _on_arrays(self, params: Any) -> adamas.Optimizer:
        if self.who.formula is None:
            raise LabError("error.loop_arrays", optimizer=self.who.text)
        chosen = {**self.who.hypers, **own_settings(self.further)}
        lr = self.lr if self.factor is None else self.lr * self.factor
        try:
            made = ending(lambda: self.may(made.steps))(
                self.who.formula, params, lr=lr, threads=1, on_nonfinite="allow", **chosen
            )
        except (TypeError, ValueError) as error:
            raise LabError("error.loop_parameters", reason=str(error)) from error
        self.size += sum(int(a.size) for group in made.param_groups for a in group["params"])
        self._counts.append(lambda: made.steps)
        return made

    def may(self, done: int) -> None:
        """Raise `EndedError` where an optimizer that made so many updates is to make no more."""
        if self.over or done >= self.steps:
            raise EndedError

    def _on_tensors(self, params: Any) -> "torch.optim.Optimizer":
        made = on_tensors(self.who, params, self.lr, self.further)
        self.size += sum(int(p.numel()) for group in made.param_groups for p in group["params"])
        shares = [group.get("lr", self.lr) / self.lr for group in made.param_groups]
        # A step that calls the step of its base class has its hooks called for both.
        done = depth = 0

        def before(optimizer: Any, args: Any, kwargs: Any) -> Any:
            nonlocal depth
            depth += 1
            if depth > 1:
                return None
            self.may(done)
            if self.factor is not None:
                for share, group in zip(shares, optimizer.param_groups, strict=False):
                    if "lr" not in group:
                        raise LabError("error.foreign_no_group")
                    group["lr"] = share * self.lr * self.factor(done + 1)
            if self.who.formula is not None:
                return None
            self.inside = True
            closures = {name: self._outside(one) for name, one in kwargs.items()}
            return (args[0], *map(self._outside, args[1:])), closures

        def after(optimizer: Any, args: Any, kwargs: Any) -> None:
            nonlocal done, depth
            depth -= 1
            if not depth:
                self.inside = False
                done += 1

        made.register_step_pre_hook(before)
        made.register_step_post_hook(after)
        self._counts.append(lambda: done)
        return made

    def _outside(self, closure: Any) -> Any:
        """Return a closure that is no part of the step which calls it."""
        if not callable(closure):
            return closure

        def called(*args: Any) -> Any:
            self.inside = False
            value = closure(*args)
            self.inside = True
            return value

        return called


def ending(may: Callable[[], None]) -> type[adamas.Optimizer]:
    """Return the optimizer of adamas that asks, before every update, whether it may make it."""

    class Optimizer(adamas.Optimizer):
        """An optimizer of adamas in somebody's loop."""

        def step(self, *args: Any, **kwargs: Any) -> bool:
            """Make one update, if the run has one left."""
            may()
            return super().step(*args, **kwargs)

    return Optimizer


def on_tensors(who: Entrant, params: Any, lr: float, further: Further) -> "torch.optim.Optimizer":
    """Return the optimizer of PyTorch that an entrant is."""
    if who.formula is None:
        foreign: torch.optim.Optimizer = who.of_torch(params, lr, further)
        return foreign
    made: torch.optim.Optimizer = torch_class(who.formula)(
        params, lr=lr, threads=1, on_nonfinite="allow", **{**who.hypers, **own_settings(further)}
    )
    return made


@cache
def torch_class(formula: Formula) -> Any:
    """Return the class of `adamas.torch` that steps by a formula."""
    from adamas.torch import optimizer

    return optimizer(formula)  # type: ignore[arg-type]


def kept(params: Any) -> Any:
    """Return parameters as they are, but every iterator that can be read once as a list."""
    if isinstance(params, Iterator):
        return [kept(one) for one in params]
    if isinstance(params, dict):
        return {name: kept(one) for name, one in params.items()}
    if isinstance(params, list | tuple):
        return [kept(one) if isinstance(one, dict | Iterator) else one for one in params]
    return params


def of_torch(params: Any) -> bool:
    """Return whether parameters hold a tensor of PyTorch, also in groups or beside their names."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return False
    if isinstance(params, Mapping):
        return any(map(of_torch, params.values()))
    if isinstance(params, list | tuple):
        return any(map(of_torch, params))
    return isinstance(params, torch.Tensor)
