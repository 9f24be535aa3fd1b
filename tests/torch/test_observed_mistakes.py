"""Each mistake that people made with rules for matrices shows after one step in what it did.

The mistakes are those of public threads: KellerJordan/Muon PR#60 and #45, WatChMaL PR#108,
DeepSpeed #8580, #8463, #8441, #8438 and #7713, marin #8621, NorMuon PR#10, C-Optim PR#11, unsloth
PR#5933, and torch.optim.Muon's default. An orthogonal matrix of rank r has norm sqrt(r): what a
right step does is known in closed form.
"""

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

import adamas
import adamas.torch
from adamas.words import maximum, mean, orthogonalize, sqrt, where

Record = Mapping[str, Any]


@adamas.rule
def spectral(p, g, *, lr=0.02):  # type: ignore[no-untyped-def]
    """A step along the orthogonal matrix of the gradient."""
    return p - lr * orthogonalize(g, coefficients="polar_express")


@adamas.rule
def shaped(p, g, *, rows, columns, lr=0.02):  # type: ignore[no-untyped-def]
    """The same times the root of rows over columns, if that is above 1 (Jordan 2024)."""
    o = orthogonalize(g, coefficients="polar_express")
    return p - lr * sqrt(maximum(1.0, rows / columns)) * o


@adamas.rule
def unshaped(p, g, *, lr=0.02):  # type: ignore[no-untyped-def]
    """The same with the last two sizes of a 3 by 3 convolution in the scale: the mistake."""
    return p - lr * sqrt(maximum(1.0, 3 / 3)) * orthogonalize(g, coefficients="polar_express")


@adamas.rule
def cautious(p, g, m, *, lr=0.02, beta=0.9):  # type: ignore[no-untyped-def]
    """Signs of a momentum, where the gradient agrees, rescaled (Liang et al. 2024)."""
    m = beta * m + (1 - beta) * g
    u = m / abs(m)
    mask = where(u * g > 0, 1.0, 0.0)
    return p - lr * u * mask / maximum(mean(mask), 1e-3), m


@adamas.rule
def squared(p, g, m, *, lr=0.02, beta=0.9):  # type: ignore[no-untyped-def]
    """The same, after the gradient was squared in place: the mistake."""
    m = beta * m + (1 - beta) * g
    u = m / abs(m)
    g = g * g
    mask = where(u * g > 0, 1.0, 0.0)
    return p - lr * u * mask / maximum(mean(mask), 1e-3), m


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> nn.Parameter:
    """A parameter with a gradient of normal numbers."""
    made = torch.Generator().manual_seed(seed)
    p = nn.Parameter(torch.randn(shape, generator=made).to(dtype))
    p.grad = torch.randn(shape, generator=made).to(dtype)
    return p


def stepping(rule: Any) -> type[adamas.torch.Optimizer]:
    """A class by a rule, or of that name, which needs no compiler."""
    found = getattr(adamas.torch, rule) if isinstance(rule, str) else adamas.torch.optimizer(rule)
    return type("Watched", (found,), {"_anywhere": True})


def first(rule: Any, *parameters: nn.Parameter, **given: Any) -> list[Record]:
    """What the first step did."""
    opt = stepping(rule)(parameters, observe=True, **given)
    opt.step()
    return list(opt.observed)


def moved(record: Record) -> float:
    """How far one went, in learning rates: a matrix of rank r goes sqrt(r)."""
    return float(record["update_norm"] / record["lr"])


def test_a_scale_taken_from_the_kernel_of_a_convolution() -> None:
    """A filter bank of 64 by 4 by 3 by 3 is 64 by 36: its scale is 4/3, not 1."""
    right, wrong = (first(rule, drawn(64, 4, 3, 3))[0] for rule in (shaped, unshaped))
    assert right["update_to_lr"] * math.sqrt(64) == pytest.approx(4 / 3, rel=0.02)
    assert wrong["update_to_lr"] * math.sqrt(64) == pytest.approx(1.0, rel=0.02)


def test_almost_nothing_on_the_rule_for_matrices() -> None:
    """The table says by which rule each tensor goes, of what shape: one matrix of few elements."""
    big, small = drawn(64, 64), drawn(8, 4)
    opt = stepping("AdamW")(
        [{"params": [small], "rule": spectral}, {"params": [big]}], observe=True
    )
    opt.step()
    sizes = {one["rule"]: math.prod(one["shape"]) for one in opt.observed}
    assert sizes == {"spectral": 32, "adamw": 4096}


def test_queries_keys_and_values_as_one_matrix() -> None:
    """Three matrices of 32 by 32 go sqrt(3 * 32); the stack of them goes sqrt(32) only."""
    whole = drawn(96, 32)
    assert moved(first(spectral, whole)[0]) == pytest.approx(math.sqrt(32), rel=0.02)
    parts = first(spectral, *(drawn(96, 32, seed=k) for k in range(3)))
    assert math.hypot(*map(moved, parts)) == pytest.approx(math.sqrt(3 * 32), rel=0.02)


def test_shards_made_orthogonal_as_if_they_were_whole() -> None:
    """Four shards of 16 by 16 go 8, and their shape is told; the whole of 64 by 16 goes 4."""
    shards = first(spectral, *(drawn(16, 64, seed=k) for k in range(4)))
    assert math.hypot(*map(moved, shards)) == pytest.approx(8.0, rel=0.02)
    assert {one["shape"] for one in shards} == {(16, 64)}
    assert moved(first(spectral, drawn(64, 16))[0]) == pytest.approx(4.0, rel=0.02)


def test_no_matrix_is_ever_made() -> None:
    """Plain gradient descent goes as far as the gradient; an orthogonal step never does."""
    plain, right = first("SGD", drawn(64, 16), lr=0.02)[0], first(spectral, drawn(64, 16))[0]
    assert plain["update_to_lr"] == pytest.approx(plain["gradient_rms"], rel=1e-4)
    assert right["update_to_lr"] == pytest.approx(1 / math.sqrt(64), rel=0.02)


def test_every_weight_on_adamw() -> None:
    """AdamW's first step is one learning rate an element, on every line of the table."""
    found = first("AdamW", drawn(64, 16), drawn(16), lr=1e-3, weight_decay=0.0)
    assert [one["rule"] for one in found] == ["adamw", "adamw"]
    assert [one["update_to_lr"] for one in found] == pytest.approx([1.0, 1.0], rel=1e-3)


def test_a_scheduler_that_overwrites_both_learning_rates() -> None:
    """Each line has the learning rate that the step took: two different ones became one."""
    groups = [{"params": [drawn(8, 4)], "rule": spectral, "lr": 0.02}, {"params": [drawn(8)]}]
    opt = stepping("AdamW")(groups, lr=3e-4, observe=True)
    opt.step()
    assert [one["lr"] for one in opt.observed] == [0.02, 3e-4]
    for group in opt.param_groups:
        group["lr"] = 1e-3
    opt.step()
    assert [one["lr"] for one in opt.observed] == [1e-3, 1e-3]


def test_experts_inside_one_norm() -> None:
    """Eight experts of 16 by 4 go sqrt(8 * 4); as one matrix of 8 by 64 they go sqrt(8)."""
    together = first(spectral, drawn(8, 16, 4))[0]
    assert together["shape"] == (8, 16, 4)
    assert moved(together) == pytest.approx(math.sqrt(8), rel=0.02)
    apart = first(spectral, *(drawn(16, 4, seed=k) for k in range(8)))
    assert math.hypot(*map(moved, apart)) == pytest.approx(math.sqrt(8 * 4), rel=0.02)


def test_a_dtype_that_stops_the_step() -> None:
    """A tensor that a crash left out has no number; in bfloat16 the step is done and told."""
    p = drawn(64, 16, dtype=torch.bfloat16)
    opt = stepping(spectral)([p], observe=True)
    assert math.isnan(opt.observed[0]["update_norm"])
    opt.step()
    assert opt.observed[0]["step"] == 1
    assert moved(opt.observed[0]) == pytest.approx(4.0, rel=0.02)


def test_a_mask_of_a_squared_gradient() -> None:
    """At the first step the update agrees with the gradient everywhere: nothing is masked.

    After the square a random half is, and the rescaling doubles the rest.
    """
    right, wrong = (first(rule, drawn(64, 64))[0] for rule in (cautious, squared))
    assert right["update_to_lr"] == pytest.approx(1.0, rel=1e-4)
    assert wrong["update_to_lr"] == pytest.approx(math.sqrt(2), rel=0.05)


def test_half_of_a_pair_is_resumed() -> None:
    """Each line has the tensor's own count: after a resume that forgot one, they differ."""
    weight, bias = drawn(8, 4), drawn(8)
    pair = [stepping("AdamW")([p], observe=True) for p in (weight, bias)]
    for opt in pair:
        opt.step()
    saved = pair[0].state_dict()
    again = [stepping("AdamW")([p], observe=True) for p in (weight, bias)]
    again[0].load_state_dict(saved)
    for opt in again:
        opt.step()
    assert [opt.observed[0]["step"] for opt in again] == [2, 1]


def test_a_default_that_moves_far_less_than_adamw() -> None:
    """At one learning rate an orthogonal step of 64 by 64 moves 8 times less than AdamW's."""
    muon, adamw = (first(rule, drawn(64, 64), lr=1e-3)[0] for rule in (spectral, "AdamW"))
    assert adamw["update_rms"] / muon["update_rms"] == pytest.approx(8.0, rel=0.1)
