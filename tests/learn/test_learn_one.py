"""What the chapter on one number and one step says is so."""

import json

import numpy as np
import pytest

from adamas import rules
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference, execute
from adamas.learn.chapters import one
from adamas.learn.problems import PROBLEMS
from adamas.learn.trace import trace
from v8 import run


@pytest.mark.parametrize("rule", ["sgd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("t", [1, 2, 30])
def test_table(rule: str, t: int) -> None:
    """The table has the lines of the rule, and beside each the value that the reference has."""
    made = Reference(parse(getattr(rules, rule)), [2.0], lr=0.1)
    for _ in range(t - 1):
        made.step(made.p)
    names = made.begin(made.p)
    begun = f"new Run(RULES.{rule}, PROBLEMS.parabola, {{hypers: {{lr: 0.1}}}})"
    steps = f"Array.from({{length: {t - 1}}}, () => run.step())"
    found = run(f"((run) => [{steps}, stepRows(run)])({begun})")[1]
    lines = [line for line, _, _ in found]
    assert all(line in made.formula.source for line in lines)
    for code, (line, _, value) in zip(made._code, found, strict=True):
        execute([code], names)
        expected = float(np.ravel(names[line.partition(" = ")[0]])[0])
        assert value == run(f"shown({expected!r})")


def test_numbers_put_in() -> None:
    """A line with today's numbers in it is that line, and its value follows from what is shown."""
    start = "new Run(RULES.adam, PROBLEMS.parabola, {hypers: {lr: 0.1, eps: 0}})"
    for _, put, value in run(f"stepRows({start})"):
        text = put.replace("×", "*").replace("−", "-")
        assert eval(text, {"sqrt": np.sqrt}) == pytest.approx(float(value.replace("−", "-")), 1e-3)


def test_factor() -> None:
    """A step of plain descent multiplies w by 1 - lr, and the words beside the rates are so."""
    for lr in one.RATES:
        w = one.weights(lr)
        np.testing.assert_allclose(w, 2 * (1 - lr) ** np.arange(11), rtol=1e-12)
    ends = {what: one.weights(lr) for lr, what in one.RATES.items()}
    assert ends["slow"][-1] > 0.98 * 2
    assert 0 < ends["well"][-1] < 1
    assert ends["once"][1] == 0
    assert ends["across"][1] < 0 < ends["across"][2] < 2
    assert np.abs(ends["forever"]).tolist() == [2] * 11
    assert abs(ends["away"][-1]) > 2 and ends["away"][1] < 0


def test_limit() -> None:
    """Plain descent diverges exactly above 2 / curvature."""
    for curvature in (1.0, float(one.CURVATURE), 50.0):
        limit = 2 / curvature
        assert abs(one.weights(1.001 * limit, 5000, curvature)[-1]) > 2
        assert abs(one.weights(0.999 * limit, 5000, curvature)[-1]) < 2


def test_first_step_of_adam() -> None:
    """Adam's first step is lr long from almost any start, but for one as near to 0 as eps."""
    way = trace(rules.adam, PROBLEMS["parabola"], 1, start=[1e-8], lr=0.1).points
    assert way[0][0] - way[1][0] == pytest.approx(0.05)
    for start in (0.001, 2.0, 500.0):
        way = trace(rules.adam, PROBLEMS["parabola"], 1, start=[start], lr=0.1).points
        assert way[0][0] - way[1][0] == pytest.approx(0.1, rel=2e-5)


def test_figure_starts_with_the_text() -> None:
    """The figure opens at the step that the text computes."""
    shown = json.dumps(run("PLAYS.one.show(startValues(PLAYS.one), 640)"), ensure_ascii=False)
    w = one.weights(one.LR)
    assert f"from {w[0]:g} to {w[1]:g}" in shown and "w = 1.8" in shown
