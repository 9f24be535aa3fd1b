"""Softmax regression whose 256 features differ in scale by decades, mixed inside every block.

Each row of the weights holds all features of one class, so 64 neighbours carry gradients of every
size: the case that separates formats with enough range from those without.
"""

import numpy as np

from benchmarks.fidelity.digits import cross_entropy
from benchmarks.fidelity.formats import Floats
from benchmarks.fidelity.training import Training, linear_down

FEATURES, CLASSES, SAMPLES, BATCH = 256, 10, 4096, 128


class Scales:
    """Synthetic features times 10^U(-decades, decades), labels drawn from a linear teacher."""

    def __init__(self, seed: int, decades: float) -> None:
        self.rng = np.random.default_rng(seed)
        plain = self.rng.normal(size=(SAMPLES, FEATURES))
        teacher = self.rng.normal(size=(CLASSES, FEATURES)) * 3 / np.sqrt(FEATURES)
        noise = self.rng.gumbel(size=(SAMPLES, CLASSES)) * 0.3
        self.y = (plain @ teacher.T + noise).argmax(axis=1)
        scale = 10 ** self.rng.uniform(-decades, decades, FEATURES)
        self.x = (plain * scale).astype(np.float32)
        self.params: dict[str, Floats] = {
            "weight": np.zeros((CLASSES, FEATURES), np.float32),
            "bias": np.zeros(CLASSES, np.float32),
        }

    def gradient(self, step: int) -> tuple[float, dict[str, Floats]]:
        """Loss and gradients of a fresh random batch."""
        chosen = self.rng.integers(0, SAMPLES, BATCH)
        x = self.x[chosen]
        logits = x @ self.params["weight"].T + self.params["bias"]
        loss, slope = cross_entropy(logits, self.y[chosen])
        return loss, {"weight": slope.T @ x, "bias": slope.sum(axis=0)}

    def final(self, losses: list[float]) -> float:
        """Loss over all samples."""
        logits = self.x @ self.params["weight"].T + self.params["bias"]
        return cross_entropy(logits, self.y)[0]


def scales1(quick: bool) -> Training:
    """Feature scales over two decades."""
    return Training(
        "scales1",
        "softmax regression, scales 10^U(-1,1)",
        lambda seed: Scales(seed, 1.0),
        400 if quick else 2000,
        1e-2,
        linear_down,
    )


def scales2(quick: bool) -> Training:
    """Feature scales over four decades."""
    return Training(
        "scales2",
        "softmax regression, scales 10^U(-2,2)",
        lambda seed: Scales(seed, 2.0),
        400 if quick else 2000,
        1e-2,
        linear_down,
    )
