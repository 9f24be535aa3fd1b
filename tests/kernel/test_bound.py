"""A formula bound to any words means what its float64 run means."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import reduction_rules
from adamas import dialects, rules, words
from adamas.kernel.bound import Bound, refuse
from adamas.kernel.formula import Formula, parse
from adamas.kernel.reference import Reference
from adamas.kernel.variants import of_vectors
from formulas import rules as random_rules
from written import function

WORDS: dict[str, Callable[..., Any]] = {name: getattr(words, name) for name in words.__all__}
EVERY = {name: getattr(m, name) for m in (rules, dialects) for name in m.__all__}
OVER_ALL = {"prodigy", "prodigy_corrected"}
FAMILY = [name for name in EVERY if name not in OVER_ALL]
SUMMING = {name: EVERY[name] for name in FAMILY if parse(EVERY[name]).over}
SUMMING["cautious_lion"] = reduction_rules.cautious_lion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of all examples."""
    return tmp_path_factory.mktemp("rules")


class Home:
    """NumPy as one more home: a rule stepped by nothing but its two functions."""

    def __init__(self, formula: Formula, start: np.ndarray[Any, Any]) -> None:
        self.formula = formula = formula if start.ndim > 1 else of_vectors(formula)
        self.bound = bound = Bound(formula)
        self.once, self.body = bound.once(WORDS, np.float64), bound.body(WORDS)
        self.p, self.t = start, 0
        shapes = Reference(formula, start).shapes
        values = {name: np.full(shape, formula.initial[name]) for name, shape in shapes.items()}
        self.kept = [values[name] for name in bound.kept]
        self.scalars = {name: np.float64(formula.initial[name]) for name in formula.scalars}
        rows, columns = (*start.shape, 1, 1)[:2] if start.ndim else (1, 1)
        self.sizes = {"rows": np.float64(rows), "columns": np.float64(columns)}

    def step(self, g: np.ndarray[Any, Any]) -> None:
        """One step with gradient `g`."""
        self.t += 1
        hypers = {name: np.float64(value) for name, value in self.formula.hypers.items()}
        with np.errstate(all="ignore"):
            constants, following = self.once(
                t=np.float64(self.t), **hypers, **self.scalars, **self.sizes
            )
            made = self.body(self.p, g, *self.kept, *constants)
        count = len(self.kept) + 1
        self.p, *self.kept = made[:count]
        self.scalars |= dict(zip(self.bound.following, following, strict=True))
        self.scalars |= dict(zip(self.bound.makes, made[count:], strict=True))


def compare(
    formula: Formula, start: np.ndarray[Any, Any], gradients: Any, tolerance: float
) -> None:
    """Step both runs and compare the parameter and every state after each step."""
    home, reference = Home(formula, start), Reference(formula, start)
    if start.ndim < 2:
        reference = Reference(of_vectors(formula), start)
    for g in gradients:
        home.step(g)
        reference.step(g)
        found: Mapping[str, Any] = dict(zip(home.bound.kept, home.kept, strict=True)) | home.scalars
        np.testing.assert_allclose(home.p, reference.p, tolerance, tolerance)
        for name, expected in reference.state.items():
            np.testing.assert_allclose(
                np.broadcast_to(found[name], np.shape(expected)), expected, tolerance, tolerance
            )


@pytest.mark.parametrize("name", FAMILY)
def test_every_rule_and_dialect_is_its_float64_run(name: str) -> None:
    """The two functions of a rule give the numbers of its lines, twelve steps long."""
    formula = parse(getattr(rules, name, None) or getattr(dialects, name))
    rng = np.random.default_rng(0)
    compare(formula, rng.normal(size=9), rng.normal(size=(12, 9)), 1e-12)


@pytest.mark.parametrize("shape", [(5, 3), (7,), ()])
@pytest.mark.parametrize("name", SUMMING)
def test_rules_that_sum_are_their_float64_run(name: str, shape: tuple[int, ...]) -> None:
    """Norms and means over tensors, rows and columns are those of a matrix, a vector, a number."""
    formula = parse(SUMMING[name])
    rng = np.random.default_rng(0)
    compare(formula, rng.normal(size=shape), rng.normal(size=(6, *shape)), 1e-11)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(random_rules())
def test_any_rule_is_its_float64_run(folder: Path, text: str) -> None:
    """Whatever the grammar allows: branches, powers, scalar states, overwritten names."""
    rng = np.random.default_rng(0)
    compare(parse(function(folder, text)), rng.normal(size=8), rng.normal(size=(3, 8)), 1e-8)


@pytest.mark.parametrize("name", FAMILY)
def test_the_step_may_be_an_unknown_number(name: str) -> None:
    """What is computed once a step asks no number for its truth: arrays of steps go through it."""
    formula = parse(getattr(rules, name, None) or getattr(dialects, name))
    once = Bound(formula).once(WORDS, np.float64)
    scalars = {name: np.float64(formula.initial[name]) for name in formula.scalars}
    numbers = {**formula.hypers, **scalars, "rows": 3.0, "columns": 2.0}
    steps = np.arange(1.0, 9.0)
    with np.errstate(all="ignore"):
        together = once(t=steps, **numbers)
        each = [once(t=t, **numbers) for t in steps]
    for part in (0, 1):
        for k, found in enumerate(together[part]):
            expected = [one[part][k] for one in each]
            np.testing.assert_allclose(np.broadcast_to(found, 8), expected, rtol=1e-10)


def test_numbers_of_the_text_are_made_by_the_home() -> None:
    """A home whose numbers are not Python's sees every literal once, as it is written."""
    seen = []
    formula = parse(rules.nadam)
    Bound(formula).once(WORDS, lambda x: seen.append(x) or x)  # type: ignore[func-returns-value]
    assert {0.5, 0.96, 1.0} <= set(seen)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("clipped_momentum", 'over="all"'), ("noisy", "random numbers")],
)
def test_what_only_kernels_can_is_refused_by_name(name: str, reason: str, tmp_path: Path) -> None:
    """A rule that draws, or sums over all tensors, is refused with the reason and where it runs."""
    text = "def noisy(p, g, *, lr=0.1):\n    return p - lr * g + normal(p)\n"
    rule = function(tmp_path, text, name) if name == "noisy" else reduction_rules.clipped_momentum
    with pytest.raises(ValueError, match=reason) as caught:
        refuse(parse(rule), "in JAX")
    assert name in str(caught.value) and "in JAX" in str(caught.value)
    refuse(parse(rules.adamw), "in JAX")
