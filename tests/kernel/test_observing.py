"""What is noted of a step is added to a rule, and nothing of the rule is another for it."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas import dialects, rules
from adamas.kernel.formula import Formula, parse, target
from adamas.kernel.observing import NOTED, who_sums, with_observation
from adamas.kernel.reference import Reference
from adamas.kernel.stages import stages
from adamas.kernel.variants import of_vectors, with_average
from adamas.show import moved
from written import function

every_formula = pytest.mark.parametrize(
    "formula",
    [
        *(parse(getattr(rules, name)) for name in rules.__all__),
        *(parse(getattr(dialects, name)) for name in dialects.__all__),
        with_average(parse(rules.adamw)),
    ],
    ids=lambda formula: formula.name,
)


def computed(formula: Formula, known: dict[str, str]) -> list[str]:
    """What the last pass makes of an element, by operations: `known` has a name for each."""
    plan, names = stages(formula), dict[str, str]()

    def named(node: ast.expr) -> str:
        copy = ast.parse(ast.unparse(node)).body[0]
        for one in ast.walk(copy):
            if isinstance(one, ast.Name):
                one.id = names.get(one.id, one.id)
        text = ast.unparse(copy)
        return known.setdefault(text, f"made_{len(known)}")

    for name, constant in plan.parts.constants.items():
        names[name] = named(constant)
    for statement in plan.parts.body:
        names[target(statement)] = named(statement.value)
    return [names.get(name, name) for name in plan.sweep.outputs.values()]


@every_formula
def test_elements_are_computed_by_the_same_lines(formula: Formula) -> None:
    """What the last pass makes of an element is made by the operations that made it before."""
    for form in (lambda one: one, of_vectors):
        known: dict[str, str] = {}
        assert computed(form(with_observation(formula)), known) == computed(form(formula), known)


@every_formula
def test_the_state_is_what_it_was(formula: Formula) -> None:
    """What is noted of a step is no state: a rule keeps what it kept, in the same places."""
    for form in (lambda one: one, of_vectors):
        plain, noting = form(formula), form(with_observation(formula))
        assert noting.numbers == plain.numbers == plain.scalars
        assert noting.scalars[len(plain.scalars) :] == noting.noted
        kept = ("name", "states", "rows", "columns", "shared", "hypers", "draws", "rowwise")
        for what in kept:
            assert getattr(noting, what) == getattr(plain, what)


numbers = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


@given(numbers, st.integers(0, 1000))
def test_norms_are_those_of_the_step(start: list[float], seed: int) -> None:
    """The norms are of new minus old parameter, of the old one, and of the gradient as given."""
    formula = with_observation(parse(rules.adam))
    run, draw = Reference(formula, start, weight_decay=0.1), np.random.default_rng(seed)
    for g in draw.normal(size=(2, len(start))):
        before = run.p.copy()
        run.step(g)
        found = [run.state[name] for name in formula.noted]
        arrays = run.p - before, before, g
        np.testing.assert_allclose(found, list(map(np.linalg.norm, arrays)), rtol=1e-12)


def test_a_rule_may_call_its_numbers_as_it_likes(tmp_path: Path) -> None:
    """States, settings and lines named as the notes are remain the rule's own."""
    text = """
    def f(p, g, update, weight, gradient_norm, *, before=0.1, moved=0.5):
        gradient = moved * g
        update = moved * update + gradient
        p = p - before * update
        g = 0 * g
        weight_norm = norm(p)
        weight = weight_norm
        gradient_norm = gradient
        return p, update, weight, gradient_norm
    """
    plain = parse(function(tmp_path, text))
    noting = with_observation(plain)
    one, other = Reference(plain, [3.0, -4.0]), Reference(noting, [3.0, -4.0])
    for run in (one, other):
        run.step([6.0, 8.0])
    np.testing.assert_array_equal(one.p, other.p)
    assert all(np.array_equal(one.state[k], other.state[k]) for k in one.state)
    noted: dict[str, Any] = dict(zip(NOTED, (other.state[n] for n in noting.noted), strict=True))
    # p moved by 0.1 * 0.5 * g.
    assert noted == {
        "update": pytest.approx(0.5),
        "weight": pytest.approx(5.0),
        "gradient": pytest.approx(10.0),
    }


def test_one_pass_more_is_what_it_costs() -> None:
    """A rule of elements reads its arrays once more; one that sums already gets the pass it lacks.

    AdamW: p, g, m and v of 4 bytes are read, then read again with p, m and v written.
    """
    assert moved(with_observation(parse(rules.adamw))).startswith("44 bytes")
    assert moved(with_observation(parse(rules.lamb))).startswith("60 bytes")
    assert moved(with_observation(parse(rules.sgd))).startswith("20 bytes")


def test_refusals_name_who_sums() -> None:
    """It is the option, unless the rule itself sums or makes matrices."""
    assert who_sums(with_observation(parse(rules.adamw))) == "observe=True"
    assert who_sums(with_observation(parse(rules.lamb))) == who_sums(parse(rules.lamb)) == "lamb"
