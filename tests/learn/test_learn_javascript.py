"""The script of the guide computes what adamas computes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adamas import rules
from adamas.kernel.formula import parse
from adamas.lab.zoo.line import data
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS, line_data
from adamas.learn.trace import normal, trace, trace_of_line, uniform
from adamas.schedule import cosine
from trajectories import RULES, near
from v8 import run


@pytest.mark.parametrize("problem", PROBLEMS)
def test_trace(problem: str) -> None:
    """What sentences are filled from runs through the script's points, noise and all."""
    found = run(f"trace(RULES.adam, PROBLEMS.{problem}, 99, {{noise: 0.1, seed: 5}}).points")
    near(found, trace(rules.adam, PROBLEMS[problem], 99, noise=0.1, seed=5).points)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_gradients(problem: str) -> None:
    """A gradient written by hand is the slope of its loss, by central differences."""
    one, h = PROBLEMS[problem], 1e-6
    for seed in range(20):
        at = [low + (high - low) * uniform(seed, k) for k, (low, high) in enumerate(one.view)]
        times = [(t,) for t in (1, 2, 3)] if one.timed else [()]
        slope = np.mean([np.atleast_1d(one.gradient(*at, *t)) for t in times], axis=0)
        for k in range(len(at)):
            up, down = ([x + (i == k) * d for i, x in enumerate(at)] for d in (h, -h))
            expected = (one.loss(*up) - one.loss(*down)) / (2 * h)
            np.testing.assert_allclose(slope[k], expected, rtol=1e-5, atol=1e-6)


def test_line_data() -> None:
    """The guide's data are those of the tutorial, and the best line that of least squares."""
    x, y = data()
    assert line_data() == (x[:, 0].tolist(), y[:, 0].tolist())
    np.testing.assert_allclose(run("lineProblem({}).least"), np.linalg.lstsq(x, y)[0][0], rtol=1e-9)
    both = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y)[0][:, 0]
    np.testing.assert_allclose(run("lineProblem({bias: true}).least"), both, rtol=1e-9)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [0, 4])
def test_line(bias: bool, batch: int) -> None:
    """The tutorial's line is fitted through the same points in the script as in the reference."""
    option = f"{{bias: {str(bias).lower()}, batch: {batch}, seed: 3}}"
    found = run(f"trace(RULES.adam, lineProblem({option}), 300).points")
    expected = trace_of_line(rules.adam, 300, bias=bias, batch=batch, seed=3).points
    near(found, expected)


def test_random_numbers() -> None:
    """The script draws the numbers that Python draws, and they are spread as they should be."""
    assert run("Array.from({length: 99}, (_, k) => [uniform(7, k), normal(5, k)])") == [
        [uniform(7, k), normal(5, k)] for k in range(99)
    ]
    drawn = np.array([normal(1, k) for k in range(4000)])
    assert abs(drawn.mean()) < 0.05 and abs(drawn.std() - 1) < 0.05


def test_numbers_are_written_alike() -> None:
    """A number in a sentence and the same number in a figure are written in the same way."""
    values = [
        0.0,
        1.0,
        -2.5,
        1e-8,
        0.00099996,
        0.001,
        123456.0,
        99999.6,
        1e22,
        -7e-5,
        3.14159,
        0.1 + 0.2,
    ]
    for digits in (2, 3, 4, 6):
        assert run(f"{values}.map((x) => shown(x, {digits}))") == [shown(x, digits) for x in values]


FLOATS = ("sgd", "momentum", "rmsprop", "adam", "adamw", "amsgrad", "lion", "adagrad", "adamax")


@pytest.mark.parametrize("name", FLOATS)
def test_float32(name: str) -> None:
    """Rounded to float32 the script runs as the rule itself does on NumPy's float32."""
    rule, formula = RULES[name], parse(RULES[name])
    given = [uniform(3, k) - 0.5 for k in range(40)]
    steps = f"{given}.map((g) => run.step([Math.fround(g)]).p[0])"
    options = "{hypers: {lr: 0.01}, start: [0.3], round: 'float32'}"
    begin = f"const run = new Run(RULES.{name}, PROBLEMS.parabola, {options});"
    found = run(f"(() => {{ {begin} return {steps}; }})()")
    p, states = np.float32(0.3), [np.float32(formula.initial[s]) for s in formula.states]
    for t, g in enumerate(given, 1):
        steps_given = {"t": t} if "t" in formula.given else {}
        made = rule(p, np.float32(g), *states, lr=0.01, **steps_given)
        p, *states = made if isinstance(made, tuple) else (made,)
        assert found[t - 1] == float(p), t


@given(
    lr=st.floats(1e-6, 10), steps=st.integers(1, 1000), end=st.floats(0, 1), t=st.integers(1, 1200)
)
@settings(max_examples=50, deadline=None)
def test_schedule(lr: float, steps: int, end: float, t: int) -> None:
    """The script's cosine is that of `adamas.schedule`, at every step and beyond the last."""
    found = run(f"cosine({lr!r}, {steps}, {end!r})({t})")
    np.testing.assert_allclose(found, cosine(lr, steps=steps, end=end)(t), rtol=1e-14)
