"""Wrappers learn that the optimizer inside left a step out.

Hugging Face's Accelerate holds its schedulers still after a skipped step, but asks its own flag,
which only its GradScaler sets; in bfloat16 and float32 it has none.
"""

import sys
import weakref
from collections.abc import Iterator

import torch

# What `accelerate.optimizer.AcceleratedOptimizer.step_was_skipped` returns.
FLAG = "_is_overflow"


class Callers:
    """The optimizers that wrap `optimizer` in their attribute of that name and keep such a flag."""

    def __init__(self) -> None:
        self._told: list[weakref.ref[torch.optim.Optimizer]] = []

    def skipped(self, optimizer: torch.optim.Optimizer) -> None:
        """Tell those that are calling `optimizer.step` now that it changed nothing."""
        for caller in _wrapping(optimizer):
            setattr(caller, FLAG, True)
            self._told.append(weakref.ref(caller))

    def stepped(self) -> None:
        """Take it back."""
        for caller in self._told:
            if (alive := caller()) is not None:
                setattr(alive, FLAG, False)
        self._told.clear()


def _wrapping(optimizer: torch.optim.Optimizer) -> Iterator[torch.optim.Optimizer]:
    # The call stack is the only place where the inner one can see the outer one.
    frame = sys._getframe(1)
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        caller = frame.f_locals.get("self")
        if (
            isinstance(caller, torch.optim.Optimizer)
            and vars(caller).get("optimizer") is optimizer
            and FLAG in vars(caller)
        ):
            yield caller
