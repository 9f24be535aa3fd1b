"""A PyTorch model as a `Task`: torch computes losses and gradients, adamas owns the arrays.

The module's parameters and their `.grad` are views of the trial's NumPy arrays, so nothing is
copied between the two and every problem is stepped by the same code.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from adamas.lab.needs import UnavailableError
from adamas.lab.problems import Params

if TYPE_CHECKING:
    import torch


def torch_or_reason(problem: str) -> Any:
    """Return the module `torch`; `UnavailableError` says how to get it for this problem."""
    try:
        import torch
    except ImportError as error:
        raise UnavailableError("torch", problem=problem) from error
    return torch


class TorchTask:
    """One module under one seed; subclasses say what a batch is and how it is judged.

    `build` makes the module; it is called with torch's generator seeded by `seed`, which is put
    back afterwards. One thread, because a trial has one.
    """

    def __init__(self, seed: int, build: "Callable[[], torch.nn.Module]") -> None:
        import torch

        torch.set_num_threads(1)
        self.seed = seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = build()
        self._named = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        self._start = {n: p.detach().numpy().copy() for n, p in self._named.items()}
        self._params: Params = {}
        self._grads: Params = {}

    def start(self) -> Params:
        """Return the module's first weights, one array for each named parameter."""
        return {name: array.copy() for name, array in self._start.items()}

    def batches(self) -> Iterator[Any]:
        """Yield batches without end."""
        raise NotImplementedError

    def loss(self, batch: Any) -> "torch.Tensor":
        """Return the mean loss of a batch under the module's present weights, a 0-d tensor."""
        raise NotImplementedError

    def judge(self) -> float:
        """Return the validation loss under the module's present weights; gradients are off."""
        raise NotImplementedError

    def metrics(self) -> dict[str, float]:
        """Return further numbers under the module's present weights; gradients are off."""
        return {}

    def gradient(self, params: Params, batch: Any, grads: Params) -> float:
        """Write the gradient of a batch into `grads` and return the batch's loss."""
        self._bind(params)
        if any(self._grads.get(name) is not array for name, array in grads.items()):
            import torch

            self._grads = dict(grads)
            for name, parameter in self._named.items():
                parameter.grad = torch.from_numpy(grads[name])
        for array in grads.values():
            array.fill(0)
        loss = self.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def evaluate(self, params: Params) -> float:
        """Return the validation loss at `params`; NaN or infinite where the weights are."""
        import torch

        self._bind(params)
        with torch.no_grad():
            return float(self.judge())

    def extras(self, params: Params) -> dict[str, float]:
        """Return the metrics at `params`; a run whose weights are not finite has NaN for each."""
        import torch

        self._bind(params)
        with torch.no_grad():
            return self.metrics()

    def _bind(self, params: Params) -> None:
        """Let the module's parameters be views of `params`."""
        if all(self._params.get(name) is array for name, array in params.items()):
            return
        import torch

        self._params = dict(params)
        for name, parameter in self._named.items():
            parameter.data = torch.from_numpy(np.asarray(params[name]))
