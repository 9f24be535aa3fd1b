"""The formula on tensors, as other devices run it: the numbers of the kernels, without a kernel."""

from typing import Any

import pytest
import torch
from torch import nn

import adamas
import adamas.torch
from adamas.torch import AdamW
from torch_table import CLASSES
from torch_training import close, loss_of, model, train


def anywhere(name: str) -> Any:
    """The class as it works on a device that has no kernels."""
    return type(name, (getattr(adamas.torch, name),), {"_anywhere": True})


# Sums over all tensors are done on the CPU only; `test_torch_sums` has the refusal.
@pytest.mark.parametrize("name", [name for name in CLASSES if name != "Prodigy"])
def test_tensors_follow_the_kernels(name: str) -> None:
    """Every rule run as torch operations trains to what its kernel trains to."""
    results = []
    options: dict[str, Any] = {"clip_norm": 1.0, "ema": 0.9, "maximize": name == "SGD"}
    for cls in (getattr(adamas.torch, name), anywhere(name)):
        net = model()
        opt = cls(net.parameters(), **options)
        train(net, opt, range(8))
        results.append([p.detach() for p in net.parameters()])
        results.append([opt.state[p]["average"] for p in net.parameters()])
    close(results[2], results[0])
    close(results[3], results[1])


def test_state_moves_between_kernels_and_tensors() -> None:
    """A run begun in kernels is saved and goes on as torch operations, and the other way."""
    net, other = model(), model()
    for first, second in ((AdamW, anywhere("AdamW")), (anywhere("AdamW"), AdamW)):
        opt, twin = first(net.parameters()), second(other.parameters())
        train(net, opt, range(3))
        other.load_state_dict(net.state_dict())
        twin.load_state_dict(opt.state_dict())
        close(train(other, twin, range(3, 6)), train(net, opt, range(3, 6)))


def test_complex_parameters() -> None:
    """A complex parameter is pairs of real numbers here too, and its state is complex."""
    results = []
    for cls in (AdamW, anywhere("AdamW")):
        p = nn.Parameter(torch.ones(4, dtype=torch.complex64))
        opt = cls([p])
        for k in range(3):
            p.grad = torch.full_like(p, 0.5 + 1j * k)
            opt.step()
        results.append([p.detach(), opt.state[p]["exp_avg"]])
    close(results[1], results[0])


def test_the_meta_device() -> None:
    """Parameters without memory are stepped without memory: shapes and step counts."""
    p = nn.Parameter(torch.ones(4, 3, device="meta"))
    opt = AdamW([p])
    p.grad = torch.ones(4, 3, device="meta")
    opt.step()
    assert opt.state[p]["exp_avg"].device.type == "meta"
    assert opt.state[p]["step"] == 1


def test_what_only_the_cpu_has_is_refused() -> None:
    """Few-bit state and sparse rows are refused away from the CPU, with the reason."""
    p = nn.Parameter(torch.ones(4, 3))
    p.grad = torch.ones(4, 3)
    with pytest.raises(ValueError, match="on the CPU only"):
        anywhere("AdamW")([p], state="int8").step()
    p.grad = torch.ones(4, 3).to_sparse(1)
    with pytest.raises(TypeError, match="sparse"):
        anywhere("AdamW")([p]).step()


@pytest.mark.parametrize("on_nonfinite", ["raise", "skip"])
def test_bad_gradients_change_nothing(on_nonfinite: str) -> None:
    """NaN raises or skips before anything moves."""
    net = model()
    opt = anywhere("AdamW")(net.named_parameters(), on_nonfinite=on_nonfinite)
    before = train(net, opt, range(2))
    loss_of(net, 2).backward()
    net[2].bias.grad[1] = torch.nan
    if on_nonfinite == "raise":
        with pytest.raises(adamas.NonFiniteError, match=r"2\.bias"):
            opt.step()
    else:
        opt.step()
        assert opt.skipped == 1
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_the_body_can_be_traced() -> None:
    """torch.compile follows the body as one graph, without recompiling for another step."""
    from adamas.kernel.formula import parse
    from adamas.torch.formulas import TensorFormula

    text = TensorFormula(parse(adamas.rules.adamw))
    graphs: list[Any] = []

    def count(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    traced = torch.compile(text.body, backend=count, fullgraph=True)
    p, g = torch.ones(3), torch.full((3,), 0.5)
    m, v = torch.zeros(3), torch.zeros(3)
    q, n, w = p, m, v
    for t in (1, 2, 3):
        constants, _ = text.constants(t, parse(adamas.rules.adamw).hypers, {})
        numbers = torch.tensor(constants, dtype=torch.float32).unbind()
        p, m, v = traced(p, g, m, v, *numbers)
        q, n, w = text.body(q, g, n, w, *numbers)
    assert len(graphs) == 1
    torch.testing.assert_close(p, q)


@pytest.mark.parametrize("how", ["parameter", "master 8", "master 16", "state"])
def test_rounding_has_the_bits_of_the_kernels(how: str) -> None:
    """Away from the CPU bfloat16 is rounded by the kernels' random numbers, `seed` included."""
    dtype = torch.float32 if how == "state" else torch.bfloat16
    state = {"v": "bfloat16"} if how == "state" else "float32"
    master = int(how.split()[1]) if how.startswith("master") else None
    options: dict[str, Any] = {"state": state, "master": master, "seed": 5, "lr": 2.0**-12}
    results = []
    for cls in (adamas.torch.Adam, anywhere("Adam")):
        start = torch.linspace(1, 2, 5 * 200).reshape(200, 5).t().to(dtype)
        p = nn.Parameter(start)
        opt = cls([("weight", p)], **options)
        for step in range(4):
            p.grad = torch.full_like(p, 2.0**step)
            opt.step()
        entry = {key: value.clone() for key, value in opt.state[p].items() if value.ndim}
        results.append((p.detach(), entry, int(opt.state[p]["rounding"])))
    (here, kept, key), (there, found, other) = results
    assert key == other
    # Sums of floats may end in another last bit, and then one number in thousands rounds otherwise.
    assert (here == there).float().mean() > 0.99
    for name, value in kept.items():
        assert (value == found[name]).float().mean() > 0.99 or value.is_floating_point(), name
    if how == "state":
        assert kept["exp_avg_sq"].dtype is found["exp_avg_sq"].dtype is torch.bfloat16


def test_small_steps_are_not_lost_elsewhere() -> None:
    """50 steps of 1e-4 from 1 end near 0.995, at random on average and with master bits exactly."""
    for master in (None, 8, 16):
        p = nn.Parameter(torch.ones(4096, dtype=torch.bfloat16))
        opt = anywhere("SGD")([p], lr=1e-4, master=master)
        for _ in range(50):
            p.grad = torch.ones_like(p)
            opt.step()
        assert p.float().mean().item() == pytest.approx(0.995, abs=2e-3)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_rules_without_state_are_stepped(device: str) -> None:
    """SGD keeps nothing, and moves every row by its own gradient."""
    p = nn.Parameter(torch.arange(6.0, device=device).view(3, 2))
    opt = anywhere("SGD")([p], lr=0.5)
    p.grad = torch.ones_like(p)
    opt.step()
    assert opt.state[p]["step"] == 1
    if device == "cpu":
        assert torch.equal(p.detach(), torch.arange(6.0).view(3, 2) - 0.5)


@pytest.mark.parametrize("how", ["dict", "function", "by name"])
def test_storage_is_chosen_in_every_way(how: str) -> None:
    """A dict, a function and expressions choose the format of each state elsewhere too."""
    p = nn.Parameter(torch.ones(4, device="meta"))
    ways: dict[str, dict[str, Any]] = {
        "dict": {"state": {"m": "bfloat16"}},
        "function": {"state": lambda name, array: {"m": "bfloat16"} if array.size == 4 else {}},
        "by name": {"state_by_name": {"weight": "bfloat16"}},
    }
    opt = AdamW([("weight", p)], **ways[how])
    p.grad = torch.ones_like(p)
    opt.step()
    assert opt.state[p]["exp_avg"].dtype is torch.bfloat16
    wide = torch.bfloat16 if how == "by name" else torch.float32
    assert opt.state[p]["exp_avg_sq"].dtype is wide
