"""What the chapter on eps says, against closed forms."""

import re
from math import sqrt

import pytest

from adamas.dialects import adam_eps_hat, rmsprop_eps_inside
from adamas.learn.chapters import eps
from adamas.learn.chapters.eps import EPS, farthest, hat, step
from adamas.learn.measured import measured
from adamas.learn.problems import line_slope
from adamas.rules import adam
from shown_numbers import read
from v8 import run


@pytest.mark.parametrize("g", [1e-12, 1e-10, 1e-8, 1e-6, 1.0])
def test_step_beside_eps(g: float) -> None:
    """A steady gradient makes a step of lr g / (g + eps), at the first step and later."""
    for t in (1, 30):
        assert step(adam, g, t) == pytest.approx(g / (g + EPS), rel=1e-9)


def test_eps_before_the_correction() -> None:
    """Keras's eps counts 1 / sqrt(1 - beta2**t) times as much, as long as gradients are tiny."""
    for t in (1, eps.LATE):
        assert hat(t) == pytest.approx(1 / sqrt(1 - 0.999**t), rel=1e-5)
    assert step(adam_eps_hat, 1.0, 1) == pytest.approx(step(adam, 1.0, 1), rel=1e-5)


def test_eps_under_the_root() -> None:
    """Under the root eps acts like its root beside it."""
    g = 1e-15
    assert step(rmsprop_eps_inside, g, 1, eps=EPS) == pytest.approx(g / sqrt(EPS), rel=1e-9)
    assert step(adam, g, 1, eps=sqrt(EPS)) == pytest.approx(g / sqrt(EPS), rel=1e-9)


def test_eps_is_nothing_on_the_tutorial() -> None:
    """At the end of the tutorial's run eps is a billionth of the divisor, or less."""
    assert eps.divisor() > line_slope(0.91)[0] * -1 > 1
    assert EPS / eps.divisor() < 1e-9


def test_large_eps_is_momentum() -> None:
    """At eps = 1 half a gradient makes half a step, at 1e-8 the same one; so says the page."""
    found = eps.numbers()
    assert step(adam, 5e-4, 1, eps=1.0) / step(adam, 1e-3, 1, eps=1.0) == pytest.approx(
        0.5 * (1 + 1e-3) / (1 + 5e-4), rel=1e-9
    )
    assert (found["ratio"], found["ratio_small"]) == ("0.5", "1")
    assert found["half"] == "0.5"


def test_scaled_loss() -> None:
    """A loss in another unit leaves Adam where it is, unless eps is large."""
    assert farthest(eps.SMALL) < 1e-6 and farthest(eps.LARGE) < 1e-6
    assert farthest(eps.SMALL, eps.BIG) > 1


def test_bounds_are_bounds() -> None:
    """What a sentence says of "at most" and "never" is not less than what was found."""
    found = eps.numbers()
    off = {"off_small": farthest(eps.SMALL), "off_large": farthest(eps.LARGE)}
    off |= {"off_one": farthest(eps.SMALL, eps.BIG)}
    ends = measured()["adam"]
    off["agree"] = max(
        abs(ends[one]["line"] - ends["adamas"]["line"]) for one in ("torch", "optax")
    )
    for name, value in off.items():
        assert value <= read(str(found[name])) < 1.5 * value, name


@pytest.mark.parametrize("t", ["1", "100"])
def test_figure_of_places(t: str) -> None:
    """The figure says where half of the step is left: closed forms of the three places."""
    text = run(f"PLAYS.eps.show({{eps: 1e-8, t: '{t}'}}, 640).sentence")
    c = 1 - 0.999 ** int(t)
    expected = [eps.shown(x, 2) for x in (EPS, EPS / sqrt(c), sqrt(EPS / (3 * c)))]
    places = re.findall(r"([^ ]+(?:\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}[^ ]+)?) \(", text)
    assert places == expected


def test_figure_of_scales() -> None:
    """The figure of scaled losses has the numbers of the sentence below it."""
    for value in (EPS, eps.BIG):
        text = run(f"PLAYS.eps_scale.show({{eps: {value}}}, 640).sentence")
        small, large = (eps.shown(farthest(f, value), 2) for f in (eps.SMALL, eps.LARGE))
        assert f": {small} for" in text and f", {large} for" in text
    picture = run("PLAYS.eps_scale.show({eps: 1e-8}, 640).picture")
    assert all(f"× {eps.shown(f)}" in picture for f in (eps.SMALL, 1.0, eps.LARGE))


def test_homes() -> None:
    """What the page says of other libraries: alike but for Keras, which eps_hat explains."""
    ends = measured()["adam"]
    for name in ("torch", "optax"):
        assert ends[name]["line"] == pytest.approx(ends["adamas"]["line"], rel=1e-14)
        assert ends[name]["tiny"] == pytest.approx(ends["adamas"]["tiny"], rel=1e-14)
    keras, hat_ = ends["keras"], ends["eps_hat"]
    assert [keras["line"], keras["tiny"]] == pytest.approx([hat_["line"], hat_["tiny"]], rel=1e-14)
    assert 1e-10 < abs(ends["keras"]["line"] - ends["adamas"]["line"]) < 1e-9
    assert ends["keras"]["tiny"] < 0.3 * ends["adamas"]["tiny"]
    assert ends["keras"]["eps"] == pytest.approx(10 * ends["torch"]["eps"])
    part = ends["keras"]["tiny"] / ends["adamas"]["tiny"]
    assert 2 * part < eps.part_of_place() < 0.9, "most of it is the larger eps"
    own = eps.follow(
        adam,
        [
            (eps.TINY * g,)
            for (g,) in eps.trace_of_line(adam, eps.HOME_STEPS, lr=eps.HOME_LR).gradients
        ],
        (0.0,),
        lr=eps.HOME_LR,
    ).last[0]
    assert own == pytest.approx(ends["adamas"]["tiny"], rel=1e-12)
