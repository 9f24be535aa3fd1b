"""Classification of real images: MNIST in NumPy, the small digits with convolutions in torch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adamas.lab.data import images
from adamas.lab.data.digits import SOURCE, data
from adamas.lab.problems import About, Batch, Problem, Quality, generator, shuffled_batches
from adamas.lab.zoo import digits
from adamas.lab.zoo.dense import CLASSES, DenseTask, split
from adamas.lab.zoo.torch_task import TorchTask, torch_or_reason

if TYPE_CHECKING:
    import torch

MNIST_HELD, MNIST_BATCH = 1000, 64
CNN_BATCH = 64


def mnist(seed: int) -> DenseTask:
    """Return a network of 64 hidden units on 4,000 images, judged on 1,000 others."""
    parts = split(*images.mnist(), MNIST_HELD, seed)
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
    mnist,
    about=About(
        title={"en": "5,000 handwritten digits of MNIST", "zh": "MNIST 的 5,000 个手写数字"},
        kind="classification",
        model={"en": "network 784-64-10 with ReLU", "zh": "784-64-10 网络（ReLU）"},
        loss={
            "en": "cross-entropy on 1,000 held-out images, in nats",
            "zh": "1,000 幅留出图像上的交叉熵（奈特）",
        },
        sources=(images.MNIST,),
        quality=Quality(
            "loss",
            0.273,
            {
                "en": "mean over seeds 0-2 of scikit-learn's MLPClassifier: same network, splits, "
                "batch size and 15 epochs, its own Adam at its defaults",
                "zh": "scikit-learn 的 MLPClassifier 的均值（种子 0–2）：网络、划分、批大小和 15 轮"
                "均相同，使用其自带的默认 Adam",
            },
        ),
        higher=("accuracy",),
    ),
)
CNN = Problem(
    "digits-cnn",
    440,
    22,
    CNN_BATCH,
    ConvolutionTask,
    about=About(
        title={"en": "Handwritten digits, convolutional network", "zh": "手写数字，卷积网络"},
        kind="classification",
        model={
            "en": "convolutions of 8 and 16 filters 3x3, each with ReLU and 2x2 maximum, then "
            "64 x 10 weights; PyTorch computes the gradients",
            "zh": "8 个和 16 个 3x3 卷积核，各接 ReLU 与 2x2 最大池化，再接 64 x 10 个权重；"
            "梯度由 PyTorch 计算",
        },
        loss=digits.LOSS,
        sources=(SOURCE,),
        quality=digits.LOGISTIC,
        higher=("accuracy",),
    ),
)
