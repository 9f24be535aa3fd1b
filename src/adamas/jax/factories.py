"""One function per rule, with a real signature: `inject_hyperparams` and editors read it."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from adamas.engine.options import formula_of
from adamas.homes.optax import SIGNATURES, of_rule
from adamas.homes.signature import Rule, Signature
from adamas.jax.arguments import named, placed, plan
from adamas.jax.transform import transformation
from adamas.jax.words import traced
from adamas.kernel.bound import refuse
from adamas.schedule import Schedule

Factory = Callable[..., Any]

_MORE = """
Returns an `optax.GradientTransformationExtraArgs`. Hyper-parameters are numbers, arrays of one
(traced ones too) or schedules, functions of the count, 0 at the first step. Parameters are trees of
floating or complex arrays of any shape; arithmetic is float32, float64 for float64 leaves. Raises
TypeError or ValueError that names the argument.
"""


def _shown(signature: Signature) -> inspect.Signature:
    kind = inspect.Parameter
    order = placed(signature)
    return inspect.Signature([
        kind(
            name,
            kind.POSITIONAL_OR_KEYWORD if name in order else kind.KEYWORD_ONLY,
            default=signature.defaults[name],
        )
        for name in [*order, *(key for key in signature.defaults if key not in order)]
    ])  # fmt: skip


def make(signature: Signature) -> Factory:
    """The factory of a signature."""

    def factory(*args: Any, **given: Any) -> Any:
        return transformation(plan(signature, named(signature, args, given)))

    factory.__name__ = factory.__qualname__ = signature.name
    factory.__module__ = "adamas.jax"
    factory.__doc__ = inspect.cleandoc(signature.doc) + "\n" + _MORE
    factory.__signature__ = _shown(signature)  # type: ignore[attr-defined]
    return factory


@functools.lru_cache(256)
def transform(rule: Rule) -> Factory:
    """A factory of transformations by `rule`: a formula, or what `adamas.rule` made of one.

    It takes the rule's hyper-parameters under its own names and under optax's (`learning_rate` for
    lr, `b1` for beta1). Raises `adamas.FormulaError` for a rule that cannot be compiled, ValueError
    for one that draws random numbers or sums over all tensors.
    """
    formula = formula_of(rule)
    refuse(formula, "in JAX")
    return make(of_rule(rule, formula.name, formula.doc))


FACTORIES: dict[str, Factory] = {name: make(signature) for name, signature in SIGNATURES.items()}

sgd = FACTORIES["sgd"]
momentum = FACTORIES["momentum"]
nesterov = FACTORIES["nesterov"]
adagrad = FACTORIES["adagrad"]
rmsprop = FACTORIES["rmsprop"]
rmsprop_centered = FACTORIES["rmsprop_centered"]
adadelta = FACTORIES["adadelta"]
adam = FACTORIES["adam"]
adamw = FACTORIES["adamw"]
amsgrad = FACTORIES["amsgrad"]
adamax = FACTORIES["adamax"]
adamaxw = FACTORIES["adamaxw"]
nadam = FACTORIES["nadam"]
nadamw = FACTORIES["nadamw"]
radam = FACTORIES["radam"]
adabelief = FACTORIES["adabelief"]
adam_atan2 = FACTORIES["adam_atan2"]
adamc = FACTORIES["adamc"]
cautious_decay_adamw = FACTORIES["cautious_decay_adamw"]
laprop = FACTORIES["laprop"]
adopt = FACTORIES["adopt"]
grams = FACTORIES["grams"]
signum = FACTORIES["signum"]
lion = FACTORIES["lion"]
ademamix = FACTORIES["ademamix"]
adan = FACTORIES["adan"]
mars = FACTORIES["mars"]
schedule_free_sgd = FACTORIES["schedule_free_sgd"]
schedule_free_adamw = FACTORIES["schedule_free_adamw"]
schedule_free_radam = FACTORIES["schedule_free_radam"]
masked_adamw = FACTORIES["masked_adamw"]
cautious_adamw = FACTORIES["cautious_adamw"]
lars = FACTORIES["lars"]
lamb = FACTORIES["lamb"]
adamh = FACTORIES["adamh"]
stable_adamw = FACTORIES["stable_adamw"]
adafactor = FACTORIES["adafactor"]
came = FACTORIES["came"]
prodigy = FACTORIES["prodigy"]
muon = FACTORIES["muon"]
normuon = FACTORIES["normuon"]
adamuon = FACTORIES["adamuon"]


def schedule(shape: Schedule) -> Callable[[Any], jax.Array]:
    """A schedule of adamas as optax has them: a function of the count, 0 at the first step.

    For optax.inject_hyperparams and optax.scale_by_schedule; the functions here take it as it is.
    """
    value = traced(shape)

    def of_count(count: Any) -> jax.Array:
        dtype = jnp.zeros(()).dtype
        with jax.enable_x64(True):
            return value(count).astype(dtype)

    return of_count
