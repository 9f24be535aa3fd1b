"""What Keras asks of a conversion besides the map: run by `home_map.py`, where Keras is.

Each case is a function that asserts; the parent process has its name and hears of its failure.
"""

import traceback
import warnings
from typing import Any

import numpy as np

import adamas
from adamas import convert, dialects
from home_runs import NAMES, Adamas, Keras, Torch, forty, going_on, sample, trained


def optimizers() -> Any:
    """`keras.optimizers`, imported here only."""
    import keras

    return keras.optimizers


def refused(state: Any, source: Any, target: Any, *words: str) -> None:
    """It is refused, in these words."""
    try:
        convert(state, source, target)
    except ValueError as error:
        told = str(error)
    else:
        told = "it was converted"
    assert all(word in told for word in words), told


def started(make: Any, **options: Any) -> Any:
    """A built optimizer that has not stepped."""
    run = Keras(make, **options)
    run.start(sample("float32", 1)[0])
    return run.source


def a_store_is_a_state() -> None:
    """What save_own_variables fills is read as the variables are, without an optimizer's steps."""
    run = Keras(optimizers().Adam, learning_rate=0.125, epsilon=1e-7)
    trained(run, *sample("float32", 3))
    store: dict[str, Any] = {}
    run.source.save_own_variables(store)
    fresh = started(optimizers().Adam, learning_rate=0.5)
    one, two = (convert(s, fresh, "adamas") for s in (store, run.source.variables))
    assert one["steps"] == two["steps"] == 3
    assert one["param_groups"][0]["lr"] == 0.125
    for name in NAMES:
        np.testing.assert_array_equal(one["state"][name]["m"], two["state"][name]["m"])


def the_learning_rate_goes_along() -> None:
    """Lr is a variable of Keras, and arrives; a beta of its own is told."""
    source = started(optimizers().Adam, learning_rate=0.125)
    target = started(optimizers().Adam, learning_rate=0.5, beta_1=0.8)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        store = convert(source.variables, source, target)
    target.load_own_variables(store)
    assert float(target.learning_rate.numpy()) == 0.125
    told = [str(one.message) for one in heard if one.category is UserWarning]
    assert len(told) == 1 and "beta1=0.8 (the source has 0.9)" in told[0], told


def momentum_needs_a_number_for_lr() -> None:
    """A schedule, or an lr of 0, says nothing about what a sum of steps would be of gradients."""
    import keras
    import torch

    run = Torch(torch.optim.SGD, lr=0.5, momentum=0.9)
    trained(run, *sample("float32", 2))
    cosine = keras.optimizers.schedules.CosineDecay(0.1, 100)
    target = started(optimizers().SGD, learning_rate=cosine, momentum=0.9)
    refused(run.saved(), run.source, target, "lr of the next step", "a schedule")
    run.source.param_groups[0]["lr"] = 0.0
    target = started(optimizers().SGD, learning_rate=0.5, momentum=0.9)
    refused(run.saved(), run.source, target, "lr of the next step", "0")


def steps_that_differ_are_refused() -> None:
    """Keras counts once for all parameters."""
    arrays = {name: one.copy() for name, one in zip(NAMES, sample("float32", 1)[0], strict=True)}
    source = adamas.Optimizer(dialects.adam_eps_hat, arrays, eps=1e-7)
    source.step({"w": arrays["w"], "b": None})
    target = started(optimizers().Adam)
    refused(source.state_dict(), source, target, "'b' had 0, 'w' 1")


def gradients_that_are_gathered_are_counted() -> None:
    """Micro-steps are no steps, and in the middle of one nothing is converted."""
    run = Keras(optimizers().Adam, gradient_accumulation_steps=2)
    params, grads = sample("float32", 5)
    trained(run, params, grads[:4])
    assert convert(run.saved(), run.source, "adamas")["steps"] == 2
    target = started(optimizers().Adam, gradient_accumulation_steps=3)
    assert convert(run.saved(), run.source, target)["0"] == 6
    run.step(grads[4])
    refused(run.saved(), run.source, "adamas", "1 of 2")


def what_the_source_lacks_begins_anew() -> None:
    """A conversion is a load: no sum and no gathered gradient of the target's own past stays."""
    import torch

    fresh = Torch(torch.optim.Adagrad, lr=0.5, eps=1e-7)
    fresh.start(sample("float32", 1)[0])
    state = {**fresh.saved(), "state": {}}
    options = {"learning_rate": 0.5, "initial_accumulator_value": 0.25}
    target = Keras(optimizers().Adagrad, **options, gradient_accumulation_steps=2)
    trained(target, *sample("float32", 3))
    store = convert(state, fresh.source, target.source, dialect="ignore")
    empty = started(optimizers().Adagrad, **options, gradient_accumulation_steps=2).variables
    # Adagrad of torch that has no state does not tell how often it stepped.
    for k, variable in [(k, one) for k, one in enumerate(empty) if one.name != "iteration"]:
        np.testing.assert_array_equal(store[str(k)], variable.numpy(), variable.path)


def names_that_are_private_are_there() -> None:
    """What of_keras.py asks Keras for and no documentation has: a test for each, by its name."""
    target = started(optimizers().Nadam)
    assert [one.path for one in target._trainable_variables] == list(NAMES)
    assert any(one is target._u_product for one in target.variables)


def averages_go_along() -> None:
    """Keras' moving average is adamas' state `average`, and back."""
    options = {"learning_rate": 2.0**-7, "epsilon": 1e-7, "use_ema": True, "ema_momentum": 0.5}
    run = Keras(optimizers().Adam, **options)
    trained(run, *sample("float64", 3))
    there = Adamas(dialects.adam_eps_hat, ema=0.5)
    there.start(run.params())
    there.load(convert(run.saved(), run.source, there.source))
    back = convert(there.saved(), there.source, started(optimizers().Adam, **options))
    at = next(k for k, v in enumerate(run.source.variables) if v.name == "w_average")
    kept = run.source.variables[at].numpy()
    np.testing.assert_array_equal(there.source.state["w"]["average"], kept)
    np.testing.assert_allclose(back[str(at)], kept, rtol=1e-7)


def a_layer_of_torch_becomes_one_of_keras() -> None:
    """Linear's weights lie the other way round; a function of the name says both."""
    import keras
    import torch

    layer = torch.nn.Linear(4, 3)
    source = torch.optim.SGD(layer.named_parameters(), lr=0.5, momentum=0.5)
    layer(torch.ones(2, 4)).sum().backward()
    source.step()
    dense = keras.layers.Dense(3, name="dense")
    dense.build((None, 4))
    target = optimizers().SGD(0.25, momentum=0.5)
    target.build(dense.trainable_variables)

    def names(name: str) -> Any:
        return ("dense/kernel", np.transpose) if name == "weight" else "dense/bias"

    target.load_own_variables(convert(source.state_dict(), source, target, names))
    held = {v.name: np.asarray(v.numpy()) for v in target.variables}
    buffer = source.state[layer.weight]["momentum_buffer"].numpy()
    np.testing.assert_array_equal(held["dense_kernel_momentum"], -0.5 * buffer.T)
    assert held["learning_rate"] == 0.5


def float32_goes_on_within_a_millionth() -> None:
    """In the width that everybody trains in, too."""
    import torch

    first = forty(Keras(optimizers().Adadelta, learning_rate=0.5, rho=0.9, epsilon=1e-6), "float32")
    assert going_on(first, Torch(torch.optim.Adadelta, lr=0.5, rho=0.9, eps=1e-6), "float32") < 1e-6


CASES = (
    a_store_is_a_state, the_learning_rate_goes_along, momentum_needs_a_number_for_lr,
    steps_that_differ_are_refused, gradients_that_are_gathered_are_counted, averages_go_along,
    what_the_source_lacks_begins_anew, names_that_are_private_are_there,
    a_layer_of_torch_becomes_one_of_keras, float32_goes_on_within_a_millionth,
)  # fmt: skip


def cases() -> dict[str, str]:
    """What went wrong in each case; nothing, as it should be."""
    found = {}
    for case in CASES:
        try:
            case()
            found[case.__name__] = ""
        except Exception:
            found[case.__name__] = traceback.format_exc()
    return found
