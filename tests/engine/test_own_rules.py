# mypy: allow-untyped-defs
"""A rule of one's own, a few lines long, has all that the family has.

None of these is in the family. Each is checked against a package on PyPI, against a plain loop
written from its paper, or both.
"""

import copy
import importlib
import itertools
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import Rule, rules, show
from adamas.words import abs, maximum, minimum, sign, sqrt
from foreign import PROBLEMS, SIZE, STEPS, Array, Trace, distance, of_torch, start
from hoisted import Interpreter
from long_form import sampled
from written import module

peers: Any = importlib.import_module("pytorch_optimizer")


@adamas.rule
def signum(p, g, m, *, lr=1e-3, beta=0.9):
    """Bernstein et al. 2018, Algorithm 2: the sign of a mean gradient."""
    m = beta * m + (1 - beta) * g
    return p - lr * sign(m), m


@adamas.rule
def adopt(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.9999, eps=1e-6):
    """Taniguchi et al. 2024, Algorithm 2: the gradient is divided by the root of the past alone.

    Their step 0 only fills v; here it is the first, which the limit of 0 keeps from moving.
    """
    limit = (t - 1) ** 0.25
    m = beta1 * m + (1 - beta1) * maximum(minimum(g / maximum(sqrt(v), eps), limit), -limit)
    v = g * g if t == 1 else beta2 * v + (1 - beta2) * g * g
    return p - lr * m, m, v


@adamas.rule
def grams(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6):
    """Cao et al. 2024, Algorithm 1: Adam's length in the direction of the fresh gradient."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    return p - lr * abs(u) * sign(g), m, v


@adamas.rule
def kate(p, g, m, b, *, lr=1e-3, eta=0.1, eps=1e-8):
    """Choudhury et al. 2024, Algorithm 1, of squares: Adagrad without the root, scale-invariant."""
    b = b + g * g + eps
    m = m + eta * g * g + g * g / b
    return p - lr * sqrt(m) * g / b, m, b


RULES = {rule.formula.name: rule for rule in (signum, adopt, grams, kate)}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def trace_of(rule: Rule, problem: str, **settings: float) -> tuple[list[Array], Trace]:
    """Step a NumPy array with a rule; return the gradients, and p and the state of every step."""
    p, gradient = start(7), PROBLEMS[problem](7)
    optimizer = rule(p, **settings)
    grads, trace = [], []
    for t in range(STEPS):
        grads.append(gradient(t, p))
        optimizer.step(grads[-1])
        states = optimizer.formula.states
        trace.append({"p": p.copy()} | {s: optimizer.state[0][s].copy() for s in states})
    return grads, trace


def adopt_from_the_paper(grads: list[Array], lr: float, beta1: float, beta2: float) -> Trace:
    """Algorithm 2 of the ADOPT paper: v_0 = g_0 * g_0, clipping by t ** 0.25."""
    p, m, v, eps = start(7), np.zeros(SIZE), grads[0] ** 2, 1e-6
    trace = [{"p": p.copy()}]
    for t, g in enumerate(grads[1:], start=1):
        m = beta1 * m + (1 - beta1) * np.clip(g / np.maximum(np.sqrt(v), eps), -(t**0.25), t**0.25)
        p = p - lr * m
        v = beta2 * v + (1 - beta2) * g**2
        trace.append({"p": p.copy(), "m": m, "v": v})
    return [{"p": step["p"]} for step in trace]


def signum_from_the_paper(grads: list[Array], lr: float, beta: float) -> Trace:
    """Algorithm 2 of the signSGD paper: m = beta * m + (1 - beta) * g, x = x - lr * sign(m)."""
    p, m, trace = start(7), np.zeros(SIZE), []
    for g in grads:
        for k in range(SIZE):
            m[k] = beta * m[k] + (1 - beta) * g[k]
            p[k] -= lr if m[k] > 0 else -lr if m[k] < 0 else 0.0
        trace.append({"p": p.copy(), "m": m.copy()})
    return trace


def kate_from_the_paper(grads: list[Array], lr: float, eta: float) -> Trace:
    """Algorithm 1 of the KATE paper, with the package's eps: b2, m2, then lr * m / b2 * g."""
    p, b2, m2, trace = start(7), np.zeros(SIZE), np.zeros(SIZE), []
    for g in grads:
        b2 = b2 + g**2 + 1e-8
        m2 = m2 + eta * g**2 + g**2 / b2
        p = p - lr * np.sqrt(m2) / b2 * g
        trace.append({"p": p, "m": m2, "b": b2})
    return trace


PAPERS: list[tuple[Rule, Callable[..., Trace], dict[str, float]]] = [
    (signum, signum_from_the_paper, {"lr": 0.03, "beta": 0.8}),
    (adopt, adopt_from_the_paper, {"lr": 0.05, "beta1": 0.8, "beta2": 0.99}),
    (kate, kate_from_the_paper, {"lr": 0.5, "eta": 0.3}),
]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("rule", "loop", "settings"), PAPERS)
def test_a_rule_of_ones_own_is_its_paper_s(
    rule: Rule, loop: Callable[..., Trace], settings: dict[str, float], problem: str
) -> None:
    """The compiled rule goes where a plain loop goes that was written from the paper."""
    grads, mine = trace_of(rule, problem, **settings)
    assert max(distance(mine, loop(grads, **settings)).values()) < 1e-12


def make_adopt(parameters: Any, **settings: Any) -> Any:
    """Make the package's ADOPT, whose own limit counts the step that only fills v."""
    return peers.ADOPT(parameters, clip_lambda=lambda step: (step - 1) ** 0.25, **settings)


def squares(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """KATE's package keeps roots; the rule keeps squares."""
    state = optimizer.state[parameter]
    return {"m": state["m"] ** 2, "b": state["b"] ** 2}


NAMES: dict[str, Any] = {"beta1": ("betas", 0), "beta2": ("betas", 1), "eta": "delta"}
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
PACKAGES: list[tuple[Rule, Any, Any, dict[str, float]]] = [
    (adopt, make_adopt, MOMENTS, {"lr": 0.05, "beta1": 0.8, "beta2": 0.99}),
    (grams, peers.Grams, MOMENTS, {"lr": 0.05, "beta1": 0.8, "beta2": 0.99, "eps": 1e-5}),
    (kate, peers.Kate, squares, {"lr": 0.5, "eta": 0.3}),
]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("rule", "make", "read", "settings"), PACKAGES)
def test_a_rule_of_ones_own_is_a_package_s(
    rule: Rule, make: Any, read: Any, settings: dict[str, float], problem: str
) -> None:
    """The compiled rule goes where pytorch_optimizer's class of that name goes."""
    grads, mine = trace_of(rule, problem, **settings)
    theirs = of_torch(make, NAMES, read)(start(7), grads, settings)
    assert max(distance(mine, theirs).values()) < 1e-9


@pytest.mark.parametrize(
    ("name", "dtype"), sampled(itertools.product(RULES, ["float32", "float64"]))
)
def test_a_rule_of_ones_own_is_compiled_as_exactly(name: str, dtype: str) -> None:
    """In any dtype its bits are those of NumPy, operation by operation, as for the family."""
    rule = RULES[name]
    rng = np.random.default_rng(2)
    p, grads = rng.normal(size=200).astype(dtype), rng.normal(size=(5, 200)).astype(dtype)
    grads[2, ::7] = 0.0
    run = Interpreter(rule.formula, p, dtype)
    optimizer = rule(p)
    for g in grads:
        optimizer.step(g)
        run.step(g)
    np.testing.assert_array_equal(p, run.p)
    for state in rule.formula.states:
        np.testing.assert_array_equal(optimizer.state[0][state], run.state[state])


@every_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rule_of_ones_own_can_be_shown(rule: Rule, dtype: str) -> None:
    """`show` finds it by file and name, and prints its kernel in every dtype."""
    name = rule.formula.name
    source = show.kernel_source(show.find_rule(f"{__file__}:{name}"), dtype)
    assert source == show.kernel_source(rule.formula, dtype)
    assert source.startswith(f'"""{name}: p {dtype}, g {dtype}, m {dtype}')
    compile(source, name, "exec")


def test_a_rule_is_still_a_function_with_a_name() -> None:
    """`help` and the repr show what was written, and the text still runs on plain numbers."""
    assert vars(adopt)["__name__"] == "adopt"
    assert "Taniguchi" in (adopt.__doc__ or "")
    assert repr(signum) == "<rule signum: state m; lr=0.001, beta=0.9>"
    assert "state r, c;" in repr(adamas.rule(rules.adafactor))
    assert signum.function(1.0, 2.0, 0.0, lr=0.5) == (0.5, pytest.approx(0.2))


def test_a_rule_travels_to_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickling and copying lead back to the rule by its name, so that workers can use it."""
    space = module(tmp_path, "@adamas.rule\ndef mine(p, g, *, lr=0.5):\n    return p - lr * g")
    monkeypatch.setitem(sys.modules, space.__name__, space)
    assert pickle.loads(pickle.dumps(space.mine)) is space.mine
    assert copy.deepcopy(space.mine) is space.mine


def test_a_rule_of_a_rule_is_that_rule() -> None:
    """Decorating twice changes nothing."""
    assert adamas.rule(signum).formula.key == signum.formula.key
