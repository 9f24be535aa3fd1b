"""A run may fix hyper-parameters and the course of its rate, by its text or by a search."""

from dataclasses import replace
from math import cos, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.course import SCHEDULES, Course
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.trial import from_json, run
from adamas.lab.zoo import built_in

LINE = replace(built_in("line"), steps=40, every=20)


def test_a_cosine_is_the_one_of_its_paper() -> None:
    """Without warm-up the rate at step t is (1 + cos(pi (t - 1) / T)) / 2 (SGDR, equation 5)."""
    factor = Course("cosine").factor(50)
    assert factor is not None
    for t in range(1, 51):
        assert factor(t) == pytest.approx((1 + cos(pi * (t - 1) / 50)) / 2, abs=1e-12)


def test_a_fifth_of_wsd_decays() -> None:
    """Warm-up, stay and decay: a straight rise, a plateau, and a straight fall over a fifth."""
    factor = Course("wsd", 0.1).factor(100)
    assert factor is not None
    shown = [factor(t) for t in (1, 5, 10, 11, 80, 81, 91, 100)]
    assert shown == pytest.approx([1 / 11, 5 / 11, 10 / 11, 1, 1, 1, 0.5, 0.05])


@given(st.sampled_from(SCHEDULES), st.floats(0, 0.5), st.integers(1, 400))
def test_a_course_stays_between_0_and_1(schedule: str, warmup: float, steps: int) -> None:
    """Whatever the course, the factor lies in (0, 1] and reaches 1, also in very short runs."""
    factor = Course(schedule, warmup).factor(steps) or (lambda t: 1.0)
    found = [factor(t) for t in range(1, steps + 1)]
    assert all(0 < value <= 1 for value in found)
    assert steps < 10 or max(found) > 0.9


def test_further_settings_are_those_of_the_text() -> None:
    """A hyper-parameter that a search chooses gives the bits of one that the text fixes."""
    text = run(LINE, "adamw:weight_decay=0.2,warmup=0.25,schedule=cosine", 0.05, 1)
    further = (("schedule", "cosine"), ("warmup", 0.25), ("weight_decay", 0.2))
    searched = run(LINE, "adamw", 0.05, 1, further=further)
    plain = run(LINE, "adamw", 0.05, 1)
    assert searched.losses == text.losses != plain.losses
    assert from_json({**searched.as_json(), "key": ""}) == searched


def test_a_course_makes_another_optimizer_of_it() -> None:
    """The fingerprint changes with the course, and is the former one without."""
    plain, moved = entrant("adam"), entrant("adam:schedule=cosine")
    assert plain.fingerprint != moved.fingerprint
    assert entrant("adam:schedule=constant,warmup=0").fingerprint == plain.fingerprint


@pytest.mark.parametrize(("text", "told"), [
    ("adam:schedule=cosin", r"schedule='cosin' is none of constant, cosine, wsd"),
    ("adam:warmup=0.7", r"warmup=0\.7 is no share of a run from 0 to 0\.5"),
    ("adam:warmup=x", r"warmup='x' is not a finite number"),
    ("adam:warmup=0.1,warmup=0.2", r"sets a hyper-parameter twice"),
    ("adam:warm=0.1", r"cannot be given 'warm=0\.1'; it takes beta1, .*, schedule, warmup"),
])  # fmt: skip
def test_what_is_no_course_is_refused(text: str, told: str) -> None:
    """A wrong schedule, share or name is refused with what there is."""
    with pytest.raises(LabError, match=told):
        entrant(text)
