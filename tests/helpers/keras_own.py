"""Keras' own tests of its optimizers, run against the classes that `adamas` makes of Keras' names.

Each file of Keras names its class once, so that another can stand there.
"""

import importlib
import io
import unittest
import warnings

import keras

from adamas.homes.keras import OWN
from adamas.keras.classes import make

FILES = {name: name.lower() for name in OWN}
CLASSES = {
    name: keras.saving.register_keras_serializable("adamas.own", name)(
        make(signature, "adamas.keras")
    )
    for name, signature in OWN.items()
}
"""Keras' defaults and formulas, stepped by adamas."""


def outcomes() -> dict[str, str]:
    """The text of every test's failure, empty where it passed, by "file: test"."""
    found = {}
    for name, file in FILES.items():
        module = importlib.import_module(f"keras.src.optimizers.{file}_test")
        setattr(module, name, CLASSES[name])
        case = getattr(module, f"{name}Test")
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(case):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = unittest.TextTestRunner(stream=io.StringIO()).run(test)
            texts = [text for _, text in (*result.failures, *result.errors)]
            found[f"{file}: {test.id().rpartition('.')[2]}"] = "\n".join(texts)
    return found
