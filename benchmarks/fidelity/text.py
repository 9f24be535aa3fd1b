"""A small language model on the source of Python's standard library.

Two pre-norm transformer layers of width 64 over words and, for rare words, their characters. Torch
computes loss and gradients on views of the NumPy parameters that the optimizers change.
"""

import collections
import dataclasses
import functools
import re
import sysconfig
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812

from benchmarks.fidelity.formats import Floats
from benchmarks.fidelity.side import Hypers
from benchmarks.fidelity.training import Training, warm_cosine

VOCABULARY, WIDTH, LAYERS, HEADS, LENGTH, BATCH = 1024, 64, 2, 4, 64, 8
CHARACTERS_READ = 3_000_000
LAST = 100
_PIECE = re.compile(r"[A-Za-z_]+|\s+|.", re.DOTALL)


@functools.cache
def tokens() -> NDArray[np.int64]:
    """The text as token numbers: frequent words whole, every other word as its characters."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    text = "".join(f.read_text("utf-8", "replace") for f in files)[:CHARACTERS_READ]
    text = text.encode("ascii", "replace").decode()
    pieces = _PIECE.findall(text)
    characters = sorted(set(text))
    words = collections.Counter(p for p in pieces if len(p) > 1).most_common()
    kept = characters + [word for word, _ in words[: VOCABULARY - len(characters)]]
    number = {word: i for i, word in enumerate(kept)}
    found = [[number[p]] if p in number else [number[c] for c in p] for p in pieces]
    return np.array([i for each in found for i in each], np.int64)


def _initial(rng: np.random.Generator) -> dict[str, Floats]:
    shapes: dict[str, tuple[int, ...]] = {
        "embedding": (VOCABULARY, WIDTH),
        "position": (LENGTH, WIDTH),
    }
    for i in range(LAYERS):
        shapes |= {f"{i}.qkv": (3 * WIDTH, WIDTH), f"{i}.out": (WIDTH, WIDTH)}
        shapes |= {f"{i}.up": (4 * WIDTH, WIDTH), f"{i}.down": (WIDTH, 4 * WIDTH)}
        shapes |= {f"{i}.up_bias": (4 * WIDTH,), f"{i}.down_bias": (WIDTH,)}
        shapes |= {f"{i}.norm{j}": (WIDTH,) for j in (1, 2)}
    shapes |= {"norm": (WIDTH,), "head": (VOCABULARY, WIDTH)}
    params: dict[str, Floats] = {}
    for key, shape in shapes.items():
        spread = 0.02 if key in ("embedding", "position") else shape[-1] ** -0.5
        value = rng.normal(0, spread, shape) if len(shape) > 1 else np.zeros(shape)
        params[key] = value.astype(np.float32) + np.float32("norm" in key)
    return params


class Text:
    """The model and the windows of one seed."""

    def __init__(self, seed: int) -> None:
        torch.set_num_threads(1)
        self.rng = np.random.default_rng(seed)
        self.text = tokens()
        self.params = _initial(self.rng)
        self.tensors = {k: torch.from_numpy(p).requires_grad_() for k, p in self.params.items()}

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        w = self.tensors
        h = w["embedding"][x] + w["position"]
        for i in range(LAYERS):
            y = F.layer_norm(h, (WIDTH,), w[f"{i}.norm1"])
            parts = (y @ w[f"{i}.qkv"].T).view(BATCH, LENGTH, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
            h = h + mixed.transpose(1, 2).reshape(BATCH, LENGTH, WIDTH) @ w[f"{i}.out"].T
            y = F.layer_norm(h, (WIDTH,), w[f"{i}.norm2"])
            y = F.gelu(y @ w[f"{i}.up"].T + w[f"{i}.up_bias"])
            h = h + y @ w[f"{i}.down"].T + w[f"{i}.down_bias"]
        return F.layer_norm(h, (WIDTH,), w["norm"]) @ w["head"].T

    def gradient(self, step: int) -> tuple[float, dict[str, Floats]]:
        """Loss and gradients of a fresh batch of random windows."""
        starts = self.rng.integers(0, len(self.text) - LENGTH - 1, BATCH)
        windows = torch.from_numpy(self.text[starts[:, None] + np.arange(LENGTH + 1)])
        loss = F.cross_entropy(
            self._logits(windows[:, :-1]).reshape(-1, VOCABULARY), windows[:, 1:].reshape(-1)
        )
        grads = torch.autograd.grad(loss, list(self.tensors.values()))
        return float(loss.detach()), {
            key: g.numpy() for key, g in zip(self.tensors, grads, strict=True)
        }

    def final(self, losses: list[float]) -> float:
        """Mean loss of the last 100 batches."""
        return float(np.mean(losses[-LAST:]))


def text(quick: bool) -> Training:
    """The training, shorter if `quick`."""
    return Training(
        "text",
        "language model on Python's source",
        Text,
        150 if quick else 1500,
        2e-3,
        warm_cosine,
        Hypers(weight_decay=0.01),
    )


def text_narrow(quick: bool) -> Training:
    """The same training for sides whose parameters are bfloat16."""
    return dataclasses.replace(
        text(quick),
        name="text-bfloat16",
        title="the same with bfloat16 parameters",
        watched=False,
    )
