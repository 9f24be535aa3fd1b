"""What one unit of gradient is multiplied by, in every rule: the papers' forms, and real steps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from adamas import rules
from adamas.kernel.formula import Formula, parse
from adamas.kernel.reference import Reference
from adamas.lab.doctor.effective import effective_step
from adamas.lab.doctor.inside import seen_inside
from adamas.lab.problems import Array
from adamas.lab.zoo.line import FULL
from formulas import rules as rules_of_any_kind
from written import function

Form = Callable[[dict[str, Any], dict[str, float], int], Any]


def stepped(formula: Formula, steps: int) -> tuple[Array, Array | None, dict[str, Any], int]:
    """The last of some steps without decay, its effective step, and all that there was for it."""
    hypers = {**formula.hypers, "weight_decay": 0.0}
    reference = Reference(replace(formula, hypers=hypers), [1.0, -2.0, 0.5, 3.0])
    rng = np.random.default_rng(1)
    for _ in range(steps):
        before = {**reference.state, "p": reference.p, "g": rng.normal(size=4)}
        reference.step(before["g"])
    step = effective_step(formula)
    found = step and step(steps, hypers, reference.state, before)
    return before["p"] - reference.p, found, {**reference.state, "g": before["g"]}, steps


def corrected(state: str, beta: str) -> Form:
    """A moment over its bias correction."""
    return lambda s, h, t: s[state] / (1 - h[beta] ** t)


FIRST = corrected("m", "beta1")
AVERAGES: dict[str, Form] = {
    **dict.fromkeys(("adagrad", "rmsprop", "rmsprop_centered", "adadelta"), lambda s, h, t: s["g"]),
    **dict.fromkeys(("adam", "adamw", "amsgrad", "adamax", "radam", "adabelief"), FIRST),
}


@pytest.mark.parametrize("steps", [1, 3, 7, 40])
@pytest.mark.parametrize("name", AVERAGES)
def test_it_times_the_averaged_gradient_is_the_update(name: str, steps: int) -> None:
    """Read from the formula's divisor, whatever its states are called, and for RAdam in turn."""
    formula = parse(getattr(rules, name))
    update, found, values, t = stepped(formula, steps)
    assert found is not None
    average = AVERAGES[name](values, formula.hypers, t)
    np.testing.assert_allclose(found * average, update, rtol=1e-9)


SECOND = corrected("v", "beta2")
DIVIDED: dict[str, Form] = {
    **dict.fromkeys(("nadam", "ademamix", "masked_adamw", "adam"), SECOND),
    "amsgrad": corrected("v_max", "beta2"),
    "adan": corrected("n", "beta3"),
    "adabelief": corrected("s", "beta2"),
}


@pytest.mark.parametrize("name", DIVIDED)
def test_a_root_mean_square_divides_lr(name: str) -> None:
    """It is lr / (sqrt(second moment, corrected) + eps), as the last line of each paper has it."""
    formula = parse(getattr(rules, name))
    _, found, values, t = stepped(formula, 9)
    root = DIVIDED[name](values, formula.hypers, t) ** 0.5
    np.testing.assert_allclose(found, formula.hypers["lr"] / (root + formula.hypers["eps"]))


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "lion"])
def test_a_rule_that_divides_by_nothing_has_none(name: str) -> None:
    """Where lr is the same for all elements there is nothing to show."""
    assert effective_step(parse(getattr(rules, name))) is None


OWN = {
    # The divisor before the average, a step by way of names, and one that g itself divides.
    "    m = 0.9 * m + g / (abs(g) + 1)\n    return p - lr * m, m": lambda s: 1 / (abs(s["g"]) + 1),
    "    m = 2 * m + g * g\n    u = g / m\n    q = p - 3 * lr * u\n    return q, m": (
        lambda s: 3 / s["m"]
    ),
    "    u = -g * m / (m + 1) ** 2\n    return p + lr * u, m + g * g": (
        lambda s: (s["m"] - s["g"] ** 2) / (s["m"] - s["g"] ** 2 + 1) ** 2
    ),
    # The sign at lr, before it and on both sides; divisors that are written as powers.
    "    m = m + g * g\n    d = sqrt(m) + 1\n    p = p + (-lr) * (g / d)\n    return p, m": (
        lambda s: 1 / (s["m"] ** 0.5 + 1)
    ),
    "    m = m + g * g\n    return p + -2 * lr * (g / (m + 1)), m": lambda s: 2 / (s["m"] + 1),
    "    m = m + g * g\n    return p - (-lr) * (-g) / (m + 1), m": lambda s: 1 / (s["m"] + 1),
    "    m = m + g * g\n    return p - lr * g * (m + 1) ** -0.5, m": (
        lambda s: 1 / (s["m"] + 1) ** 0.5
    ),
    "    m = m + g * g\n    return p - lr * (m + 1) ** (-0.5) * g, m": (
        lambda s: 1 / (s["m"] + 1) ** 0.5
    ),
    "    m = m + g * g\n    inv = (m + 1) ** -2\n    return p - 3 * inv * g * lr, m": (
        lambda s: 3 / (s["m"] + 1) ** 2
    ),
    "    m = m + g * g\n    return p - lr * g / (abs(g) + 1) * (m + 1) ** -1, m": (
        lambda s: 1 / ((abs(s["g"]) + 1) * (s["m"] + 1))
    ),
}


@pytest.mark.parametrize("body", OWN)
def test_a_user_s_rule_has_one_too(tmp_path: Path, body: str) -> None:
    """Whatever it calls its states, and wherever on the way to p it divides."""
    formula = parse(function(tmp_path, f"def f(p, g, m, *, lr=0.1):\n{body}"))
    _, found, values, _ = stepped(formula, 5)
    np.testing.assert_allclose(found, 0.1 * OWN[body](values))


@pytest.mark.parametrize("decay", ["p / (abs(p) + 1)", "p * (abs(p) + 1) ** -1"])
def test_a_decay_is_no_step_of_the_gradient(tmp_path: Path, decay: str) -> None:
    """What divides the parameter alone does not count."""
    text = f"def f(p, g, *, lr=0.1):\n    return p - {decay} - lr * g"
    assert effective_step(parse(function(tmp_path, text))) is None


@pytest.mark.parametrize("name", ["adadelta", "adabelief", "radam", "schedule_free_adamw"])
def test_the_report_shows_it(name: str) -> None:
    """Inside a run it is seen at every step that is looked at, in order and positive."""
    seen = seen_inside(replace(FULL, steps=30, every=10), name, 0.01, 0)
    columns = [np.array(seen["effective_step"][part]) for part in ("p10", "median", "p90")]
    assert all(len(column) == len(seen["at"]) and (column > 0).all() for column in columns)
    assert (columns[0] <= columns[1]).all() and (columns[1] <= columns[2]).all()


@given(rules_of_any_kind())
def test_it_times_the_gradient_is_the_update_in_any_rule(text: str) -> None:
    """Whatever divides, by way of whatever names; where it is one number, there is no step."""
    head, *body, end = text.splitlines()
    divisor = end.partition("minimum(maximum(")[2].partition(", -3), 3)")
    end = f"    return start - lr * first / (abs({divisor[0]}) + 0.5){divisor[2]}"
    with TemporaryDirectory() as folder:
        lines = [head, "    start = p", "    first = g", *body, end]
        formula = parse(function(Path(folder), "\n".join(lines)))
    update, found, values, _ = stepped(formula, 2)
    g = values["g"]
    step = np.full(4, update[0] / g[0]) if found is None else found
    np.testing.assert_allclose(step * g, update, rtol=1e-6, atol=1e-12)
