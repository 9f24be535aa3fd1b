"""`adamas.keras` inside Keras: fit, schedules, clipping, accumulation, averages, scales, sparse."""

from typing import Any

import keras
import numpy as np
from keras import ops

import adamas
import adamas.keras
from adamas.schedule import cosine, warmup
from keras_numbers import OURS, apart, stepped, values

BACKEND = keras.backend.backend()
X = values(20, 96, 6)
Y = X @ values(21, 6, 1) + 0.1 * values(22, 96, 1)


def model(**compiled: Any) -> Any:
    """A small network whose start is always the same."""
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
    )
    made.compile(loss="mse", **compiled)
    return made


def fitted(optimizer: Any, epochs: int = 2, **compiled: Any) -> tuple[list[float], list[Any]]:
    """The losses and the weights after training."""
    net = model(optimizer=optimizer, **compiled)
    history = net.fit(X, Y, batch_size=32, epochs=epochs, shuffle=False, verbose=0)
    return history.history["loss"], [ops.convert_to_numpy(w) for w in net.trainable_variables]


def check_fit_follows_keras() -> None:
    """`fit` with every option of Keras ends where Keras' own optimizer ends with them."""
    fall = keras.optimizers.schedules.CosineDecay(0.05, 6)
    average = {"use_ema": True, "ema_momentum": 0.5}
    for options in (
        {"learning_rate": fall, "global_clipnorm": 0.5, **average, "ema_overwrite_frequency": 2},
        {"learning_rate": lambda: 0.02, "clipvalue": 0.01, "gradient_accumulation_steps": 3,
         "loss_scale_factor": 64.0},
    ):  # fmt: skip
        options = {**options, "epsilon": 1e-3, "weight_decay": 0.1}
        theirs, ours = keras.optimizers.AdamW(**options), OURS["AdamW"](**options)
        (losses, weights), (expected, others) = fitted(ours), fitted(theirs)
        np.testing.assert_allclose(losses, expected, rtol=1e-5, err_msg=str(options))
        for one, other in zip(weights, others, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=str(options))


def check_loss_scaling_wraps() -> None:
    """A LossScaleOptimizer around ours trains as ours alone does, and skips what overflows."""
    optimizer = keras.optimizers.LossScaleOptimizer(
        adamas.keras.AdamW(learning_rate=0.05), initial_scale=256.0
    )
    (losses, _), (expected, _) = fitted(optimizer), fitted(adamas.keras.AdamW(0.05))
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    variable = keras.Variable([1.0])
    scaled = keras.optimizers.LossScaleOptimizer(adamas.keras.SGD(1.0))
    scaled.build([variable])
    if BACKEND != "jax":
        scaled.apply([ops.convert_to_tensor([np.inf])], [variable])
        assert ops.convert_to_numpy(variable).tolist() == [1.0]


def check_several_devices_are_as_one() -> None:
    """Under tf.distribute two devices with half a batch each train as one does."""
    if BACKEND != "tensorflow":
        return
    import tensorflow as tf

    expected = fitted(adamas.keras.NAdam(0.05))[1]
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        found = fitted(adamas.keras.NAdam(0.05))[1]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def check_jit_compile_is_the_same() -> None:
    """`fit` compiled by XLA and not ends at the same numbers, to rounding."""
    if BACKEND != "tensorflow":
        return
    ours = [fitted(adamas.keras.AdamW(0.05), jit_compile=jit)[1] for jit in (True, False)]
    for one, other in zip(*ours, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def check_schedules_of_adamas() -> None:
    """A schedule of adamas is a learning rate: in fit, set later, and beside the formula's own."""
    rate = warmup(0.05, steps=3).then(cosine(0.05, steps=20), at=3)
    p, gradients = values(23, 40), values(24, 12, 40)
    found = stepped(adamas.keras.Adam(rate), p, gradients)
    expected = adamas.Adam(wide := p.astype(np.float64), lr=rate)
    for g in gradients:
        expected.step(g.astype(np.float64))
    assert apart(found, wide) <= 2e-6
    later = adamas.keras.Adam(0.5)
    later.learning_rate = rate
    np.testing.assert_array_equal(stepped(later, p, gradients), found)
    assert np.isfinite(fitted(adamas.keras.Adam(rate))[0]).all()


def check_rate_can_be_set() -> None:
    """Setting the learning rate between steps takes effect, in a compiled `fit` too."""
    net = model(optimizer=adamas.keras.SGD(0.1))
    net.fit(X, Y, verbose=0)
    net.optimizer.learning_rate = 0.0
    before = [ops.convert_to_numpy(w) for w in net.trainable_variables]
    net.fit(X, Y, verbose=0)
    for one, other in zip(before, net.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, ops.convert_to_numpy(other))


def check_constraints_hold() -> None:
    """Constraints of layers are applied after the step."""
    optimizer = adamas.keras.AdamW(learning_rate=0.5)
    variable = keras.Variable(values(25, 4))
    variable.constraint = keras.constraints.NonNeg()
    optimizer.apply_gradients([(ops.ones(4), variable)])
    assert (ops.convert_to_numpy(variable) >= 0).all()


def check_sparse_gradients_are_dense_ones() -> None:
    """A gradient that names rows only, one of them twice, steps as the same gradient in full."""
    if BACKEND == "torch":
        return
    rows = values(26, 3, 2)
    full = np.zeros((5, 2), np.float32)
    full[0], full[3] = rows[0] + rows[2], rows[1]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        def sparse() -> Any:
            return tf.IndexedSlices(tf.constant(rows), tf.constant([0, 3, 0]), (5, 2))
    else:
        import jax.experimental.sparse as jax_sparse

        def sparse() -> Any:
            return jax_sparse.BCOO((rows, np.array([[0], [3], [0]])), shape=(5, 2))

    for options in ({}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.5}):
        if BACKEND == "jax" and options:
            continue
        ends = []
        for g in (sparse, lambda: ops.convert_to_tensor(full)):
            optimizer = adamas.keras.AdamW(learning_rate=0.1, **options)
            variable = keras.Variable(np.ones((5, 2), np.float32))
            for _ in range(3):
                optimizer.apply([g()], [variable])
            ends.append(ops.convert_to_numpy(variable))
        np.testing.assert_array_equal(*ends, err_msg=str(options))
    steps = []
    whole = ops.convert_to_tensor(full)
    for kind, g in ((OURS["Adam"], sparse), (keras.optimizers.Adam, lambda: whole)):
        variable = keras.Variable(np.ones((5, 2), np.float32))
        optimizer = kind(0.1)
        for _ in range(3):
            optimizer.apply([g()], [variable])
        steps.append(ops.convert_to_numpy(variable))
    np.testing.assert_allclose(*steps, rtol=1e-5, err_msg="as Keras steps the gradient in full")


def check_embeddings_train() -> None:
    """A model with an embedding trains, whatever the backend makes of its gradient."""
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [keras.layers.Embedding(10, 4), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    net.compile(optimizer=adamas.keras.AdamW(0.1, clipnorm=10.0), loss="mse")
    x, y = np.arange(40).reshape(8, 5) * 7 % 11 % 10, values(27, 8, 1)
    losses = net.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


def check_eager_steps_are_the_same() -> None:
    """Steps one by one and compiled steps end at the same numbers, to rounding."""
    p, gradients = values(28, 30), values(29, 10, 30)
    for name in ("AdamW", "NAdam", "ScheduleFreeAdamW"):
        optimizer = getattr(adamas.keras, name)(learning_rate=0.01)
        variable = keras.Variable(p)
        for g in gradients:
            optimizer.apply_gradients([(ops.convert_to_tensor(g), variable)])
        expected = stepped(getattr(adamas.keras, name)(learning_rate=0.01), p, gradients)
        assert apart(ops.convert_to_numpy(variable), expected) <= 1e-6, name


def check_run_eagerly() -> None:
    """`run_eagerly` trains as the compiled graph does."""
    if BACKEND != "tensorflow":
        return
    runs = [fitted(adamas.keras.NAdam(0.05), run_eagerly=eager)[1] for eager in (True, False)]
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
