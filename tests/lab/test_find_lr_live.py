"""The search for a learning rate inside a training script: it finds one and leaves no trace."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import adamas
import adamas.torch
from adamas import schedule
from adamas.lab import LabError, find_lr

Make = Callable[[Any], torch.optim.Optimizer]
MAKERS: dict[str, Make] = {
    "SGD": lambda params: torch.optim.SGD(params, lr=0.01, momentum=0.9),
    "AdamW": lambda params: torch.optim.AdamW(params, lr=1e-3, amsgrad=True),
    "lr tensor": lambda params: torch.optim.Adam(params, lr=torch.tensor(1e-3)),
    "LBFGS-like lists": lambda params: Listing(params),
    "adamas": lambda params: adamas.torch.AdamW(params, lr=1e-3),
    "adamas int8": lambda params: adamas.torch.AdamW(params, lr=1e-3, state="int8"),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors of a few numbers: a second thread takes ten times as long as one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Listing(torch.optim.Optimizer):
    """Gradient descent that keeps lists, numbers and tensors as state, some changed in place."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, {"lr": 0.01})
        self.calls = 0

    def step(self, closure: Any = None) -> None:
        """Go down, and remember."""
        self.calls += 1
        for group in self.param_groups:
            for p in group["params"]:
                entry = self.state[p]
                entry.setdefault("seen", []).append(p.grad.clone())
                entry["step"] = entry.get("step", 0) + 1
                with torch.no_grad():
                    p.sub_(p.grad, alpha=group["lr"])


class Script:
    """A small training script with everything that a search could disturb."""

    def __init__(self, make: Make, warm: int) -> None:
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.3),
            torch.nn.ReLU(), torch.nn.Linear(8, 1),
        )  # fmt: skip
        first, *_, last = self.model
        self.opt = make(
            [{"params": first.parameters()}, {"params": last.parameters(), "lr": 0.1 * 0.01}]
            if make is MAKERS["SGD"]
            else self.model.parameters()
        )
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.opt, 2, 0.5)
        self.draws = np.random.default_rng(5)
        self.truth = torch.randn(6, 1)
        for _ in range(warm):
            self.step()
            self.scheduler.step()

    def step(self) -> torch.Tensor:
        """Train once, with noise from every generator there is."""
        x = torch.from_numpy(self.draws.standard_normal((16, 6)).astype(np.float32))
        noise = random.random() + np.random.rand()
        self.opt.zero_grad()
        loss = ((self.model(x) - x @ self.truth) ** 2).mean() + 1e-3 * noise
        loss.backward()
        self.opt.step()
        return loss

    def seen(self) -> dict[str, Any]:
        """Everything as bytes and texts, equal only if every bit is the same."""
        named = {**dict(self.model.named_parameters()), **dict(self.model.named_buffers())}
        return {
            **{name: tensor.detach().numpy().tobytes() for name, tensor in named.items()},
            **{f"grad {n}": None if p.grad is None else p.grad.numpy().tobytes()
               for n, p in self.model.named_parameters()},
            "state": flat(self.opt.state_dict()),
            "entries": len(self.opt.state),
            "scheduler": flat(self.scheduler.state_dict()),
            "torch": torch.get_rng_state().numpy().tobytes(),
            "numpy": flat(np.random.get_state()),
            "python": random.getstate(),
            "draws": str(self.draws.bit_generator.state),
            "modes": [module.training for module in self.model.modules()],
        }  # fmt: skip


def flat(tree: Any) -> Any:
    """Return a tree whose arrays are bytes."""
    if isinstance(tree, dict):
        return {key: flat(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [flat(value) for value in tree]
    if isinstance(tree, torch.Tensor):
        return tree.dtype, tree.detach().numpy().tobytes()
    return tree.tobytes() if isinstance(tree, np.ndarray) else tree


@pytest.mark.parametrize("warm", [0, 3])
@pytest.mark.parametrize("maker", MAKERS)
def test_a_torch_script_goes_on_as_if_nothing_had_been(maker: str, warm: int) -> None:
    """Everything has its bits back, objects are the same, and training goes on like its twin."""
    script = Script(MAKERS[maker], warm)
    before = script.seen()
    ids = [id(p) for group in script.opt.param_groups for p in group["params"]]
    found = find_lr(
        script.step, script.opt, steps=10, low=1e-4, high=1.0,
        restore=[script.model, script.draws],
    )  # fmt: skip
    assert 1e-4 <= found.low <= found.lr <= found.high <= 1.0 and found.fallback is None
    assert script.seen() == before
    assert ids == [id(p) for group in script.opt.param_groups for p in group["params"]]
    after = [go_on(script), go_on(Script(MAKERS[maker], warm))]
    assert after[0] == after[1]


def go_on(script: Script) -> dict[str, Any]:
    """Train a little longer and return everything."""
    for _ in range(3):
        script.step()
        script.scheduler.step()
    return script.seen()


@pytest.mark.parametrize(
    ("maker", "after", "error"),
    # Each optimizer at each moment, each error at each moment, each optimizer with each error.
    [
        ("AdamW", 1, ValueError), ("AdamW", 15, KeyboardInterrupt), ("AdamW", 60, ValueError),
        ("adamas", 1, KeyboardInterrupt), ("adamas", 15, ValueError),
        ("adamas", 60, KeyboardInterrupt),
    ],
)  # fmt: skip
def test_an_interrupted_search_leaves_no_trace(
    maker: str, after: int, error: type[BaseException]
) -> None:
    """When step raises or the user interrupts, the error comes through and the bits are back."""
    script = Script(MAKERS[maker], warm=2)
    before, calls = script.seen(), 0

    def step() -> torch.Tensor:
        nonlocal calls
        calls += 1
        loss = script.step()
        if calls == after:
            raise error("stop")
        return loss

    with pytest.raises(error, match="stop"):
        find_lr(step, script.opt, steps=20, restore=[script.model, script.draws])
    assert calls == after
    assert script.seen() == before


@pytest.mark.parametrize("state", ["float32", "int8"])
@pytest.mark.parametrize("warm", [0, 3])
def test_a_numpy_script_goes_on_as_if_nothing_had_been(state: str, warm: int) -> None:
    """The NumPy optimizer's parameters, state, schedule and counts are back bit for bit."""

    def trained(search: bool) -> tuple[Any, Any, float]:
        rng = np.random.default_rng(0)
        x, w = rng.standard_normal((64, 300)), np.zeros(300, np.float32)
        y, lr = x @ rng.standard_normal(300), schedule.cosine(1e-2, steps=50)
        opt = adamas.Adam({"w": w}, lr=lr, state=state)

        def step() -> float:
            error = x @ w - y
            opt.step({"w": (x.T @ error / 32).astype(np.float32)})
            return float(np.mean(error**2))

        for _ in range(warm):
            step()
        if search:
            before = flat(opt.state_dict()), w.tobytes(), opt.steps, repr(opt.grad_norm)
            find_lr(step, opt, steps=20)
            assert (flat(opt.state_dict()), w.tobytes(), opt.steps, repr(opt.grad_norm)) == before
            assert opt.param_groups[0]["lr"] is lr and opt.param_groups[0]["params"][0] is w
        for _ in range(3):
            loss = step()
        return flat(opt.state_dict()), w.tobytes(), loss

    assert trained(True) == trained(False)


def quadratic(optimizer: Any, w: Any, curvature: Any) -> Callable[[], float]:
    """Return a step on sum(curvature * w ** 2) / 2."""

    def step() -> float:
        loss = float((curvature * w**2).sum() / 2)
        optimizer.step(curvature * w)
        return loss

    return step


def test_it_finds_what_trains() -> None:
    """On a quadratic of curvature 1 to 10, gradient descent gets an lr below 2 / 10, near it."""
    w, curvature = np.ones(3), np.array([1.0, 4.0, 10.0])
    opt = adamas.SGD(w, lr=1e-3)
    found = find_lr(quadratic(opt, w, curvature), opt, steps=30)
    assert 0.02 < found.lr < 0.2
    assert found.cost == pytest.approx(sum(p.runs for p in found.points) * 30 / 150, rel=0.6)
    np.testing.assert_array_equal(w, 1.0)


def test_groups_keep_their_ratio() -> None:
    """Every group moves in proportion, and the answer is for the first one that moves."""
    a, b, c = np.ones(2), np.ones(2), np.ones(2)
    opt = adamas.SGD([{"params": [a], "lr": 0.0}, {"params": [b], "lr": 0.1},
                      {"params": [c], "lr": 0.02}])  # fmt: skip
    ratios = set()

    def step() -> float:
        lrs = [group["lr"] for group in opt.param_groups]
        if lrs[1]:
            ratios.add((lrs[0], round(lrs[2] / lrs[1], 12)))
        loss = float(b @ b + c @ c)
        opt.step([[0 * a], [2 * b], [2 * c]])
        return loss

    found = find_lr(step, opt, steps=20)
    assert ratios == {(0.0, 0.2)}
    assert 0.01 < found.lr < 1
    assert [group["lr"] for group in opt.param_groups] == [0.0, 0.1, 0.02]


def test_losses_below_zero_are_compared_too() -> None:
    """A loss that may be negative, such as a policy's, has an answer as well."""
    w = np.ones(1)
    opt = adamas.SGD(w, lr=1e-3)
    plain = find_lr(quadratic(opt, w, 1.0), opt, steps=30)

    def step() -> float:
        return quadratic(opt, w, 1.0)() - 5

    moved = find_lr(step, opt, steps=30)
    assert moved.fallback is None
    assert 0.1 < moved.lr / plain.lr < 10


def test_a_loss_that_never_falls_gives_the_present_lr() -> None:
    """There is a number even when nothing trains, and words that say so."""
    w = np.ones(1)
    opt = adamas.Adam(w, lr=0.003, on_nonfinite="allow")

    def step() -> float:
        opt.step(np.zeros(1))
        return 1.0

    found = find_lr(step, opt, steps=10)
    assert (found.lr, found.low, found.high) == (0.003,) * 3
    assert found.fallback is not None


@pytest.mark.parametrize("kind", [torch.nn.Linear, torch.jit.RecursiveScriptModule])
def test_somebody_s_half_made_module_is_in_nobody_s_way(kind: type[torch.nn.Module]) -> None:
    """A module anywhere in the process whose `__init__` has not ended disturbs no search."""
    half = kind.__new__(kind)
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.01)

    def step() -> float:
        opt.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        opt.step()
        return loss.item()

    assert find_lr(step, opt, steps=30).fallback is None
    assert "_parameters" not in vars(half)


def test_arithmetic_errors_are_divergence() -> None:
    """Where a large lr makes the gradient infinite, the engine's error counts as a failed run."""
    w = np.ones(2)
    opt = adamas.SGD(w, lr=1e-3)

    def step() -> float:
        with np.errstate(all="ignore"):
            loss, grad = float(np.exp(w**2).sum()), 2 * w * np.exp(w**2)
        opt.step(grad)
        return loss

    found = find_lr(step, opt, steps=20)
    assert found.fallback is None and found.lr < 1
    assert any(point.diverged for point in found.points)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 5}, "steps=5"),
        ({"low": 1.0, "high": 0.1}, "low=1.0"),
        ({"total": 10}, "total=10"),
        ({"restore": 3}, "cannot restore a int"),
        ({"optimizer": object()}, "object has no param_groups"),
        ({"step": lambda: None}, "must return its loss"),
        ({"step": lambda: float("nan")}, "not finite at lr 0"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], message: str) -> None:
    """An argument that cannot be used is refused with its value and the limit."""
    opt = adamas.SGD(np.ones(1), lr=0.1)
    given: dict[str, Any] = {"step": lambda: 1.0, "optimizer": opt, **change}
    with pytest.raises(LabError, match=message):
        find_lr(**given)


def test_an_optimizer_that_does_not_move_is_refused() -> None:
    """With lr 0 everywhere there is no ratio to keep."""
    opt = adamas.SGD(np.ones(1), lr=0.0)
    with pytest.raises(LabError, match="lr is 0 in every group"):
        find_lr(lambda: 1.0, opt)


def test_a_function_rewinds_the_data() -> None:
    """A function in `restore` is called before every run, so that all see the same batches."""
    w, place, seen = np.zeros(1), [7], []
    opt = adamas.SGD(w, lr=0.1)

    def step() -> float:
        place[0] += 1
        seen.append(place[0])
        loss = float((w[0] - 1) ** 2)
        opt.step(2 * (w - 1))
        return loss

    find_lr(step, opt, steps=10, restore=lambda: place.__setitem__(0, 7))
    assert place == [7]
    assert max(seen) == 17 and min(seen) == 8


class Normalized:
    """A net with batch normalization, a scheduler and, in `step`, everything that a script does."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        layers = [torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2)]
        self.model = torch.nn.Sequential(*layers, torch.nn.BatchNorm1d(8, affine=False))
        self.opt = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        warm = torch.optim.lr_scheduler.LinearLR(self.opt, 0.1, total_iters=5)
        fall = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, 50)
        self.scheduler = torch.optim.lr_scheduler.SequentialLR(self.opt, [warm, fall], [5])
        self.x = torch.randn(32, 4)

    def step(self) -> torch.Tensor:
        """Train once."""
        self.model.train()
        self.opt.zero_grad()
        loss = (self.model(self.x) - self.x.sum(1, keepdim=True)).square().mean()
        loss.backward()
        self.opt.step()
        self.scheduler.step()
        return loss.detach()

    def seen(self) -> Any:
        """Return everything that has state."""
        states = (self.model.state_dict(), self.opt.state_dict(), self.scheduler.state_dict())
        return flat([*states, torch.get_rng_state()])


def test_the_page_s_example_leaves_a_normalized_net_as_it_was() -> None:
    """`find_lr(step, optimizer, steps=100)` puts back buffers and schedulers that nobody named."""
    script, twin = Normalized(), Normalized()
    state = torch.get_rng_state()
    for _ in range(3):
        script.step()
    torch.set_rng_state(state)
    for _ in range(3):
        twin.step()
    before, mode = script.seen(), script.model.eval().training
    find_lr(script.step, script.opt, steps=10, low=1e-4, high=1.0)
    assert script.seen() == before == twin.seen() and script.model.training is mode
    state = torch.get_rng_state()
    losses = []
    for one in (script, twin):
        torch.set_rng_state(state)
        losses.append([float(one.step()) for _ in range(4)])
    assert losses[0] == losses[1] and script.seen()[:-1] == twin.seen()[:-1]
