"""Reinforcement learning: a policy gradient in NumPy balances gymnasium's CartPole-v1.

REINFORCE (Williams 1992, Simple statistical gradient-following algorithms, section 5) with one
reward a step. What an episode still gains after a step is compared with the mean of the episodes
alive at that step, and the differences are scaled to a mean square of 1. A batch holds all that is
random, the seed of the carts and one uniform number for each action, so an update depends on the
weights and the batch alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from adamas.lab.needs import UnavailableError
from adamas.lab.problems import Array, Batch, Params, Problem, generator
from adamas.lab.zoo.about import about

EPISODES = 32
LIMIT = 500
HIDDEN = 16
DISCOUNT = 0.99
STEPS = 40
EVERY = 2


@dataclass(frozen=True)
class Rollout:
    """What 32 episodes saw and did, step by step, until the last pole fell.

    `observations` (t, 32, 4), `actions` (t, 32) of 0 (left) and 1, and `alive` (t, 32), which says
    whether the episode was still running when the action was taken.
    """

    observations: Array
    actions: Array
    alive: Array

    @property
    def returns(self) -> Array:
        """Return the number of steps that each episode lasted, shape (32,)."""
        return np.asarray(self.alive.sum(axis=0))


@cache
def carts() -> Any:
    """Return gymnasium's 32 carts, which are reset before each use."""
    try:
        import gymnasium
    except ImportError as error:
        raise UnavailableError("gymnasium") from error
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=EPISODES, vectorization_mode="vector_entry_point"
    )


def right(params: Params, observations: Array) -> tuple[Array, Array]:
    """Return the probability of pushing right, shape (...), and the hidden layer's output."""
    hidden = np.tanh(observations @ params["W0"] + params["b0"])
    logits = (hidden @ params["W1"] + params["b1"])[..., 0]
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits))), hidden


def play(params: Params, batch: Batch) -> Rollout:
    """Play 32 episodes under the policy, with the seed and the uniform numbers of a batch."""
    seed, uniform = batch
    env = carts()
    observed, _ = env.reset(seed=int(seed[0]))
    running = np.ones(EPISODES, bool)
    seen, done, alive = [], [], []
    for chances in uniform:
        action = (chances < right(params, observed)[0]).astype(np.int64)
        seen.append(observed)
        done.append(action)
        alive.append(running)
        observed, _, fallen, timed_out, _ = env.step(action)
        running = running & ~(fallen | timed_out)
        if not running.any():
            break
    return Rollout(np.array(seen), np.array(done), np.array(alive))


def advantages(alive: Array) -> Array:
    """Return how much better each step's discounted gain was than its peers', shape of `alive`.

    Steps of finished episodes have 0; the others have a mean square of 1 unless all are equal.
    """
    gains = np.zeros(alive.shape)
    gain = np.zeros(alive.shape[1])
    for step in reversed(range(len(alive))):
        gain = alive[step] * (1 + DISCOUNT * gain)
        gains[step] = gain
    mean = gains.sum(axis=1, keepdims=True) / alive.sum(axis=1, keepdims=True)
    centred = (gains - mean) * alive
    scale = np.sqrt((centred**2).sum() / alive.sum())
    return np.asarray(centred / (scale if scale > 0 else 1))


def score_gradient(params: Params, rollout: Rollout, advantage: Array, grads: Params) -> float:
    """Write the gradient of -mean(advantage * log policy) over all steps and return that mean."""
    p, hidden = right(params, rollout.observations)
    steps = rollout.alive.sum()
    delta = (advantage * (p - rollout.actions) / steps).reshape(-1, 1).astype(p.dtype)
    flat = hidden.reshape(-1, HIDDEN)
    inner = (delta @ params["W1"].T) * (1 - flat**2)
    np.matmul(flat.T, delta, out=grads["W1"])
    np.sum(delta, axis=0, out=grads["b1"])
    np.matmul(rollout.observations.reshape(-1, 4).T, inner, out=grads["W0"], casting="same_kind")
    np.sum(inner, axis=0, out=grads["b0"])
    taken = np.where(rollout.actions == 1, p, 1 - p)
    return float(-(advantage * np.log(np.maximum(taken, 1e-30))).sum() / steps)


class CartPoleTask:
    """A policy with one hidden layer; the seed draws its start and the episodes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.judged = _draw(generator(seed, 0))
        carts()

    def start(self) -> Params:
        """Return float32 weights whose policy pushes left and right about equally often."""
        rng = generator(self.seed, 1)
        return {
            "W0": (0.5 * rng.standard_normal((4, HIDDEN))).astype(np.float32),
            "b0": np.zeros(HIDDEN, np.float32),
            "W1": (0.1 * rng.standard_normal((HIDDEN, 1))).astype(np.float32),
            "b1": np.zeros(1, np.float32),
        }

    def batches(self) -> Iterator[Batch]:
        """Yield the carts' seed, int64 (1,), and uniform numbers for the actions, (500, 32)."""
        rng = generator(self.seed, 2)
        while True:
            yield _draw(rng)

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the policy gradient of 32 new episodes and return 501 - their mean return."""
        rollout = play(params, batch)
        score_gradient(params, rollout, advantages(rollout.alive), grads)
        return LIMIT + 1 - float(rollout.returns.mean())

    def evaluate(self, params: Params) -> float:
        """Return 501 - the mean return of 32 episodes that are the same at every evaluation.

        NaN when a weight is not finite: such a policy always pushes left, and its return is finite.
        """
        return LIMIT + 1 - float(self._returns(params).mean())

    def extras(self, params: Params) -> dict[str, float]:
        """Return the mean, the standard deviation and the smallest of the 32 returns."""
        found = self._returns(params)
        return {
            "mean_return": float(found.mean()),
            "return_spread": float(found.std()),
            "worst_return": float(found.min()),
        }

    def _returns(self, params: Params) -> Array:
        if not all(np.isfinite(value).all() for value in params.values()):
            return np.full(EPISODES, np.nan)
        return play(params, self.judged).returns.astype(np.float64)


def _draw(rng: np.random.Generator) -> Batch:
    """Draw what is random in 32 episodes."""
    return rng.integers(2**31, size=1), rng.random((LIMIT, EPISODES), np.float32)


CARTPOLE = Problem(
    "cartpole",
    STEPS,
    EVERY,
    EPISODES,
    CartPoleTask,
    about=about(
        "cartpole",
        "reinforcement",
        ("mean_return", 475),
        label="synthetic",
        higher=("mean_return", "worst_return"),
    ),
)
