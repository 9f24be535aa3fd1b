"""One rule, six homes: the same hundred steps in NumPy, PyTorch, JAX, Keras and SciPy, compared.

The rule is the one in `growing.py`: two states of every number, a bias correction, and a state
that is one number for the whole tensor. Each home starts from the same 257 numbers and is given the
same hundred gradients, in float32 (SciPy has float64 only). Printed is how far it ends from the
float64 run of the same rule, in norm and by the farthest single number, |a - b| / (|b| + 1e-3), and
by that from NumPy's end; all in one digit, rounded up.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from growing import growing

EXAMPLES = """examples:
  python examples/six_homes.py                  all homes that are installed, half a minute
  python examples/six_homes.py --homes JAX SciPy
"""
Array = np.ndarray[Any, np.dtype[Any]]
NUMBERS, STEPS, LR = 257, 100, 1e-2


def drawn() -> tuple[Array, Array]:
    """Where everybody starts, and the gradients of all steps."""
    generator = np.random.default_rng(0)
    start = generator.standard_normal(NUMBERS, np.float32)
    return start, generator.standard_normal((STEPS, NUMBERS), np.float32)


def in_numpy(start: Array, gradients: Array) -> Array:
    """The kernel that is compiled of the rule, in place."""
    p = start.copy()
    optimizer = growing(p, lr=LR)
    for g in gradients:
        optimizer.step(g)
    return p


def in_torch(start: Array, gradients: Array) -> Array:
    """The same kernel on the memory of a tensor."""
    import torch

    from adamas.torch import optimizer

    p = torch.nn.Parameter(torch.tensor(start))
    stepping = optimizer(growing)([p], lr=LR)
    for g in gradients:
        p.grad = torch.tensor(g)
        stepping.step()
    return p.detach().numpy()


def in_jax(start: Array, gradients: Array) -> Array:
    """An optax transformation, jitted."""
    import jax
    import optax

    from adamas.jax import transform

    tx = transform(growing)(lr=LR)

    @jax.jit
    def step(p: Any, state: Any, g: Any) -> Any:
        updates, state = tx.update(g, state, p)
        return optax.apply_updates(p, updates), state

    p, state = start, tx.init(start)
    for g in gradients:
        p, state = step(p, state, g)
    return np.asarray(p)


def in_keras(start: Array, gradients: Array) -> Array:
    """An optimizer of Keras, on the backend of this process."""
    import keras

    from adamas.keras import optimizer

    p = keras.Variable(start)
    stepping = optimizer(growing)(learning_rate=LR)
    for g in gradients:
        stepping.apply([keras.ops.convert_to_tensor(g)], [p])
    return np.asarray(keras.ops.convert_to_numpy(p))


def in_scipy(start: Array, gradients: Array) -> Array:
    """A method of `scipy.optimize.minimize`."""
    from scipy.optimize import minimize

    from adamas.scipy import method

    # It is asked for one more gradient, that of the answer.
    given = iter([*gradients, gradients[-1]])
    options = {"lr": LR, "maxiter": STEPS}
    found = minimize(
        lambda x: 0.0, start, jac=lambda x: next(given), method=method(growing), options=options
    )
    return np.asarray(found.x)


class Home(NamedTuple):
    """What runs there, the packages that it needs, and the extra of adamas that installs them.

    `backend` is Keras' one, which is chosen when Keras is imported: each has its own process.
    """

    run: Callable[[Array, Array], Array]
    needs: tuple[str, ...] = ()
    extra: str = ""
    backend: str = ""


HOMES = {
    "NumPy": Home(in_numpy),
    "PyTorch": Home(in_torch, ("torch",), "torch"),
    "JAX": Home(in_jax, ("jax", "optax"), "jax"),
    "Keras on TensorFlow": Home(in_keras, ("keras", "tensorflow"), "keras", "tensorflow"),
    "Keras on JAX": Home(in_keras, ("keras", "jax"), "keras", "jax"),
    "Keras on PyTorch": Home(in_keras, ("keras", "torch"), "keras", "torch"),
    "SciPy": Home(in_scipy, ("scipy",), "scipy"),
}


def apart(name: str) -> Array:
    """What a home ends at, run in a process of its own."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": ""}
    backend = {"KERAS_BACKEND": HOMES[name].backend}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "end.npy")
        command = [sys.executable, __file__, "--homes", name, "--save", str(file)]
        subprocess.run(command, check=True, env={**os.environ, **quiet, **backend})
        return np.asarray(np.load(file))


def ends(names: list[str]) -> Iterator[tuple[str, Array]]:
    """Each home that is installed and where it ends; says which are left out, and why."""
    for name in names:
        home = HOMES[name]
        if missing := [package for package in home.needs if find_spec(package) is None]:
            print(f"{name} is left out: no {missing[0]}; pip install 'adamas[{home.extra}]'")
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        yield name, apart(name) if home.backend else home.run(*drawn())


def far(a: Array, b: Array) -> tuple[float, float]:
    """How far `a` is from `b`: in norm, and the farthest single number."""
    apart = a.astype(np.float64) - b
    largest = np.max(np.abs(apart) / (np.abs(b) + 1e-3))
    return float(np.linalg.norm(apart) / np.linalg.norm(b)), float(largest)


def exact() -> Array:
    """Where the rule ends in float64."""
    start, gradients = drawn()
    return in_numpy(start.astype(np.float64), gradients.astype(np.float64))


def up(value: float) -> str:
    """A distance in one digit, rounded up."""
    if not value:
        return "0"
    unit = 10.0 ** math.floor(math.log10(value))
    return f"{math.ceil(value / unit) * unit:.0e}"


def main() -> None:
    """Run the homes and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    homes, which = list(HOMES), f"some of {', '.join(HOMES)} (default: all)"
    add("--homes", nargs="+", choices=homes, default=homes, metavar="HOME", help=which)
    add("--save", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.save:
        np.save(given.save, HOMES[given.homes[0]].run(*drawn()))
        return
    print("| home | from float64, in norm | farthest number | farthest from NumPy |")
    print("|---|---:|---:|---:|")
    wide, ours = exact(), in_numpy(*drawn())
    for name, end in ends(given.homes):
        figures = [*far(end, wide), far(end, ours)[1]]
        print(f"| {name} | {' | '.join(map(up, figures))} |", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
