"""Parameters stepped during the backward pass, so that no two whole gradients live at once.

As soon as a parameter's gradient is complete its optimizer steps it and lets the gradient go. Every
parameter gets a lane for that: an optimizer of it alone, over the same entry of `optimizer.state`,
so that a step costs what that parameter costs, and everybody else finds the state where it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from adamas.engine.finite import NonFiniteError
from adamas.engine.turn import waiting
from adamas.torch import keys
from adamas.torch.driver import every, named
from adamas.torch.shards import sharded
from adamas.torch.watch import Watch

if TYPE_CHECKING:
    from adamas.torch.base import Optimizer


class Lane:
    """One parameter of `owner`, of group `group`, stepped with what its group says now."""

    def __init__(self, owner: "Optimizer", parameter: torch.Tensor, group: int, key: str) -> None:
        self._owner, self._parameter, self._group = owner, parameter, group
        self._own = {"params": [parameter], "param_names": [key]}
        self._alone = self._made()

    def _made(self) -> "Optimizer":
        kind = type(self._owner)
        alone = kind.__new__(kind)
        vars(alone).update(vars(self._owner))
        alone._released, alone._core, alone._watch = None, None, Watch(alone)
        alone.param_groups = [{}]
        waiting.add(alone)
        return alone

    def step(self) -> None:
        """Step the parameter and free its gradient; raises what `Optimizer.step` raises.

        An error with which nothing was changed leaves the gradient where it is.
        """
        owner, parameter = self._owner, self._parameter
        if self._alone._options is not owner._options:
            # A state was loaded: what rows missed before is no longer theirs.
            self._alone = self._made()
        alone = self._alone
        alone.state = {parameter: owner.state[parameter]}  # type: ignore[assignment]
        alone.param_groups[0].update(owner.param_groups[self._group])
        alone.param_groups[0].update(self._own)
        try:
            alone._update()
        except NonFiniteError as error:
            if error.left:
                parameter.grad = None
            raise
        parameter.grad = None

    def sync(self) -> None:
        """Do the steps that rows have missed."""
        if self._alone._options is self._owner._options:
            self._alone.sync()


class Release:
    """Steps parameters in their backward hooks until `remove`, or the end of a `with` block."""

    def __init__(self, optimizer: "Optimizer") -> None:
        self._optimizer = optimizer
        self._adding = False
        self._done: set[torch.Tensor] = set()
        self._lanes: dict[torch.Tensor, Lane] = {}
        self._keys: dict[torch.Tensor, str] = {}
        self._hooks: list[Any] = []
        # Random numbers depend on the place among all parameters: lanes share these keys.
        seed = optimizer._options["seed"]
        optimizer._keys = keys.assigned(named(optimizer), optimizer._keys, optimizer.state, seed)
        keys.hold(optimizer._keys, seed, optimizer)
        for group, p, key in every(optimizer):
            if p.requires_grad:
                self._keys[p] = key
                self._lanes[p] = Lane(optimizer, p, group, key)
                hook = p.register_post_accumulate_grad_hook(self._step)  # type: ignore[no-untyped-call]
                self._hooks.append(hook)

    def _step(self, parameter: torch.Tensor) -> None:
        if self._adding or parameter.grad is None:
            return
        if parameter in self._done:
            raise RuntimeError(
                f"{self._keys[parameter]!r} was stepped already in this iteration. Call "
                "optimizer.step() at the end of each; to add up gradients of several backward "
                "passes, do all but the last in `with release.accumulate():`."
            )
        try:
            self._lanes[parameter].step()
        finally:
            if parameter.grad is None:
                self._done.add(parameter)

    @contextmanager
    def accumulate(self) -> Iterator[None]:
        """Backward passes inside keep their gradients; the next one outside adds its own."""
        before, self._adding = self._adding, True
        try:
            yield
        finally:
            self._adding = before

    def end(self) -> bool:
        """End an iteration; whether gradients are left for an ordinary step."""
        self._done.clear()
        groups = self._optimizer.param_groups
        left = any(p.grad is not None for group in groups for p in group["params"])
        if left:
            self.sync()
        return left

    def sync(self) -> None:
        """Do the steps that rows of sparse parameters have missed."""
        for lane in self._lanes.values():
            lane.sync()

    def remove(self) -> None:
        """Take the hooks away: `step` does all the work again. A second time does nothing."""
        if self._optimizer._released is self:
            self.sync()
            self._optimizer._released = None
        for hook in self._hooks:
            hook.remove()

    def __enter__(self) -> "Release":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def release_gradients(optimizer: "Optimizer") -> Release:
    """Step each parameter of `optimizer` as soon as its gradient is complete, and free that.

    The training loop stays as it is: `optimizer.step()` ends an iteration, and steps parameters
    that still have a gradient. The bits are those of ordinary steps. A NaN or infinity is raised
    out of `backward()`, and parameters stepped before have moved: under `on_nonfinite="guard"` so
    have the finite blocks of its own, whose gradient is freed; "raise" leaves that parameter as it
    was, with its gradient.

    Raises TypeError for an optimizer of somebody else's, ValueError for what needs all gradients at
    once: `clip_norm`, `on_nonfinite="skip"`, hooks before a step, DTensors, several processes (DDP
    sums gradients after they were used). A GradScaler is refused when it steps.
    """
    from adamas.torch.base import Optimizer

    if not isinstance(optimizer, Optimizer):
        kind = f"{type(optimizer).__module__}.{type(optimizer).__name__}"
        raise TypeError(f"{kind} is no optimizer of adamas.torch, whose gradients can be released.")
    if reason := _obstacle(optimizer):
        raise ValueError(f"gradients cannot be released: {reason}")
    optimizer.sync()
    optimizer._core, optimizer._watch = None, Watch(optimizer)
    optimizer._released = Release(optimizer)
    return optimizer._released


def _obstacle(optimizer: "Optimizer") -> str | None:
    """What of this optimizer needs all gradients at once, and what to do about it."""
    options = optimizer._options
    if optimizer._released is not None:
        return "they are already; remove() that first."
    if options["clip_norm"] is not None:
        return f"clip_norm={options['clip_norm']} needs the norm of all of them; leave it out."
    if options["on_nonfinite"] == "skip":
        return (
            "on_nonfinite='skip' must see all of them before it steps or skips; use 'guard', "
            "'raise' or 'allow'."
        )
    if optimizer._optimizer_step_pre_hooks:
        return "a hook before the step would run after it; remove the hook."
    if any(sharded(p) for group in optimizer.param_groups for p in group["params"]):
        return "ranks that hold shards agree once a step on all of them; step after backward()."
    dist = torch.distributed
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        return "processes add them up only after hooks have run; step after backward()."
    return None
