"""Wrapped, proxied, split or handed foreign state: ours does in each wrapper what torch's does.

The peers are the packages themselves; a test skips where its package is not installed.
"""

import copy
import io
import pickle
from typing import Any

import pytest
import torch

import adamas.torch
from adamas.torch import AdamW
from torch_training import close, loss_of, model, train

# What these packages warn of is their own business.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("scaled", [False, True], ids=["no scaler", "scaler"])
def test_accelerate_s_scheduler_waits_for_a_skipped_step(scaled: bool) -> None:
    """A step left out for a NaN is one for Accelerate, whose scheduler stays where it was."""
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True)
    if scaled:
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    net = model()
    inner = AdamW(net.parameters(), lr=1.0, on_nonfinite="skip")
    scheduler = torch.optim.lr_scheduler.StepLR(inner, 1, gamma=0.5)
    net, opt, scheduler = accelerator.prepare(net, inner, scheduler)
    seen = []
    for step, factor in enumerate([1.0, torch.nan, torch.nan, 1.0, 1.0]):
        opt.zero_grad()
        accelerator.backward(loss_of(net, step) * factor)
        opt.step()
        scheduler.step()
        seen.append((opt.step_was_skipped, inner.param_groups[0]["lr"]))
    assert seen == [(False, 0.5), (True, 0.5), (True, 0.5), (False, 0.25), (False, 0.125)]


def by_wrapper(wrap: Any, make: Any, steps: int = 7, **given: Any) -> list[torch.Tensor]:
    """The parameters after some steps of a wrapped optimizer."""
    net = model()
    opt = wrap(make(net.parameters(), lr=1e-2, **given))
    for mode in (net, opt):
        getattr(mode, "train", lambda: None)()
    for step in range(steps):
        opt.zero_grad()
        loss_of(net, step).backward()
        opt.step()
    return [p.detach() for p in net.parameters()]


def begun_adamw(params: Any, **given: Any) -> torch.optim.Optimizer:
    """Torch's AdamW with the state that it makes for itself only where nobody else keeps any."""
    opt = torch.optim.AdamW(params, **given)
    for p in opt.param_groups[0]["params"]:
        zeros = {key: torch.zeros_like(p) for key in ("exp_avg", "exp_avg_sq")}
        opt.state[p] = {"step": torch.tensor(0.0), **zeros}
    return opt


def schedule_free(base: Any) -> Any:
    """The wrapper of the authors of schedule-free, which keeps `z` in the state of `base`."""
    return pytest.importorskip("schedulefree").ScheduleFreeWrapper(base, weight_decay_at_y=0.1)


def lookahead(pullback: str) -> Any:
    """A wrapper that writes momentum into the state of `base` now and then."""
    peer = pytest.importorskip("pytorch_optimizer")
    return lambda base: peer.Lookahead(base, k=2, pullback_momentum=pullback)


WRAPPERS = {"schedule-free": schedule_free} | {
    f"lookahead {pullback}": lookahead(pullback) for pullback in ("none", "reset", "pullback")
}


@pytest.mark.parametrize("kind", ["AdamW", "SGD"])
@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_may_keep_state_of_their_own_here(name: str, kind: str) -> None:
    """A wrapper that puts entries into our state trains as it does over torch's optimizer."""
    more: dict[str, Any] = {"momentum": 0.9} if kind == "SGD" else {}
    wrap = WRAPPERS[name]
    found = by_wrapper(wrap, getattr(adamas.torch, kind), **more)
    reference = torch.optim.SGD if kind == "SGD" else begun_adamw
    close(found, by_wrapper(wrap, reference, **more))


def test_foreign_state_stays_on_a_new_layout() -> None:
    """What others keep in the state survives a new layout, and changing it asks for none."""
    net = model()
    opt, first = AdamW(net.parameters()), next(net.parameters())
    opt.state["scheduler"] = "anything"
    opt.state[first].update(z=torch.ones(3), calls=0)
    cores = []
    for step in range(4):
        opt.state[first]["calls"] += 1
        loss_of(net, step).backward()
        opt.step()
        cores.append(opt._driver.engine)
        if step == 2:
            first.data = first.data.clone()
    assert cores[0] is cores[1] is cores[2] is not cores[3]
    assert opt.state["scheduler"] == "anything"
    assert opt.state[first]["calls"] == 4 and torch.equal(opt.state[first]["z"], torch.ones(3))
    assert opt.state[first]["step"] == 4


def test_a_wrapper_s_state_is_saved_and_loaded() -> None:
    """A wrapped run resumed from a file goes on with its bits, the wrapper's own state included."""
    nets = model(), model()
    one, two = (schedule_free(AdamW(net.parameters(), lr=1e-2, state="int8")) for net in nets)
    one.train()
    train(nets[0], one, range(4))
    file = io.BytesIO()
    torch.save((nets[0].state_dict(), one.state_dict()), file)
    file.seek(0)
    weights, state = torch.load(file, weights_only=True)
    nets[1].load_state_dict(weights)
    two.load_state_dict(state)
    two.train_mode = True
    pairs = zip(train(nets[0], one, range(4, 7)), train(nets[1], two, range(4, 7)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_codes_without_a_name_of_torch_are_not_foreign() -> None:
    """Lion's eight-bit momentum keeps its scales through files and layouts."""
    p = torch.nn.Parameter(torch.randn(100, 100))
    opt = adamas.torch.Lion([p], state="int8")
    p.grad = torch.randn_like(p)
    opt.step()
    opt.load_state_dict(opt.state_dict())
    assert "foreign_state" not in opt.state_dict()["param_groups"][0]
    p.data = p.data.clone()
    opt.step()
    assert opt.state[p]["step"] == 2


def test_foreign_state_in_a_file_is_refused() -> None:
    """A file whose state holds more than the optimizer keeps is refused, with nothing changed."""
    net = model()
    opt = AdamW(net.parameters(), amsgrad=True)
    train(net, opt, range(2))
    plain = AdamW(net.parameters())
    saved = torch.optim.AdamW(net.parameters()).state_dict()
    saved["state"] = {0: {**opt.state_dict()["state"][0]}}
    with pytest.raises(ValueError, match="max_exp_avg_sq"):
        plain.load_state_dict(saved)
    saved["state"] = {9: saved["state"][0]}
    with pytest.raises(ValueError, match="parameter 9, too"):
        plain.load_state_dict(saved)
    assert not plain.state


def by_accelerate(make: Any, precision: str) -> list[torch.Tensor]:
    """The parameters after Accelerate's loop: two batches a step, clipped, an epoch, a schedule."""
    accelerate = pytest.importorskip("accelerate")
    accelerate.state.AcceleratorState._reset_state(True)
    accelerator = accelerate.Accelerator(
        cpu=True, mixed_precision=precision, gradient_accumulation_steps=2
    )
    net = model()
    opt = make(net.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(opt, 0.9)
    net, opt, scheduler = accelerator.prepare(net, opt, scheduler)
    for step in range(8):
        with accelerator.accumulate(net):
            opt.train()
            accelerator.backward(loss_of(net, step))
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(net.parameters(), 0.5)
            opt.step()
            scheduler.step()
            opt.zero_grad()
    opt.eval()
    accelerate.state.AcceleratorState._reset_state(True)
    return [p.detach() for p in net.parameters()]


def authors_schedule_free(*args: Any, **given: Any) -> torch.optim.Optimizer:
    """The authors' class."""
    made: torch.optim.Optimizer = pytest.importorskip("schedulefree").AdamWScheduleFree(
        *args, **given
    )
    return made


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize(
    ("make", "reference"),
    [
        (AdamW, torch.optim.AdamW),
        (adamas.torch.SGD, torch.optim.SGD),
        (adamas.torch.ScheduleFreeAdamW, authors_schedule_free),
    ],
    ids=["AdamW", "SGD", "ScheduleFreeAdamW"],
)
def test_accelerate_trains_as_with_theirs(make: Any, reference: Any, precision: str) -> None:
    """Accelerate prepares, accumulates, clips and schedules; modes are switched by its wrapper."""
    found, expected = by_accelerate(make, precision), by_accelerate(reference, precision)
    far = 1e-5 if precision == "no" else 3e-3
    for here, there in zip(found, expected, strict=True):
        torch.testing.assert_close(here, there, rtol=0, atol=far)


def test_a_compiled_model_trains_as_with_torch() -> None:
    """Parameters of a compiled model, by the names that compiling gives them."""
    results = []
    for cls in (AdamW, torch.optim.AdamW):
        torch.compiler.reset()
        net = torch.compile(model(), backend="eager")
        results.append(train(net, cls(net.named_parameters(), lr=1e-2), range(4)))
    close(*results)


class Renamed(AdamW):
    """A subclass as users write them: fixed settings, an attribute, a step of its own."""

    scale = 0.5

    def __init__(self, params: Any) -> None:
        super().__init__(params, lr=1e-2, weight_decay=0.0)

    def step(self, closure: Any = None) -> Any:
        """Scale the lr for this step alone."""
        before = self.param_groups[0]["lr"]
        self.param_groups[0]["lr"] = before * self.scale
        loss = super().step(closure)
        self.param_groups[0]["lr"] = before
        return loss


def test_a_subclass_and_its_copies() -> None:
    """A user's subclass steps as it says; copies of it go on with its bits."""
    net, plain = model(), model()
    opt = Renamed(net.parameters())
    expected = train(plain, torch.optim.AdamW(plain.parameters(), 5e-3, weight_decay=0), range(3))
    close(train(net, opt, range(3)), expected)
    ways = [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))]
    copies = [way((net, opt)) for way in ways]
    after = train(net, opt, range(3, 5))
    for other, twin in copies:
        found = train(other, twin, range(3, 5))
        assert all(torch.equal(a, b) for a, b in zip(found, after, strict=True))


class Proxy:
    """A wrapper that passes for what it wraps."""

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        self._inner = inner

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_proxy_under_a_scheduler_and_a_scaler() -> None:
    """An object that only passes for our optimizer is scheduled, scaled and stepped as torch's."""
    results = []
    for cls in (AdamW, torch.optim.AdamW):
        net = model()
        opt: Any = Proxy(cls(net.parameters(), lr=1e-2))
        scheduler = torch.optim.lr_scheduler.OneCycleLR(opt, 1e-2, total_steps=9)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        for step in range(5):
            opt.zero_grad()
            scaler.scale(loss_of(net, step)).backward()
            scaler.unscale_(opt)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            scaler.step(opt)
            scaler.update()
            scheduler.step()
        results.append([p.detach() for p in net.parameters()])
    close(*results)
