"""Random numbers of a formula are random, and the same whoever computes them, and when."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from adamas import words
from adamas.engine.gradients import Rows
from adamas.engine.optimizer import Optimizer
from adamas.kernel.formula import Formula, parse
from adamas.kernel.reference import Reference
from foreign import torch
from long_form import sampled
from written import function

Array = NDArray[Any]
NOISE = "def f(p, g, u, v, z):\n    u, v = uniform(p), uniform(g)\n    z = normal(p)\n"
NOISE += "    return p - g, u, v, z"
LANGEVIN = "def f(p, g, *, lr=0.2):\n    return p - lr / 2 * g + sqrt(lr) * normal(p)"
REDUCING = "def f(p, g, m, u, *, lr=0.1):\n    u = uniform(p) - 0.5\n    m = 0.9 * m + g + u\n"
REDUCING += "    p = p + mean(u, over='row') + mean(u * u, over='column')\n"
REDUCING += "    return p - lr * m / norm(m + u), m, u"
COUNT = 100_000


def numbers(folder: Path, count: int = COUNT, steps: int = 1, **options: Any) -> list[Array]:
    """Both uniform draws and the normal one, of each step."""
    p, found = np.zeros(count), []
    optimizer = Optimizer(function(folder, NOISE), p, **options)
    for _ in range(steps):
        optimizer.step(np.zeros(count))
        found += [np.array(optimizer.state[0][name]) for name in "uvz"]
    return found


def test_draws_are_distributed_as_they_say(tmp_path: Path) -> None:
    """Uniform on [0, 1) in steps of 2**-24, and normal, by the test of Kolmogorov and Smirnov."""
    u, v, z = numbers(tmp_path)
    for uniform in (u, v):
        assert stats.kstest(uniform, "uniform").pvalue > 1e-4
        assert uniform.min() >= 0 and uniform.max() < 1
        assert np.array_equal(uniform * 2**24, np.round(uniform * 2**24))
    assert stats.kstest(z, "norm").pvalue > 1e-4
    assert np.isfinite(z).all()


def test_draws_do_not_depend_on_each_other(tmp_path: Path) -> None:
    """Neighbours, steps, draws, seeds and tensors are correlated no more than chance allows."""
    streams = numbers(tmp_path, steps=2) + numbers(tmp_path, seed=1)
    uniform = [x - x.mean() for k, x in enumerate(streams) if k % 3 != 2]
    pairs = list(itertools.combinations(uniform, 2))
    pairs += [(x[:-lag], x[lag:]) for x in uniform for lag in (1, 2, 128, 1024)]
    for a, b in pairs:
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(len(a))
        # Noise that is shifted or mirrored would pass the test above in part.
        assert not np.isin(a[:64], b[:64]).all()


TEXTS = {"noise": NOISE, "reducing": REDUCING}
SHAPES = [(301,), (7, 150), (3, 5, 40)]


@pytest.mark.parametrize(
    ("text", "dtype", "shape"),
    sampled(itertools.product(TEXTS, ["float32", "float64"], SHAPES), 4),
)
def test_a_kernel_draws_the_reference_s_numbers(
    tmp_path: Path, text: str, dtype: str, shape: tuple[int, ...]
) -> None:
    """Uniform numbers are equal in every bit, for each tensor and step; all else by rounding."""
    formula = parse(function(tmp_path, TEXTS[text]))
    params = [np.full(shape, 0.5, dtype) for _ in "ab"]
    optimizer, references = Optimizer(formula, params, seed=9), []
    for own, p in enumerate(params):
        references.append(Reference(formula, p))
        references[-1].seed, references[-1].own = 9, own
    for _ in range(3):
        optimizer.step([np.ones(shape, dtype)] * 2)
        for k, reference in enumerate(references):
            reference.step(np.ones(shape))
            state = optimizer.state[k]
            np.testing.assert_array_equal(state["u"], reference.state["u"])
            np.testing.assert_allclose(params[k], reference.p, rtol=1e-4, atol=1e-5)


def test_threads_formats_and_passes_draw_the_same(tmp_path: Path) -> None:
    """The bits are those of one thread, however a tensor is cut and whatever stores its states."""
    formula = parse(function(tmp_path, REDUCING))
    found = []
    for threads, state in ((1, "float32"), (2, "float32"), (2, "bfloat16")):
        p = np.zeros((300, 700), np.float32)
        kept = {"m": state, "u": "float32"}
        rule = Optimizer(formula, p, threads=threads, state=lambda key, array, k=kept: k)
        rule.step(np.ones_like(p))
        found.append((np.array(rule.state[0]["u"]), p))
    for u, p in found[1:]:
        np.testing.assert_array_equal(u, found[0][0])
        np.testing.assert_array_equal(p, found[0][1])


def run(formula: Formula, pause: bool) -> Array:
    """Six steps, with or without a restart in another optimizer in between."""
    p = [np.ones(500), np.ones((3, 40))]
    optimizer = Optimizer(formula, p, seed=3)
    for step in range(6):
        if pause and step == 3:
            saved = optimizer.state_dict()
            optimizer = Optimizer(formula, p, seed=3)
            optimizer.load_state_dict(saved)
        optimizer.step([x.copy() for x in p])
    return np.concatenate([x.ravel() for x in p])


def test_a_run_goes_on_with_its_own_numbers(tmp_path: Path) -> None:
    """Interrupted and loaded again, a run has the bits of one that was not."""
    formula = parse(function(tmp_path, LANGEVIN))
    np.testing.assert_array_equal(run(formula, True), run(formula, False))


def test_langevin_dynamics_reach_their_distribution(tmp_path: Path) -> None:
    """SGLD on x**2 / 2 ends at variance 1 / (1 - lr / 4), the fixed point of its recursion."""
    p = np.zeros(20_000, np.float32)
    optimizer = Optimizer(function(tmp_path, LANGEVIN), p, lr=0.2)
    for _ in range(60):
        optimizer.step(p.copy())
    assert abs(p.mean()) < 5 / np.sqrt(p.size)
    np.testing.assert_allclose(p.var(), 1 / (1 - 0.2 / 4), rtol=5 * np.sqrt(2 / p.size))


def test_rows_of_a_rule_that_draws_are_refused(tmp_path: Path) -> None:
    """The message says what to give instead."""
    optimizer = Optimizer(function(tmp_path, LANGEVIN), np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"f draws random numbers for whole tensors; give a dense"):
        optimizer.step(Rows([0], np.ones((1, 3))))


def test_plain_python_draws_one_number_for_each_element() -> None:
    """The words give numbers of the shape of what they are called with, and another each time."""
    for word in (words.uniform, words.normal):
        for like in (1.0, np.zeros((3, 4))):
            first, second = np.asarray(word(like)), np.asarray(word(like))
            assert first.shape == np.shape(like)
            assert not np.array_equal(first, second)


def test_tensors_on_the_cpu_draw_what_arrays_draw(tmp_path: Path) -> None:
    """A torch parameter is stepped by the same kernel; other devices refuse by name."""
    import adamas.torch
    from adamas.torch.formulas import TensorFormula

    rule = adamas.rule(function(tmp_path, LANGEVIN))
    p, q = np.zeros((5, 60), np.float32), torch.nn.Parameter(torch.zeros(5, 60))
    q.grad = torch.ones_like(q)
    Optimizer(rule, p, seed=4).step(np.ones_like(p))
    adamas.torch.optimizer(rule)([q], seed=4).step()
    np.testing.assert_array_equal(p, q.detach().numpy())
    with pytest.raises(
        ValueError, match="f draws random numbers, which only parameters on the CPU"
    ):
        TensorFormula(rule.formula)


def test_a_torch_run_goes_on_with_its_own_numbers(tmp_path: Path) -> None:
    """The key of the numbers is in torch's state dict, too."""
    import adamas.torch

    make = adamas.torch.optimizer(adamas.rule(function(tmp_path, LANGEVIN)))

    def run(pause: bool) -> Any:
        q = torch.nn.Parameter(torch.ones(5, 60))
        optimizer = make([q], seed=4)
        for step in range(4):
            if pause and step == 2:
                saved = optimizer.state_dict()
                optimizer = make([q], seed=4)
                optimizer.load_state_dict(saved)
            q.grad = q.detach().clone()
            optimizer.step()
        return q.detach().numpy()

    np.testing.assert_array_equal(run(True), run(False))


def test_parts_of_a_parameter_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rank that holds some rows of a parameter would draw the numbers of the first."""
    import adamas.torch
    from adamas.torch import kernel_engine

    monkeypatch.setattr(kernel_engine, "sharded", lambda parameter: True)
    q = torch.nn.Parameter(torch.zeros(3, 2))
    q.grad = torch.ones_like(q)
    optimizer = adamas.torch.optimizer(adamas.rule(function(tmp_path, LANGEVIN)))([q])
    with pytest.raises(ValueError, match="f draws random numbers, which parts of a parameter"):
        optimizer.step()
