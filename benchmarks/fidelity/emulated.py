"""AdamW in NumPy with any number format for its two moments: a bench for designs without kernels.

`Emulated(encode_m, encode_v)` keeps all parameters of a model in one buffer in which every tensor
starts a new block, runs AdamW in float32 from the fresh moments, and passes each moment through its
format after the step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.fidelity.formats import Floats, Format, Words, exact
from benchmarks.fidelity.side import Hypers

WEYL = 0x9E3779B1

# Random words of one step for m and for v, both of the shape (blocks, block size).
Noise = Callable[[np.random.Generator, tuple[int, int]], tuple[Words, Words]]


def independent(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Words, Words]:
    """A fresh 32-bit word for every element of each moment."""
    both = rng.integers(0, 1 << 32, (2, *shape), dtype=np.uint32)
    return both[0], both[1]


def shared(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Words, Words]:
    """One random word for each block, advanced by a Weyl sequence from element to element.

    The second moment takes the upper 16 bits of an element's word, the first moment the lower 16.
    """
    start = rng.integers(0, 1 << 32, (shape[0], 1), dtype=np.uint32)
    word = start + np.arange(shape[1], dtype=np.uint32) * np.uint32(WEYL)
    return word << np.uint32(16), word & np.uint32(0xFFFF0000)


@dataclass(frozen=True)
class Emulated:
    """A side: AdamW whose moments go through `encode_m` and `encode_v` after every step."""

    encode_m: Format = exact
    encode_v: Format = exact
    block: int = 64
    noise: Noise = independent

    def __call__(self, params: Mapping[str, Floats], hypers: Hypers, seed: int) -> "EmulatedAdamW":
        """The optimizer over `params`, which it changes in place."""
        return EmulatedAdamW(self, params, hypers, seed)


class EmulatedAdamW:
    """Decoupled weight decay (Loshchilov & Hutter 2019, Algorithm 2) over one padded buffer."""

    def __init__(
        self, side: Emulated, params: Mapping[str, Floats], hypers: Hypers, seed: int
    ) -> None:
        self.side, self.params, self.hypers, self.t = side, params, hypers, 0
        self.places: dict[str, slice] = {}
        end = 0
        for key, p in params.items():
            self.places[key] = slice(end, end + p.size)
            end += -(-p.size // side.block) * side.block
        self.shape = (end // side.block, side.block)
        self.g, self.p = np.zeros(end, np.float32), np.zeros(end, np.float32)
        self.m, self.v = np.zeros(end, np.float32), np.zeros(end, np.float32)
        self.rng = np.random.Generator(np.random.SFC64(seed))

    def step(self, grads: Mapping[str, Floats], lr: float) -> None:
        """Update every parameter once."""
        h, f = self.hypers, np.float32
        self.t += 1
        for key, place in self.places.items():
            self.g[place] = grads[key].reshape(-1)
            self.p[place] = self.params[key].reshape(-1)
        self.m = f(h.beta1) * self.m + f(1 - h.beta1) * self.g
        self.v = f(h.beta2) * self.v + f(1 - h.beta2) * (self.g * self.g)
        root = np.sqrt(self.v * f(1 / (1 - h.beta2**self.t))) + f(h.eps)
        self.p *= f(1 - lr * h.weight_decay)
        self.p -= f(lr / (1 - h.beta1**self.t)) * self.m / root
        for key, place in self.places.items():
            self.params[key].reshape(-1)[...] = self.p[place]
        words_m, words_v = self.side.noise(self.rng, self.shape)
        self.m = self.side.encode_m(self.m.reshape(self.shape), words_m).reshape(-1)
        self.v = self.side.encode_v(self.v.reshape(self.shape), words_v).reshape(-1)
