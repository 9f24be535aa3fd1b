"""optax's wrappers and trees around a rule, and a rule inside them."""

import pickle
import subprocess
import sys
from typing import Any

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from adamas import schedule
from adamas.homes.optax import SIGNATURES
from jax_stepping import far, gradients, run, same, tree

# A scalar state that is one number for all, and none.
FEW = ["nadam", "adamw"]
# Prodigy is refused, which `test_jax_rules` has.
every_rule = pytest.mark.parametrize("rule", [name for name in SIGNATURES if name != "prodigy"])


def transformation(rule: str, **options: Any) -> Any:
    """A rule at some learning rate."""
    return getattr(adamas.jax, rule)(1e-2, **options)


@every_rule
def test_init_is_pure_and_abstract(rule: str) -> None:
    """Shapes alone are enough, a step keeps the state's types, and tree maps find parameters."""
    tx, params = transformation(rule), tree()
    state = tx.init(params)
    shapes = jax.eval_shape(tx.init, params)
    assert same(jax.jit(tx.init)(params), state)
    assert jax.tree.structure(shapes) == jax.tree.structure(state)
    _, after = jax.eval_shape(tx.update, params, state, params)
    for one, other, new in zip(*map(jax.tree.leaves, (shapes, state, after)), strict=True):
        assert one.shape == other.shape == new.shape and one.dtype == other.dtype == new.dtype
    assert type(state).__module__ == "adamas.jax.states" and state.count.dtype == jnp.int32
    kept = optax.tree.map_params(tx, lambda leaf: leaf + 1, state, transform_non_params=lambda x: x)
    assert jax.tree.structure(kept) == jax.tree.structure(state)
    moved = [one for one, old in zip(*map(jax.tree.leaves, (kept, state)), strict=True)
             if not np.array_equal(one, old)]  # fmt: skip
    per_leaf = sum(jax.tree.structure(one) == jax.tree.structure(params) for one in state)
    assert len(moved) == per_leaf * len(jax.tree.leaves(params))


@pytest.mark.parametrize("rule", ["rmsprop", "radam", "nadam", "schedule_free_adamw"])
def test_injected_numbers_are_those_that_were_given(rule: str) -> None:
    """inject_hyperparams gives the plain transformation's steps, up to the order of sums."""
    factory, params = getattr(adamas.jax, rule), tree()
    gs = gradients(params, 3)
    plain, state = run(factory(1e-2), params, gs)
    injected, outer = run(optax.inject_hyperparams(factory)(1e-2), params, gs)
    assert far(injected, plain) < 1e-7 and far(outer.inner_state, state) < 1e-7
    assert float(outer.hyperparams["learning_rate"]) == np.float32(1e-2)


def test_injected_adamw_has_the_same_bits() -> None:
    """For the optimizer that most use, the same program runs: every bit is equal."""
    params = tree()
    gs = gradients(params, 10)
    plain, state = run(adamas.jax.adamw(1e-3), params, gs)
    injected, outer = run(optax.inject_hyperparams(adamas.jax.adamw)(1e-3), params, gs)
    assert same(injected, plain) and same(outer.inner_state, state)


@pytest.mark.parametrize("rule", FEW)
def test_wrappers_of_optax(rule: str) -> None:
    """In chain, named_chain, masked, partition, apply_if_finite and MultiSteps numbers stay."""
    tx, params = transformation(rule), tree()
    gs = gradients(params, 4)
    plain, state = run(tx, params, gs)
    chained, deep = run(optax.chain(optax.identity(), tx), params, gs)
    assert same(chained, plain) and same(deep[1], state)
    named, deep = run(optax.named_chain(("first", optax.identity()), ("adam", tx)), params, gs)
    assert same(named, plain) and same(deep["adam"], state)
    guarded, _ = run(optax.apply_if_finite(tx, 2), params, gs)
    assert same(guarded, plain)
    everything, _ = run(optax.masked(tx, True), params, gs)
    assert same(everything, plain)
    labels = {"layer": {"kernel": "ours", "bias": "still"}, "rest": ["ours", None]}
    parted = optax.partition({"ours": tx, "still": optax.set_to_zero()}, labels)
    some, _ = run(parted, params, gs)
    assert same(some["layer"]["kernel"], plain["layer"]["kernel"])
    assert same(some["layer"]["bias"], params["layer"]["bias"])


def test_steps_of_several_batches() -> None:
    """MultiSteps hands over the mean of two gradients."""
    params = tree()
    gs = gradients(params, 2)
    mean = jax.tree.map(lambda a, b: (a + b) / 2, *gs)
    once, _ = run(adamas.jax.adamw(1e-2), params, [mean])
    twice, _ = run(optax.MultiSteps(adamas.jax.adamw(1e-2), 2), params, gs)
    assert far(twice, once) < 1e-7


def test_names_in_the_state() -> None:
    """optax.tree.get and set find states by optax's names and by the name of the class."""
    tx, params = optax.chain(optax.clip(1.0), adamas.jax.adam(1e-2)), tree()
    state = tx.init(params)
    assert optax.tree.get(state, "count") == 0
    assert same(optax.tree.get(state, "nu"), jax.tree.map(jnp.zeros_like, params))
    assert type(optax.tree.get(state, "AdamState")).__name__ == "AdamState"
    ones = jax.tree.map(jnp.ones_like, params)
    assert same(optax.tree.set(state, mu=ones)[1].mu, ones)
    injected = optax.inject_hyperparams(adamas.jax.adamw)(1e-2)
    changed = optax.tree.set(injected.init(params), learning_rate=0.5)
    gs = gradients(params, 1)
    found, _ = run(injected, params, gs, changed)
    assert far(found, run(adamas.jax.adamw(0.5), params, gs)[0]) < 1e-7


def test_leaves_of_none_and_no_leaves() -> None:
    """None is passed on, in parameters and in gradients, and an empty tree is stepped too."""
    tx, params = adamas.jax.nadam(1e-2), tree()
    (g,) = gradients(params, 1)
    updates, state = tx.update(g, tx.init(params), params)
    assert updates["rest"][1] is None and state.mu["rest"][1] is None
    resting = {**g, "rest": [None, None]}
    updates, state = tx.update(resting, state, params)
    assert updates["rest"] == [None, None] and state.mu["rest"][0] is not None
    updates, state = tx.update({}, tx.init({}), {})
    assert updates == {} and state.count == 1


def test_unknown_extra_arguments_are_swallowed() -> None:
    """What others in a chain need goes by."""
    tx, p = adamas.jax.sgd(1.0), jnp.ones(2)
    updates, _ = tx.update(p, tx.init(p), p, value=3.0, value_fn=print)
    assert jnp.array_equal(updates, -p)


def test_who_needs_no_parameters_gets_by_without() -> None:
    """Without decay `update(grads, state)` is enough; otherwise the message says what to give."""
    tx, p = adamas.jax.adam(1e-2), jnp.ones(3)
    with_params, _ = tx.update(p, tx.init(p), p)
    without, _ = tx.update(p, tx.init(p))
    assert np.allclose(without, with_params, rtol=1e-5)
    for needy in (adamas.jax.adamw(1e-2), adamas.jax.adam(1e-2, weight_decay=jnp.float32(0.0))):
        with pytest.raises(ValueError, match=r"update\(grads, state, params\).*weight_decay"):
            needy.update(p, needy.init(p))
    # Without decay they read them all the same.
    for free in (
        adamas.jax.schedule_free_adamw(1e-2),
        adamas.jax.lamb(1e-2),
        adamas.jax.adamh(1.0),
    ):
        with pytest.raises(ValueError, match=r"needs the parameters: call .*params\)\.$"):
            free.update(p, free.init(p))
    assert adamas.jax.adamw(1e-2, weight_decay=0.0).update(p, tx.init(p))[0].shape == (3,)


def test_a_model_of_equinox() -> None:
    """A module with functions and integers in it trains by what equinox filters."""
    model = equinox.nn.MLP(2, 1, 16, 1, key=jax.random.key(0))
    tx = adamas.jax.adamw(5e-2, weight_decay_mask=r"weight$")
    state = tx.init(equinox.filter(model, equinox.is_inexact_array))
    x = jnp.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0]])

    @equinox.filter_jit
    def step(model: Any, state: Any) -> Any:
        loss, g = equinox.filter_value_and_grad(
            lambda m: jnp.mean((jax.vmap(m)(x)[:, 0] - x[:, 0] * x[:, 1]) ** 2)
        )(model)
        updates, state = tx.update(g, state, equinox.filter(model, equinox.is_inexact_array))
        return equinox.apply_updates(model, updates), state, loss

    losses = []
    for _ in range(60):
        model, state, loss = step(model, state)
        losses.append(float(loss))
    assert losses[-1] < losses[0] / 4


def test_a_schedule_of_adamas_is_exact_in_the_trace() -> None:
    """`adamas.schedule` as any hyper-parameter is the number that it gives outside of JAX."""
    params = tree()
    gs = gradients(params, 12)
    lr = schedule.warmup(1e-2, steps=4).then(schedule.cosine(1e-2, steps=6), at=4)
    table = np.array([lr(t) for t in range(1, 13)], np.float32)
    found, _ = run(adamas.jax.adamw(lr, weight_decay=schedule.constant(0.1)), params, gs)
    right, _ = run(adamas.jax.adamw(lambda k: jnp.asarray(table)[k], weight_decay=0.1), params, gs)
    assert far(found, right) < 2e-7
    injected = optax.inject_hyperparams(adamas.jax.adamw)(adamas.jax.schedule(lr), weight_decay=0.1)
    again, state = run(injected, params, gs)
    assert far(again, right) < 2e-7
    assert float(state.hyperparams["learning_rate"]) == table[-1]


@pytest.mark.parametrize(
    "nothing",
    [
        schedule.exponential(0.0, factor=1.5),
        schedule.step(0.0, every=1, factor=2.0),
        schedule.exponential(1.0, factor=1.5) * schedule.constant(0.0),
        schedule.constant(0.0) * schedule.exponential(1.0, factor=1.5),
    ],
    ids=repr,
)
def test_a_rate_of_nothing_stays_nothing(nothing: schedule.Schedule) -> None:
    """Where a factor has left float64, 0 times it is 0, and parameters stay what they are."""
    of_count = adamas.jax.schedule(nothing)
    assert float(jax.jit(of_count)(jnp.int32(5000))) == 0.0
    tx, p = adamas.jax.sgd(nothing), jnp.ones(2)
    state = tx.init(p)._replace(count=jnp.int32(5000))
    assert same(tx.update(p, state, p)[0], jnp.zeros(2))


def test_a_schedule_that_is_called_with_an_array_says_what_takes_one() -> None:
    """Whoever calls it in a trace learns of `over` and of the function for counts."""
    with pytest.raises(TypeError, match=r"schedule\.over\(words\); .* adamas\.jax\.schedule"):
        schedule.cosine(1.0, steps=3)(jnp.int32(3))  # type: ignore[arg-type]


def test_a_state_is_unpickled_in_a_new_process() -> None:
    """A saved state, and its structure, are read by a process that has not made such a one."""

    def quick(p: Any, g: Any, average: Any, *, lr: Any = 0.1) -> Any:
        average = 0.5 * average + g
        return p - lr * average, average

    for tx in (adamas.jax.adamw(), adamas.jax.transform(quick)()):
        state = tx.init({"a": jnp.ones(3)})
        assert same(pickle.loads(pickle.dumps(state)), state)
    code = (
        "import pickle, sys\n"
        "state, kind = pickle.loads(sys.stdin.buffer.read())\n"
        "print(type(state).__name__, state._fields, type(state) is kind)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        input=pickle.dumps((state, type(state))), capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout.decode().strip() == "QuickState ('count', 'average') True", done.stderr


def averaged(tx: Any, of: Any, params: Any, gs: Any) -> Any:
    """The parameters to evaluate at, before the first step and after the last."""
    found, state = run(tx, params, gs)
    return of(tx.init(params), params), of(state, found)


def test_parameters_to_evaluate_are_those_of_optax() -> None:
    """Called as optax's, with whatever b1: before the first step, and from inside of wrappers."""
    params = {"a": jnp.linspace(0.5, 2.0, 4), "b": jnp.ones(2)}
    gs, ours = gradients(params, 3), adamas.jax.schedule_free_eval_params
    tx = adamas.jax.schedule_free_adamw(0.1, b1=0.7)
    theirs = optax.contrib.schedule_free_adamw(0.1, b1=0.7, warmup_steps=None)
    right = averaged(theirs, optax.contrib.schedule_free_eval_params, params, gs)
    labels, still = {"a": "free", "b": "still"}, optax.set_to_zero()
    wrapped = [tx, optax.chain(optax.identity(), tx), optax.MultiSteps(tx, 1),
               optax.inject_hyperparams(adamas.jax.schedule_free_adamw)(0.1, b1=0.7),
               optax.partition({"free": tx, "still": still}, labels)]  # fmt: skip
    for one in wrapped:
        before, after = averaged(one, jax.jit(ours), params, gs)
        assert same(before, params) and far(after["a"], right[1]["a"]) < 1e-5
    assert same(after["b"], params["b"])


def test_parameters_to_evaluate_keep_their_dtype_and_need_their_state() -> None:
    """A bfloat16 leaf stays one; another state, and b1=0, from which no way leads back, say so."""
    tx, p = adamas.jax.schedule_free_adamw(0.1), {"a": jnp.ones(3, jnp.bfloat16), "b": None}
    found, state = run(tx, p, [p])
    assert adamas.jax.schedule_free_eval_params(state, found)["a"].dtype == jnp.bfloat16
    with pytest.raises(ValueError, match="no state of a schedule-free rule"):
        adamas.jax.schedule_free_eval_params(adamas.jax.adamw().init(p), p)
    with pytest.raises(ValueError, match=r"b1=0\.0 .* above 0"):
        adamas.jax.schedule_free_eval_params(adamas.jax.schedule_free_adamw(b1=0.0).init(p), p)
