"""Matrix factorisation of real ratings in NumPy: gradients are sparse, and most films are rare.

A rating is the mean plus a person's bias, a film's bias and the product of their factors (Koren,
Bell and Volinsky 2009, Matrix Factorization Techniques for Recommender Systems, equation 4). One
batch touches a fraction of the rows, so each row's gradient is 0 in most updates.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from adamas.lab.data.movielens import FILMS, MOVIELENS, PEOPLE, movielens
from adamas.lab.problems import Array, Batch, Params, Problem, generator, shuffled_batches
from adamas.lab.zoo.about import about

FACTORS = 8
PENALTY = 0.1
BATCH = 500
STEPS = 1080
HELD_OUT = 10_000
RARE = 20


class RatingsTask:
    """Factors and biases of people and films; the seed draws held-out ratings, start and order."""

    def __init__(self, seed: int) -> None:
        pairs, ratings = movielens()
        order = generator(seed, 0).permutation(len(ratings))
        held, train = order[:HELD_OUT], order[HELD_OUT:]
        self.seed = seed
        self.training: Batch = (pairs[train], ratings[train])
        self.validation: Batch = (pairs[held], ratings[held])
        self.mean = np.float32(ratings[train].mean())
        seen = np.bincount(pairs[train, 1], minlength=FILMS)
        self.rare = seen[pairs[held, 1]] < RARE

    def start(self) -> Params:
        """Return factors of standard deviation 0.1 and biases of 0, float32."""
        rng = generator(self.seed, 1)
        return {
            "people": (0.1 * rng.standard_normal((PEOPLE, FACTORS))).astype(np.float32),
            "films": (0.1 * rng.standard_normal((FILMS, FACTORS))).astype(np.float32),
            "person_bias": np.zeros((PEOPLE, 1), np.float32),
            "film_bias": np.zeros((FILMS, 1), np.float32),
        }

    def batches(self) -> Iterator[Batch]:
        """Yield 500 ratings at a time, shuffled anew each epoch."""
        return shuffled_batches(*self.training, BATCH, generator(self.seed, 2))

    def predictions(self, params: Params, pairs: Array) -> Array:
        """Return the predicted ratings of pairs (person, film), shape (n,)."""
        person, film = pairs.T
        product = (params["people"][person] * params["films"][film]).sum(1)
        biases = params["person_bias"][person, 0] + params["film_bias"][film, 0]
        return np.asarray(self.mean + biases + product)

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the penalised squared error and return that loss.

        The loss is the mean over the batch of error^2 + 0.1 * (the squares of the four rows used).
        """
        pairs, ratings = batch
        error = (self.predictions(params, pairs) - ratings)[:, None]
        used = {name: params[name][pairs[:, side]] for name, side in SIDES.items()}
        slopes = {
            "people": error * used["films"],
            "films": error * used["people"],
            "person_bias": error,
            "film_bias": error,
        }
        scale = error.dtype.type(2 / len(pairs))
        penalty = error.dtype.type(PENALTY)
        for name, side in SIDES.items():
            slope = scale * (slopes[name] + penalty * used[name])
            grads[name][...] = scattered(pairs[:, side], slope, len(grads[name]))
        squares = sum(float((rows**2).sum()) for rows in used.values())
        return (float((error**2).sum()) + PENALTY * squares) / len(pairs)

    def evaluate(self, params: Params) -> float:
        """Return the root mean squared error of 10,000 held-out ratings, in stars."""
        return float(np.sqrt(np.mean(self._squared(params), dtype=np.float64)))

    def extras(self, params: Params) -> dict[str, float]:
        """Return that error apart for films with fewer than 20 training ratings and for others."""
        squared = self._squared(params)
        return {
            "rare": float(np.sqrt(squared[self.rare].mean())),
            "common": float(np.sqrt(squared[~self.rare].mean())),
        }

    def _squared(self, params: Params) -> Array:
        pairs, ratings = self.validation
        return np.asarray((self.predictions(params, pairs) - ratings) ** 2)


# parameter -> the column of a pair that numbers its rows
SIDES = {"people": 0, "films": 1, "person_bias": 0, "film_bias": 1}


def scattered(rows: Array, values: Array, count: int) -> Array:
    """Return the sum of the `values` (n, k) that go to each of `count` rows, shape (count, k)."""
    ends = np.arange(len(rows) + 1)
    where = csr_array((np.ones(len(rows), values.dtype), rows, ends), shape=(len(rows), count))
    return np.asarray(where.T @ values)


RATINGS = Problem(
    "ratings",
    STEPS,
    45,
    BATCH,
    RatingsTask,
    about=about("ratings", "sparse", ("loss", 0.936), sources=(MOVIELENS,)),
)
