"""A user's own training loop is compared like any other problem."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.lab import LabError, compare, loop_problem
from adamas.lab.entrants import hand
from adamas.lab.notebook.strangers import stranger
from adamas.lab.own.loop import run_loop
from adamas.lab.own.maker import kept

torch = pytest.importorskip("torch")
A = np.array([[3.0, 1.0], [1.0, 2.0], [0.5, -1.0]])


def least_squares(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Fit a line to noise that the seed draws, in NumPy."""
    b = A @ [1.0, -2.0] + 0.1 * np.random.default_rng(seed).normal(size=3)
    w = np.zeros(2)
    optimizer = make_optimizer({"w": w})
    for step in range(steps + 1):
        off = A @ w - b
        if step % 5 == 0:
            yield {"loss": 1 + off @ off, "largest": np.abs(off).max()}
        optimizer.step({"w": 2 * A.T @ off})


def in_torch(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Fit the same in PyTorch, with batch noise from the global generator."""
    model = torch.nn.Linear(2, 1)
    optimizer = make_optimizer(model.parameters())
    x, y = torch.tensor(A, dtype=torch.float32), torch.ones(3, 1)
    for step in range(steps + 1):
        optimizer.zero_grad()
        loss = ((model(x + 0.1 * torch.randn(3, 2)) - y) ** 2).mean()
        if step % 5 == 0:
            yield loss
        loss.backward()
        optimizer.step()


def test_a_loop_gets_the_bits_of_a_loop_by_hand() -> None:
    """What the lab runs is the loop itself: the losses are those of adamas.Adam by hand."""
    record = run_loop(loop_problem(least_squares, steps=20, every=5), "adam", 0.1, 3)
    by_hand = least_squares(lambda params: adamas.Adam(params, lr=0.1), 3, 20)
    assert list(record.losses) == [told["loss"] for told in by_hand]
    assert record.steps == (0, 5, 10, 15, 20) and set(record.extras) == {"largest"}


def test_a_torch_loop_gets_the_bits_of_torch_by_hand() -> None:
    """Tensors get a torch optimizer by the same rule, and the global generator is seeded."""
    state = torch.get_rng_state()
    record = run_loop(loop_problem(in_torch, steps=15, every=5), "adamw", 0.05, 2)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    theirs = in_torch(lambda params: adamas.torch.AdamW(params, lr=0.05), 2, 15)
    assert list(record.losses) == [loss.item() for loss in theirs]


def test_a_course_moves_the_rate_of_both_kinds() -> None:
    """Warm-up and schedule hold in NumPy and in PyTorch, groups with a rate of their own too."""
    rates: dict[str, list[float]] = {"numpy": [], "torch": []}

    def numpy_loop(make_optimizer: Any, seed: int, steps: int) -> Iterator[float]:
        w = np.ones(1)
        optimizer = make_optimizer({"w": w})
        for _ in range(steps):
            before = w.copy()
            optimizer.step({"w": np.ones(1)})
            rates["numpy"].append(float((before - w)[0]))
            yield 1.0

    def torch_loop(make_optimizer: Any, seed: int, steps: int) -> Iterator[float]:
        p, q = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
        optimizer = make_optimizer([{"params": iter([p])}, {"params": [q], "lr": 0.01}])
        for _ in range(steps):
            before = p.item(), q.item()
            p.grad = q.grad = torch.ones(1, dtype=torch.float64)
            optimizer.step()
            assert before[1] - q.item() == pytest.approx(0.1 * (before[0] - p.item()))
            rates["torch"].append(before[0] - p.item())
            yield 1.0

    text = "sgd:schedule=cosine,warmup=0.25"
    run_loop(loop_problem(numpy_loop, steps=8), text, 0.1, 1)
    run_loop(loop_problem(torch_loop, steps=8), text, 0.1, 1)
    wanted = [0.1 / 3, 0.2 / 3, *(0.05 * (1 + np.cos(np.pi * k / 6)) for k in range(6))]
    assert rates["numpy"] == pytest.approx(wanted) and rates["torch"] == pytest.approx(wanted)


def test_a_function_is_compared_and_resumed(tmp_path: Path) -> None:
    """`compare(train)` ends in a page, and the same call runs nothing twice."""
    problem = loop_problem(least_squares, steps=20, every=5)
    call = {"quick": True, "seeds": 3, "out": tmp_path, "workers": 1, "progress": False}
    found = compare(problem, ["sgd", "adam"], **call)  # type: ignore[arg-type]
    stored = (tmp_path / "runs.jsonl").read_bytes()
    again = compare(problem, ["sgd", "adam"], **call)  # type: ignore[arg-type]
    assert again.to_dict()["optimizers"] == found.to_dict()["optimizers"]
    assert (tmp_path / "runs.jsonl").read_bytes() == stored
    tree = json.loads((tmp_path / "results.json").read_text())
    assert tree["problem"]["parameters"] == 2 and not tree["inside"]
    assert "training loop" in (tmp_path / "report.html").read_text()


def exploding(make_optimizer: Any, seed: int, steps: int) -> Iterator[float]:
    """Fail as NumPy does where a loop asks for it."""
    make_optimizer({"w": np.ones(1)}).step({"w": np.ones(1)})
    yield 1.0
    raise FloatingPointError("overflow")


def test_a_loop_that_overflows_is_a_run_that_diverged() -> None:
    """Going out of bounds is what an optimizer may do, and ends its run, not the comparison."""
    record = run_loop(loop_problem(exploding, steps=5), "sgd", 1.0, 1)
    assert record.diverged


def broken(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Fail as a fault does."""
    yield {}["missing"]


def silent(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Make no update."""
    yield 1.0


def wordy(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield no loss."""
    yield "1.0"


def rare(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield a loss after every forty updates."""
    optimizer = make_optimizer({"w": np.ones(1)})
    for step in range(steps + 1):
        if step % 40 == 0:
            yield 1.0
        optimizer.step({"w": np.ones(1)})


def nan_first(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Start where there is no loss."""
    make_optimizer({"w": np.ones(1)})
    yield float("nan")


def exits(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """End the program, as argparse does."""
    make_optimizer({"w": np.ones(1)})
    yield 1.0
    raise SystemExit(7)


def complex_loss(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield a loss with an imaginary part."""
    yield np.complex128(1 + 1j)


def truth(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield whether, not how much."""
    yield True


def listed(make_optimizer: Any, seed: int, steps: int) -> Any:
    """Train, and return the losses as a list."""
    optimizer = make_optimizer({"w": np.ones(1)})
    return [optimizer.step({"w": np.ones(1)}) or 1.0 for _ in range(steps)]


def listed_longer(make_optimizer: Any, seed: int, steps: int) -> Any:
    """The same with one update too many."""
    return listed(make_optimizer, seed, steps + 1)


def returned(make_optimizer: Any, seed: int, steps: int) -> Any:
    """Return the last loss."""
    return 0.5


def below_zero(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield a loss that falls below 0."""
    optimizer = make_optimizer({"w": np.ones(1)})
    yield 0.5
    optimizer.step({"w": np.ones(1)})
    yield -0.5


def endless(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield without an update, for ever."""
    make_optimizer({"w": np.ones(1)})
    while True:
        yield 1.0


@pytest.mark.parametrize(("train", "told"), [
    (nan_first, r"nan_first: the validation loss at the start is nan"),
    (exits, r"exits failed with sgd at lr=.*, seed 1: SystemExit"),
    (complex_loss, r"this one yielded complex128"),
    (truth, r"this one yielded bool"),
    (listed, r"listed is no generator"),
    (listed_longer, r"listed_longer is no generator"),
    (returned, r"returned is no generator"),
    (below_zero, r"below_zero yielded a loss of -0.5 after 1 update;"),
    (endless, r"endless yielded no loss after an update"),
    (rare, r"rare yields its first loss after 40 updates, and every=33 was understood; say loop_"),
    (broken, r"broken failed with sgd at lr=.*, seed 1: KeyError"),
    (silent, r"silent yielded no loss after an update"),
    (wordy, r"this one yielded str"),
])  # fmt: skip
def test_a_fault_is_told_before_the_first_run(train: Any, told: str) -> None:
    """A loop with a fault is refused in one sentence that names the optimizer, rate and seed."""
    with pytest.raises(LabError, match=told):
        compare(train, ["sgd"], quick=True, progress=False)


def for_ever(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Know no end, and yield after every update."""
    w = np.ones(1)
    optimizer = make_optimizer({"w": w})
    while True:
        yield float(w[0])
        optimizer.step({"w": np.full(1, 0.01)})


def for_ever_in_torch(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """The same with a tensor, and with a hand over every error."""
    w = torch.ones(1, requires_grad=True)
    optimizer = make_optimizer([w])
    while True:
        try:
            yield w
            w.grad = torch.full((1,), 0.01)
            optimizer.step()
        except Exception:
            continue


def without_yielding(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Yield at the start and after three updates, and go on without a word."""
    optimizer = make_optimizer({"w": np.ones(1)})
    yield 1.0
    for step in range(10**9):
        optimizer.step({"w": np.ones(1)})
        if step == 2:
            yield 0.5


def stubborn(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Go on where it is to end."""
    w = np.ones(1)
    optimizer = make_optimizer({"w": w})
    while True:
        with suppress(GeneratorExit):
            yield float(w[0])
        optimizer.step({"w": np.full(1, 0.01)})


@pytest.mark.parametrize("train", [for_ever, for_ever_in_torch, stubborn])
@pytest.mark.parametrize("steps", [4, 20])
def test_no_run_makes_more_updates_than_its_steps(train: Any, steps: int) -> None:
    """A loop without an end, or with one of its own, is ended after as many updates as others."""
    record = run_loop(loop_problem(train, steps=steps, every=1), "sgd", 1.0, 1)
    assert record.steps == tuple(range(steps + 1))
    assert record.final == pytest.approx(1 - 0.01 * steps)


def test_a_run_that_ends_early_is_no_comparison() -> None:
    """A last loss more than a tenth before the end is refused, with both counts."""
    with pytest.raises(LabError, match=r"came after 3 of 40 updates with sgd at lr=0\.1, seed 5"):
        run_loop(loop_problem(without_yielding, steps=40, every=3), "sgd", 0.1, 5)


def test_a_run_that_blows_up_may_end_early() -> None:
    """A loop may stop where its loss is no number any more."""

    def stops(make_optimizer: Any, seed: int, steps: int) -> Iterator[float]:
        optimizer = make_optimizer({"w": np.ones(1)})
        yield 1.0
        optimizer.step({"w": np.ones(1)})
        yield float("inf")

    assert run_loop(loop_problem(stops, steps=40, every=3), "sgd", 0.1, 1).diverged


class Fails(torch.optim.SGD):
    """Fail in the third step, or in the first where the rate is 9."""

    def step(self, closure: Any = None) -> Any:
        """Make a step, or raise."""
        self.made = getattr(self, "made", 0) + 1
        if self.made == 3 or self.param_groups[0]["lr"] == 9:
            raise RuntimeError("the  root\nfailed")
        return super().step(closure)


def with_closure(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Take every step with a closure, whose own fault comes in its second call with seed 2."""
    w = torch.ones(1, requires_grad=True)
    optimizer, calls = make_optimizer([w]), 0

    def closure() -> Any:
        nonlocal calls
        calls += 1
        if seed == 2 and calls == 2:
            raise RuntimeError("mine")
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    for _ in range(steps + 1):
        yield 1 + w**2
        optimizer.step(closure)


def solves(make_optimizer: Any, seed: int, steps: int) -> Iterator[Any]:
    """Ask PyTorch for the root of a matrix that has none."""
    make_optimizer({"w": np.ones(1)}).step({"w": np.ones(1)})
    yield 1.0
    torch.linalg.cholesky(-torch.eye(2))


def test_an_optimizer_that_fails_in_a_loop_is_a_failed_run() -> None:
    """What it raises after its first step ends its run, as anywhere else, with its own words."""
    torch.optim.SGD([torch.ones(1)])  # PyTorch calls hooks of a class that was made before, too
    handed = {"Fails": stranger(Fails)}
    before = hand(handed)
    try:
        problem = loop_problem(with_closure, steps=20, every=1)
        record = run_loop(problem, "Fails", 0.1, 1)
        assert record.diverged and record.error == "RuntimeError: the root failed"
        assert record.steps == (0, 1, 2)
        with pytest.raises(LabError, match="with Fails at lr=9, seed 1: RuntimeError: the root"):
            run_loop(problem, "Fails", 9.0, 1)
        with pytest.raises(LabError, match=r"with Fails at lr=0\.1, seed 2: RuntimeError: mine"):
            run_loop(problem, "Fails", 0.1, 2)
    finally:
        hand(before)


def test_a_matrix_without_a_root_is_a_run_that_diverged() -> None:
    """PyTorch's errors of linear algebra are those of NumPy, though no ArithmeticError."""
    assert run_loop(loop_problem(solves, steps=20), "sgd", 1.0, 1).diverged


def test_iterators_are_read_once() -> None:
    """Parameters that come as iterators, also inside groups, are kept."""
    groups = kept([{"params": iter([1, 2])}, {"params": [3]}])
    assert groups == [{"params": [1, 2]}, {"params": [3]}] and kept(iter((1, 2))) == [1, 2]
