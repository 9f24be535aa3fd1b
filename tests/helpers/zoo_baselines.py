"""Simple, well-known methods on the splits of the built-in problems: what their targets rest on."""

from collections import Counter, defaultdict

import numpy as np
from scipy import ndimage

from adamas.lab.data.glyphs import Scenes
from adamas.lab.problems import Array, Batch
from adamas.lab.zoo.average_precision import over_images


def bits_of_ngrams(train: Batch, held: Batch, symbols: int, length: int) -> float:
    """Return the bits per character of an n-gram model with Witten-Bell interpolation.

    Witten and Bell (1991), The zero-frequency problem, method C; down to the uniform distribution.
    """
    seen: list[defaultdict[tuple[int, ...], Counter[int]]] = [
        defaultdict(Counter) for _ in range(length)
    ]
    for row, char in zip(train[0].tolist(), train[1].tolist(), strict=True):
        for known in range(length):
            seen[known][tuple(row[len(row) - known :])][char] += 1
    bits = 0.0
    for row, char in zip(held[0].tolist(), held[1].tolist(), strict=True):
        chance = 1 / symbols
        for known in range(length):
            counts = seen[known].get(tuple(row[len(row) - known :]))
            if counts:
                total, kinds = sum(counts.values()), len(counts)
                chance = (counts[char] + kinds * chance) / (total + kinds)
        bits -= float(np.log2(chance))
    return bits / len(held[1])


def error_of_biases(train: Batch, held: Batch, shrink: float = 5.0) -> float:
    """Return the RMSE of mean + person's bias + film's bias, fitted by turns, shrunk to 0.

    Koren (2008), Factorization meets the neighborhood, section 2.1.
    """
    (person, film), ratings = train[0].T, train[1].astype(np.float64)
    mean = ratings.mean()
    of_person, of_film = np.zeros(person.max() + 1), np.zeros(2000)
    for _ in range(15):
        of_film = _shrunk_means(film, ratings - mean - of_person[person], len(of_film), shrink)
        of_person = _shrunk_means(person, ratings - mean - of_film[film], len(of_person), shrink)
    guess = mean + of_person[held[0][:, 0]] + of_film[held[0][:, 1]]
    return float(np.sqrt(np.mean((guess - held[1]) ** 2)))


def _shrunk_means(group: Array, values: Array, count: int, shrink: float) -> Array:
    sums = np.bincount(group, values, count)
    return np.asarray(sums / (shrink + np.bincount(group, minlength=count)))


def precision_of_components(found: Scenes, threshold: float) -> float:
    """Return the average precision of connected bright regions, those with more ink first."""
    return over_images([_components(image, threshold) for image in found.images], found.boxes)


def _components(image: Array, threshold: float) -> tuple[Array, Array]:
    numbers, count = ndimage.label(image > threshold, np.ones((3, 3)))
    places = ndimage.find_objects(numbers)
    boxes = [[columns.start, rows.start, columns.stop, rows.stop] for rows, columns in places]
    ink = ndimage.sum_labels(image, numbers, np.arange(1, count + 1))
    return np.array(boxes, np.float64).reshape(-1, 4), np.asarray(ink)
