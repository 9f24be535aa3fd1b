"""An optimizer of PyTorch on the arrays of one run: its parameters are views of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.problems import Array, Params
from adamas.lab.stepping import Again, StepError, theirs

if TYPE_CHECKING:
    import torch

# `make(parameters, lr)` returns an optimizer on a list of tensors.
Make = Callable[["list[torch.Tensor]", float], Any]


class TorchStepping:
    """An optimizer of PyTorch on the arrays of one run.

    With `asks` each step is given a closure. Parameters that the optimizer puts other memory behind
    (`p.data = new`) are copied back, so that the arrays are always what it means.
    """

    own = None

    def __init__(self, make: Make, params: Params, grads: Params, lr: float, asks: bool) -> None:
        import torch

        self._torch, self._asks = torch, asks
        self._arrays = list(params.values())
        self._homes = [torch.from_numpy(array) for array in self._arrays]
        self._grads = [torch.from_numpy(grads[name]) for name in params]
        self._tensors = [torch.nn.Parameter(home.view_as(home)) for home in self._homes]
        self._give_gradients()
        self._made = make(list(self._tensors), lr)
        self._shares = [group.get("lr", lr) / lr for group in self._made.param_groups]
        self._averages = all(
            callable(getattr(self._made, name, None)) for name in ("train", "eval")
        )
        if self._averages:
            self._made.train()
        self._fault: BaseException | None = None

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on; groups keep their shares of it."""
        for group, share in zip(self._made.param_groups, self._shares, strict=False):
            if "lr" not in group:
                raise StepError(str(LabError("error.foreign_no_group")))
            if isinstance(group["lr"], self._torch.Tensor):
                group["lr"].fill_(lr * share)
            else:
                group["lr"] = lr * share

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update; what the optimizer raises becomes a `StepError`."""
        self._give_gradients()
        self._fault = None
        try:
            with theirs():
                if self._asks:
                    self._made.step(self._closure(loss, again))
                else:
                    self._made.step()
                self._bring_home()
        except StepError:
            if self._fault is not None:  # not the optimizer's own
                raise self._fault from None
            raise

    def _closure(self, loss: float, again: Again) -> Callable[[], Any]:
        """Return what computes loss and gradient where the parameters are.

        The first call of a step mostly is where the gradient is known already; SAM's is not.
        """
        before = [array.copy() for array in self._arrays]
        fresh = True

        def closure() -> Any:
            nonlocal fresh
            self._bring_home()
            still = fresh and all(map(np.array_equal, before, self._arrays))
            fresh = False
            with self._torch.enable_grad():
                value = loss if still else self._ask(again)
            self._give_gradients()
            return self._torch.tensor(value, dtype=self._homes[0].dtype)

        return closure

    def _ask(self, again: Again) -> float:
        try:
            with np.errstate(all="ignore"):  # not what the optimizer may have set
                return again()
        except BaseException as error:
            self._fault = error
            raise

    def _give_gradients(self) -> None:
        for tensor, grad in zip(self._tensors, self._grads, strict=True):
            if tensor.grad is not grad:
                tensor.grad = grad

    def _bring_home(self) -> None:
        """Copy back what lies elsewhere, and let the parameters be views again."""
        for tensor, home in zip(self._tensors, self._homes, strict=True):
            if tensor.data_ptr() == home.data_ptr() and tensor.dtype == home.dtype:
                continue
            if tensor.shape != home.shape:
                shapes = f"{tuple(home.shape)} to {tuple(tensor.shape)}"
                raise ValueError(f"the shape of a parameter was changed from {shapes}")
            with self._torch.no_grad():
                home.copy_(tensor)
            tensor.data = home

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Judge at the average, for optimizers with `eval()` and `train()`."""
        if not self._averages:
            yield
            return
        with theirs():
            self._made.eval()
            self._bring_home()
        try:
            yield
        finally:
            with theirs():
                self._made.train()
                self._bring_home()

    def state_bytes(self) -> int:
        """Return the bytes of its state, numbers at eight each, counters of steps left out."""
        return held(self._state(), {home.data_ptr() for home in self._homes})

    def _state(self) -> Any:
        with suppress(Exception):
            return {k: v for k, v in self._made.state_dict().items() if k != "param_groups"}
        return dict(self._made.state)


def held(value: Any, seen: set[int]) -> int:
    """Return the bytes of tensors, arrays and numbers, however nested; memory in `seen` is none."""
    if isinstance(value, dict):
        return sum(held(one, seen) for name, one in value.items() if name != "step")
    if isinstance(value, list | tuple):
        return sum(held(one, seen) for one in value)
    if hasattr(value, "data_ptr") or isinstance(value, np.ndarray):
        address = _address(value)
        if address in seen:
            return 0
        seen.add(address)
        return int(value.nbytes)
    return 8 if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _address(value: Any) -> int:
    array: Array = value
    return int(value.data_ptr() if hasattr(value, "data_ptr") else array.ctypes.data)
