"""What is seen inside an optimizer: closed forms of the first steps, and the report's shape."""

from dataclasses import replace

import numpy as np
import pytest

from adamas.lab.demo import tutorial
from adamas.lab.doctor.inside import Inside, seen_inside, spread
from adamas.lab.trial import run
from adamas.lab.zoo.digits import SOFTMAX
from adamas.lab.zoo.line import FULL

LINE = replace(FULL, steps=300, every=300)
COLUMNS = {"at", "update_in_lr", "effective_step", "m_rms", "v_rms", "bias_m", "bias_v",
           "grad_norm", "update_to_weight"}  # fmt: skip


def test_adam_on_the_line_agrees_with_the_tutorial() -> None:
    """Every quantity is the tutorial's own, which is computed by other code."""
    seen = seen_inside(LINE, "adam", 0.01, 0)
    trace = tutorial.train(0.01, 300)
    at = np.array(seen["at"]) - 1
    np.testing.assert_allclose(seen["update_in_lr"]["median"], trace.update_in_lr[at], rtol=1e-9)
    np.testing.assert_allclose(seen["update_in_lr"]["max"], trace.update_in_lr[at], rtol=1e-9)
    np.testing.assert_allclose(seen["effective_step"]["p10"], trace.effective_step[at], rtol=1e-9)
    np.testing.assert_allclose(seen["m_rms"], np.abs(trace.m[at]), rtol=1e-12)
    np.testing.assert_allclose(seen["v_rms"], trace.v[at], rtol=1e-12)


def test_the_first_steps_of_adam() -> None:
    """The first update is one lr long; corrections are 1 - beta ** t (Kingma & Ba, section 3)."""
    seen = seen_inside(SOFTMAX, "adam:beta1=0.8", 0.01, 3)
    assert seen["at"][:10] == list(range(1, 11)) and seen["at"][-1] == SOFTMAX.steps
    assert seen["update_in_lr"]["max"][0] == pytest.approx(1.0, rel=1e-3)
    assert seen["bias_m"][:3] == pytest.approx([0.2, 0.36, 0.488])
    assert seen["bias_v"][1] == pytest.approx(1 - 0.999**2)
    assert set(seen["update_to_weight"]) == {"W0", "b0"}
    # The bias starts at 0, so its first update has no ratio to it.
    assert seen["update_to_weight"]["b0"][0] is None
    assert all(len(column) == len(seen["at"]) for column in seen["update_to_weight"].values())


def test_sgd_steps_by_its_gradient() -> None:
    """A rule without moments has no columns for them; its update is lr times the gradient."""
    seen = seen_inside(LINE, "sgd", 0.001, 0)
    assert seen.keys() == COLUMNS
    np.testing.assert_allclose(seen["update_in_lr"]["median"], seen["grad_norm"], rtol=1e-6)
    for name in ("effective_step", "m_rms", "v_rms", "bias_m", "bias_v"):
        assert seen[name] is None


def test_what_is_not_corrected_has_no_correction() -> None:
    """RMSProp has a second moment that no power of beta2 corrects."""
    seen = seen_inside(LINE, "rmsprop", 0.001, 0)
    assert seen["bias_v"] is None and seen["m_rms"] is None
    np.testing.assert_allclose(
        seen["effective_step"]["median"], 0.001 / (np.sqrt(seen["v_rms"]) + 1e-8), rtol=1e-9
    )


def test_watching_changes_nothing() -> None:
    """The run that is watched ends where an unwatched one does, and seeing twice is the same."""
    plain = run(SOFTMAX, "adam", 0.01, 1)
    watched = run(SOFTMAX, "adam", 0.01, 1, Inside(spread(SOFTMAX.steps, 60), 0.01))
    assert watched.losses == plain.losses
    assert seen_inside(SOFTMAX, "adam", 0.01, 1) == seen_inside(SOFTMAX, "adam", 0.01, 1)


def test_a_run_that_diverges_has_no_infinite_numbers() -> None:
    """What is not finite is None, so that JSON can hold it; and the run may end early."""
    seen = seen_inside(replace(LINE, every=10), "sgd", 10.0, 0)
    values = [*seen["grad_norm"], *seen["update_in_lr"]["max"], *seen["update_to_weight"]["w"]]
    assert all(value is None or np.isfinite(value) for value in values)
    assert seen["at"][-1] <= 300


@pytest.mark.parametrize(("steps", "points"), [(1, 60), (7, 60), (60, 60), (100_000, 60), (500, 5)])
def test_steps_are_spread(steps: int, points: int) -> None:
    """The first and the last step are always seen, and no step twice."""
    at = spread(steps, points)
    assert at[0] == 1 and at[-1] == steps
    assert at == sorted(set(at)) and len(at) <= max(points, 11)


def test_a_rule_that_sums_is_looked_into() -> None:
    """States of rows, columns and vectors are seen; an effective step, which has sums, is not."""
    seen = seen_inside(SOFTMAX, "adafactor", 0.01, 0)
    assert seen["effective_step"] is None
    assert seen["update_in_lr"]["median"]
