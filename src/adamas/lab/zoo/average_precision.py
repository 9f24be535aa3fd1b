"""Boxes and how well they were found: overlap, suppression of doubles, average precision."""

from collections.abc import Sequence

import numpy as np

from adamas.lab.problems import Array

OVERLAP = 0.5


def overlaps(one: Array, other: Array) -> Array:
    """Return the intersection over union of each box in `one` (n, 4) with each in `other` (m, 4).

    Boxes are left, top, right and bottom edges.

    >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]])).round(3)
    array([[0.333, 0.   ]])
    """
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = (np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1) for boxes in (one, other))
    first, second = areas
    union = first[:, None] + second[None] - shared
    return np.asarray(shared / np.maximum(union, np.finfo(shared.dtype).tiny))


def without_doubles(boxes: Array, scores: Array) -> Array:
    """Return the indices of boxes that overlap no better one by half, best first.

    This is greedy non-maximum suppression.
    """
    kept: list[int] = []
    shared = overlaps(boxes, boxes)
    for i in np.argsort(-scores, kind="stable"):
        if not kept or shared[i, kept].max() < OVERLAP:
            kept.append(int(i))
    return np.array(kept, np.int64)


def hits(found: Array, scores: Array, true: Array) -> Array:
    """Return whether each found box of one image is right, in the order given.

    From the best score down, a box is right when the true box that it overlaps most is overlapped
    by half and not yet taken (Everingham et al. 2010, The PASCAL VOC Challenge, section 4.4).
    """
    right = np.zeros(len(found), bool)
    if not len(true):
        return right
    shared = overlaps(found, true)
    taken: set[int] = set()
    for i in np.argsort(-scores, kind="stable"):
        best = int(shared[i].argmax())
        right[i] = shared[i, best] >= OVERLAP and best not in taken
        if right[i]:
            taken.add(best)
    return right


def average_precision(right: Array, scores: Array, objects: int) -> float:
    """Return the area under the precision-recall curve of all found boxes of all images.

    `objects` is the number of true boxes, at least 1. At each recall the curve has the highest
    precision at that recall or a larger one, the rule of PASCAL VOC since 2010.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]), 2)
    0.8333333333333333
    """
    ordered = np.asarray(right, bool)[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float(highest[ordered].sum() / objects)


def over_images(found: Sequence[tuple[Array, Array]], true: Sequence[Array]) -> float:
    """Return the average precision of found (boxes, scores), one pair an image."""
    pairs = list(zip(found, true, strict=True))
    right = [hits(boxes, scores, truth) for (boxes, scores), truth in pairs]
    scores = np.concatenate([scores for _, scores in found])
    return average_precision(np.concatenate(right), scores, sum(len(truth) for truth in true))
