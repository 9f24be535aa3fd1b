"""The sides of a race: AdamW by adamas and by every peer, and what memory allows.

Each function steps parameters, all 1 and its own unless it is given `params`, with the gradients it
is given; both are float32, or bfloat16 as uint16 where the name says so. What a side of torch is
given is stepped where it lies. Peers are imported where they are used, because none need be
installed.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.bench.timing import Side
from adamas.classes import AdamW
from adamas.define import rule
from adamas.pages.sentences import Both, filled, sentences

# All that `adamas bench` prints but names.
SENTENCES = sentences("adamas.bench", "bench")
Array = NDArray[np.float32]
Halves = NDArray[np.uint16]
ONE = 0x3F80  # in bfloat16


def gradients(shapes: Sequence[int | tuple[int, ...]]) -> list[Array]:
    """Normal gradients of the given shapes, the same ones every time.

    Arrays beyond 2**20 elements repeat their numbers, which no side can profit from.
    """
    longest = max(int(np.prod(shape)) for shape in shapes)
    block = np.random.default_rng(0).standard_normal(min(longest, 1 << 20), dtype=np.float32)
    return [np.resize(block, shape) for shape in shapes]


def upper_halves(grads: Sequence[Array]) -> list[Halves]:
    """The gradients in bfloat16, their last bits cut off, as uint16."""
    return [(g.view(np.uint32) >> 16).astype(np.uint16) for g in grads]


def widened(halves: Halves) -> Array:
    """The float32 numbers that bfloat16 numbers are."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def ones(grads: Sequence[Array]) -> list[Array]:
    """Parameters for these gradients."""
    return [np.ones_like(g) for g in grads]


def half_ones(grads: Sequence[Halves]) -> list[Halves]:
    """The same in bfloat16."""
    return [np.full_like(g, ONE) for g in grads]


def adamas_side(
    grads: Sequence[Array],
    make: Callable[..., Any] = AdamW,
    params: Sequence[Array] | None = None,
    **settings: Any,
) -> Side:
    """An optimizer of adamas, given the same gradient arrays at every step."""
    params = ones(grads) if params is None else list(params)
    optimizer = make(params, **settings)
    return Side(partial(optimizer.step, list(grads)), lambda: params[0], partial(_held, optimizer))


def adamas_bfloat16_side(
    grads: Sequence[Halves], params: Sequence[Halves] | None = None, **settings: Any
) -> Side:
    """AdamW of adamas on bfloat16 parameters and gradients."""
    params = half_ones(grads) if params is None else list(params)
    optimizer = AdamW(params, **settings)
    step = partial(optimizer.step, list(grads))
    return Side(step, lambda: widened(params[0]), partial(_held, optimizer))


def _held(optimizer: Any) -> int:
    entries = (entry.values() for entry in optimizer.state.values())
    return sum(x.nbytes for entry in entries for x in entry if isinstance(x, np.ndarray))


def traffic(p: Any, g: Any, m: Any, v: Any) -> Any:
    """No optimizer: reads and writes the arrays of AdamW and hardly computes.

    No `v` is negative, so that AdamW can go on in the same arrays.
    """
    m = m + g
    v = abs(v - g)
    p = p - m
    return p, m, v


def limit_side(grads: Sequence[Array], on_nonfinite: str = "allow") -> Side:
    """The memory limit: AdamW's 28 bytes a parameter, hardly computed; 32 where it reads first."""
    return adamas_side(grads, rule(traffic), on_nonfinite=on_nonfinite)


def numpy_side(grads: Sequence[Array], lr: float = 1e-3) -> Side:
    """Adam without weight decay as a tutorial writes it, a new array for every operation."""
    params = ones(grads)
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

    return Side(step, lambda: params[0], lambda: sum(x.nbytes for x in (*m, *v)))


def torch_side(
    grads: Sequence[Array],
    make: Callable[..., Any] | None = None,
    params: Sequence[Array] | None = None,
    **settings: Any,
) -> Side:
    """`torch.optim.AdamW`, or `make`; `settings` such as `fused=True` choose an implementation.

    Without `params` all memory is as torch allocates it.
    """
    import torch

    if params is None:
        values = [torch.ones(g.shape) for g in grads]
        given = [torch.from_numpy(g).clone() for g in grads]
    else:
        values, given = [list(map(torch.from_numpy, each)) for each in (params, grads)]
    settings = {"lr": 1e-3, "weight_decay": 1e-2} | settings
    return torch_sided(torch_optimizer(values, given, make, **settings))


def torch_bfloat16_side(
    grads: Sequence[Halves], lr: float = 1e-3, params: Sequence[Halves] | None = None
) -> Side:
    """Fused `torch.optim.AdamW` with parameters, gradients and state in bfloat16."""
    import torch

    kind = torch.bfloat16
    given = [torch.from_numpy(g).view(kind) for g in grads]
    if params is None:
        values = [torch.ones(g.shape, dtype=kind) for g in grads]
        given = [g.clone() for g in given]
    else:
        values = [torch.from_numpy(p).view(kind) for p in params]
    return torch_sided(torch_optimizer(values, given, lr=lr, fused=True))


def torch_optimizer(
    values: Iterable[Any],
    grads: Iterable[Any],
    make: Callable[..., Any] | None = None,
    **settings: Any,
) -> Any:
    """`torch.optim.AdamW`, or `make`, of parameters over these tensors, with these gradients."""
    import torch

    params = list(map(torch.nn.Parameter, values))
    for p, g in zip(params, grads, strict=True):
        p.grad = g
    return (make or torch.optim.AdamW)(params, **settings)


def torch_sided(optimizer: Any) -> Side:
    """The side that a torch optimizer is."""
    first = optimizer.param_groups[0]["params"][0].detach()
    return Side(optimizer.step, lambda: first.float().numpy(), partial(torch_held, optimizer))


def torch_held(optimizer: Any) -> int:
    """Bytes of all tensors in the state of a torch optimizer."""
    entries = (entry.values() for entry in optimizer.state.values())
    return sum(_tensor_bytes(x) for entry in entries for x in entry)


def _tensor_bytes(value: Any) -> int:
    # A tensor subclass, such as torchao's, looks like float32 and is made of other tensors.
    if hasattr(value, "__tensor_flatten__"):
        return sum(_tensor_bytes(getattr(value, name)) for name in value.__tensor_flatten__()[0])
    return int(getattr(value, "nbytes", 0))


def bitsandbytes_side(grads: Sequence[Array], params: Sequence[Array] | None = None) -> Side:
    """`AdamW8bit` of bitsandbytes on the CPU."""
    return torch_side(grads, import_module("bitsandbytes").optim.AdamW8bit, params)


def torchao_side(
    grads: Sequence[Array], params: Sequence[Array] | None = None, *, bits: int
) -> Side:
    """`AdamW8bit` or `AdamW4bit` of torchao, whose first step compiles, so it is done here.

    Raises RuntimeError if there is no C++ compiler.
    """
    with warnings.catch_warnings():
        # torch and torchao warn of each other's future.
        warnings.simplefilter("ignore")
        make = getattr(import_module("torchao.optim"), f"AdamW{bits}bit")
        side = torch_side(grads, make, params)
        side.step()
    return side


def optax_side(grads: Sequence[Array]) -> Side:
    """`optax.adamw` under `jax.jit`, its buffers donated, so that they are updated in place."""
    import optax

    transform = optax.adamw(1e-3, weight_decay=1e-2)
    return jax_side(transform, jitted(transform), grads)


def jitted(transform: Any) -> Callable[..., Any]:
    """The step of a gradient transformation of optax's form, compiled, its buffers donated."""
    import jax
    import optax

    def update(params: Any, state: Any, given: Any) -> Any:
        changes, state = transform.update(given, state, params)
        return optax.apply_updates(params, changes), state

    made: Callable[..., Any] = jax.jit(update, donate_argnums=(0, 1))
    return made


def jax_side(transform: Any, compiled: Callable[..., Any], grads: Sequence[Array]) -> Side:
    """Arrays of its own that the `jitted` step of a transformation updates."""
    import jax

    given = [jax.numpy.asarray(g) for g in grads]
    params = [jax.numpy.ones_like(g) for g in given]
    held = params, transform.init(params)

    wait: Callable[[Any], Any] = jax.block_until_ready

    def step() -> None:
        nonlocal held
        held = wait(compiled(*held, given))

    def size() -> int:
        return sum(int(x.nbytes) for x in jax.tree.leaves(held[1]))

    return Side(step, lambda: np.asarray(held[0][0]), size)


def installed_peers(grads: Sequence[Array]) -> dict[str, Side]:
    """The fastest AdamW of every other library that is installed here."""
    found = {}
    if find_spec("torch"):
        found["torch fused"] = torch_side(grads, fused=True)
    if find_spec("jax") and find_spec("optax"):
        found["optax jitted"] = optax_side(grads)
    return found


# The package that each comes from, and how to make it.
FEW_BITS: dict[str, tuple[str, Callable[..., Side]]] = {
    "bitsandbytes 8-bit": ("bitsandbytes", bitsandbytes_side),
    "torchao 8-bit": ("torchao", partial(torchao_side, bits=8)),
    "torchao 4-bit": ("torchao", partial(torchao_side, bits=4)),
}


def few_bit_peers(
    grads: Sequence[Array], names: Iterable[str] = tuple(FEW_BITS)
) -> tuple[dict[str, Side], list[Both]]:
    """The AdamW with 8- or 4-bit state of other libraries, and a line on each that is left out."""
    found, missing = dict[str, Side](), list[Both]()
    for name in names:
        package, make = FEW_BITS[name]
        if not find_spec("torch") or not find_spec(package):
            missing.append(filled(SENTENCES["not_installed"], name=name, package=package))
            continue
        try:
            found[name] = make(grads)
        except (ImportError, RuntimeError) as error:
            kind = type(error).__name__
            missing.append(filled(SENTENCES["not_here"], name=name, error=kind))
    return found, missing
