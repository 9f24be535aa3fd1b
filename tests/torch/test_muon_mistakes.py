"""The mistakes that threads about Muon tell of: each is refused, warned of, or seen in `routes`.

They are those of twelve threads (Muon, timm, WatChMaL, DeepSpeed, Megatron, nanochat, Moonlight,
marin, NorMuon, C-Optim, unsloth); the numbers of the tests are theirs in that order.
"""

import math
from typing import Any

import pytest
import torch
from torch import nn

from adamas.homes.torch import of_rule
from adamas.torch.routed import Routed
from adamas.words import maximum, orthogonalize, sqrt


def jordan(
    p: Any, g: Any, m: Any, *, rows: Any, columns: Any, lr: float = 0.02, beta: float = 0.95
) -> Any:
    """Muon as in KellerJordan/Muon: damped momentum, Nesterov, sqrt(max(1, rows/columns))."""
    m = beta * m + (1 - beta) * g
    o = orthogonalize((1 - beta) * g + beta * m)
    return p - lr * sqrt(maximum(1.0, rows / columns)) * o, m


class Muon(Routed):
    """The rule above, as a class that routes."""

    signature = of_rule(jordan, "Muon", "Muon.")


class Model(nn.Module):
    """A language model in small: embedding, a hidden layer with its norm, a head."""

    def __init__(self, tied: bool = False, width: int = 32) -> None:
        super().__init__()
        self.wte = nn.Embedding(50, width)
        self.h = nn.ModuleList([nn.Linear(width, width)])
        self.norm = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, 50, bias=False)
        if tied:
            self.lm_head.weight = self.wte.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the tokens."""
        made: torch.Tensor = self.lm_head(self.norm(self.h[0](self.wte(x)).tanh()))
        return made


def moved(opt: torch.optim.Optimizer, p: torch.Tensor, g: torch.Tensor) -> float:
    """The RMS of a step with this gradient."""
    before = p.detach().clone()
    p.grad = g
    opt.step()
    return float((p.detach() - before).square().mean().sqrt())


def rules_of(opt: Routed) -> dict[Any, str]:
    """The rule of every parameter, by its name."""
    return {one.name: one.rule for one in opt.routes}


def test_the_scale_of_a_convolution_is_that_of_its_matrix() -> None:
    """1. A convolution moves as the matrix of its filters, and the table says which that is."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(8, 64, 3), nn.Flatten(), nn.Linear(4, 2))
    (route, *_) = Muon(net, lr=0.02).routes
    assert route.shape == (64, 8, 3, 3) and "as 64 × 72: one row a filter" in route.why
    alone = nn.Parameter(net[0].weight.detach().reshape(64, 72).clone())
    opt, matrix = Muon(net, lr=0.02), Muon([{"params": [alone]}], lr=0.02)
    g = torch.randn(64, 8, 3, 3)
    found = moved(opt, net[0].weight, g)
    assert math.isclose(found, moved(matrix, alone, g.reshape(64, 72)), rel_tol=1e-6)
    assert math.isclose(found, route.rms, rel_tol=0.1)


def test_hardly_anything_on_the_rule_is_told() -> None:
    """2. Where almost all weights are on AdamW, the shares are told when the optimizer is made."""
    net = Model(width=8)
    net.wte = nn.Embedding(5000, 8)
    with pytest.warns(UserWarning, match=r"jordan steps 64 of 40,\d\d\d elements, and AdamW"):
        Muon(net, adamw={"lr": 1e-3})
    with pytest.raises(ValueError, match="no parameter is on Muon"):
        Muon(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 9)))


@pytest.mark.parametrize("name", ["qkv", "c_attn", "in_proj", "Wqkv", "query_key_value"])
def test_fused_projections_are_refused(name: str) -> None:
    """3. Query, key and value in one matrix are refused by name, with what to write."""
    net = nn.ModuleDict({name: nn.Linear(8, 24), "proj": nn.Linear(8, 8), "head": nn.Linear(8, 4)})
    with pytest.raises(ValueError, match=rf"'{name}.weight': query, key and value in one matrix"):
        Muon(net)
    opt = Muon(net, routes={name: "adamw"}, adamw={"lr": 7e-4})
    assert rules_of(opt)[f"{name}.weight"] == "adamw" and rules_of(opt)["proj.weight"] == "jordan"
    assert {one.lr for one in opt.routes if one.rule == "adamw"} == {7e-4}


@pytest.mark.parametrize("name", ["qkv", "in_proj"])
@pytest.mark.parametrize("matmul", ["float32", "bfloat16"])
def test_a_fused_projection_that_is_split_moves_as_its_parts(name: str, matmul: Any) -> None:
    """3. With `split` each of the three is orthogonalized and scaled as a matrix of its own."""
    torch.manual_seed(1)
    net = nn.ModuleDict({name: nn.Linear(8, 24, bias=False), "head": nn.Linear(8, 4)})
    opt = Muon(net, split={name: 3}, adamw={"lr": 1e-3}, matmul=matmul)
    assert "3 matrices, one below the other" in opt.routes[0].why
    assert opt.routes[0].shape == (24, 8)
    parts = [nn.Parameter(x.detach().clone()) for x in net[name].weight.chunk(3)]
    apart = Muon([{"params": parts}], lr=0.02, matmul=matmul)
    for _ in range(3):
        g = torch.randn(24, 8) * torch.tensor([1.0, 30.0, 0.01]).repeat_interleave(8)[:, None]
        net[name].weight.grad = g
        for p, each in zip(parts, g.chunk(3), strict=True):
            p.grad = each.clone()
        opt.step()
        apart.step()
    # Parts are divided by the whole's norm first, and rounding to bfloat16 begins elsewhere.
    within = 1e-6 if matmul == "float32" else 3e-3
    for p, each in zip(parts, net[name].weight.chunk(3), strict=True):
        assert torch.allclose(p, each, rtol=0, atol=within)
    with pytest.raises(ValueError, match="has 24 rows, which 5 does not divide"):
        Muon(net, split={name: 5}, adamw={"lr": 1e-3})
    with pytest.raises(ValueError, match="'nobody' is found in no parameter's name"):
        Muon(net, split={name: 3, "nobody": 3}, adamw={"lr": 1e-3})


@pytest.mark.parametrize("shape", [(64,), (4, 8), (0,)])
def test_flat_and_partitioned_matrices_are_refused(shape: tuple[int, ...]) -> None:
    """4, 6. A part of a matrix, a flat one or one that is elsewhere is not taken for the whole."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4))
    net[0].weight = nn.Parameter(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"'0.weight' has shape .* its layer says \(8, 8\)"):
        Muon(net)


def test_steps_are_orthogonal() -> None:
    """5. A step is that of an orthogonal matrix, whatever the gradient's size: not plain SGD."""
    for size in (1e-3, 1.0, 1e3):
        net = nn.Sequential(nn.Linear(16, 16, bias=False), nn.Linear(16, 2))
        opt, before = Muon(net, lr=1.0), net[0].weight.detach().clone()
        net[0].weight.grad = size * torch.randn(16, 16, generator=torch.Generator().manual_seed(0))
        opt.step()
        # The band in which Jordan's five steps leave singular values.
        values = torch.linalg.svdvals(before - net[0].weight.detach())
        assert float(values.min()) > 0.3 and float(values.max()) < 1.3


def test_schedulers_keep_the_rates_apart() -> None:
    """7. A scheduler that scales scales both; one that sets one rate for all is told of."""
    net = Model()
    opt = Muon(net, lr=0.02, adamw={"lr": 3e-3})
    scheduler = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: 1 / (1 + k))
    opt.step()
    scheduler.step()
    assert [group["lr"] for group in opt.param_groups] == [0.01, 1.5e-3]
    for group in opt.param_groups:
        group["lr"] = 0.01
    net(torch.arange(5)).square().sum().backward()
    with pytest.warns(UserWarning, match=r"all rules have lr=0.01 now, and had \[0.003, 0.02\]"):
        opt.step()


def test_stacked_experts_are_not_one_matrix() -> None:
    """8. A stack of experts is not flattened into one matrix: it is refused until a route says."""

    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.Parameter(torch.zeros(4, 8, 16))

    net = nn.ModuleDict({"moe": Experts(), "proj": nn.Linear(8, 8), "head": nn.Linear(8, 4)})
    with pytest.raises(ValueError, match=r"no layer says: 'moe.up \(4-8-16 of Experts\)'"):
        Muon(net)
    assert rules_of(Muon(net, routes={"moe": "adamw"}))["moe.up"] == "adamw"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_dtype_steps(dtype: torch.dtype) -> None:
    """9. Parameters and gradients of any dtype are stepped, by both rules."""
    net = Model().to(dtype)
    opt = Muon(net, adamw={"lr": 1e-2})
    before = [p.detach().clone() for p in net.parameters()]
    net(torch.arange(5)).square().sum().backward()
    opt.step()
    assert all(bool((p != b).any()) for p, b in zip(net.parameters(), before, strict=True))


def test_gradients_stay_as_they_are() -> None:
    """10. A step changes no gradient in place, so that nothing computed from it later is spoilt."""
    net = Model()
    net(torch.arange(5)).square().sum().backward()
    before = [p.grad.clone() for p in net.parameters()]
    Muon(net).step()
    assert all(torch.equal(p.grad, b) for p, b in zip(net.parameters(), before, strict=True))


def test_one_file_resumes_both_rules() -> None:
    """11. One state dict holds both rules, and a run resumed from it has the same bits."""
    nets, opts = [], []
    for _ in range(2):
        torch.manual_seed(0)
        nets.append(Model())
        opts.append(Muon(nets[-1], adamw={"lr": 3e-3}))

    def train(k: int, steps: range) -> None:
        for step in steps:
            opts[k].zero_grad()
            nets[k](torch.arange(step, step + 6)).square().mean().backward()
            opts[k].step()

    train(0, range(3))
    nets[1].load_state_dict(nets[0].state_dict())
    opts[1].load_state_dict(opts[0].state_dict())
    train(0, range(3, 6))
    train(1, range(3, 6))
    assert all(map(torch.equal, nets[0].parameters(), nets[1].parameters()))


def test_a_rate_that_moves_far_less_than_adamw_is_told() -> None:
    """12. With lr=1e-3 and Jordan's scale a matrix of 1024 rows moves 30 times less than AdamW."""
    net = nn.Sequential(nn.Linear(1024, 1024), nn.Linear(1024, 4))
    with pytest.warns(UserWarning, match=r"expected RMS of \d.\de-05, \d\d times less than AdamW"):
        Muon(net, lr=1e-3, adamw={"lr": 1e-3})
    routes = Muon(net, lr=0.02, adamw={"lr": 1e-3}).routes
    # An orthogonal matrix of n rows has elements of RMS 1/sqrt(n).
    assert math.isclose(routes[0].rms, 0.02 / 32, rel_tol=0.2)


@pytest.mark.parametrize("tied", [False, True])
def test_what_layers_are(tied: bool) -> None:
    """Hidden matrices go to the rule; embedding, head, norms and biases to AdamW, and why."""
    opt = Muon(Model(tied), adamw={"lr": 3e-4, "weight_decay": 0.1})
    why = {one.name: one.why for one in opt.routes}
    assert [name for name, rule in rules_of(opt).items() if rule == "jordan"] == ["h.0.weight"]
    assert why["norm.weight"] == "norm" and why["h.0.bias"] == "bias"
    if tied:
        assert why["wte.weight"] == "embedding and last layer, tied" and "lm_head.weight" not in why
    else:
        assert (
            why["wte.weight"] == "embedding" and why["lm_head.weight"] == "last layer: by its name"
        )
    assert opt.param_groups[1]["rule"] == "adamw" and opt.param_groups[1]["weight_decay"] == 0.1


@pytest.mark.parametrize(
    ("net", "last", "why"),
    [
        (nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), "1.weight", "the last Linear"),
        (
            nn.ModuleDict({"fc": nn.Linear(4, 4), "blocks": nn.ModuleList([
                nn.ModuleDict({"fc": nn.Linear(4, 4), "out": nn.Linear(4, 4)})
            ])}),
            "fc.weight", "by its name",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)), "1.weight", "the last convolution"),
    ],
)  # fmt: skip
def test_which_layer_is_the_last(net: nn.Module, last: str, why: str) -> None:
    """The head is found by its name outside of numbered blocks, or as the last layer, and told."""
    found = {one.name: one for one in Muon(net).routes}
    assert found[last].rule == "adamw" and found[last].why == f"last layer: {why}"
    assert [one.name for one in found.values() if one.why.startswith("last layer: ")] == [last]


def test_what_the_model_says_of_its_last_layer() -> None:
    """A model that names its output layer, as those of Hugging Face do, is believed."""

    class Said(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mapping, self.rest = nn.Linear(4, 4), nn.Linear(4, 4)

        def get_output_embeddings(self) -> nn.Module:
            return self.mapping

    found = {one.name: one.rule for one in Muon(nn.ModuleDict({"module": Said()})).routes}
    assert found["module.mapping.weight"] == "adamw" and found["module.rest.weight"] == "jordan"


def test_names_alone_do_not_say() -> None:
    """Named parameters are refused with the names of all matrices, until `routes` decides them."""
    net = Model()
    for params in (net.named_parameters(), net.parameters()):
        with pytest.raises(ValueError, match="from its name alone an embedding"):
            Muon(params)
    routes = {"wte|head|norm|bias": "adamw", "": {"lr": 0.01}}
    opt = Muon(net.named_parameters(), routes=routes)
    assert rules_of(opt)["h.0.weight"] == "jordan" and rules_of(opt)["wte.weight"] == "adamw"
    with pytest.warns(UserWarning, match=r"'lm_head.weight': by name an embedding or a last layer"):
        Muon(net.named_parameters(), routes={"wte|norm|bias": "adamw", "": {}})
