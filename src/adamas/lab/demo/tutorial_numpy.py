"""The tutorial's own program in plain NumPy: a foreign witness, not a part of adamas.

It is written from the tutorial alone and shares nothing with `adamas.rules`, so that a mistake
there cannot hide: the demo prints its losses beside those of adamas, and the tests compare the two.
"""

import numpy as np


def train(epochs: int = 1000, lr: float = 0.001) -> tuple[list[float], float]:
    """Fit the tutorial's line; return the loss seen at each epoch and the last weight."""
    random = np.random.RandomState(42)
    inputs = random.rand(100, 1) * 10
    targets = 2.5 * inputs + random.randn(100, 1)

    weight = np.zeros((1, 1))
    first = np.zeros((1, 1))
    second = np.zeros((1, 1))
    losses = []
    for epoch in range(1, epochs + 1):
        residual = inputs.dot(weight) - targets
        losses.append(float(np.square(residual).mean()))
        slope = 2.0 * inputs.T.dot(residual) / len(inputs)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * np.square(slope)
        first_fair = first / (1.0 - 0.9**epoch)
        second_fair = second / (1.0 - 0.999**epoch)
        weight = weight - lr * first_fair / (np.sqrt(second_fair) + 1e-8)
    return losses, float(weight.item())
