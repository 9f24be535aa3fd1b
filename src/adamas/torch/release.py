"""Parameters stepped during the backward pass, so that no two whole gradients live at once.

As soon as a parameter's gradient is complete its optimizer steps it and lets the gradient go. Every
parameter gets a driver of its own for that, over the same entry of `optimizer.state`, so that a
step costs what that parameter costs, and everybody else finds the state where it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from adamas.engine.finite import NonFiniteError
from adamas.kernel.scopes import ALL
from adamas.torch.called import every
from adamas.torch.driver import Driver
from adamas.torch.scheduled import KEY
from adamas.torch.shards import sharded


class Single:
    """One parameter of the optimizer of `whole`, stepped with what its group says now.

    It is the `Owner` of a driver: of one group, and one entry of the state.
    """

    def __init__(self, whole: Driver, parameter: torch.Tensor, group: int, key: str) -> None:
        self._whole, self._parameter, self._group = whole, parameter, group
        self._own = {"params": [parameter], "param_names": [key]}
        self.param_groups: list[dict[str, Any]] = [{}]
        self.state: dict[torch.Tensor, Any] = {}
        self._driver, self._loads = whole.beside(self, group), whole.loads

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def step(self) -> None:
        """Step the parameter and free its gradient; raises what `Optimizer.step` raises.

        An error with which nothing was changed leaves the gradient where it is.
        """
        whole, parameter = self._whole, self._parameter
        if self._loads != whole.loads:
            # What rows missed before a state was loaded is no longer theirs.
            self._driver, self._loads = whole.beside(self, self._group), whole.loads
        self.state = {parameter: whole.owner.state[parameter]}
        self.param_groups[0].update(whole.owner.param_groups[self._group])
        # The optimizer's groups have the numbers of this step.
        self.param_groups[0].pop(KEY, None)
        self.param_groups[0].update(self._own)
        self._driver.check_mode()
        try:
            with whole.lock:
                self._driver.step()
        except NonFiniteError as error:
            if error.left:
                parameter.grad = None
            raise
        parameter.grad = None

    def sync(self) -> None:
        """Do the steps that rows have missed."""
        if self._loads == self._whole.loads:
            with self._whole.lock:
                self._driver.sync()


class Release:
    """Steps parameters in their backward hooks until `remove`, or the end of a `with` block."""

    def __init__(self, optimizer: torch.optim.Optimizer, driver: Driver) -> None:
        # The optimizer lives as long as hooks step its parameters: its driver holds it weakly.
        self._optimizer, self._driver = optimizer, driver
        self._adding = self.begun = False
        self._done: set[torch.Tensor] = set()
        self._singles: dict[torch.Tensor, Single] = {}
        self._keys: dict[torch.Tensor, str] = {}
        self._hooks: list[Any] = []
        # Random numbers depend on the place among all parameters: all share these keys.
        driver.assign_keys()
        for group, p, key in every(optimizer.param_groups):
            if p.requires_grad:
                self._keys[p] = key
                self._singles[p] = Single(driver, p, group, key)
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
        if not self.begun:
            with self._driver.lock:
                self._driver.schedule()
            self.begun = True
        try:
            self._singles[parameter].step()
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
        self.begun = left and self.begun
        return left

    def sync(self) -> None:
        """Do the steps that rows of sparse parameters have missed."""
        for single in self._singles.values():
            single.sync()

    def remove(self) -> None:
        """Take the hooks away: `step` does all the work again. A second time does nothing."""
        if self._driver.released is self:
            self.sync()
            self._driver.released = None
        for hook in self._hooks:
            hook.remove()

    def __enter__(self) -> "Release":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def obstacle(driver: Driver, hooked: bool) -> str | None:
    """What of an optimizer needs all gradients at once, and what to do about it.

    `hooked` says that something runs before its steps.
    """
    options = driver.options
    if driver.released is not None:
        return "they are already; remove() that first."
    for plan in driver.plan.rules:
        if ALL in plan.formula.over:
            return f"{plan.formula.name} sums over all tensors; step after backward()."
    if options["observe"]:
        return "observe=True notes what a step of all of them did; leave it out."
    if options["clip_norm"] is not None:
        return f"clip_norm={options['clip_norm']} needs the norm of all of them; leave it out."
    if options["on_nonfinite"] == "skip":
        return (
            "on_nonfinite='skip' must see all of them before it steps or skips; use 'guard', "
            "'raise' or 'allow'."
        )
    if hooked:
        return "a hook before the step would run after it; remove the hook."
    if any(sharded(p) for group in driver.owner.param_groups for p in group["params"]):
        return "ranks that hold shards agree once a step on all of them; step after backward()."
    dist = torch.distributed
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        return "processes add them up only after hooks have run; step after backward()."
    return None
