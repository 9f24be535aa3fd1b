"""An optimizer of each home behind one form: start, step, save, load, so that runs can be joined.

A `Run` trains the same arrays with the same gradients; `going_on` converts in the middle. Imports
of a framework are where it is used: who asks for torch does not wait for Keras.
"""

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from adamas import Optimizer, convert

Array = NDArray[Any]
NAMES = ("w", "b")
SHAPES: Sequence[tuple[int, ...]] = ((3, 5), (7,))
# Of rules that step along whole matrices, and of libraries that refuse anything else.
MATRICES: Sequence[tuple[int, ...]] = ((3, 5), (7, 4))
HALF = 20


class Run(Protocol):
    """One optimizer at work, of parameters of these shapes.

    `source` and `target` are what `convert` is given of it.
    """

    source: Any
    shapes: Sequence[tuple[int, ...]]

    def start(self, params: Sequence[Array]) -> None:
        """Begin anew with these parameters."""

    def step(self, grads: Sequence[Array]) -> None:
        """One step."""

    def params(self) -> list[Array]:
        """Copies of the parameters."""

    def saved(self) -> Any:
        """The state, in memory of its own."""

    def target(self) -> Any:
        """What `convert` fills."""

    def load(self, converted: Any) -> None:
        """Take over what `convert` made."""


class Torch:
    """`torch.optim`, `adamas.torch` and what is made like them."""

    def __init__(self, make: Callable[..., Any], shapes: Any = SHAPES, **options: Any) -> None:
        self.make, self.options, self.shapes = make, options, shapes

    def start(self, params: Sequence[Array]) -> None:
        """Parameters by name."""
        import torch

        self.held = [torch.nn.Parameter(torch.tensor(one)) for one in params]
        self.source = self.make(list(zip(NAMES, self.held, strict=True)), **self.options)
        if hasattr(self.source, "train"):
            self.source.train()

    def step(self, grads: Sequence[Array]) -> None:
        """One step."""
        import torch

        for p, g in zip(self.held, grads, strict=True):
            p.grad = torch.tensor(g)
        self.source.step()

    def params(self) -> list[Array]:
        """Copies of the parameters."""
        return [p.detach().numpy().copy() for p in self.held]

    def saved(self) -> Any:
        """A copy of the state dict."""
        return copy.deepcopy(self.source.state_dict())

    def target(self) -> Any:
        """The optimizer."""
        return self.source

    def load(self, converted: Any) -> None:
        """As torch loads."""
        self.source.load_state_dict(converted)


@functools.cache
def _compiled(source: str) -> tuple[Any, Any]:
    """What a text of optax or of adamas.jax makes, and its compiled step: one for all its runs."""
    import jax
    import optax

    import adamas.jax

    names = {"optax": optax, "adamas": adamas, "contrib": optax.contrib}
    name = source.partition("(")[0]
    home = "contrib." if not hasattr(optax, name.rpartition(".")[2]) else "optax."
    text = source.replace("optax.", home, 1) if name.startswith("optax.") else source
    tx: Any = eval(text, names)

    @jax.jit
    def stepped(grads: Any, state: Any, params: Any) -> tuple[Any, Any]:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    return tx, stepped


class Optax:
    """A function of optax, or of adamas.jax, by its text."""

    def __init__(self, source: str, shapes: Any = SHAPES) -> None:
        self.source, self.shapes = source, shapes

    def start(self, params: Sequence[Array]) -> None:
        """A dict of arrays."""
        import jax.numpy as jnp

        tx, self.stepped = _compiled(self.source)
        self.held = dict(zip(NAMES, map(jnp.asarray, params), strict=True))
        self.state = tx.init(self.held)

    def step(self, grads: Sequence[Array]) -> None:
        """One step."""
        named = dict(zip(NAMES, grads, strict=True))
        self.held, self.state = self.stepped(named, self.state, self.held)

    def params(self) -> list[Array]:
        """Copies of the parameters."""
        return [np.array(self.held[name]) for name in NAMES]

    def saved(self) -> Any:
        """The state."""
        return self.state

    def target(self) -> Any:
        """The pair of the text and a state."""
        return self.source, self.state

    def load(self, converted: Any) -> None:
        """A state is just another one."""
        self.state = converted


class Keras:
    """A class of `keras.optimizers`, or of `adamas.keras`."""

    shapes = SHAPES

    def __init__(self, make: Callable[..., Any], **options: Any) -> None:
        self.make, self.options = make, options

    def start(self, params: Sequence[Array]) -> None:
        """Variables of the dtype that the arrays have."""
        import keras

        self.held = [
            keras.Variable(one, name=name, dtype=one.dtype.name)
            for name, one in zip(NAMES, params, strict=True)
        ]
        self.source = self.make(**self.options)
        self.source.build(self.held)

    def step(self, grads: Sequence[Array]) -> None:
        """One step."""
        import keras

        self.source.apply([keras.ops.convert_to_tensor(g) for g in grads], self.held)

    def params(self) -> list[Array]:
        """Copies of the parameters."""
        return [np.array(one.numpy()) for one in self.held]

    def saved(self) -> Any:
        """The variables, as a file holds them."""
        return [np.array(variable.numpy()) for variable in self.source.variables]

    def target(self) -> Any:
        """The optimizer."""
        return self.source

    def load(self, converted: Any) -> None:
        """As a file is loaded."""
        self.source.load_own_variables(converted)


class Adamas:
    """`adamas.Optimizer` by any rule."""

    def __init__(self, rule: Any, shapes: Any = SHAPES, **options: Any) -> None:
        self.rule, self.options, self.shapes = rule, options, shapes

    def start(self, params: Sequence[Array]) -> None:
        """Arrays by name."""
        self.held = {name: np.array(one) for name, one in zip(NAMES, params, strict=True)}
        self.source = Optimizer(self.rule, self.held, threads=1, **self.options)

    def step(self, grads: Sequence[Array]) -> None:
        """One step."""
        self.source.step(dict(zip(NAMES, grads, strict=True)))

    def params(self) -> list[Array]:
        """Copies of the parameters."""
        return [self.held[name].copy() for name in NAMES]

    def saved(self) -> Any:
        """The state dict."""
        return self.source.state_dict()

    def target(self) -> Any:
        """The optimizer."""
        return self.source

    def load(self, converted: Any) -> None:
        """As adamas loads."""
        self.source.load_state_dict(converted)


def sample(
    dtype: str, steps: int = 2 * HALF, seed: int = 0, shapes: Sequence[tuple[int, ...]] = SHAPES
) -> tuple[list[Array], Any]:
    """Parameters and the gradients of some steps, equal for all homes."""
    random = np.random.default_rng(seed)
    params = [random.normal(size=shape).astype(dtype) for shape in shapes]
    grads = [[random.normal(size=shape).astype(dtype) for shape in shapes] for _ in range(steps)]
    return params, grads


def trained(run: Run, params: Sequence[Array], grads: Any) -> list[Array]:
    """The parameters after these gradients, from a fresh start."""
    run.start(params)
    for one in grads:
        run.step(one)
    return run.params()


@dataclass
class Trained:
    """Forty steps at one home: the parameters and the state at half of them, and the end."""

    source: Any
    half: list[Array]
    state: Any
    whole: list[Array]


def forty(run: Run, dtype: str = "float64") -> Trained:
    """Forty steps by `run`."""
    params, grads = sample(dtype, shapes=run.shapes)
    half = trained(run, params, grads[:HALF])
    state = run.saved()
    for one in grads[HALF:]:
        run.step(one)
    return Trained(run.source, half, state, run.params())


def going_on(first: Trained, second: Run, dtype: str = "float64", **how: Any) -> float:
    """How far twenty steps there and twenty here are from forty there, relative to the largest."""
    _, grads = sample(dtype, shapes=second.shapes)
    second.start(first.half)
    second.load(convert(first.state, first.source, second.target(), **how))
    for one in grads[HALF:]:
        second.step(one)
    pairs = list(zip(second.params(), first.whole, strict=True))
    assert all(np.isfinite(a).all() for a, _ in pairs)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)
