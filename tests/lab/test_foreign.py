"""Optimizers that others wrote take part: the same numbers, the same cost, kept apart."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.protocol.first_step import try_out
from adamas.lab.trial import Record, run
from adamas.lab.zoo import built_in
from bowl import BOWL, CURVATURE, HERE, Quadratic

DIGITS = replace(built_in("digits"), steps=30, every=10)


def bowl(text: str, lr: float, seed: int = 1) -> Record:
    """Train the quadratic with an optimizer of the file of helpers."""
    return run(BOWL, text if "." in text else f"{HERE}:{text}", lr, seed)


@pytest.mark.parametrize(("text", "make"), [
    ("torch.optim.AdamW:weight_decay=0.1,betas=(0.8,0.99)",
     lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, betas=(0.8, 0.99))),
    ("torch.optim.Adafactor", lambda p: torch.optim.Adafactor(p, lr=0.01)),
])  # fmt: skip
def test_a_run_has_the_bits_of_a_loop_in_torch(text: str, make: Any) -> None:
    """The lab's run with a class of torch.optim ends where a loop written in PyTorch ends."""
    task = DIGITS.task(1)
    params = task.start()
    tensors = [torch.nn.Parameter(torch.tensor(value)) for value in params.values()]
    made, losses = make(tensors), []
    for step, batch in zip(range(1, 31), task.batches(), strict=False):
        arrays = {n: t.detach().numpy() for n, t in zip(params, tensors, strict=True)}
        grads = {name: np.zeros_like(value) for name, value in params.items()}
        task.gradient(arrays, batch, grads)
        for tensor, grad in zip(tensors, grads.values(), strict=True):
            tensor.grad = torch.tensor(grad)
        made.step()
        if step % 10 == 0:
            losses.append(task.evaluate(arrays))
    assert run(DIGITS, text, 0.01, 1).losses[1:] == tuple(losses)


def test_a_line_search_finds_the_minimum_and_pays_for_it() -> None:
    """LBFGS solves a quadratic in a tenth of Adam's gradients, and is charged for every one."""
    Quadratic.made = 0
    found = bowl("torch.optim.LBFGS:line_search_fn=strong_wolfe", 1.0)
    assert Quadratic.made == BOWL.steps
    assert found.steps == run(BOWL, "adam", 0.1, 1).steps == (0, 10, 20, 30)
    assert found.final == pytest.approx(1, abs=1e-9)
    assert list(found.extras.values()) == pytest.approx([1] * 4, abs=1e-4)


def test_an_unfinished_step_is_judged_at_its_best_point() -> None:
    """A mark inside a long step sees a loss that only falls, on a loss without noise."""
    found = run(replace(BOWL, steps=12, every=1), "torch.optim.LBFGS:max_iter=100", 0.1, 1)
    assert found.steps == tuple(range(13))
    assert list(found.losses) == sorted(found.losses, reverse=True)


def test_a_step_that_moves_before_it_asks_gets_the_gradient_there() -> None:
    """Sharpness-aware minimisation steps by the gradient uphill of the point (SAM, equation 4)."""
    found = bowl("Sharp", 0.01)
    w = np.zeros(4)
    for _ in range(15):  # two gradients a step
        uphill = w + 0.05 * CURVATURE * (w - 1)
        w = w - 0.01 * CURVATURE * (uphill - 1)
    assert list(found.extras.values()) == pytest.approx(list(w), abs=1e-12)
    assert entrant(f"{HERE}:Sharp").asks


def test_replaced_memory_reaches_the_run() -> None:
    """`p.data = new` and dropped gradients give the bits of the same steps in place."""
    assert bowl("Replaces", 0.05).extras == bowl("Plain", 0.05).extras


def test_groups_keep_their_shares_of_a_rate_that_moves() -> None:
    """A factory's second group has a tenth of the rate under a schedule, too."""
    found = bowl("grouped:schedule=cosine", 0.02)
    factor = entrant(f"{HERE}:grouped:schedule=cosine").course.factor(30)
    assert factor is not None
    w = np.zeros(4)
    for t in range(1, 31):
        w = w - 0.02 * factor(t) * np.array([1, 1, 0.1, 0.1]) * CURVATURE * (w - 1)
    assert list(found.extras.values()) == pytest.approx(list(w), abs=1e-12)


def test_a_run_is_kept_apart() -> None:
    """Default dtype, gradient mode, error state and random numbers are put back after a run."""
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    errors = np.geterr()
    bowl("Meddles", 0.01)
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert np.geterr() == errors
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (random.getstate(), np.random.get_state()[1].tolist())


def test_random_steps_are_those_of_the_seed() -> None:
    """An optimizer that draws global random numbers gives one run for a seed."""
    first = bowl("Noisy", 0.01)
    torch.rand(3)
    assert bowl("Noisy", 0.01) == first
    assert bowl("Noisy", 0.01, seed=2).extras != first.extras


def test_an_error_in_the_middle_is_a_failed_run() -> None:
    """What raises in a later step leaves a run that diverged, with the words of the error."""
    found = bowl("Tires", 0.01)
    assert found.diverged
    assert found.final == float("inf")
    assert found.error == "RuntimeError: eigenvalues did not converge"


@pytest.mark.parametrize(("text", "told"), [
    ("torch.optim.Muon", r"cannot be made for this problem: ValueError: Muon only supports 2D"),
    ("torch.optim.SparseAdam", "fails in its first step on this problem: RuntimeError: SparseAdam"),
    ("Reshapes", r"the shape of a parameter was changed from \(2,\) to \(1,\)"),
    ("number", r"returned a float; it must return a torch\.optim\.Optimizer"),
])  # fmt: skip
def test_what_cannot_step_is_refused_before_the_first_run(text: str, told: str) -> None:
    """An optimizer that fails on a problem's first gradient is refused in its own words."""
    who = entrant(text if "." in text else f"{HERE}:{text}")
    with pytest.raises(LabError, match=told):
        try_out(BOWL, [who])


@pytest.mark.parametrize(("text", "told"), [
    ("torch.optim.Adafacto", "no 'Adafacto' in torch.optim; did you mean Adafactor"),
    ("torch.optim.Adam:beta1=0.9", "cannot be given 'beta1=0.9'; it takes betas, eps"),
    ("torch.optim.Adam:betas=0.9", r"betas=0.9 is no value for betas, whose default is \(0.9"),
    ("torch.optim.Adam:amsgrad=1", "amsgrad=1 is no value for amsgrad"),
    ("torch.optim.Adam:eps=1e999", "eps=1e999 is no finite number"),
    ("torch.optim.Adam:lr=0.1", "cannot be given 'lr=0.1'"),
    ("torch.optim.Optimizer", "takes no argument lr"),
    ("torch.optim.lr_scheduler:StepLR", "is no optimizer, it takes"),
    ("no_such_module:Adam", "there is no module 'no_such_module' here$"),
    ("Adam", "no rule 'Adam'; did you mean adam"),
    (f"{HERE}:Plainn", "did you mean Plain"),
    (f"{HERE}:neither", r"is no optimizer, it takes \(x, y\); an optimizer is a rule"),
    (f"{HERE}:Child:bonnus=2", "cannot be given 'bonnus=2'; it takes bonus"),
])  # fmt: skip
def test_what_is_no_optimizer_is_refused(text: str, told: str) -> None:
    """A wrong name, argument or value is refused with what there is."""
    with pytest.raises(LabError, match=told):
        entrant(text)


def test_a_text_finds_classes_factories_and_rules() -> None:
    """One file may hold all three, and arguments go through to a base class."""
    plain = bowl("Plain:bonus=2", 0.02)
    assert plain.extras == bowl("Child:bonus=2", 0.02).extras
    assert list(plain.extras.values()) == pytest.approx(list(1 - (1 - 0.04 * CURVATURE) ** 30))
    assert entrant(f"{HERE}:rule").formula is not None
    assert entrant("adamas.Adam").code == entrant("adam").code
    assert entrant(f"{HERE}:grouped").default_lr == 0.001
    assert entrant(f"{HERE}:Plain").default_lr == 0.1


def test_numpy_classes_and_optax_step_the_same_arrays() -> None:
    """A class on NumPy's arrays and optax, in double precision, agree with PyTorch's momentum."""
    torch_s = bowl("torch.optim.SGD:momentum=0.8,schedule=wsd", 0.01)
    for text in (f"{HERE}:Arrays:beta=0.8,schedule=wsd", "optax.sgd:momentum=0.8,schedule=wsd"):
        found = run(BOWL, text, 0.01, 1)
        assert found.losses == pytest.approx(torch_s.losses, rel=1e-13)
    assert {entrant(f"{HERE}:Arrays").kind, entrant("optax.sgd").kind} == {"numpy", "optax"}


def test_an_edited_file_is_another_optimizer(tmp_path: Path) -> None:
    """The fingerprint changes with the file, the arguments and the class, and with nothing else."""
    file = tmp_path / "mine.py"
    file.write_text(HERE.read_text())
    first = [entrant(f"{file}:{name}").fingerprint for name in ("Plain", "Child", "Plain:bonus=2")]
    entrant.cache_clear()
    assert entrant(f"{file}:Plain").fingerprint == first[0]
    file.write_text(HERE.read_text() + "\nMORE = 1\n")
    entrant.cache_clear()
    assert len({*first, entrant(f"{file}:Plain").fingerprint}) == 4


@pytest.mark.parametrize(("rule", "theirs"), [("sgd", "SGD"), ("adamw", "AdamW")])
def test_schedule_free_rules_are_judged_where_the_authors_are(rule: str, theirs: str) -> None:
    """A rule that trains at another point is judged at its average, like the authors' class."""
    ours = run(BOWL, f"schedule_free_{rule}", 0.05, 1)
    other = run(BOWL, f"schedulefree.{theirs}ScheduleFree", 0.05, 1)
    np.testing.assert_allclose(ours.losses, other.losses, rtol=1e-4)
    np.testing.assert_allclose(ours.train, other.train, rtol=1e-4)
