"""Whose optimizers the rules with reductions are compared with, and how each side is run."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from foreign import Foreign, Hypers, Trace

torch: Any = importlib.import_module("torch")
optax: Any = importlib.import_module("optax")
peers: Any = importlib.import_module("pytorch_optimizer")
came_pytorch: Any = importlib.import_module("came_pytorch")
prodigyopt: Any = importlib.import_module("prodigyopt")

Array = NDArray[Any]
STEPS = 50
# Tall, wide, square, a vector, one number, and four dimensions.
SHAPES: list[tuple[int, ...]] = [(200, 3), (3, 200), (64, 64), (257,), (), (8, 4, 3, 3)]
BETAS: dict[str, str | tuple[str, int]] = {f"beta{k + 1}": ("betas", k) for k in range(3)}
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
        rows, columns = (len(p),) + (1,) * len(p.shape[1:]), (1, *p.shape[1:])
        kept = {"r": rows, "r_res": rows, "c": columns, "c_res": columns}
        return [{k: v.reshape(kept.get(k, p.shape)) for k, v in step.items()} for step in found]

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


def timm_lars(*args: Any, **hypers: Any) -> Any:
    """LARS as in timm, also without decay; the ratio has no eps."""
    return timm("lars").Lars(*args, eps=0.0, always_adapt=True, foreach=False, **hypers)


def steps_of(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """The momentum of timm's LARS with its lr, which is constant here."""
    return {"m": optimizer.defaults["lr"] * optimizer.state[parameter]["momentum_buffer"]}


def timm_mars(*args: Any, **hypers: Any) -> Any:
    """MARS as in timm, of vectors too."""
    return timm("mars").Mars(*args, optimize_1d=True, **hypers)


def stable(*args: Any, **hypers: Any) -> Any:
    """StableAdamW as in pytorch_optimizer."""
    return peers.StableAdamW(*args, kahan_sum=False, foreach=False, **hypers)


def came_state(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """The momentum and the four factors of CAME; of a vector, momentum and second moment."""
    state = optimizer.state[parameter]
    if "exp_avg_sq" in state:
        return {"m": state["exp_avg"], "r": state["exp_avg_sq"]}
    names = {"r": "exp_avg_sq_row", "r_res": "exp_avg_res_row"}
    rows = {ours: state[theirs][..., None] for ours, theirs in names.items()}
    names = {"c": "exp_avg_sq_col", "c_res": "exp_avg_res_col"}
    columns = {ours: state[theirs][..., None, :] for ours, theirs in names.items()}
    return {"m": state["exp_avg"], **rows, **columns}


def prodigy_state(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """The states of Prodigy; what is flat has the parameter's shape here."""
    state, group = optimizer.state[parameter], optimizer.param_groups[0]
    flat = {name: state[name].reshape(parameter.shape) for name in ("s", "p0")}
    kept = {"m": state["exp_avg"], "v": state["exp_avg_sq"]}
    return {**kept, **flat, "d": group["d"], "d_numerator": group["d_numerator"]}


def prodigy_of_optax(
    learning_rate: float, b1: float, b2: float, d0: float = 1e-6, **hypers: float
) -> Any:
    """Prodigy as in optax."""
    return optax.contrib.prodigy(learning_rate, (b1, b2), estim_lr0=d0, **hypers)


def hyperball(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """AdamH by its published formula, in NumPy: Adam's direction, scaled and put back.

    emerging-optimizers, which has the form for Muon, needs Python 3.12.
    """
    b1, b2 = hypers["beta1"], hypers["beta2"]
    length = np.linalg.norm
    m, v, radius, trace = np.zeros_like(p), np.zeros_like(p), length(p), []
    for t, g in enumerate(grads, start=1):
        m, v = m + (1 - b1) * (g - m), v + (1 - b2) * (g**2 - v)
        u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + hypers["eps"])
        moved = p - hypers["lr"] * radius * u / length(u) if length(u) else p
        p = (radius * moved / length(moved)).astype(p.dtype)
        trace.append({"p": p, "m": m, "v": v, "radius": radius})
    return trace


def optax_adafactor(
    learning_rate: float,
    beta2_decay: float = -0.8,
    eps1: float = 1e-30,
    d: float = 1.0,
    weight_decay: float = 0.0,
) -> Any:
    """The parts of `optax.adafactor`, with the power of t in the precision of the rest.

    By itself it computes that in float32, and then factors no side shorter than 128.
    """
    factored = optax.scale_by_factored_rms(
        decay_rate=-beta2_decay,
        min_dim_size_to_factor=1,
        epsilon=eps1,
        decay_rate_fn=lambda i, exponent: 1.0 - (i + 1.0) ** -exponent,
    )
    return optax.chain(
        factored,
        optax.clip_by_block_rms(d),
        optax.scale_by_learning_rate(learning_rate, flip_sign=False),
        optax.scale_by_param_block_rms(),
        optax.add_decayed_weights(weight_decay),
        optax.scale(-1),
    )
