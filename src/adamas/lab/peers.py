"""The sides of a race: AdamW by adamas and by every peer, and what memory allows.

Each function makes float32 parameters of its own, all 1, and steps them with the gradients it is
given. Peers are imported where they are used, because none need be installed.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.classes import AdamW
from adamas.define import rule
from adamas.lab.timing import Side

Array = NDArray[np.float32]


def gradients(shapes: Sequence[int | tuple[int, ...]]) -> list[Array]:
    """Normal gradients of the given shapes, the same ones every time.

    Arrays beyond 2**20 elements repeat their numbers, which no side can profit from.
    """
    longest = max(int(np.prod(shape)) for shape in shapes)
    block = np.random.default_rng(0).standard_normal(min(longest, 1 << 20), dtype=np.float32)
    return [np.resize(block, shape) for shape in shapes]


def adamas_side(grads: Sequence[Array], make: Callable[..., Any] = AdamW, **settings: Any) -> Side:
    """An optimizer of adamas, given the same gradient arrays at every step."""
    params = [np.ones_like(g) for g in grads]
    optimizer = make(params, **settings)
    return Side(partial(optimizer.step, list(grads)), lambda: params[0])


def traffic(p: Any, g: Any, m: Any, v: Any) -> Any:
    """No optimizer: reads and writes the arrays of AdamW, one operation each."""
    m = m + g
    v = v - g
    p = p - m
    return p, m, v


def limit_side(grads: Sequence[Array], on_nonfinite: str = "allow") -> Side:
    """The memory limit: AdamW's 28 bytes a parameter, hardly computed; 32 with the finite check."""
    return adamas_side(grads, rule(traffic), on_nonfinite=on_nonfinite)


def numpy_side(grads: Sequence[Array], lr: float = 1e-3) -> Side:
    """Adam without weight decay as a tutorial writes it, a new array for every operation."""
    params = [np.ones_like(g) for g in grads]
    m: list[Any] = [np.zeros_like(g) for g in grads]
    v: list[Any] = [np.zeros_like(g) for g in grads]
    t = 0

    def step() -> None:
        nonlocal t
        t += 1
        for k, g in enumerate(grads):
            m[k] = 0.9 * m[k] + (1 - 0.9) * g
            v[k] = 0.999 * v[k] + (1 - 0.999) * np.square(g)
            m_hat = m[k] / (1 - 0.9**t)
            v_hat = v[k] / (1 - 0.999**t)
            params[k] = params[k] - lr * m_hat / (np.sqrt(v_hat) + 1e-8)

    return Side(step, lambda: params[0])


def torch_side(grads: Sequence[Array], **settings: Any) -> Side:
    """`torch.optim.AdamW`; `settings` choose its implementation, such as `fused=True`."""
    import torch

    params = [torch.nn.Parameter(torch.ones(g.shape)) for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = torch.from_numpy(g).clone()
    optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=1e-2, **settings)
    return Side(optimizer.step, lambda: params[0].detach().numpy())


def optax_side(grads: Sequence[Array]) -> Side:
    """`optax.adamw` under `jax.jit`, its buffers donated, so that they are updated in place."""
    import jax
    import optax

    transform = optax.adamw(1e-3, weight_decay=1e-2)
    given = [jax.numpy.asarray(g) for g in grads]
    params = [jax.numpy.ones_like(g) for g in given]
    held = params, transform.init(params)

    def update(params: Any, state: Any, given: Any) -> Any:
        changes, state = transform.update(given, state, params)
        return optax.apply_updates(params, changes), state

    compiled = jax.jit(update, donate_argnums=(0, 1))
    wait: Callable[[Any], Any] = jax.block_until_ready

    def step() -> None:
        nonlocal held
        held = wait(compiled(*held, given))

    return Side(step, lambda: np.asarray(held[0][0]))


def installed_peers(grads: Sequence[Array]) -> dict[str, Side]:
    """The fastest AdamW of every other library that is installed here."""
    found = {}
    if find_spec("torch"):
        found["torch fused"] = torch_side(grads, fused=True)
    if find_spec("jax") and find_spec("optax"):
        found["optax jitted"] = optax_side(grads)
    return found
