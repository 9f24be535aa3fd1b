"""Rare and common words: a SYNTHETIC problem where the features differ in how often they are seen.

A document is a set of words; its score is the sum of its words' hidden weights (each +1 or -1) plus
noise. The 40 most common words are in every second document; from there the frequency falls with
rank to about 1 in 600. The common words together bound the learning rate of plain gradient
descent, and at that rate the rare words, seen some ten times in a run, hardly move.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from adamas.lab.problems import Array, Batch, Params, Problem, generator
from adamas.lab.zoo.about import about

WORDS = 400
COMMON = 40
FALL = 2.5
RARE = 0.01
NOISE = 0.1
BATCH = 10
STEPS = 600
HELD_OUT = 1000


def frequencies() -> Array:
    """Return for each word the probability that a document contains it, float64, shape (400,)."""
    rank = np.arange(1, WORDS + 1)
    return 0.5 * np.minimum(1.0, (COMMON / rank) ** FALL)


class WordsTask:
    """Hidden weights, training documents and held-out documents, all fixed by the seed."""

    def __init__(self, seed: int) -> None:
        self.hidden = generator(seed, 1).choice([-1.0, 1.0], WORDS)
        self.held_out = self._documents(HELD_OUT, generator(seed, 0))
        self.training = self._documents(BATCH * STEPS, generator(seed, 2))

    def _documents(self, count: int, rng: np.random.Generator) -> Batch:
        x = (rng.random((count, WORDS)) < frequencies()).astype(np.float64)
        return x, x @ self.hidden + NOISE * rng.standard_normal(count)

    def start(self) -> Params:
        """Return weights of 0, float64, shape (400,)."""
        return {"w": np.zeros(WORDS)}

    def batches(self) -> Iterator[Batch]:
        """Yield 10 documents at a time; no document comes twice within the planned 600 updates."""
        x, y = self.training
        while True:
            for begin in range(0, len(x), BATCH):
                yield x[begin : begin + BATCH], y[begin : begin + BATCH]

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the scores' mean squared error and return that error."""
        x, y = batch
        error = x @ params["w"] - y
        np.matmul(error * (2 / len(x)), x, out=grads["w"])
        return float(np.mean(error**2))

    def evaluate(self, params: Params) -> float:
        """Return the mean squared error on 1,000 held-out documents."""
        x, y = self.held_out
        return float(np.mean((x @ params["w"] - y) ** 2))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the mean squared error of the rare and of the other weights (1 = not learned)."""
        squared = (params["w"] - self.hidden) ** 2
        rare = frequencies() < RARE
        return {"rare": float(squared[rare].mean()), "common": float(squared[~rare].mean())}


# One task holds 25 MB of documents, and drawing them takes longer than training on them: every
# optimizer that meets a seed gets the same read-only task, and only the last four seeds are kept.
_task = lru_cache(maxsize=4)(WordsTask)

WORD_PROBLEM = Problem("words", STEPS, 50, BATCH, _task)
ENTRY = replace(
    WORD_PROBLEM, every=20, about=about("words", "sparse", ("loss", 0.1), label="synthetic")
)
