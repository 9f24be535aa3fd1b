"""Classification of real images: MNIST in NumPy, the small digits with convolutions in torch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adamas.lab.data import mnist
from adamas.lab.data.uci_digits import SOURCE, data
from adamas.lab.problems import Batch, Problem, generator, shuffled_batches
from adamas.lab.zoo import digits
from adamas.lab.zoo.about import about
from adamas.lab.zoo.dense import CLASSES, DenseTask, split
from adamas.lab.zoo.torch_task import TorchTask, torch_or_reason

if TYPE_CHECKING:
    import torch

MNIST_HELD, MNIST_BATCH = 1000, 64
CNN_BATCH = 64


def mnist5k(seed: int) -> DenseTask:
    """Return a network of 64 hidden units on 4,000 images, judged on 1,000 others."""
    parts = split(*mnist.images(), MNIST_HELD, seed)
    return DenseTask(seed, parts, (784, 64, 10), MNIST_BATCH, CLASSES)


def _network() -> "torch.nn.Module":
    """Return two convolutions of 3x3, each halved by its maximum, and one dense layer."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


class ConvolutionTask(TorchTask):
    """A convolutional network on the 8x8 digits; the split is that of `digits` for each seed."""

    def __init__(self, seed: int) -> None:
        torch_or_reason("digits-cnn")
        super().__init__(seed, _network)
        pixels, labels = data()
        self.training, self.validation = split(
            pixels.reshape(-1, 1, 8, 8), labels, digits.VALIDATION, seed
        )

    def batches(self) -> Iterator[Batch]:
        """Yield 64 training images at a time, shuffled anew each epoch."""
        return shuffled_batches(*self.training, CNN_BATCH, generator(self.seed, 2))

    def loss(self, batch: Batch) -> "torch.Tensor":
        """Return the mean cross-entropy of a batch."""
        import torch

        x, y = batch
        logits = self.model(torch.from_numpy(x))
        return torch.nn.functional.cross_entropy(logits, torch.from_numpy(y))

    def judge(self) -> float:
        """Return the mean cross-entropy on the validation images, in nats."""
        return float(self.loss(self.validation))

    def metrics(self) -> dict[str, float]:
        """Return the share of validation images that are classified correctly."""
        import torch

        x, y = self.validation
        found = self.model(torch.from_numpy(x)).argmax(1).numpy()
        return {"accuracy": float((found == y).mean())}


MNIST = Problem(
    "mnist5k",
    930,
    31,
    MNIST_BATCH,
    mnist5k,
    about=about(
        "mnist5k", "classification", ("loss", 0.273), sources=(mnist.MNIST,), higher=("accuracy",)
    ),
)
CNN = Problem(
    "digits-cnn",
    440,
    22,
    CNN_BATCH,
    ConvolutionTask,
    about=about(
        "digits-cnn",
        "classification",
        digits.LOGISTIC,
        sources=(SOURCE,),
        higher=("accuracy",),
        shared="digits",
    ),
)
