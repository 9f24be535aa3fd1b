"""What the lab trains: a problem is data, so that tuning, trials and pictures never know which one.

A `Problem` says how long to train; its `task(seed)` fixes everything that is random (the split, the
start and the order of the batches), so that two optimizers given the same seed meet exactly the
same training. The built-in problems are listed in `adamas.lab.zoo`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]
Batch = tuple[Array, Array]
# A text in each of the lab's languages: {"en": ..., "zh": ...}.
Words = Mapping[str, str]


class Task(Protocol):
    """One problem under one seed: training batches, a loss with its gradient, and a judge."""

    def start(self) -> Params:
        """Return fresh parameters, the same ones at every call."""

    def batches(self) -> Iterator[Any]:
        """Yield batches without end, in the order that the seed fixes; often (inputs, targets)."""

    def gradient(self, params: Params, batch: Any, grads: Params) -> float:
        """Write the gradient of a batch into `grads`, arrays like `params`; return the mean loss.

        The same arrays serve every step, so that the optimizer meets addresses it knows.
        """

    def evaluate(self, params: Params) -> float:
        """Return the loss that optimizers are judged by, lower is better."""

    def extras(self, params: Params) -> dict[str, float]:
        """Return further numbers worth showing at the end of a run."""


@dataclass(frozen=True)
class Source:
    """Where data come from: what to install, who may use them, whom to cite, and their checksum.

    `sha256` is of the file as shipped, or of the arrays' bytes when the data come through an API.
    """

    title: str
    package: str
    licence: str
    citation: str
    sha256: str


@dataclass(frozen=True)
class Quality:
    """What a sensible result is: a metric's value, and where that value comes from."""

    metric: str
    value: float
    basis: Words


@dataclass(frozen=True)
class ColumnFate:
    """What became of one column of a user's table.

    `kind` is what it was read as: "number", "percent", "currency", "date", "text" or "other"; of
    texts, `different` counts the values. `missing` counts the rows of the file without a value, and
    `words` are those that were taken for none, the most frequent first. `inputs` is what it became;
    `fate` is why that is nothing, or what else the column is for; "" for an ordinary input.
    `reading` says what is not plain in how the values were read, as keys of `reading_KEY`.
    """

    name: str
    kind: str
    missing: int
    inputs: int
    fate: str = ""
    different: int = 0
    words: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """What a report says of a problem besides its numbers.

    `label` tells real data from composites (real pieces, artificial arrangement) and synthetic
    ones, and is shown wherever the problem is. `higher` names the extras that are better when
    larger; all others are better when smaller. `columns` and `split` are for tables: what became of
    every column, and how the rows were split.
    """

    title: Words
    kind: str
    model: Words
    loss: Words
    sources: tuple[Source, ...] = ()
    label: Literal["real", "composite", "synthetic"] = "real"
    quality: Quality | None = None
    higher: tuple[str, ...] = ()
    notes: Words = field(default_factory=dict)
    columns: tuple[ColumnFate, ...] = ()
    split: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """A training problem and how long to train on it.

    `steps` counts updates, `every` is the number of updates between two evaluations, `batch` is the
    number of samples in one gradient, and `random` says whether the seed changes anything.
    `baselines(seed)` fits models that are no networks and returns the "loss" and the measures of
    each by name.
    """

    name: str
    steps: int
    every: int
    batch: int
    task: Callable[[int], Task]
    random: bool = True
    about: About | None = None
    baselines: Callable[[int], dict[str, dict[str, float]]] | None = None


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Return an independent random stream for one purpose (0 data, 1 start, 2 order) of one seed.

    >>> bool(generator(3, 0).random() == generator(3, 1).random())
    False
    """
    return np.random.default_rng([seed, purpose])


def shuffled_batches(x: Array, y: Array, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield batches of `size` samples without end, in a new order each pass over the data.

    The last samples of a pass that do not fill a batch are left out of that pass. Raises
    `ValueError` where there are fewer samples than a batch takes.
    """
    if not 1 <= size <= len(x):
        raise ValueError(f"a batch of {size} samples cannot be drawn from {len(x)}")
    while True:
        order = rng.permutation(len(x))
        for begin in range(0, len(x) - size + 1, size):
            chosen = order[begin : begin + size]
            yield x[chosen], y[chosen]
