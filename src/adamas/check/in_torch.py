"""Optimizers that are made of parameters as `torch.optim.Optimizer` is."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from adamas.check.plan import Array
from adamas.check.running import Library, Run, flatten, tidy


class Torch(Run):
    """Parameters on the CPU; whoever has a mode for training is put into it."""

    home, torch = "torch", Library()

    def start(self, params: Sequence[Array], dtype: str, lay: Any = None) -> None:
        """See `Run.start`."""
        made = [self.torch.tensor(p, dtype=getattr(self.torch, dtype)) for p in params]
        self.held = [self.torch.nn.Parameter(lay(one) if lay else one) for one in made]
        self.optimizer = self.make(self.held, **self.arguments)
        if callable(getattr(self.optimizer, "train", None)):
            self.optimizer.train()

    def step(self, grads: Sequence[Array]) -> None:
        """See `Run.step`."""
        for p, g in zip(self.held, grads, strict=True):
            p.grad = self.torch.empty_like(p).copy_(self.torch.tensor(g))
        self.optimizer.step()

    def sparse_step(self, grads: Sequence[Array]) -> None:
        """One step by gradients in the sparse layout of self.torch."""
        for p, g in zip(self.held, grads, strict=True):
            p.grad = self.torch.tensor(g, dtype=p.dtype).to_sparse(1)
        self.optimizer.step()

    def params(self) -> list[Array]:
        """See `Run.params`."""
        return [_array(p) for p in self.held]

    def param_dtypes(self) -> set[str]:
        """See `Run.param_dtypes`."""
        return {tidy(p.dtype) for p in self.held}

    def _leaves(self) -> dict[str, Any]:
        saved = self.optimizer.state_dict()
        return flatten({k: v for k, v in saved.items() if k != "param_groups"})

    def state(self) -> dict[str, Array]:
        """See `Run.state`."""
        leaves, tensor = self._leaves().items(), self.torch.Tensor
        return {k: _array(v) for k, v in leaves if isinstance(v, int | float | tensor | np.ndarray)}

    def state_dtypes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """See `Run.state_dtypes`."""
        leaves = self._leaves().items()
        found = {k: v for k, v in leaves if isinstance(v, self.torch.Tensor)}
        return {k: (tidy(v.dtype), tuple(v.shape)) for k, v in found.items()}

    def save(self) -> Any:
        """See `Run.save`: through torch's own file format."""
        stream = io.BytesIO()
        self.torch.save(self.optimizer.state_dict(), stream)
        return stream.getvalue()

    def load(self, saved: Any) -> None:
        """See `Run.load`."""
        self.optimizer.load_state_dict(self.torch.load(io.BytesIO(saved), weights_only=False))

    def rate(self, lr: float) -> None:
        """See `Run.rate`."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def numbers(self) -> dict[str, Any]:
        """See `Run.numbers`."""
        group = getattr(self.optimizer, "param_groups", [{}])[0]
        return {k: v for k, v in group.items() if k != "params"}

    def inside(self) -> dict[str, float]:
        """See `Run.inside`."""
        kept = vars(self.optimizer).items()
        return {k: float(v) for k, v in kept if isinstance(v, int | float)}


def _array(value: Any) -> Array:
    """A tensor as numbers, in float64 where NumPy lacks its dtype."""
    import torch

    if not isinstance(value, torch.Tensor):
        return np.asarray(value)
    value = value.detach().cpu()
    value = value.to_dense() if value.layout != torch.strided else value
    return np.array(value.double().numpy() if value.is_floating_point() else value.numpy())
