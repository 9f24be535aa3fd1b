"""What the chapter on weight decay says, against closed forms and other libraries."""

import numpy as np
import pytest

from adamas.learn.chapters import decay
from adamas.learn.chapters.decay import CURVATURE, DECAY, LR, STEPS, ends, resting, shares
from adamas.rules import adam, adamw
from v8 import run


def test_idle_weights() -> None:
    """With L2 a weight decays by 1 - lr λ / |g| a step, with AdamW by 1 - lr λ, whatever g is."""
    large, little = ends(adam)
    assert large == pytest.approx((1 - LR * DECAY / decay.LARGE) ** STEPS, abs=0.01)
    assert little == pytest.approx((1 - LR * DECAY) ** STEPS, abs=0.03)
    for weight in ends(adamw):
        assert weight == pytest.approx((1 - LR * DECAY) ** STEPS, abs=0.01)
    assert np.ptp(ends(adamw)) < 1e-6


def test_pulled_weights() -> None:
    """L2 leaves h / (h + λ) of a weight with curvature h; AdamW about the same share of both."""
    for h, share in zip((1.0, CURVATURE), shares(adam), strict=True):
        assert share == pytest.approx(h / (h + DECAY), abs=0.02)
    first, second = shares(adamw)
    assert abs(first - second) < 0.1 < shares(adam)[1] - shares(adam)[0]


def test_resting_weight() -> None:
    """Without a gradient AdamW's weight falls by 1 - lr λ a step, so lr / 10 decays a tenth."""
    for lr in (1e-3, 1e-4):
        assert resting(lr, 10_000) == pytest.approx((1 - lr * 1e-2) ** 10_000, rel=1e-9)


def test_torch_decays_by_lr() -> None:
    """In torch AdamW shrinks a weight without a gradient as the page says."""
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    weight.grad = torch.zeros_like(weight)
    torch.optim.AdamW([weight], lr=1e-3, weight_decay=1e-2).step()
    assert weight.item() == resting(1e-3, 1)


def test_optax_decays_by_lr() -> None:
    """In optax AdamW shrinks a weight without a gradient as the page says."""
    optax, jnp = pytest.importorskip("optax"), pytest.importorskip("jax.numpy")
    rule, weight = optax.adamw(0.1, weight_decay=0.1), jnp.ones(1, jnp.float32)
    update, _ = rule.update(jnp.zeros_like(weight), rule.init(weight), weight)
    assert float((weight + update)[0]) == pytest.approx(1 - 0.1 * 0.1, rel=1e-6)


def test_figures() -> None:
    """Both figures have the numbers of the text."""
    found = decay.numbers()
    idle = run(f"PLAYS.decay.show({{decay: {DECAY}}}, 640).sentence")
    names = ("l2_large", "l2_little", "apart_large", "apart_little")
    places = [idle.index(str(found[name])) for name in names]
    assert places[0] < places[1] < places[2]
    pulled = run(f"PLAYS.decay_paths.show({{decay: {DECAY}}}, 640).sentence")
    assert pulled.endswith(
        f"{found['l2_x']} and {found['l2_y']} with L2, "
        f"{found['apart_x']} and {found['apart_y']} with AdamW."
    )
