"""Next-character prediction on real text, English and Chinese, by a small network in PyTorch.

The model is that of Bengio et al. (2003, A Neural Probabilistic Language Model): the embeddings of
the last characters, one hidden layer and a softmax. It needs no recurrence, so a run ends within
two seconds on one thread.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from typing import TYPE_CHECKING

import numpy as np

from adamas.lab.data import texts
from adamas.lab.problems import Array, Batch, Problem, Source, generator
from adamas.lab.zoo.about import about
from adamas.lab.zoo.torch_task import TorchTask, torch_or_reason

if TYPE_CHECKING:
    import torch

HELD_OUT = 0.1
JUDGED = 4096


@dataclass(frozen=True)
class Corpus:
    """Pieces of text that are held out or trained on as a whole, and the sizes of the model.

    A character seen fewer than `least` times in all pieces counts as one common stranger.
    """

    pieces: tuple[str, ...]
    least: int
    context: int
    embedding: int
    hidden: int
    batch: int

    def alphabet(self) -> dict[str, int]:
        """Return each known character's number from 1; 0 is a stranger, or before the start."""
        counts = Counter("".join(self.pieces))
        known = sorted(char for char, count in counts.items() if count >= self.least)
        return {char: i for i, char in enumerate(known, start=1)}


def windows(pieces: Sequence[str], alphabet: dict[str, int], context: int) -> Batch:
    """Return every character's `context` forerunners in its piece, (n, context), and itself, (n,).

    Both int64. No window reaches from one piece into another: places before a piece's start are 0.
    """
    rows = []
    for piece in pieces:
        codes = [0] * context + [alphabet.get(char, 0) for char in piece]
        rows.append(np.lib.stride_tricks.sliding_window_view(np.array(codes), context + 1))
    together = np.concatenate(rows)
    return np.ascontiguousarray(together[:, :-1]), np.ascontiguousarray(together[:, -1])


class LanguageTask(TorchTask):
    """A language model under one seed, which draws the held-out pieces, the start and the order."""

    def __init__(self, seed: int, corpus: Corpus) -> None:
        alphabet = corpus.alphabet()
        super().__init__(seed, lambda: network(len(alphabet) + 1, corpus))
        order = generator(seed, 0).permutation(len(corpus.pieces))
        held = round(HELD_OUT * len(order))
        self.batch_size = corpus.batch
        self.validation, self.training = (
            windows([corpus.pieces[i] for i in sorted(chosen)], alphabet, corpus.context)
            for chosen in (order[:held], order[held:])
        )
        places = np.linspace(0, len(self.validation[1]) - 1, JUDGED).astype(np.int64)
        self.judged: Batch = (self.validation[0][places], self.validation[1][places])

    def batches(self) -> Iterator[Batch]:
        """Yield windows drawn at random from the training pieces."""
        x, y = self.training
        rng = generator(self.seed, 2)
        while True:
            chosen = rng.integers(len(y), size=self.batch_size)
            yield x[chosen], y[chosen]

    def loss(self, batch: Batch) -> "torch.Tensor":
        """Return the mean cross-entropy of the next characters, in nats."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.model(_tensor(batch[0])), _tensor(batch[1]))

    def judge(self) -> float:
        """Return the mean cross-entropy on 4,096 held-out characters, in nats."""
        return self.loss(self.judged).item()

    def metrics(self) -> dict[str, float]:
        """Return bits per character and the share of characters that are guessed right."""
        guess = self.model(_tensor(self.judged[0])).argmax(1).numpy()
        right = float((guess == self.judged[1]).mean())
        return {"bits_per_character": self.judge() / log(2), "accuracy": right}


def _tensor(array: Array) -> "torch.Tensor":
    import torch

    return torch.from_numpy(array)


def network(symbols: int, corpus: Corpus) -> "torch.nn.Module":
    """Return the untrained model: characters (n, context) to logits (n, symbols)."""
    from torch import nn

    embedding = nn.Embedding(symbols, corpus.embedding)
    nn.init.normal_(embedding.weight, std=0.3)
    hidden = nn.Linear(corpus.context * corpus.embedding, corpus.hidden)
    return nn.Sequential(
        embedding, nn.Flatten(), hidden, nn.ReLU(), nn.Linear(corpus.hidden, symbols)
    )


@cache
def english() -> Corpus:
    """Return the English corpus, whose 71 characters are all known."""
    return Corpus(texts.alice(), 1, 8, 16, 192, 128)


@cache
def chinese() -> Corpus:
    """Return the Chinese corpus; 2,023 of its 3,174 characters come three times or more."""
    return Corpus(texts.tang(), 3, 8, 16, 48, 128)


def _problem(
    name: str, steps: int, corpus: Callable[[], Corpus], hidden: int, source: Source, bits: float
) -> Problem:
    def task(seed: int) -> LanguageTask:
        torch_or_reason(name)
        return LanguageTask(seed, corpus())

    told = about(
        name,
        "language model",
        ("bits_per_character", bits),
        sources=(source,),
        higher=("accuracy",),
        shared="char-lm",
        hidden=hidden,
    )
    return Problem(name, steps, steps // 20, 128, task, about=told)


ENGLISH = _problem("char-lm-en", 1500, english, 192, texts.ALICE, 2.65)
CHINESE = _problem("char-lm-zh", 220, chinese, 48, texts.TANG, 8.35)
