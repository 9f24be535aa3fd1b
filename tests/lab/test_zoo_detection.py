"""Object detection: average precision in closed form and beside scikit-learn's, scenes, targets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from adamas.lab.data import glyphs, nuclei
from adamas.lab.data.glyphs import SIDE, Scenes
from adamas.lab.needs import LabError
from adamas.lab.problems import Array
from adamas.lab.zoo import built_in
from adamas.lab.zoo.average_precision import (
    average_precision,
    hits,
    over_images,
    overlaps,
    without_doubles,
)
from adamas.lab.zoo.detection import boxes_of, composites, targets
from zoo_baselines import precision_of_components
from zoo_training import train

corner = st.floats(0, 30, allow_subnormal=False, width=32)
side = st.floats(1, 20, width=32)


@st.composite
def boxes(draw: st.DrawFn, most: int = 6) -> Array:
    """Draw up to `most` boxes with sides of 1 to 20 pixels."""
    drawn = draw(st.lists(st.tuples(corner, corner, side, side), min_size=1, max_size=most))
    return np.array([[x, y, x + w, y + h] for x, y, w, h in drawn])


def separate(count: int) -> Array:
    """Return boxes of which no two touch."""
    lefts = 10.0 * np.arange(count)
    return np.stack([lefts, 0 * lefts, lefts + 5, 0 * lefts + 5], axis=1)


@pytest.mark.parametrize(
    ("other", "share"),
    [
        ([0, 0, 2, 2], 1),
        ([1, 0, 3, 2], 1 / 3),
        ([1, 1, 3, 3], 1 / 7),
        ([0, 0, 1, 1], 1 / 4),
        ([2, 0, 4, 2], 0),
        ([8, 8, 9, 9], 0),
    ],
)
def test_overlap_of_squares(other: list[int], share: float) -> None:
    """Intersection over union of a square of side 2 with others, counted by hand."""
    found = overlaps(np.array([[0.0, 0, 2, 2]]), np.array([other], float))
    assert found == pytest.approx(share)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_between_zero_and_one(one: Array, other: Array) -> None:
    """Two boxes share as much whichever comes first, and a box shares all of itself."""
    shared = overlaps(one, other)
    assert ((shared >= 0) & (shared <= 1 + 1e-12)).all()
    np.testing.assert_allclose(shared, overlaps(other, one).T)
    np.testing.assert_allclose(np.diag(overlaps(one, one)), 1)


@given(boxes(), st.integers(0, 2**32 - 1))
def test_what_is_kept_overlaps_little_and_covers_the_rest(found: Array, seed: int) -> None:
    """Kept boxes overlap each other by less than half; each other one overlaps a better kept one.

    These two properties define greedy non-maximum suppression.
    """
    scores = np.random.default_rng(seed).permutation(len(found)).astype(float)
    kept = without_doubles(found, scores)
    shared = overlaps(found, found)
    assert (np.diff(scores[kept]) < 0).all()
    for i in range(len(found)):
        better = [k for k in kept if scores[k] > scores[i]]
        covered = bool(better) and shared[i, better].max() >= 0.5
        assert covered != (i in kept)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_perfect_boxes_have_precision_one(counts: list[int], seed: int) -> None:
    """Finding exactly the true boxes is worth 1, whatever the scores."""
    rng = np.random.default_rng(seed)
    true = [separate(count) for count in counts]
    assert over_images([(each, rng.random(len(each))) for each in true], true) == 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_wrong_boxes_have_precision_zero(counts: list[int]) -> None:
    """Boxes that overlap nothing, or no boxes at all, are worth 0."""
    true = [separate(count) for count in counts]
    far = [(each + 500, np.ones(len(each))) for each in true]
    none = [(np.zeros((0, 4)), np.zeros(0)) for _ in true]
    assert over_images(far, true) == over_images(none, true) == 0


@pytest.mark.parametrize(
    ("right", "objects", "area"),
    [
        ([1, 1, 0, 0], 4, 1 / 2),
        ([0, 1], 1, 1 / 2),
        ([0, 1, 1], 2, 2 / 3),
        ([1, 0, 1, 0, 1], 3, (1 + 2 / 3 + 3 / 5) / 3),
        ([1, 0, 0, 1, 1], 3, (1 + 3 / 5 + 3 / 5) / 3),
    ],
)
def test_average_precision_by_hand(right: list[int], objects: int, area: float) -> None:
    """The area under short precision-recall curves, added up on paper."""
    scores = np.arange(len(right), 0, -1.0)
    assert average_precision(np.array(right, bool), scores, objects) == pytest.approx(area)


@given(st.lists(st.booleans(), min_size=1, max_size=30).filter(any), st.integers(0, 20))
def test_average_precision_beside_scikit_learn(right: list[bool], missed: int) -> None:
    """The two agree where precision only falls; elsewhere ours is larger, by the VOC rule.

    scikit-learn knows no missed objects: they scale the area.
    """
    truth = np.array(right)
    scores = np.arange(len(truth), 0, -1.0)
    share = truth.sum() / (truth.sum() + missed)
    theirs = average_precision_score(truth, scores) * share
    ours = average_precision(truth, scores, int(truth.sum()) + missed)
    precision = (np.cumsum(truth) / np.arange(1, len(truth) + 1))[truth]
    assert ours >= theirs - 1e-12
    if (np.diff(precision) <= 0).all():
        assert ours == pytest.approx(theirs)


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.data())
def test_average_precision_is_monotone(right: list[bool], data: st.DataObject) -> None:
    """Making one wrong box right never lowers the value, and it stays between 0 and 1."""
    place = data.draw(st.integers(0, len(right) - 1))
    better = [*right[:place], True, *right[place + 1 :]]
    scores = np.arange(len(right), 0, -1.0)
    low, high = (average_precision(np.array(r), scores, len(right)) for r in (right, better))
    assert 0 <= low <= high <= 1


def test_a_true_box_is_found_once() -> None:
    """Of two boxes on one object the better scored is right and the other wrong."""
    found = np.array([[0.0, 0, 4, 4], [0, 0, 4, 5], [20, 20, 24, 24]])
    right = hits(found, np.array([0.5, 0.9, 0.1]), np.array([[0.0, 0, 4, 4]]))
    assert right.tolist() == [False, True, False]


@given(st.integers(0, 2**32 - 1))
def test_targets_are_read_back_as_the_boxes(seed: int) -> None:
    """Cells that tell their targets give the true boxes: encoding and decoding are inverse."""
    rng = np.random.default_rng(seed)
    lefts, tops = np.array([1.0, 12, 22]) + rng.random(3), 20 * rng.random(3)
    sides = 4 + 5 * rng.random((2, 3))
    true = np.stack([lefts, tops, lefts + sides[0], tops + sides[1]], axis=1)
    cells = targets(Scenes(np.zeros((1, SIDE, SIDE), np.float32), (true,)))[0]
    found, scores = boxes_of(cells)
    found = found[scores == 1]
    np.testing.assert_allclose(found[np.argsort(found[:, 0])], true, atol=1e-4)


def test_scenes_hold_their_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without noise, each scene has one to three boxes, apart, with dark ink along every edge."""
    monkeypatch.setattr(glyphs, "NOISE", 0)
    drawn = glyphs.scenes(100, np.arange(300), np.random.default_rng(5))
    for image, true in zip(drawn.images, drawn.boxes, strict=True):
        assert 1 <= len(true) <= 3 and true.min() >= 0 and true.max() <= SIDE
        assert (overlaps(true, true) - np.eye(len(true)) <= 1e-6).all()
        for left, top, right, bottom in true.astype(int):
            inside = image[top:bottom, left:right] >= glyphs.INK
            assert inside[:, [0, -1]].any(axis=0).all() and inside[[0, -1]].any(axis=1).all()


def test_scenes_of_a_seed_are_the_same_bytes() -> None:
    """Training and validation scenes depend on the seed alone."""
    again = composites.__wrapped__(5)
    for one, other in zip(composites(5), again, strict=True):
        assert one.images.tobytes() == other.images.tobytes()
        assert b"".join(b.tobytes() for b in one.boxes) == b"".join(
            b.tobytes() for b in other.boxes
        )


def test_adam_finds_digits() -> None:
    """Adam reaches the target, which thresholds with connected regions are far from."""
    problem = built_in("detection")
    assert problem.about is not None and problem.about.quality is not None
    task, params = train(problem, "adam", 6e-3, seed=0)
    assert task.extras(params)["ap50"] >= problem.about.quality.value
    regions = max(precision_of_components(task.validation, t) for t in (0.5, 0.55, 0.6, 0.65, 0.7))
    assert regions < 2 * problem.about.quality.value - 1 + 0.05


def needs_nuclei() -> None:
    """Skip a test where the files of StarDist are not installed."""
    try:
        nuclei.image_and_labels()
    except LabError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("edge", range(4))
def test_nuclei_are_split_by_region(edge: int) -> None:
    """Training and held-out parts make up the turned image, and share no row of pixels."""
    needs_nuclei()
    image, labels = nuclei.image_and_labels()
    (train_image, train_labels), (held_image, held_labels) = nuclei.regions(edge)
    together = np.concatenate([train_image, held_image])
    np.testing.assert_array_equal(np.rot90(together, -edge), image)
    np.testing.assert_array_equal(
        np.rot90(np.concatenate([train_labels, held_labels]), -edge), labels
    )
    assert len(held_image) == nuclei.HELD == len(image) // 4


def test_tiles_show_their_nuclei() -> None:
    """A tile's boxes enclose the nuclei that lie mostly inside it, and no others."""
    labels = np.zeros((64, 64), np.int64)
    labels[4:10, 6:20] = 1
    labels[28:40, 2:6] = 2
    labels[20:24, 30:60] = 3
    (found,) = nuclei.tiles(labels.astype(np.float32), labels, np.array([[0, 0]])).boxes
    assert found.tolist() == [[6, 4, 20, 10]]
    (shifted,) = nuclei.tiles(labels.astype(np.float32), labels, np.array([[8, 0]])).boxes
    assert shifted.tolist() == [[2, 20, 6, 32]]


def test_adam_finds_nuclei() -> None:
    """Adam reaches the target on nuclei it was not trained on."""
    needs_nuclei()
    problem = built_in("nuclei")
    assert problem.about is not None and problem.about.quality is not None
    task, params = train(problem, "adam", 1e-2, seed=0)
    assert task.extras(params)["ap50"] >= problem.about.quality.value
