"""Files of `adamas.keras`: bit for bit, by name, and into other homes; checks of one backend."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
import adamas.keras
from home_runs import Adamas, Keras, sample, trained
from keras_fitting import model
from keras_saving import makers, numbers, train

NAME = "run.safetensors"


def own(net: Any) -> Any:
    """The optimizer of adamas in a model."""
    return getattr(net.optimizer, "inner_optimizer", net.optimizer)


def params(net: Any) -> dict[str, Any]:
    """The variables of a model by their paths."""
    return {v.path: v for v in net.variables}


def check_a_file_continues_exactly() -> None:
    """What a file holds, with parameters beside it, trains on as the model would have."""
    with tempfile.TemporaryDirectory() as folder:
        for name, make in makers().items():
            place = Path(folder) / name
            net = model(optimizer=make())
            train(net, 1)
            own(net).save(place, params(net), {"epoch": 1}, background=True).wait()
            other = model(optimizer=make())
            # A file may come before there are variables, and after.
            if name == "amsgrad":
                other.optimizer.build(other.trainable_variables)
            file = own(other).load(place)
            for variable, saved in zip(other.variables, file.params.values(), strict=True):
                variable.assign(saved)
            other.optimizer.build(other.trainable_variables)
            assert file.extra == {"epoch": 1} and file.home == "adamas.keras"
            if name == "own":
                # The scale of losses is the wrapper's, which no file of ours holds.
                continue
            for net_of in (net, other):
                train(net_of, 1)
            pairs = zip(numbers(net), numbers(other), strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs), name


def check_what_does_not_fit_changes_nothing() -> None:
    """Another rule, other shapes, a spoilt file: an error with the path, and no change."""
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, NAME)
        run = Keras(adamas.keras.AdamW)
        trained(run, *sample("float32", 3))
        run.source.save(place)
        others = {"rule": Keras(adamas.keras.Lion), "shape": Keras(adamas.keras.AdamW)}
        others["rule"].start(sample("float32", 1)[0])
        others["shape"].start([np.ones((5, 3), "f4"), np.ones(7, "f4")])
        for other in others.values():
            before = other.saved()
            with pytest.raises(ValueError, match=NAME):
                other.source.load(place)
            assert all(np.array_equal(a, b) for a, b in zip(other.saved(), before, strict=True))
        with pytest.raises(ValueError, match="no variables yet"):
            adamas.keras.AdamW().save(place)
        data = Path(place).read_bytes()
        for wrong in (data[:-1], data.replace(b'\\"paths\\"', b'\\"pathz\\"')):
            Path(place).write_bytes(wrong)
            with pytest.raises(ValueError, match=NAME):
                run.source.load(place)


def check_files_go_to_other_homes() -> None:
    """Arrays go on from a file of Keras, and Keras from one of arrays, as at home."""
    start, grads = sample("float32", 6)
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, NAME)
        for first, second in (
            (Keras(adamas.keras.AdamW, learning_rate=1e-2), Adamas(adamas.rules.adamw)),
            (Adamas(adamas.rules.adamw, lr=1e-2), Keras(adamas.keras.AdamW)),
        ):
            half = trained(first, start, grads[:3])
            first.source.save(place)
            second.start(half)
            second.source.load(place)
            for one in grads[3:]:
                first.step(one)
                second.step(one)
            for a, b in zip(second.params(), first.params(), strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=2e-6 * np.abs(b).max())
            names = [json.dumps(one) for one in adamas.open_file(place).parameters]
            assert names == ['"w"', '"b"']
