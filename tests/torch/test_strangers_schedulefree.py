"""The suite that ships inside `schedulefree`, run with our classes in place of one side."""

from collections.abc import Callable
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas.torch import ScheduleFreeAdamW

schedulefree = pytest.importorskip("schedulefree")
suite: Any = pytest.importorskip("schedulefree.test_schedulefree")


class Warmed(ScheduleFreeAdamW):  # type: ignore[misc,valid-type]
    """Ours, with the authors' linear warm-up as what it is: an lr that rises."""

    def __init__(
        self, params: Any, lr: float, warmup_steps: int, weight_decay: float, foreach: Any = None
    ) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        self.full, self.warmup, self.done = lr, warmup_steps, 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """A step at the lr of the warm-up."""
        self.done += 1
        for group in self.param_groups:
            group["lr"] = self.full * min(self.done / self.warmup, 1)
        return super().step(closure)


def by_turns(ours: int) -> Callable[..., Any]:
    """A class that is ours at one construction, counted from 0, and theirs at the others."""
    calls = count()

    def make(*args: Any, **given: Any) -> Any:
        kind = Warmed if next(calls) == ours else schedulefree.AdamWScheduleFree
        return kind(*args, **given)

    return make


@pytest.fixture
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    torch.manual_seed(1)


@pytest.mark.usefixtures("_on_the_cpu")
@pytest.mark.parametrize(
    ("name", "ours"),
    [("test_schedulefree_adam", 0), ("test_foreach", 0), ("test_foreach", 1), ("test_compile", 0)],
)
def test_adam_of_the_authors_suite(name: str, ours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their tests of AdamW hold with ours on one side: points, z, switches, groups without work."""
    monkeypatch.setattr(suite, "AdamWScheduleFree", by_turns(ours))
    getattr(suite, name)()


@pytest.mark.usefixtures("_on_the_cpu")
@pytest.mark.parametrize(
    "name", ["test_schedulefree_wrapper", "test_schedulefree_wrapper_reference"]
)
def test_wrappers_of_the_authors_suite(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their wrappers around our SGD are their SGDScheduleFree, over a hundred switches."""
    monkeypatch.setattr(torch.optim, "SGD", adamas.torch.SGD)
    getattr(suite, name)()


def test_everything_of_their_suite_is_run_or_listed() -> None:
    """A test that a new release adds is noticed; classes that we lack are in strangers.md."""
    run = {"adam", "wrapper", "wrapper_reference"}
    known = {f"test_schedulefree_{name}" for name in run} | {"test_foreach", "test_compile"}
    left_out = {"test_schedulefree_sgd", "test_schedulefree_radam", "test_equiv"}
    assert {name for name in vars(suite) if name.startswith("test_")} == known | left_out


def pair(**given: Any) -> list[tuple[nn.Parameter, Any]]:
    """Our optimizer and theirs, each over the same three numbers."""
    made = []
    for make in (ScheduleFreeAdamW, schedulefree.AdamWScheduleFree):
        p = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        made.append((p, make([p], lr=0.1, **given)))
    return made


def test_a_step_by_closure_in_train_mode() -> None:
    """A closure is evaluated once, at the point of training, and its loss returned, as theirs."""
    seen: list[list[float]] = []
    for p, opt in pair(weight_decay=0.1):
        opt.train()
        losses = []

        def closure(p: nn.Parameter = p, opt: Any = opt) -> torch.Tensor:
            opt.zero_grad()
            loss = (p**2).sum()
            loss.backward()
            return loss

        for _ in range(5):
            losses.append(opt.step(closure).item())
        opt.eval()
        seen.append([*losses, *p.tolist()])
    assert seen[0] == pytest.approx(seen[1], rel=1e-5)


def test_a_parameter_without_gradients_stays() -> None:
    """Switching modes around steps leaves a parameter that has had no gradient alone, as theirs."""
    points = []
    for make in (ScheduleFreeAdamW, schedulefree.AdamWScheduleFree):
        p, still = (nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
        opt = make([{"params": [p]}, {"params": [still]}], lr=0.1)
        for _ in range(6):
            opt.train()
            p.grad = p.detach().clone()
            opt.step()
            opt.eval()
            assert still.tolist() == [1.0, -2.0]
        points.append([*p.tolist(), *still.tolist()])
    assert points[0] == pytest.approx(points[1], rel=1e-5)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_deep_copy_in_either_mode(mode: str) -> None:
    """A copy keeps the mode of its original, and goes on from the same point."""
    (p, opt), _ = pair()
    opt.train()
    for _ in range(3):
        p.grad = p.detach().clone()
        opt.step()
    getattr(opt, mode)()
    q, twin = deepcopy((p, opt))
    for parameter, one in ((p, opt), (q, twin)):
        one.train()
        parameter.grad = torch.ones(3)
        one.step()
        one.eval()
    torch.testing.assert_close(p, q)
