"""State dicts: from and to torch.optim, by name, in the storage asked for, and bit for bit."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas.torch import Adam, AdamW, Momentum
from long_form import LONG
from torch_training import close, loss_of, model, train

KINDS: dict[str, dict[str, Any]] = {
    "Adam": {"weight_decay": 0.1},
    "AdamW": {"amsgrad": True},
    "NAdam": {"decoupled_weight_decay": True, "weight_decay": 0.1},
    "RAdam": {"betas": (0.8, 0.9)},
    "Adamax": {},
    "RMSprop": {"centered": True, "momentum": 0.5},
    "Adagrad": {"initial_accumulator_value": 0.1, "lr_decay": 0.1},
    "Adadelta": {"rho": 0.8},
    "SGD": {"momentum": 0.9, "dampening": 0.5},
}


def saved(opt: torch.optim.Optimizer) -> Any:
    """The optimizer's state, through a file that is loaded without running code."""
    file = io.BytesIO()
    torch.save(opt.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", KINDS)
def test_a_run_of_torch_goes_on_here(name: str) -> None:
    """State of torch.optim is loaded and the run continues as it would have in torch."""
    net = model()
    there = getattr(torch.optim, name)(net.parameters(), lr=1e-2, **KINDS[name])
    train(net, there, range(5))
    other = model()
    other.load_state_dict(net.state_dict())
    here = getattr(adamas.torch, name)(other.parameters(), **KINDS[name])
    here.load_state_dict(saved(there))
    assert here.param_groups[0]["lr"] == 1e-2
    close(train(other, here, range(5, 12)), train(net, there, range(5, 12)))


WAYS: list[tuple[str, dict[str, bool]]] = [
    *[(name, way) for name in KINDS for way in ({}, {"foreach": True})],
    # torch has fused kernels for these on CPU.
    *[(name, {"fused": True}) for name in ("Adam", "AdamW", "SGD", "Adagrad")],
]


@pytest.mark.parametrize(("name", "way"), WAYS, ids=str)
def test_a_run_goes_on_in_torch(name: str, way: dict[str, bool]) -> None:
    """Our state is loaded by torch.optim's class of the same name, in any of its ways to step."""
    net = model()
    here = getattr(adamas.torch, name)(net.parameters(), lr=1e-2, **KINDS[name])
    train(net, here, range(5))
    other = model()
    other.load_state_dict(net.state_dict())
    there = getattr(torch.optim, name)(other.parameters(), **KINDS[name])
    there.load_state_dict(saved(here))
    for group in there.param_groups:
        group.update(way)
    for entry in there.state.values():
        assert "step" not in entry or entry["step"].dtype is torch.float32
    close(train(other, there, range(5, 12)), train(net, here, range(5, 12)))


# Those that take a list of any tensors; rules for matrices take a module.
CLASSES = [
    name
    for name in adamas.torch.__all__
    if name[0].isupper() and name != "Optimizer" and "Muon" not in name
]


# An average of the parameters is one more state, whatever the rule: it is kept beside moments,
# beside none, beside those of a rule that sums, and where parameters have two modes.
RESUMED = [(name, {"clip_norm": 1.0}) for name in CLASSES] + [
    (name, {"clip_norm": 1.0, "ema": 0.9})
    for name in (CLASSES if LONG else ("AdamW", "SGD", "Lamb", "ScheduleFreeAdamW"))
]


@pytest.mark.parametrize(("name", "options"), RESUMED, ids=str)
def test_resumed_runs_have_the_same_bits(name: str, options: dict[str, float]) -> None:
    """Saved, loaded without running code into a new optimizer, a run ends with the same bits."""
    net, other = model(), model()
    whole = getattr(adamas.torch, name)(net.parameters(), **options)
    train(net, whole, range(4))
    other.load_state_dict(net.state_dict())
    part = getattr(adamas.torch, name)(other.parameters(), **options)
    part.load_state_dict(saved(whole))
    found, expected = train(other, part, range(4, 8)), train(net, whole, range(4, 8))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        for key, value in whole.state[a].items():
            assert torch.equal(value, part.state[b][key])


def named(net: nn.Module, backwards: bool = False) -> list[tuple[str, nn.Parameter]]:
    """The parameters with their names, in either order."""
    pairs = list(net.named_parameters())
    return pairs[::-1] if backwards else pairs


def test_another_order_is_repaired() -> None:
    """Named parameters get their own state whatever their order (torch swaps it: #1489)."""
    net, other = model(), model()
    first = AdamW(named(net), lr=1e-2)
    train(net, first, range(4))
    other.load_state_dict(net.state_dict())
    second = AdamW(named(other, backwards=True), lr=1e-2)
    second.load_state_dict(saved(first))
    assert second.param_groups[0]["param_names"][0] == "2.bias"
    found, expected = train(other, second, range(4, 8)), train(net, first, range(4, 8))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_groups_in_another_order_are_repaired() -> None:
    """With names, groups are matched by their parameters and keep their own settings."""
    net, other = model(), model()

    def groups(part: nn.Module) -> list[dict[str, Any]]:
        pairs = named(part)
        return [{"params": pairs[:2], "lr": 1e-2}, {"params": pairs[2:], "lr": 1e-3}]

    first = AdamW(groups(net))
    train(net, first, range(4))
    other.load_state_dict(net.state_dict())
    second = AdamW(groups(other)[::-1])
    second.load_state_dict(saved(first))
    found, expected = train(other, second, range(4, 8)), train(net, first, range(4, 8))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_other_names_are_listed_and_nothing_changes() -> None:
    """A state dict of other parameters is refused with both lists of names."""
    net = model()
    opt = AdamW(named(net))
    train(net, opt, range(2))
    wrong = saved(opt)
    wrong["param_groups"][0]["param_names"][1] = "elsewhere"
    wrong["param_groups"][0]["lr"] = 9.0
    before = [value.clone() for value in opt.state[net[0].bias].values()]
    with pytest.raises(ValueError, match=r"lacks \['0.bias'\] and has \['elsewhere'\]"):
        opt.load_state_dict(wrong)
    assert opt.param_groups[0]["lr"] == 1e-3
    found = opt.state[net[0].bias].values()
    assert all(torch.equal(a, b) for a, b in zip(found, before, strict=True))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s["state"][0].pop("exp_avg"), "lacks 'exp_avg'"),
        (lambda s: s["state"][0].update(other=torch.ones(1)), "other"),
        (lambda s: s["state"][0].update(exp_avg=torch.ones(2)), "shape"),
        (lambda s: s["param_groups"][0]["params"].pop(), "match the size"),
        (lambda s: s["param_groups"].append(s["param_groups"][0]), "number of parameter groups"),
        (lambda s: s["param_groups"][0].update(rule="adam"), "rule 'adam'"),
        (lambda s: s["param_groups"][0].update(amsgrad=True), "ask for 'amsgradw'"),
        (lambda s: s["param_groups"][0].update(lr=-1.0), "lr"),
    ],
)
def test_what_does_not_fit_is_refused(spoil: Any, message: str) -> None:
    """A spoilt state dict raises an error that names the part, and the run goes on unharmed."""
    net, twin = model(), model()
    opt, other = AdamW(net.parameters()), AdamW(twin.parameters())
    train(net, opt, range(3))
    train(twin, other, range(3))
    wrong = saved(opt)
    spoil(wrong)
    with pytest.raises(ValueError, match=message):
        opt.load_state_dict(wrong)
    found, expected = train(net, opt, range(3, 5)), train(twin, other, range(3, 5))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_loading_copies() -> None:
    """The loaded dict stays as it is while the optimizer steps on."""
    net = model()
    opt = Momentum(net.parameters(), lr=0.1)
    train(net, opt, range(2))
    state = saved(opt)
    opt.load_state_dict(state)
    kept = state["state"][0]["momentum_buffer"].clone()
    train(net, opt, range(2, 4))
    assert torch.equal(state["state"][0]["momentum_buffer"], kept)


@pytest.mark.parametrize("parameter", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("stored", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("asked", ["float32", "float64"])
def test_state_has_the_dtype_that_was_asked_for(
    parameter: torch.dtype, stored: torch.dtype, asked: str
) -> None:
    """Loaded state takes neither the file's dtype nor the parameter's (pytorch #43706)."""
    p = nn.Parameter(torch.ones(3, dtype=parameter))
    opt = AdamW([p], state=asked)
    p.grad = torch.ones_like(p)
    opt.step()
    fresh = opt.state[p]["exp_avg"].dtype
    state = saved(opt)
    for key in ("exp_avg", "exp_avg_sq"):
        state["state"][0][key] = torch.full((3,), 0.5, dtype=stored)
    opt.load_state_dict(state)
    assert opt.state[p]["exp_avg"].dtype is fresh
    assert fresh is (torch.float64 if "64" in asked + str(parameter) else torch.float32)
    assert opt.state[p]["exp_avg"].tolist() == [0.5] * 3


def test_steps_beyond_float32_are_exact() -> None:
    """Step 2**24 + 1 has no float32, in which torch counts; it is saved as the integer it is."""
    net, other = model(), model()
    opt = AdamW(net.parameters())
    train(net, opt, range(1))
    weight = next(net.parameters())
    opt.state[weight]["step"].fill_(2**24 + 1)
    twin = AdamW(other.parameters())
    twin.load_state_dict(saved(opt))
    assert int(twin.state[next(other.parameters())]["step"]) == 2**24 + 1


def test_a_saved_state_is_no_larger_than_it_is() -> None:
    """Views of shared memory are saved alone: 200 step counts do not save 200 times 200."""
    params = [nn.Parameter(torch.ones(1)) for _ in range(200)]
    opt = AdamW(params)
    for p in params:
        p.grad = torch.ones(1)
    opt.step()
    file = io.BytesIO()
    torch.save(opt.state_dict(), file)
    reference = torch.optim.AdamW(params)
    reference.step()
    there = io.BytesIO()
    torch.save(reference.state_dict(), there)
    assert len(file.getvalue()) < 1.1 * len(there.getvalue()) + 1000


def test_hooks_of_state_dicts_run() -> None:
    """Hooks before and after saving and loading run, and may replace the dict."""
    net = model()
    opt = AdamW(net.parameters())
    train(net, opt, range(1))
    seen: list[str] = []
    opt.register_state_dict_pre_hook(lambda o: seen.append("before saving"))
    opt.register_state_dict_post_hook(lambda o, s: {**s, "mark": 1})
    opt.register_load_state_dict_pre_hook(lambda o, s: seen.append(f"loading {s['mark']}"))
    opt.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    opt.load_state_dict(opt.state_dict())
    assert seen == ["before saving", "loading 1", "loaded"]


def test_bitsandbytes_state_is_read() -> None:
    """8-bit state of bitsandbytes, codes and block scales, becomes moments by its arithmetic."""
    count = 600
    p = nn.Parameter(torch.ones(20, 30))
    table = torch.linspace(-1, 1, 256)
    codes = torch.arange(count).remainder(256).to(torch.uint8)
    scales = torch.tensor([1.0, 2.0, 4.0])
    expected = table[codes.long()] * torch.tensor([1.0] * 256 + [2.0] * 256 + [4.0] * 88)
    entry = {
        "step": 7, "state1": codes.view(20, 30), "state2": codes.view(20, 30), "qmap1": table,
        "qmap2": table.abs(), "absmax1": scales, "absmax2": scales,
    }  # fmt: skip
    opt = Adam([p])
    group = opt.state_dict()["param_groups"][0]
    for nested in (entry, {"step": 7, "__bnb_optimizer_quant_state__": entry}):
        opt.load_state_dict({"state": {0: nested}, "param_groups": [group]})
        assert torch.equal(opt.state[p]["exp_avg"], expected.view(20, 30))
        assert torch.equal(opt.state[p]["exp_avg_sq"], expected.abs().view(20, 30))
        assert opt.state[p]["step"] == 7


def test_state_is_loaded_before_the_first_step(tmp_path: Path) -> None:
    """A state dict may be loaded into an optimizer that has not stepped, as scripts do."""
    net, other = model(), model()
    opt = AdamW(net.parameters(), lr=3e-3)
    train(net, opt, range(3))
    torch.save({"net": net.state_dict(), "opt": opt.state_dict()}, tmp_path / "run.pt")
    loaded = torch.load(tmp_path / "run.pt", weights_only=True)
    twin = AdamW(other.parameters())
    other.load_state_dict(loaded["net"])
    twin.load_state_dict(loaded["opt"])
    assert torch.equal(loss_of(net, 9), loss_of(other, 9))
    found, expected = train(other, twin, range(3, 6)), train(net, opt, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_decoded_state_of_a_single_number_is_one() -> None:
    """A parameter without axes has state without axes, and goes on from it here and in torch."""
    p = nn.Parameter(torch.tensor(3.0))
    opt = AdamW([p])
    p.grad = torch.tensor(1.0)
    opt.step()
    saved = opt.torch_state_dict()
    assert {value.shape for value in saved["state"][0].values()} == {torch.Size([])}
    AdamW([p]).load_state_dict(saved)
    there = torch.optim.AdamW([p])
    there.load_state_dict(saved)
    there.step()
    assert there.state[p]["exp_avg"].shape == p.shape
