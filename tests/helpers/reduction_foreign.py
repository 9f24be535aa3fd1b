"""Whose optimizers the rules with reductions are compared with, and how each side is run."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import reduction_rules as own
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from foreign import Foreign, Hypers, Trace, of_optax, of_torch

torch: Any = importlib.import_module("torch")
optax: Any = importlib.import_module("optax")
peers: Any = importlib.import_module("pytorch_optimizer")

Array = NDArray[Any]
STEPS = 50
# Tall, wide, square, a vector, one number, and four dimensions.
SHAPES: list[tuple[int, ...]] = [(200, 3), (3, 200), (64, 64), (257,), (), (8, 4, 3, 3)]
BETAS: dict[str, str | tuple[str, int]] = {"beta1": ("betas", 0), "beta2": ("betas", 1)}
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}


def start(shape: tuple[int, ...], dtype: str) -> Array:
    """Parameters around 1."""
    return np.array(np.random.default_rng([3, *shape]).normal(size=shape), dtype)


def gradients(shape: tuple[int, ...], dtype: str) -> list[Array]:
    """Gradients of uneven rows and columns; some elements, and one whole row, have none."""
    rng = np.random.default_rng([4, *shape])
    scale = 10.0 ** rng.uniform(-1, 1, shape[:1] + (1,) * len(shape[1:]))
    scale = scale * 10.0 ** rng.uniform(-1, 1, (1, *shape[1:])[: len(shape)])
    scale = np.array(np.broadcast_to(scale, shape))
    if scale.size > 1:
        scale[1] = 0.0
    found = [np.array(rng.normal(size=shape) * scale, dtype) for _ in range(STEPS)]
    for k, g in enumerate(found):
        if g.size > 1:
            g.flat[k::11] = 0.0
    return found


def matrix(array: Array) -> Array:
    """The first dimension against the rest, which is what a rule sees of more than two."""
    return array.reshape(len(array), -1) if array.ndim > 2 else array


def as_matrix(foreign: Foreign) -> Foreign:
    """The same optimizer on matrices: it would factor the last two dimensions, or the longest."""

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        found = foreign(matrix(p), [matrix(g) for g in grads], hypers)
        back = {"p": p.shape, "r": (len(p),) + (1,) * len(p.shape[1:]), "c": (1, *p.shape[1:])}
        return [{k: v.reshape(back[k]) for k, v in step.items()} for step in found]

    return lambda p, grads, hypers: (run if p.ndim > 2 else foreign)(p, grads, hypers)


def by_reference(rule: Callable[..., Any], p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """The rule in float64, line by line."""
    run, trace = Reference(parse(rule), p, **hypers), []
    for g in grads:
        run.step(g)
        trace.append({"p": run.p, **run.state})
    return trace


def alone(package: str, folder: str, name: str) -> Any:
    """One module of a package without what is beside it; skips where the package is missing."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    shell = ModuleType(f"{package}_alone")
    shell.__path__ = [f"{found.submodule_search_locations[0]}/{folder}"]
    sys.modules.setdefault(shell.__name__, shell)
    return importlib.import_module(f"{shell.__name__}.{name}")


def timm(name: str) -> Any:
    """One module of `timm.optim`, without the models beside it."""
    return alone("timm", "optim", name)


def timm_lamb(*args: Any, **hypers: Any) -> Any:
    """LAMB as in timm, but without the clipping and the exception that optax does not have."""
    made = partial(timm("lamb").Lamb, max_grad_norm=None, always_adapt=True, foreach=False)
    return made(*args, **hypers)


def timm_cautious(*args: Any, **hypers: Any) -> Any:
    """Cautious AdamW as in timm."""
    return timm("adamw").AdamWLegacy(*args, caution=True, foreach=False, **hypers)


def torch_adafactor(parameters: Any, eps1: float | None = None, eps2: float = 1e-3, **hypers: Any):
    """Adafactor as in torch."""
    return torch.optim.Adafactor(parameters, eps=(eps1, eps2), foreach=False, **hypers)


def factors(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """The two factors of torch's Adafactor; of a vector, its one mean."""
    state = optimizer.state[parameter]
    if "variance" in state:
        return {"r": state["variance"]}
    return {"r": state["row_var"], "c": state["col_var"]}


def optax_adafactor(learning_rate: float, decay_rate: float = 0.8, **hypers: float) -> Any:
    """The parts of `optax.adafactor`, with the power of t in the precision of the rest.

    By itself it computes that in float32, and then factors no side shorter than 128.
    """
    factored = optax.scale_by_factored_rms(
        decay_rate=decay_rate,
        min_dim_size_to_factor=1,
        epsilon=hypers.get("eps", 1e-30),
        decay_rate_fn=lambda i, exponent: 1.0 - (i + 1.0) ** -exponent,
    )
    return optax.chain(
        factored,
        optax.clip_by_block_rms(hypers.get("limit", 1.0)),
        optax.scale_by_learning_rate(learning_rate, flip_sign=False),
        optax.scale_by_param_block_rms(),
        optax.add_decayed_weights(hypers.get("weight_decay", 0.0)),
        optax.scale(-1),
    )


class Case(NamedTuple):
    """A rule, somebody else's optimizer, and what both are run with."""

    rule: Callable[..., Any]
    foreign: Foreign
    sets: tuple[Hypers, ...]


PLAIN = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.0}
FAST = {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "eps": 1e-4, "weight_decay": 0.1}
LAMBS = (PLAIN, FAST)
FACTORS = (
    {"lr": 1e-2, "beta2_decay": -0.8, "eps1": 1e-7, "eps2": 1e-3, "d": 1.0},
    {"lr": 0.3, "beta2_decay": -0.5, "eps1": 1e-3, "eps2": 1e-1, "d": 1.25, "weight_decay": 0.1},
)
CASES = {
    "lamb-optax": Case(
        own.lamb,
        of_optax(
            optax.lamb, {"beta1": "b1", "beta2": "b2"}, lambda s: {"m": s[0].mu, "v": s[0].nu}
        ),
        LAMBS,
    ),
    "lamb-timm": Case(own.lamb, of_torch(timm_lamb, BETAS, MOMENTS), LAMBS),
    "adafactor-torch": Case(
        own.adafactor, as_matrix(of_torch(torch_adafactor, {}, factors)), FACTORS
    ),
    "adafactor-optax": Case(
        own.adafactor_of_optax,
        as_matrix(of_optax(optax_adafactor, {}, lambda state: {})),
        (
            {"lr": 1e-2},
            {"lr": 0.3, "decay_rate": 0.5, "eps": 1e-6, "limit": 0.5, "weight_decay": 0.01},
        ),
    ),
    "cautious-timm": Case(own.cautious, of_torch(timm_cautious, BETAS, MOMENTS), LAMBS),
    "cautious-lion": Case(
        own.cautious_lion,
        of_torch(partial(peers.Lion, cautious=True), BETAS, {"m": "exp_avg"}),
        ({"lr": 0.01, "beta1": 0.9, "beta2": 0.99}, {"lr": 0.1, "beta1": 0.5, "beta2": 0.8}),
    ),
}
