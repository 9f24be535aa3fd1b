"""Run a rule as it stands on float64 arrays, and run somebody else's optimizer beside it.

Both sides get the same starting point and the same gradients, and leave a trace: one dict a step,
with the parameter under "p" and every state under the name that the rule gives it. Nothing of
adamas but the rule itself takes part, so a difference is a difference between two formulas.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

torch: Any = importlib.import_module("torch")
jax: Any = importlib.import_module("jax")

Array = NDArray[np.float64]
Hypers = Mapping[str, float]
Trace = list[dict[str, Array]]
Gradient = Callable[[int, Array], Array]
# One side of a comparison: starting point, gradients and hyper-parameters in, trace out.
Foreign = Callable[[Array, list[Array], Hypers], Trace]

SIZE = 12
STEPS = 60


def start(seed: int) -> Array:
    """Return a starting point of SIZE numbers."""
    return np.random.default_rng(seed).normal(size=SIZE)


def noise(seed: int) -> Gradient:
    """Random gradients of sizes 1e-3 to 1e2; the first coordinate's is always 0."""
    rng = np.random.default_rng([seed, 1])
    scale = np.logspace(-3, 2, SIZE)
    scale[0] = 0.0
    return lambda t, p: rng.normal(size=SIZE) * scale


def quadratic(seed: int) -> Gradient:
    """The gradient of a convex quadratic with curvatures from 0.1 to 10."""
    centre = np.random.default_rng([seed, 2]).normal(size=SIZE)
    curvature = np.logspace(-1, 1, SIZE)
    return lambda t, p: curvature * (p - centre)


PROBLEMS = {"noise": noise, "quadratic": quadratic}


def states_of(rule: Callable[..., Any]) -> dict[str, float]:
    """The names and initial values of a rule's states."""
    positional = [
        q for q in inspect.signature(rule).parameters.values() if q.kind != q.KEYWORD_ONLY
    ]
    return {q.name: 0.0 if q.default is q.empty else q.default for q in positional[2:]}


def hypers_of(rule: Callable[..., Any]) -> dict[str, float]:
    """The hyper-parameters of a rule and their defaults, without t and the numbers of a shape."""
    parameters = inspect.signature(rule).parameters.values()
    named = [q for q in parameters if q.kind == q.KEYWORD_ONLY]
    return {q.name: q.default for q in named if q.default is not q.empty}


def step(
    rule: Callable[..., Any], t: int, g: Array, before: Mapping[str, Any], hypers: Hypers
) -> dict[str, Array]:
    """Take one step of a vector from p and its states; a NaN or an infinity made is an error."""
    states = states_of(rule)
    numbers = {"t": t, "rows": np.size(before["p"]), "columns": 1}
    given = {k: v for k, v in numbers.items() if k in inspect.signature(rule).parameters}
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        out = rule(before["p"], g, *(before[name] for name in states), **hypers, **given)
    return dict(zip(["p", *states], out if states else [out], strict=True))


def ours(
    rule: Callable[..., Any], p: Array, gradient: Gradient, hypers: Hypers
) -> tuple[list[Array], Trace]:
    """Run a rule for STEPS steps; return its gradients and its trace."""
    grads: list[Array] = []
    trace: Trace = []
    now: dict[str, Any] = {"p": p, **states_of(rule)}
    for t in range(1, STEPS + 1):
        grads.append(gradient(t, now["p"]))
        now = step(rule, t, grads[-1], now, hypers)
        trace.append(now)
    return grads, trace


def distance(mine: Trace, theirs: Trace) -> dict[str, float]:
    """The largest difference of each thing both traces have, relative to its largest value.

    Values are compared coordinate by coordinate, each to its own largest value over all steps.
    """
    assert len(mine) == len(theirs)
    out = {}
    for name in theirs[0]:
        a = np.stack([np.broadcast_to(step[name], step["p"].shape) for step in mine])
        b = np.stack([np.broadcast_to(step[name], step["p"].shape) for step in theirs])
        size = np.maximum(np.abs(b).max(axis=0), np.finfo(np.float64).tiny)
        out[name] = float((np.abs(a - b) / size).max())
    return out


def spell(hypers: Hypers, names: Mapping[str, str | tuple[str, int]]) -> dict[str, Any]:
    """Rename hyper-parameters; ("betas", 1) is a place in a tuple. Others keep their names."""
    plain: dict[str, Any] = {}
    tuples: dict[str, dict[int, float]] = {}
    for name, value in hypers.items():
        match names.get(name, name):
            case (theirs, place):
                tuples.setdefault(theirs, {})[place] = value
            case theirs:
                plain[str(theirs)] = value
    return plain | {k: tuple(v[i] for i in sorted(v)) for k, v in tuples.items()}


@contextmanager
def float64_by_default() -> Iterator[None]:
    """Let torch keep its own numbers in float64 too, such as NAdam's product of momenta."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def copied(value: Any) -> Array:
    """Copy a tensor or a number, which the next step would overwrite."""
    return np.array(value.numpy() if torch.is_tensor(value) else value)


def of_torch(
    make: Callable[..., Any],
    names: Mapping[str, str | tuple[str, int]],
    read: Mapping[str, str] | Callable[[Any, Any], dict[str, Any]],
) -> Foreign:
    """Wrap a `torch.optim.Optimizer`; `read` maps our state names to its own, or reads them."""

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        trace: Trace = []
        with float64_by_default():
            parameter = torch.tensor(p)
            optimizer = make([parameter], **spell(hypers, names))
            for g in grads:
                parameter.grad = torch.tensor(g)
                optimizer.step()
                if callable(read):
                    found = read(optimizer, parameter)
                else:
                    found = {k: optimizer.state[parameter][v] for k, v in read.items()}
                trace.append({k: copied(v) for k, v in {"p": parameter, **found}.items()})
        return trace

    return run


def of_optax(
    make: Callable[..., Any], names: Mapping[str, str], read: Callable[[Any], dict[str, Any]]
) -> Foreign:
    """Wrap an optax transformation in float64; `read` takes our states out of its state."""

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        trace: Trace = []
        with jax.enable_x64(True):
            transformation = make(**spell(hypers, {"lr": "learning_rate", **names}))
            update = jax.jit(transformation.update)
            x, state = jax.numpy.asarray(p), transformation.init(jax.numpy.asarray(p))
            for g in grads:
                delta, state = update(jax.numpy.asarray(g), state, x)
                x = x + delta
                trace.append({k: np.array(v) for k, v in {"p": x, **read(state)}.items()})
        return trace

    return run
