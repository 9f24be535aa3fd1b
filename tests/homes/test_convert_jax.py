"""`adamas.convert` finds optax states wherever its users put them, and fills them as they are."""

from typing import Any, NamedTuple

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import adamas.jax
from adamas import convert
from adamas.dialects import lars_joint_norm
from adamas.homes.trees import leaves, rebuilt
from home_runs import HALF, NAMES, Adamas, Optax, Torch, forty, going_on, sample, trained

ADAMW = "optax.adamw(1e-2, weight_decay=0.1)"


def source() -> Torch:
    """AdamW of torch after some steps."""
    run = Torch(torch.optim.AdamW, lr=1e-2, weight_decay=0.1)
    trained(run, *sample("float32", 3))
    return run


def tree() -> dict[str, Any]:
    """The parameters as JAX has them."""
    return dict(zip("wb", map(jnp.asarray, sample("float32", 1)[0]), strict=True))


def filled(tx: Any, who: str = ADAMW, **how: Any) -> Any:
    """A state of `tx`, from torch."""
    run = source()
    return convert(run.saved(), run.source, (who, tx.init(tree())), **how)


def moments(run: Torch) -> np.ndarray:
    """The first moment of the matrix."""
    found: np.ndarray = run.source.state[run.held[0]]["exp_avg"].numpy()
    return found


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tx: tx,
        lambda tx: optax.chain(optax.clip_by_global_norm(1.0), tx),
        lambda tx: optax.apply_if_finite(tx, 3),
        lambda tx: optax.masked(tx, {"w": True, "b": True}),
        lambda tx: optax.partition({"x": tx, "y": tx}, {"w": "x", "b": "y"}),
        lambda tx: optax.MultiSteps(tx, 2),
        lambda tx: optax.named_chain(("clip", optax.clip(1.0)), ("adam", tx)),
    ],
    ids=["alone", "chain", "finite", "masked", "partition", "multi", "named"],
)
def test_a_state_is_found_in_whatever_wraps_it(wrap: Any) -> None:
    """What comes back has the structure, dtypes and class of init; moments and counts are ours."""
    tx = wrap(optax.adamw(1e-2, weight_decay=0.1))
    state, run = filled(tx), source()
    empty = tx.init(tree())
    assert jax.tree.structure(state) == jax.tree.structure(empty)
    same = jax.tree.map(lambda a, b: (a.dtype, a.shape, type(a)) == (b.dtype, b.shape, type(b)),
                        state, empty)  # fmt: skip
    assert jax.tree.all(same)
    mus = [one.mu["w"] for one in walk(state, "ScaleByAdamState") if hasattr(one.mu["w"], "shape")]
    assert len(mus) == 1
    np.testing.assert_array_equal(mus[0], moments(run))
    assert {int(one.count) for one in walk(state, "ScaleByAdamState")} == {3}
    back = convert(state, ADAMW, "adamas")
    assert back["state"]["b"]["step"] == 3


def walk(state: Any, kind: str) -> list[Any]:
    """The records of a class in a state."""
    found: list[Any] = []
    jax.tree.map(
        lambda one: found.append(one) if type(one).__name__ == kind else None, state,
        is_leaf=lambda one: type(one).__name__ == kind,
    )  # fmt: skip
    return found


def test_injected_numbers_are_read_and_written() -> None:
    """inject_hyperparams has its numbers in the state: they go along as torch's groups do."""
    tx = optax.inject_hyperparams(optax.adamw)(learning_rate=0.5, weight_decay=0.0)
    state = filled(tx, "optax.adamw")
    assert float(state.hyperparams["learning_rate"]) == pytest.approx(1e-2)
    assert float(state.hyperparams["weight_decay"]) == pytest.approx(0.1)
    assert convert(state, "optax.adamw", "adamas")["param_groups"][0]["lr"] == pytest.approx(1e-2)


def test_numbers_that_differ_are_told() -> None:
    """A target that was made with another lr goes on with it, and one hears of it."""
    with pytest.warns(UserWarning, match=r"lr=0\.5 \(the source has 0\.01\)"):
        filled(optax.adamw(0.5), "optax.adamw(0.5, weight_decay=0.1)")
    filled(optax.adamw(0.5), "optax.adamw")
    with pytest.raises(ValueError, match=r"optax\.adam has no weight_decay.*has 0\.1"):
        filled(optax.adam(1e-2), "optax.adam(1e-2)")


def test_a_schedule_goes_on_counting() -> None:
    """The count of a schedule is the number of steps done, as everything that counts."""
    tx = optax.adamw(optax.cosine_decay_schedule(1e-2, 100))
    state = filled(tx, "optax.adamw")
    assert [int(one.count) for one in walk(state, "ScaleByScheduleState")] == [3]


def test_modules_and_shapes_do_for_a_structure() -> None:
    """Equinox' modules are containers, and arrays that were never made become NumPy's."""
    layer = equinox.nn.Linear(4, 3, key=jax.random.key(0))
    tx = optax.adamw(1e-2)
    held = torch.nn.Linear(4, 3)
    theirs = torch.optim.AdamW(held.named_parameters(), lr=1e-2)
    held(torch.ones(2, 4)).sum().backward()
    theirs.step()
    params = equinox.filter(layer, equinox.is_array)
    state = convert(theirs.state_dict(), theirs, ("optax.adamw", tx.init(params)))
    assert isinstance(state[0].mu, equinox.nn.Linear)
    np.testing.assert_array_equal(state[0].mu.weight, theirs.state[held.weight]["exp_avg"])
    tx.update(params, state, params)
    shapes = jax.eval_shape(tx.init, params)
    assert isinstance(
        convert(theirs.state_dict(), theirs, ("optax.adamw", shapes))[0].mu.bias, np.ndarray
    )


def test_few_bits_of_jax_are_numbers_elsewhere() -> None:
    """Numbers arrive in adamas.jax as codes, to nearest, and leave as what the codes stand for."""
    arrays = {"w": np.zeros((40, 150), np.float32), "b": np.zeros(7, np.float32)}
    random = np.random.default_rng(0)
    numpy = adamas.AdamW(arrays, threads=1)
    numpy.step({n: random.normal(size=one.shape).astype("f") for n, one in arrays.items()})
    tx, who = adamas.jax.adamw(1e-3, state="int8"), "adamas.jax.adamw(1e-3)"
    empty = tx.init({name: jnp.asarray(one) for name, one in arrays.items()})
    state = convert(numpy.state_dict(), numpy, (who, empty))
    assert jax.tree.structure(state) == jax.tree.structure(empty)
    assert state.nu["w"].codes.dtype == jnp.uint8
    v, back = numpy.values("w")["v"], convert(state, who, "adamas")["state"]["w"]["v"]
    # A second moment has 4 levels an octave, 32 in the upper ones: an eighth of it at most.
    np.testing.assert_allclose(back, v, rtol=0.125, atol=2.0**-24 * v.max())
    np.testing.assert_array_equal(back, state.nu["w"].numbers())


def test_a_state_of_another_function_is_refused() -> None:
    """The name must fit the records: adabelief's are not adam's, though their fields are."""
    params = tree()
    for tx, who, told in (
        (optax.adabelief(1e-2), "optax.adam", "ScaleByBeliefState"),
        (optax.adam(1e-2), "optax.lion", "ScaleByAdamState"),
        (optax.rmsprop(1e-2, momentum=0.9), "optax.rmsprop(1e-2, centered=True)", "TraceState"),
        (optax.sgd(1e-2), "optax.adam", "no records"),
    ):
        with pytest.raises(ValueError, match=f"no state of {who.partition('(')[0]}.*{told}"):
            convert(tx.init(params), who, "adamas")


def test_what_optax_cannot_count_is_refused() -> None:
    """Parameters that had different numbers of steps, and gradients that are being gathered."""
    run = source()
    state = run.saved()
    state["state"][1]["step"] += 1
    target = ("optax.adamw", optax.adamw(1e-2).init(tree()))
    with pytest.raises(ValueError, match="'w' had 3, 'b' 4"):
        convert(state, run.source, target)
    with pytest.warns(UserWarning, match="all go on as if they had 4"):
        assert convert(state, run.source, target, dialect="ignore")[0].count == 4
    tx = optax.MultiSteps(optax.adamw(1e-2), 2)
    _, half = tx.update(tree(), tx.init(tree()), tree())
    with pytest.raises(ValueError, match="mini_step"):
        convert(half, "optax.adamw", "adamas")


def test_a_parameter_without_state_is_refused_or_told() -> None:
    """Torch keeps nothing of what never had a gradient; in optax it is as old as the others."""
    run = source()
    state = run.saved()
    del state["state"][1]
    target = ("optax.adamw", optax.adamw(1e-2).init(tree()))
    with pytest.raises(ValueError, match=r"no state of \['b'\]"):
        convert(state, run.source, target)
    with pytest.warns(UserWarning, match=r"no state of \['b'\]"):
        found = convert(state, run.source, target, dialect="ignore")
    assert not found[0].mu["b"].any()
    face = Torch(torch.optim.AdamW, lr=1e-2)
    trained(face, *sample("float32", 2))
    assert list(convert(state, run.source, face.source)["state"]) == [0]


def stepped(tx: Any) -> Any:
    """A state of `tx` after a step."""
    return tx.update(tree(), tx.init(tree()), tree())[1]


def test_what_the_source_lacks_is_as_before_the_first_step() -> None:
    """A conversion is a load: no moment and no count of the target's own past is left."""
    run = Torch(torch.optim.AdamW, lr=1e-2)
    run.start(sample("float32", 1)[0])
    tx = optax.adamw(1e-2)
    empty = convert(run.saved(), run.source, ("optax.adamw", stepped(tx)))
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), empty, tx.init(tree())))
    partly = source().saved()
    del partly["state"][1]
    with pytest.warns(UserWarning, match="no state of"):
        found = convert(partly, "torch.AdamW", ("optax.adamw", stepped(tx)), dialect="ignore")
    assert found[0].mu["w"].any() and not found[0].mu["b"].any()
    sums = optax.adagrad(1e-2, initial_accumulator_value=0.5)
    held = Torch(torch.optim.Adagrad, lr=1e-2, eps=1e-7)
    held.start(sample("float32", 1)[0])
    state = held.saved()
    state["state"] = {}
    who = "optax.adagrad(1e-2, initial_accumulator_value=0.5)"
    found = convert(state, "torch.Adagrad", (who, stepped(sums)), dialect="ignore")
    assert bool((found[0].sum_of_squares["b"] == 0.5).all())


def test_two_records_of_one_parameter_are_refused() -> None:
    """A chain of two Adams is no Adam, whichever of them one would take."""
    tx = optax.chain(optax.adam(1e-3), optax.adam(1e-2))
    with pytest.raises(ValueError, match=r"two records of optax\.adam hold m of '[wb]'"):
        convert(stepped(tx), "optax.adam(1e-3)", "adamas")
    run = source()
    with pytest.raises(ValueError, match="two records"):
        convert(run.saved(), run.source, ("optax.adamw", optax.chain(tx, tx).init(tree())))


@pytest.mark.parametrize(
    ("other", "told"), [(optax.trace(0.9), "TraceState"), (optax.ema(0.9), "EmaState")]
)
def test_arrays_that_are_not_converted_are_told(other: Any, told: str) -> None:
    """A momentum or an average around the rule is no part of it, and one hears what is left."""
    state = stepped(optax.chain(other, optax.adamw(1e-2)))
    with pytest.warns(UserWarning, match=f"{told} in a state of optax.adamw"):
        convert(state, "optax.adamw(1e-2)", "adamas")


def test_records_that_only_look_like_the_rules_are_refused() -> None:
    """Adam's record is none of AdaBelief's, and NovoGrad's none of Adam's, with the same fields."""
    for tx, who in ((optax.adam(1e-2), "adabelief"), (optax.novograd(1e-2), "adam")):
        with pytest.raises(ValueError, match=f"no state of optax.{who}"):
            convert(stepped(tx), f"optax.{who}", "adamas")


def test_keys_with_dots_do_not_collide_in_silence() -> None:
    """Two arrays of one path are an error, not one array."""
    state = optax.adam(1e-2).init({"a.b": jnp.ones(2), "a": {"b": jnp.ones(3)}})
    with pytest.raises(ValueError, match=r"two arrays of the tree are called 'a\.b'"):
        convert(state, "optax.adam", "adamas")


def test_many_states_in_one_are_refused() -> None:
    """Under vmap there is a count for each model, and no number of steps."""
    many = jax.vmap(optax.adam(1e-2).init)({"w": jnp.ones((3, 2))})
    with pytest.raises(ValueError, match=r"count of ScaleByAdamState is no single number"):
        convert(many, "optax.adam", "adamas")


class Counted(NamedTuple):
    """Parameters of which one is called as a count is."""

    count: Any


def test_a_parameter_may_be_called_count() -> None:
    """What is in the moments is no counter, whatever its name."""
    state = optax.adam(1e-2).init(Counted(jnp.ones((3, 2))))
    assert list(convert(state, "optax.adam", "adamas")["state"]) == ["count"]


class Pair(NamedTuple):
    """A container of two."""

    one: Any
    two: Any


ARRAYS = st.integers(1, 3).map(lambda size: jnp.arange(float(size)))
KEYS = st.sampled_from(["a", "b", "layer", "w"])
TREES = st.recursive(
    ARRAYS,
    lambda inside: (
        st.dictionaries(KEYS, inside, min_size=1, max_size=3)
        | st.lists(inside, min_size=1, max_size=3)
        | st.tuples(inside, inside)
        | st.builds(Pair, inside, inside)
    ),
    max_leaves=6,
)


@given(TREES)
def test_leaves_are_called_as_jax_calls_them_and_trees_stay_what_they_are(tree: Any) -> None:
    """Any nesting: the names are those of keystr, and what is filled has the same structure."""
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    names = {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in paths}
    found = leaves(tree)
    assert found.keys() == names.keys()
    assert all(found[name] is names[name] for name in names)
    assert rebuilt(tree, lambda path, part: part) is tree
    doubled = rebuilt(tree, lambda path, part: part * 2 if path in found else part)
    assert jax.tree.structure(doubled) == jax.tree.structure(tree)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == 2 * b).all()), doubled, tree))


def test_float32_goes_on_within_a_millionth() -> None:
    """Torch's AdamW and optax' in the width that everybody trains in: 1e-6 after forty steps."""
    first = forty(Torch(torch.optim.AdamW, lr=1e-2, weight_decay=0.1), "float32")
    tx = optax.adamw(1e-2, weight_decay=0.1)
    params = dict(zip("wb", map(jnp.asarray, first.half), strict=True))
    state = convert(first.state, first.source, (ADAMW, tx.init(params)))
    for one in sample("float32")[1][HALF:]:
        updates, state = tx.update(dict(zip("wb", one, strict=True)), state, params)
        params = optax.apply_updates(params, updates)
    for a, b in zip((params[name] for name in NAMES), first.whole, strict=True):
        assert np.abs(np.asarray(a) - b).max() / np.abs(b).max() < 1e-6


def test_the_momentum_of_lars_keeps_its_sign() -> None:
    """Optax sums what is added, adamas what is taken away: one becomes the other, both ways."""
    there = Optax("optax.lars(0.01, weight_decay=0.1, trust_coefficient=0.1)")
    here = Adamas(lars_joint_norm, lr=0.01, weight_decay=0.1, trust_coefficient=0.1, beta=0.9)
    assert going_on(forty(there, "float32"), here, "float32") < 2e-6
    assert going_on(forty(here, "float32"), there, "float32") < 2e-6
