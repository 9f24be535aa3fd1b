"""Praise or blame: sentiment of real Chinese reviews from a bag of embedded characters, in PyTorch.

The model is fastText's (Joulin et al. 2016, Bag of Tricks for Efficient Text Classification): the
mean of the embeddings of single characters and of pairs of neighbours, hashed into a table, and a
linear layer. No words need to be told apart, which Chinese does not mark.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from adamas.lab.data.texts import REVIEWS, reviews
from adamas.lab.problems import Array, Problem, generator
from adamas.lab.zoo.about import about
from adamas.lab.zoo.torch_task import TorchTask, torch_or_reason

if TYPE_CHECKING:
    import torch

BUCKETS = 32768
WIDTH = 4
BATCH = 64
STEPS = 600
EVERY = 20
HELD_OUT = 2000
LONGEST = 200
# Knuth's multiplicative hashing (The Art of Computer Programming 3, 6.4), in 32 bits.
SPREAD = np.uint64(2654435761)


def hashed(text: str) -> Array:
    """Return the table rows of a text's characters and of its pairs of neighbours, int64.

    Characters beyond the first 200 are left out: 4 % of the reviews are longer.
    """
    codes = np.array([ord(char) for char in text[:LONGEST]], np.uint64)
    mixed = np.concatenate([codes, (codes[:-1] << np.uint64(21)) + codes[1:]]) * SPREAD
    return ((mixed ^ (mixed >> np.uint64(29))) % np.uint64(BUCKETS)).astype(np.int64)


@cache
def features() -> tuple[Array, Array, Array]:
    """Return the rows of all reviews one after another, where each starts, and the labels."""
    written, labels = reviews()
    rows = [hashed(text) for text in written]
    starts = np.cumsum([0, *(len(row) for row in rows)])
    return np.concatenate(rows), starts, labels.astype(np.float32)


def bag(chosen: Array) -> tuple[Array, Array, Array]:
    """Return the rows of the chosen reviews, where each starts in them, and their labels."""
    rows, starts, labels = features()
    parts = [rows[starts[i] : starts[i + 1]] for i in chosen]
    begins = np.cumsum([0, *(len(part) for part in parts[:-1])])
    return np.concatenate(parts), begins, labels[chosen]


class SentimentTask(TorchTask):
    """A classifier of reviews; the seed draws the held-out reviews, the start and the order."""

    def __init__(self, seed: int) -> None:
        torch_or_reason("sentiment")
        super().__init__(seed, network)
        order = generator(seed, 0).permutation(len(features()[2]))
        self.held_out, self.training = order[:HELD_OUT], order[HELD_OUT:]
        self.judged = bag(self.held_out)

    def batches(self) -> Iterator[tuple[Array, Array, Array]]:
        """Yield 64 reviews at a time: table rows, where each review starts, and labels."""
        rng = generator(self.seed, 2)
        while True:
            order = rng.permutation(self.training)
            for begin in range(0, len(order) - BATCH + 1, BATCH):
                yield bag(order[begin : begin + BATCH])

    def _logits(self, batch: tuple[Array, Array, Array]) -> "torch.Tensor":
        import torch

        table, last = self.model.children()
        rows = table(torch.from_numpy(batch[0]), torch.from_numpy(batch[1]))
        logits: torch.Tensor = last(rows)
        return logits[:, 0]

    def loss(self, batch: tuple[Array, Array, Array]) -> "torch.Tensor":
        """Return the mean cross-entropy of the labels, in nats."""
        import torch

        logits = self._logits(batch)
        labels = torch.from_numpy(batch[2]).to(logits.dtype)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)

    def judge(self) -> float:
        """Return the mean cross-entropy on the 2,000 held-out reviews, in nats."""
        return self.loss(self.judged).item()

    def metrics(self) -> dict[str, float]:
        """Return the share of held-out reviews whose label is guessed right."""
        praise = self._logits(self.judged).numpy() > 0
        return {"accuracy": float((praise == (self.judged[2] > 0.5)).mean())}


def network() -> "torch.nn.Module":
    """Return the untrained model, a list of the table and the linear layer."""
    from torch import nn

    table = nn.EmbeddingBag(BUCKETS, WIDTH, mode="mean")
    nn.init.normal_(table.weight, std=0.05)
    return nn.ModuleList([table, nn.Linear(WIDTH, 1)])


SENTIMENT = Problem(
    "sentiment",
    STEPS,
    EVERY,
    BATCH,
    SentimentTask,
    about=about(
        "sentiment", "sentiment", ("accuracy", 0.83), sources=(REVIEWS,), higher=("accuracy",)
    ),
)
