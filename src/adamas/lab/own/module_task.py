"""A torch module and its data as a `Task`."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from adamas.lab.own.splits import split_rows
from adamas.lab.problems import generator, shuffled_batches
from adamas.lab.zoo.torch_task import TorchTask

if TYPE_CHECKING:
    import torch

# Samples that are judged at once, so that memory stays that of training.
JUDGED = 512


class ModuleTask(TorchTask):
    """One module under one seed, on map-style data: `len(data)`, and `data[i]` gives (x, y).

    Before each batch torch's generator is seeded, so that dropout and random augmentation are the
    same in every process and for every optimizer.
    """

    def __init__(
        self,
        seed: int,
        build: "Callable[[], torch.nn.Module]",
        data: Any,
        validation: Any | None,
        batch: int,
        functions: tuple[Callable[..., Any], Callable[..., Mapping[str, Any]] | None],
    ) -> None:
        super().__init__(seed, build)
        self.batch = batch
        self.loss_fn, self.metrics_fn = functions
        dtype = next((p.dtype for p in self.model.parameters() if p.is_floating_point()), None)
        self.training = _indexed(data, dtype)
        self.judging = self.training if validation is None else _indexed(validation, dtype)
        if validation is None:
            self.train, self.held = split_rows(len(data_rows(data)), generator(seed, 0))
        else:
            self.train = np.arange(len(data_rows(data)))
            self.held = np.arange(len(data_rows(validation)))

    def batches(self) -> Iterator[Any]:
        """Yield (inputs, targets) as tensors, shuffled anew each pass."""
        import torch

        # A stream of its own, so that the order of the batches is that of every other task.
        noise = generator(self.seed, 3)
        rng = generator(self.seed, 2)
        for rows, _ in shuffled_batches(self.train, self.train, self.batch, rng):
            torch.manual_seed(int(noise.integers(2**62)))
            yield self.training(rows)

    def loss(self, batch: Any) -> "torch.Tensor":
        """Return the user's loss of a batch."""
        x, y = batch
        found: torch.Tensor = self.loss_fn(self.model(x), y)
        return found

    def judge(self) -> float:
        """Return the mean of the user's loss over the validation data, in evaluation mode."""
        total = sum(float(self.loss_fn(out, y)) * len(y) for out, y in self._judged())
        return total / len(self.held)

    def metrics(self) -> dict[str, float]:
        """Return the user's metrics of all outputs and targets of the validation data."""
        if self.metrics_fn is None:
            return {}
        import torch

        pairs = list(self._judged())
        outputs, targets = (torch.cat([pair[i] for pair in pairs]) for i in (0, 1))
        return {name: float(v) for name, v in self.metrics_fn(outputs, targets).items()}

    def _judged(self) -> Iterator[tuple[Any, Any]]:
        self.model.eval()
        try:
            for begin in range(0, len(self.held), JUDGED):
                x, y = self.judging(self.held[begin : begin + JUDGED])
                yield self.model(x), y
        finally:
            self.model.train()


def data_rows(data: Any) -> Any:
    """Return what has the length of the data: a data set itself, or the inputs of (x, y)."""
    return data[0] if isinstance(data, tuple) else data


def _indexed(data: Any, dtype: "torch.dtype | None") -> Callable[[Any], Any]:
    """Return what gives a batch by its row numbers.

    Arrays of float64 become the module's dtype: NumPy's default is torch's error.
    """
    import torch

    if not isinstance(data, tuple):
        return lambda rows: torch.utils.data.default_collate([data[int(i)] for i in rows])
    tensors = [torch.as_tensor(array) for array in data]
    x, y = (t.to(dtype) if t.dtype == torch.float64 and dtype else t for t in tensors)
    return lambda rows: (x[rows], y[rows])
