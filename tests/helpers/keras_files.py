"""Writes files of Keras into a folder and prints norms of what they hold; run by a test."""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

import adamas.keras


def trained(optimizer: keras.optimizers.Optimizer) -> keras.Model:
    """A model after two steps."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="fc")])
    model.compile(optimizer, loss="mse")
    for _ in range(2):
        model.train_on_batch(np.ones((8, 4)), np.ones((8, 3)))
    return model


if __name__ == "__main__":
    folder = sys.argv[1]
    model = trained(keras.optimizers.Adam(1e-2))
    model.save(f"{folder}/own.keras")
    ours = trained(adamas.keras.AdamW(1e-2))
    ours.save_weights(f"{folder}/ours.weights.h5")
    kernel, momentum = model.trainable_variables[0], model.optimizer.variables[2]
    found = {"kernel": kernel, "momentum": momentum}
    print(json.dumps({name: float(np.linalg.norm(np.asarray(v))) for name, v in found.items()}))
