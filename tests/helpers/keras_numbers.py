"""Numbers of `adamas.keras` beside the float64 reference, Keras' own optimizers and the engine."""

import inspect
import re
import warnings
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import adamas
import adamas.keras
from adamas import dialects
from adamas.classes import CLASSES
from adamas.homes.keras import OWN, SIGNATURES
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.kernel.variants import decoupled
from adamas.rules import adafactor, lamb
from adamas.words import sign
from keras_own import CLASSES as OURS
from long_form import LONG

BACKEND = keras.backend.backend()
if BACKEND == "tensorflow":
    import tensorflow as tf

    # Two devices of one processor, which must be made before TensorFlow begins.
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
elif BACKEND == "jax":
    import jax

COUNT, STEPS, RATE = 257, 100, 1e-2
# A rule of each structure walks far: a count of steps, a first step, a maximum, numbers of a
# tensor, norms, rows and columns. What else is computed has its 100 steps on NumPy.
FAR = ("Adam", "Adan", "AMSGrad", "NAdam", "ScheduleFreeAdamW", "Lamb", "Adafactor")


def values(seed: int, *shape: int) -> Any:
    """float32 numbers of mean 0 and variance 1."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def stepped(optimizer: Any, p: Any, gradients: Any) -> Any:
    """Where a variable that begins at `p` arrives, compiled where the backend compiles."""
    variable = keras.Variable(p)
    optimizer.build([variable])
    if BACKEND == "jax":
        step = jax.jit(optimizer.stateless_apply)
        state, point = [v.value for v in optimizer.variables], [variable.value]
        for g in gradients:
            point, state = step(state, [g], point)
        return np.asarray(point[0])
    apply = tf.function(optimizer.apply) if BACKEND == "tensorflow" else optimizer.apply
    for g in gradients:
        apply([ops.convert_to_tensor(g)])
    return ops.convert_to_numpy(variable)


def referred(rule: Any, p: Any, gradients: Any, **hypers: float) -> Any:
    """The same in float64, line by line."""
    reference = Reference(
        rule if isinstance(rule, adamas.kernel.formula.Formula) else parse(rule), p, **hypers
    )
    for g in gradients:
        reference.step(g)
    return reference.p


def apart(found: Any, expected: Any) -> float:
    """Their distance as a part of the expected norm."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def check_every_rule_is_the_reference() -> None:
    """Every rule ends its float32 steps within 2e-6 of the float64 run of the same formula."""
    p, every = values(0, COUNT), values(1, STEPS, COUNT) / 10
    assert set(FAR) <= set(SIGNATURES)
    for name in SIGNATURES:
        gradients = every if LONG or name in FAR else every[:10]
        rule = CLASSES[name]
        if name == "Prodigy":
            with pytest.raises(ValueError, match="prodigy sums over all tensors"):
                adamas.keras.Prodigy()
            continue
        optimizer = getattr(adamas.keras, name)(learning_rate=RATE)
        found = stepped(optimizer, p, gradients)
        expected = referred(rule, p, gradients, lr=RATE)
        assert apart(found, expected) <= 2e-6, name


def check_own_rules_are_the_reference() -> None:
    """A user's rule, and rules that sum over tensors, rows and columns, run as written."""

    def signum(p, g, m, *, lr=1e-3, beta=0.9):  # type: ignore[no-untyped-def]
        m = beta * m + (1 - beta) * g
        return p - lr * sign(m), m

    for rule in (adamas.rule(signum), lamb, adafactor):
        formula = parse(getattr(rule, "function", rule))
        kind = adamas.keras.optimizer(rule)
        for shape in ((20,), (6, 5), (3, 4, 5)):
            p, gradients = values(2, *shape), values(3, 50, *shape)
            found = stepped(kind(learning_rate=RATE), p, gradients)
            assert apart(found, referred(formula, p, gradients, lr=RATE)) <= 2e-6, rule


def check_decay_is_decoupled() -> None:
    """`weight_decay` of a class decays the variable directly, whatever the rule, as Keras' does."""
    p, gradients = values(4, COUNT), values(5, 20, COUNT)
    for name in ("SGD", "Momentum", "Adam", "RMSprop", "NAdam", "RAdam", "Adadelta"):
        rule = decoupled(parse(CLASSES[name]))
        kind = getattr(adamas.keras, name)
        found = stepped(kind(learning_rate=RATE, weight_decay=0.1), p, gradients)
        assert apart(found, referred(rule, p, gradients, lr=RATE, weight_decay=0.1)) <= 2e-6, name


CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("SGD", {}, adamas.rules.sgd),
    ("SGD", {"momentum": 0.9}, dialects.momentum_lr_inside),
    ("SGD", {"momentum": 0.9, "nesterov": True}, dialects.nesterov_lr_inside),
    ("Adam", {}, dialects.adam_eps_hat),
    ("Adam", {"amsgrad": True}, dialects.amsgrad_eps_hat),
    ("Adam", {"weight_decay": 0.1}, dialects.adam_eps_hat),
    ("AdamW", {}, dialects.adam_eps_hat),
    ("AdamW", {"amsgrad": True}, dialects.amsgrad_eps_hat),
    ("Adamax", {}, dialects.adamax_eps_outside),
    ("Nadam", {}, adamas.rules.nadam),
    ("Adagrad", {}, dialects.adagrad_eps_inside),
    ("Adagrad", {"initial_accumulator_value": 0.3}, dialects.adagrad_eps_inside),
    ("Adadelta", {}, adamas.rules.adadelta),
    ("Lion", {}, adamas.rules.lion),
    ("RMSprop", {}, dialects.rmsprop_eps_inside),
    ("RMSprop", {"momentum": 0.9}, dialects.rmsprop_momentum_eps_lr_inside),
    ("RMSprop", {"centered": True}, dialects.rmsprop_centered_eps_inside),
    (
        "RMSprop",
        {"centered": True, "momentum": 0.9},
        dialects.rmsprop_centered_momentum_eps_lr_inside,
    ),
]


def check_dialects_are_those_of_keras() -> None:
    """Each dialect of Keras ends where Keras' own class does, at a large epsilon and moving lr."""
    p, gradients = values(6, COUNT), values(7, 40 if LONG else 15, COUNT)
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.93)
    for name, options, rule in CASES:
        eps = {"epsilon": 1e-2} if "epsilon" in OWN[name].defaults else {}
        theirs = getattr(keras.optimizers, name)(learning_rate=rate, **options, **eps)
        ours = OURS[name](learning_rate=rate, **options, **eps)
        chosen = OWN[name].choose({**OWN[name].defaults, **options})
        plain = getattr(chosen, "name", None) or chosen.__name__
        first, *rest = rule.__name__.split("_")
        assert plain in (rule.__name__, "_".join((f"{first}w", *rest))), (name, plain)
        found, expected = stepped(ours, p, gradients), stepped(theirs, p, gradients)
        np.testing.assert_allclose(
            found, expected, rtol=2e-4, atol=2e-5, err_msg=f"{name} {options}"
        )


def check_keras_defaults_are_in_the_table() -> None:
    """The table of Keras' own classes has the defaults and the order of the installed Keras."""
    for name, signature in OWN.items():
        kind = getattr(keras.optimizers, name)
        given = inspect.signature(kind.__init__).parameters
        theirs = {k: v.default for k, v in given.items() if v.default is not v.empty}
        ours = {k: v for k, v in signature.defaults.items() if k in theirs}
        assert list(ours) == list(theirs)[: len(ours)], name
        assert ours == {k: theirs[k] for k in ours}, name
        assert set(signature.defaults) - set(ours) <= {"momentum_decay"}


def check_states_have_keras_names() -> None:
    """The variables of an optimizer are called as those of Keras' class of that name."""
    for name, options, _ in CASES:
        made = []
        for kind in (getattr(keras.optimizers, name), OURS[name]):
            optimizer = kind(**options)
            optimizer.build([keras.Variable(values(0, 3), name="w")])
            made.append({v.name for v in optimizer.variables})
        theirs = {n for n in made[0] if not n.startswith("variable")}
        ours = {n for n in made[1] if not n.endswith("mu_product")}
        assert ours == theirs, (name, options, made)


def check_a_variable_may_begin_late() -> None:
    """A variable whose first gradient comes late begins then, where the rule has a first step."""
    gradients = values(8, 12, 5)
    for name in ("Adan", "ScheduleFreeAdamW"):
        optimizer = getattr(adamas.keras, name)(learning_rate=RATE)
        early, late = keras.Variable(values(9, 5)), keras.Variable(values(10, 5))
        optimizer.build([early, late])
        for k, g in enumerate(gradients):
            g = ops.convert_to_tensor(g)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                optimizer.apply_gradients([(g, early), (g if k >= 6 else None, late)])
        expected = referred(CLASSES[name], values(10, 5), gradients[6:], lr=RATE)
        assert apart(ops.convert_to_numpy(late), expected) <= 2e-6, name


def check_options_are_checked() -> None:
    """What is given wrongly is refused at once, by the name that Keras has for it."""
    for given, words in (
        ({"beta_1": 1.5}, "beta_1=1.5"),
        ({"epsilon": -1.0}, "epsilon=-1.0"),
        ({"weight_decay": None}, "weight_decay=None"),
        ({"amsgrad": 1}, "amsgrad=1"),
        ({"lr": 0.1}, "'lr'. It takes: learning_rate"),
        ({"state": "int8"}, "no place for the scales"),
        ({"state": "int4"}, "no place for the scales"),
        ({"state": {"x": "float32"}}, "no state 'x'"),
        ({"state": "float8"}, "'float8' is not one of"),
        ({"seed": -1}, "seed=-1"),
        ({"strict": "no"}, "strict='no'"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
    ):
        with pytest.raises((TypeError, ValueError), match=re.escape(words)):
            adamas.keras.AdamW(**given)


def check_options_are_checked_when_set() -> None:
    """An option that is set later is checked as well, and one that needs other states is late."""
    optimizer = adamas.keras.Adam(0.1)
    optimizer.amsgrad = True
    optimizer.build([keras.Variable([1.0])])
    optimizer.amsgrad, optimizer.weight_decay = False, 0.5
    optimizer.apply([ops.zeros(1)])
    with pytest.raises(ValueError, match=r"beta_1=2.0 is not allowed"):
        optimizer.beta_1 = 2.0
    optimizer = adamas.keras.Adam(0.1)
    optimizer.build([keras.Variable([1.0])])
    with pytest.raises(ValueError, match="amsgrad=True comes too late: amsgrad keeps v_max"):
        optimizer.amsgrad = True
    assert optimizer.amsgrad is False


def check_little_is_kept_of_what_was() -> None:
    """Options that make a rule for each of their values keep a few of them."""
    variable = keras.Variable([1.0])
    optimizer = adamas.keras.Adagrad(0.1)
    optimizer.build([variable])
    for k in range(30):
        optimizer.initial_accumulator_value = float(k)
        optimizer.apply([ops.ones(1)])
    assert len(optimizer._slots.formulas) <= 8
    assert len(optimizer._slots.steps) <= 8


def check_what_is_relied_on_is_there() -> None:
    """The private names of Keras that this uses, and convert reads, are in the installed one."""
    for name in (
        "_apply_weight_decay", "_backend_apply_gradients", "_get_current_learning_rate",
        "_get_variable_index", "_overwrite_model_variables_with_average_value",
        "_overwrite_variable_with_gradient", "_update_model_variables_moving_average", "_var_key",
    ):  # fmt: skip
        assert callable(getattr(keras.optimizers.Optimizer, name)), name
    theirs = keras.optimizers.Nadam(use_ema=True)
    theirs.build([keras.Variable([1.0])])
    for name in ("_model_variables_moving_average", "_trainable_variables", "_u_product"):
        assert hasattr(theirs, name), name


def check_rules_without_a_place_are_refused() -> None:
    """A rule that draws, sums over all tensors, reads a second array or has no lr is named."""
    from adamas.words import norm, normal

    def drawing(p, g, *, lr=1e-3):  # type: ignore[no-untyped-def]
        return p - lr * (g + normal(g))

    def together(p, g, *, lr=1e-3):  # type: ignore[no-untyped-def]
        return p - lr * g / norm(g, over="all")

    def second(p, g, *, h, lr=1e-3):  # type: ignore[no-untyped-def]
        return p - lr * g * h

    def rateless(p, g, *, step=1e-3):  # type: ignore[no-untyped-def]
        return p - step * g

    def clash(p, g, *, lr=1e-3, clipnorm=1.0):  # type: ignore[no-untyped-def]
        return p - lr * g * clipnorm

    for rule, words in (
        (drawing, "draws random numbers"),
        (together, 'over="all"'),
        (second, "second array"),
        (rateless, "no lr"),
        (clash, "'clipnorm'"),
    ):
        with pytest.raises((TypeError, ValueError), match=re.escape(words)) as found:
            adamas.keras.optimizer(rule)()
        assert rule.__name__ in str(found.value)


def check_rules_of_matrices_are_refused_by_name() -> None:
    """Their names are found, and what they make says why not, and what to take instead."""
    for name in ("Muon", "NorMuon", "AdaMuon"):
        assert name not in adamas.keras.__all__
        with pytest.raises(ValueError, match=r"outputs in columns.*keras\.optimizers\.Muon"):
            getattr(adamas.keras, name)(learning_rate=RATE)
    with pytest.raises(AttributeError, match="no attribute 'Moon'"):
        adamas.keras.Moon  # noqa: B018


def check_adafactor_of_keras_has_its_eps_inside() -> None:
    """`keras.optimizers.Adafactor` is `adafactor_eps_inside`, of matrices and of vectors."""
    for shape in ((30, 4), (4, 30), (7,)):
        p, gradients = values(22, *shape), values(23, 50, *shape)
        found = stepped(keras.optimizers.Adafactor(learning_rate=RATE), p, gradients)
        expected = referred(dialects.adafactor_eps_inside, p, gradients, lr=RATE)
        assert apart(found, expected) <= 2e-5, shape


def check_muon_of_keras_is_that_of_moonlight() -> None:
    """`keras.optimizers.Muon` is `muon_moonlight` of its kernels as they are: the scale is even."""
    for shape in ((30, 4), (4, 30), (16, 16)):
        p, gradients = values(20, *shape), values(21, 50, *shape)
        found = stepped(keras.optimizers.Muon(learning_rate=RATE, weight_decay=0.1), p, gradients)
        expected = referred(dialects.muon_moonlight, p, gradients, lr=RATE)
        assert apart(found, expected) <= 2e-5, shape
