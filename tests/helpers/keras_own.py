"""Keras' own tests of its optimizers, run against subclasses of those of `adamas.keras`.

Each file of Keras names its class once, so that another can stand there. The tests compare numbers
that Keras' defaults give, and so each subclass has Keras' defaults in place of ours; those of SGD,
Adagrad, RMSprop, Adam, AdamW and Adamax choose among the dialects that Keras computes, too, while
Adadelta, Nadam and Lion step by the rules that ship.
"""

import importlib
import io
import unittest
import warnings
from dataclasses import replace
from typing import Any

import keras

import adamas.keras
from adamas.homes.keras import OWN
from adamas.keras.classes import make

FILES = {name: name.lower() for name in OWN}
SHIPPED = ("Adadelta", "Nadam", "Lion")
"""Where Keras' formula is the rule that ships."""


def _like_keras(name: str) -> Any:
    """The class of adamas.keras with the defaults of Keras, and its dialects where it has some."""
    kind, own = getattr(adamas.keras, name), OWN[name]
    choose = kind.signature.choose if name in SHIPPED else own.choose
    signature = replace(kind.signature, name=name, defaults=own.defaults, choose=choose)
    made = type(name, (make(signature, "adamas.keras"), kind), {})
    return keras.saving.register_keras_serializable("adamas.own", name)(made)


CLASSES = {name: _like_keras(name) for name in OWN}


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
