"""Saving and loading with `adamas.keras`: exact, by name, or refused."""

import copy
import pickle
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import adamas
import adamas.keras
from adamas.schedule import cosine
from keras_fitting import X, Y, model
from keras_numbers import values


@adamas.rule
def heavy(p, g, m, *, lr=1e-3, beta=0.9, weight_decay=0.0):  # type: ignore[no-untyped-def]
    """A user's own."""
    m = beta * m + g
    return p - lr * (m + weight_decay * p), m


def makers() -> dict[str, Any]:
    """Optimizers whose state differs in kind."""
    ours = adamas.keras
    own = ours.optimizer(heavy)
    return {
        "amsgrad": lambda: ours.Adam(0.05, amsgrad=True, state="bfloat16", seed=3,
                                     gradient_accumulation_steps=2),
        "nadam": lambda: ours.NAdam(cosine(0.05, steps=20), use_ema=True, weight_decay=0.1,
                                    exclude_from_weight_decay=["bias"]),
        "own": lambda: keras.optimizers.LossScaleOptimizer(own(0.05, weight_decay=0.1)),
    }  # fmt: skip


def train(net: Any, epochs: int) -> list[float]:
    """The losses of some epochs."""
    fit = net.fit(X, Y, batch_size=32, epochs=epochs, shuffle=False, verbose=0)
    losses: list[float] = fit.history["loss"]
    return losses


def numbers(net: Any) -> list[Any]:
    """Every number of a model and its optimizer, in float64, which holds all of them."""
    variables = (*net.variables, *net.optimizer.variables)
    return [ops.convert_to_numpy(v).astype(np.float64) for v in variables]


def save(folder: Path) -> None:
    """Models after one epoch, and what they are after three."""
    for name, make in makers().items():
        net = model(optimizer=make())
        train(net, 1)
        net.save(folder / f"{name}.keras")
        losses = train(net, 2)
        np.savez(folder / f"{name}.npz", *numbers(net), losses=losses)


def again(folder: Path) -> None:
    """Load what another process has saved, go on, and arrive at the same numbers."""
    # `makers` makes a class of `heavy`, which Keras then finds by its name.
    for name in makers():
        net = keras.models.load_model(folder / f"{name}.keras")
        losses = train(net, 2)
        expected = np.load(folder / f"{name}.npz")
        np.testing.assert_array_equal(losses, expected["losses"], err_msg=name)
        for k, found in enumerate(numbers(net)):
            np.testing.assert_array_equal(found, expected[f"arr_{k}"], err_msg=name)


def trained(
    optimizer: Any, steps: int = 3, names: str = "ab", shape: tuple[int, ...] = (4,)
) -> Any:
    """An optimizer that has stepped variables of these names."""
    variables = [keras.Variable(values(k, *shape), name=n) for k, n in enumerate(names)]
    for k in range(steps):
        grads = [ops.convert_to_tensor(values(k + 9, *shape)) for _ in variables]
        optimizer.apply(grads, variables) if k == 0 else optimizer.apply(grads)
    return optimizer


def stored(optimizer: Any) -> dict[str, Any]:
    """What it writes."""
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    return store


def refusal(optimizer: Any, store: dict[str, Any]) -> str:
    """The words with which it refuses a state, nothing of it changed."""
    before = [ops.convert_to_numpy(v) for v in optimizer.variables]
    with pytest.raises(ValueError, match="does not fit") as found:
        optimizer.load_own_variables(store)
    for one, variable in zip(before, optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, ops.convert_to_numpy(variable))
    return str(found.value)


def check_state_that_does_not_fit_is_refused() -> None:
    """Another rule, other names, counts, shapes or formats are named, and nothing is changed."""
    ours = adamas.keras
    adam = trained(ours.Adam(0.01))
    for store, words in (
        (stored(trained(ours.Lion(0.01))), "of the rule lion, and this is adam"),
        (stored(trained(ours.Adam(0.01), names="ac")), "'c_momentum'"),
        (stored(trained(ours.Adam(0.01), names="abc")), "has 8 variables, and this optimizer 6"),
        (stored(trained(ours.Adam(0.01), shape=(5,))), "shape (5,) there, and (4,) here"),
        (stored(trained(ours.Adam(0.01, amsgrad=True))), "of the rule amsgrad"),
        (stored(trained(keras.optimizers.Adam(0.01))), "another optimizer has written it"),
    ):
        assert words in refusal(adam, store), (words, refusal(adam, store))
    part = stored(adam)
    del part["3"]
    assert "'a_velocity' is named, and not there" in refusal(adam, part)
    few = trained(ours.Adam(0.01, state="bfloat16"))
    assert 'state="float32"' in refusal(few, stored(adam))


def check_the_escape_leaves_it_out() -> None:
    """With strict=False a state that does not fit is left out, with a warning that names it."""
    adam = trained(adamas.keras.Adam(0.01, strict=False))
    before = [ops.convert_to_numpy(v) for v in adam.variables]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adam.load_own_variables(stored(trained(adamas.keras.Lion(0.01))))
    assert "of the rule lion" in str(caught[-1].message)
    for one, variable in zip(before, adam.variables, strict=True):
        np.testing.assert_array_equal(one, ops.convert_to_numpy(variable))


def check_state_is_found_by_name() -> None:
    """Variables in another order get their own state."""
    first = trained(adamas.keras.Adam(0.01), names="ab")
    second = trained(adamas.keras.Adam(0.01), steps=1, names="ba")
    second.load_own_variables(stored(first))
    by_name = {v.name: ops.convert_to_numpy(v) for v in first.variables}
    for variable in second.variables:
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), by_name[variable.name])


def check_state_waits_for_variables() -> None:
    """A state loaded before there are variables is taken over, or refused, when they come."""
    first = trained(adamas.keras.ScheduleFreeAdamW(0.01))
    second = adamas.keras.ScheduleFreeAdamW(0.5)
    second.load_own_variables(stored(first))
    second.build([keras.Variable(values(k, 4), name=n) for k, n in enumerate("ab")])
    for one, other in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
    third = adamas.keras.ScheduleFreeAdamW(0.5)
    third.load_own_variables(stored(first))
    variable = keras.Variable(values(0, 5), name="a")
    # A second try does not train from zero, and what is saved is the state that waits.
    for act in (third.build, third.build, lambda these: third.apply([ops.ones(5)], these)):
        with pytest.raises(ValueError, match="does not fit"):
            act([variable])
    assert not third.built
    np.testing.assert_array_equal(stored(third)["3"], stored(first)["3"])
    third.build([keras.Variable(values(k, 4), name=n) for k, n in enumerate("ab")])
    assert int(third.iterations) == 3


def check_a_refused_state_stops_training() -> None:
    """A state that does not fit the model stops every `fit`; another rule is refused at once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "some.weights.h5"
        net = model(optimizer=adamas.keras.Adam(0.05))
        train(net, 1)
        net.save_weights(file)
        other = model(optimizer=adamas.keras.Lion(0.05))
        with pytest.raises(ValueError, match="of the rule adam, and this is lion"):
            other.load_weights(file)
        frozen = model(optimizer=adamas.keras.Adam(0.05))
        frozen.load_weights(file)
        frozen.layers[0].trainable = False
        before = [ops.convert_to_numpy(w) for w in frozen.trainable_variables]
        # Keras on TensorFlow cannot go on after any error in the first step of a model.
        for words in ("does not fit", "does not fit|OptionalFromValue"):
            with pytest.raises(ValueError, match=words):
                train(frozen, 1)
        for one, variable in zip(before, frozen.trainable_variables, strict=True):
            np.testing.assert_array_equal(one, ops.convert_to_numpy(variable))


def check_accumulated_gradients_are_counted_alike() -> None:
    """A state whose iterations count other numbers of gradients is refused."""
    two, three = (adamas.keras.Adam(0.01, gradient_accumulation_steps=n) for n in (2, 3))
    store = stored(trained(two, steps=4))
    assert "is 2 there, and 3 here" in refusal(trained(three), store)


def check_rules_of_one_name_are_told_apart() -> None:
    """A state of a user's rule does not go to another that is called so, of adamas or not."""

    def adam(p, g, m, v, *, lr=1e-3):  # type: ignore[no-untyped-def]
        return p - lr * (m + v), m + g, v + g * g

    def first() -> Any:
        def twin(p, g, m, *, lr=1e-3):  # type: ignore[no-untyped-def]
            m = 0.9 * m + g
            return p - lr * m, m

        return twin

    def second() -> Any:
        def twin(p, g, m, *, lr=1e-3):  # type: ignore[no-untyped-def]
            m = 0.5 * m - g
            return p - lr * m, m

        return twin

    make = adamas.keras.optimizer
    for one, other in ((make(first()), make(second())), (make(adam), adamas.keras.Adam)):
        told = refusal(trained(other(0.01)), stored(trained(one(0.01))))
        assert "computes something else" in told, told
    again = trained(make(first())(0.01), steps=1)
    again.load_own_variables(stored(trained(make(first())(0.01))))
    assert int(again.iterations) == 3


def check_numbers_in_own_names_are_names() -> None:
    """State of layers that were named with numbers is not given to others in their order."""
    ends = []
    for names in (("enc_1", "enc_2"), ("enc_2", "enc_3")):
        layers = [keras.layers.Dense(4, use_bias=False, name=name) for name in names]
        net = keras.Sequential([keras.Input((4,)), *layers], name="net")
        ends.append(adamas.keras.Adam(0.01))
        ends[-1].build(net.trainable_variables)
    told = refusal(ends[1], stored(ends[0]))
    assert "Only here: 'enc_3_kernel_momentum'" in told.replace("net_", ""), told


def check_weights_files_continue() -> None:
    """`save_weights` and `load_weights` continue exactly, whatever numbers the layers have."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "some.weights.h5"
        net = model(optimizer=adamas.keras.AdamW(0.05))
        train(net, 1)
        net.save_weights(file)
        losses = train(net, 1)
        other = model(optimizer=adamas.keras.AdamW(0.05))
        assert net.layers[0].name != other.layers[0].name
        other.load_weights(file)
        assert train(other, 1) == losses


def check_exclusions_are_kept() -> None:
    """Variables that do not decay are found by name, path or themselves, and once loaded."""
    ours = adamas.keras.AdamW
    decayed = {}
    for how in ("pattern", "path", "variable", "constructor"):
        one, other = keras.Variable([1.0], name="kernel"), keras.Variable([1.0], name="bias")
        with keras.name_scope("top"):
            third = keras.Variable([1.0], name="gamma")
        optimizer = ours(0.5, weight_decay=0.5)
        if how == "pattern":
            optimizer.exclude_from_weight_decay(var_names=["bias", "gam+a"])
        elif how == "path":
            optimizer.exclude_from_weight_decay(var_names=["top/", "bias"])
        elif how == "variable":
            optimizer.exclude_from_weight_decay(var_list=[other, third])
        else:
            optimizer = ours(0.5, weight_decay=0.5, exclude_from_weight_decay=["bias", "gamma"])
        revived = ours.from_config(optimizer.get_config())
        for kind in (optimizer, revived):
            for variable in (one, other, third):
                variable.assign([1.0])
            kind.apply([ops.zeros(1)] * 3, [one, other, third])
            decayed[how] = [float(ops.convert_to_numpy(v)[0]) for v in (one, other, third)]
            assert decayed[how] == [0.75, 1.0, 1.0], decayed
    with pytest.raises(ValueError, match="too late"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])
    alone = (ours(exclude_from_weight_decay="bias"), ours(), ours())
    alone[1].exclude_from_weight_decay(var_names="bias")
    alone[2].exclude_from_weight_decay(var_list=other)
    for kind in alone:
        kind.build([one, other, third])
        assert [slot.decays for slot in kind._slots.of] == [True, False, True]
    for given, words in (("(", "no regular expression"), ([1], "regular expressions, not 1")):
        with pytest.raises((TypeError, ValueError), match=words):
            ours(exclude_from_weight_decay=given)
        with pytest.raises((TypeError, ValueError), match=words):
            ours().exclude_from_weight_decay(var_names=given)


def check_optimizers_are_copied() -> None:
    """Configurations, pickles and deep copies are complete, whatever the options."""
    for name, make in makers().items():
        optimizer = make()
        kind = type(optimizer)
        assert kind.from_config(optimizer.get_config()).get_config() == optimizer.get_config()
        again = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(optimizer)
        )
        assert again.get_config() == optimizer.get_config(), name
    first = trained(adamas.keras.Adam(0.01))
    for second in (pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):
        second.build([keras.Variable(values(k, 4), name=n) for k, n in enumerate("ab")])
        for one, other in zip(first.variables, second.variables, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))


if __name__ == "__main__":
    again(Path(sys.argv[1]))
