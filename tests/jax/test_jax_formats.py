"""State in few bits and bfloat16 parameters in JAX: NumPy's codes, bit for bit."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import adamas
import adamas.jax
from adamas import codecs
from adamas.engine import codes as whole_arrays
from adamas.engine.grid import grid_of
from adamas.jax.coded import Bfloat16, Coded, Scaled
from adamas.jax.keeping import Place
from adamas.rules import adafactor
from few_bits import Cut, coarse, stored
from places import HELPERS
from reduction_rules import mixed

Array = NDArray[Any]
SHAPES = [(5,), (3, 200), (5, 70), (2, 3, 64)]
CODECS = {
    "mean8": (codecs.MEAN8, Scaled(codecs.MEAN8, False, 0)),
    "square8": (codecs.SQUARE8, Scaled(codecs.SQUARE8, False, 0)),
    "bfloat16": (codecs.BFLOAT16_RANDOM, Bfloat16(False)),
}
# Every product of these numbers and codes of at most 8 bits is exact in float32, and so a mean is
# rounded once however a compiler contracts it.
EXACT = {"beta1": 0.75, "beta2": 0.875}


def parts(kept: Any) -> list[Array]:
    """The codes, and the scales where there are any, as bits."""
    if isinstance(kept, Coded):
        return [np.asarray(kept.codes), np.asarray(kept.scales)]
    return [np.asarray(kept).view(np.uint16)]


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=15)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32 - 1),
    leaf=st.integers(0, 1000),
    count=st.integers(0, 2**31 - 2),
    array=st.sampled_from([0, 2]),
    data=st.integers(0, 2**32 - 1),
)
def test_codes_are_numpys(
    name: str, shape: tuple[int, ...], seed: int, leaf: int, count: int, array: int, data: int
) -> None:
    """The same numbers at the same place have the bits that NumPy stores, and mean the same."""
    codec, ours = CODECS[name]
    rng = np.random.default_rng(data)
    low, high = sorted(rng.integers(0, 0x7F900000, 2))
    bits = rng.integers(low, high + 1, shape, dtype=np.int32)
    if name != "square8":
        bits[rng.random(shape) < 0.5] ^= -(2**31)
    cut = Cut(shape)
    words = cut.words(seed, leaf, count + 1, array)
    expected = stored(codec, "m", bits.view(np.float32), cut, words)
    like = jax.lax.bitcast_convert_type(jnp.asarray(bits), jnp.float32)
    kept = encoded(name, like, np.uint32(seed), leaf, count, array)
    lost = np.repeat(expected.get("m.scale", np.ones(1)) == 0, cut.lengths) if codec.low else False
    found = dict(zip(expected, parts(kept), strict=True))
    found["m"] = np.where(lost, expected["m"], found["m"].ravel())
    for column, array_of in expected.items():
        np.testing.assert_array_equal(found[column], array_of)
    numbers = np.asarray(ours.decode(kept, like)).ravel()
    meant = whole_arrays.decode(codec, expected, "m", grid_of(shape))
    np.testing.assert_array_equal(numbers.view(np.int32), meant.view(np.int32))


@partial(jax.jit, static_argnames=("name", "array"))
def encoded(name: str, value: Any, seed: Any, leaf: Any, count: Any, array: int) -> Any:
    """The numbers kept under jit, with everything that may be traced traced."""
    form = CODECS[name][1]
    return form.encode(value, form.start(value, 0.0), Place(seed, leaf, count, array))


def both(state: str, p: Array, steps: int, **options: Any) -> tuple[Any, Any]:
    """The state of a second tensor after AdamW in JAX and with NumPy."""
    rng, seed = np.random.default_rng(1), 2**32 - 5
    first = np.ones(3, np.float32)
    arrays = [first.copy(), p.copy()]
    numpy = adamas.Optimizer(adamas.rules.adamw, arrays, state=state, seed=seed, lr=2**-10, **EXACT)
    tx = adamas.jax.adamw(2**-10, state=state, seed=seed, **EXACT)
    params = [jnp.asarray(first), jnp.asarray(p)]
    kept = tx.init(params)
    step = jax.jit(lambda g, kept, p: tx.update(g, kept, p))
    for _ in range(steps):
        g = coarse(rng, p.shape)
        numpy.step([np.zeros_like(first), g])
        u, kept = step([jnp.zeros(3), jnp.asarray(g)], kept, params)
        params = optax.apply_updates(params, u)
    return kept, numpy.state_dict()["state"][1]


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("state", ["int8", "bfloat16"])
def test_training_has_the_codes_of_numpy(state: str, dtype: Any) -> None:
    """Six steps of AdamW on 128,037 parameters keep the codes and scales that NumPy arrays keep."""
    p = np.random.default_rng(0).normal(size=128_037).astype(dtype)
    kept, expected = both(state, p, 6)
    for ours, name in (("mu", "m"), ("nu", "v")):
        found = parts(getattr(kept, ours)[1])
        np.testing.assert_array_equal(found[0], expected[name])
        if state == "int8":
            np.testing.assert_array_equal(found[1], expected[f"{name}.scale"])


def test_blocks_of_a_rule_of_rows_are_numpys() -> None:
    """Where a rule sums over rows, each short row has a block of its own, as with NumPy arrays."""
    rng = np.random.default_rng(0)
    p = rng.normal(size=(40, 9)).astype(np.float32)
    ours = jnp.asarray(p)
    numpy = adamas.Optimizer(mixed, p, state={"m": "int8"}, seed=3, beta=0.75)
    tx = adamas.jax.transform(mixed)(state={"m": "int8"}, seed=3, beta=0.75)
    kept, step = tx.init(ours), jax.jit(tx.update)
    for _ in range(3):
        g = coarse(rng, p.shape)
        numpy.step(g)
        _, kept = step(jnp.asarray(g), kept, ours)
    expected = numpy.state_dict()["state"][0]
    np.testing.assert_array_equal(kept.m.codes, expected["m"])
    np.testing.assert_array_equal(kept.m.scales, expected["m.scale"])
    assert kept.m.scales.shape == (40,)


def test_small_leaves_and_coarse_states_stay_in_float32() -> None:
    """Int8 spares what has no memory to save: small leaves, and one number a row or a column."""
    tree = {"large": jnp.ones((64, 64)), "small": jnp.ones((63, 65))}
    kept = adamas.jax.adamw(state="int8").init(tree)
    assert isinstance(kept.mu["large"], Coded)
    assert kept.mu["small"].dtype == kept.nu["small"].dtype == jnp.float32
    fewer = adamas.jax.transform(adafactor)(state="int8").init(tree)
    assert {leaf.dtype for leaf in jax.tree.leaves((fewer.r, fewer.c))} == {jnp.dtype("float32")}


def test_formats_are_chosen_by_the_name_of_a_state() -> None:
    """A dict chooses by the rule's names and by optax's, and so does mu_dtype, in any size."""
    p = jnp.ones(5)
    made = {
        "own": adamas.jax.adamw(state={"m": "bfloat16", "v": "int8"}),
        "optax's": adamas.jax.adamw(state={"mu": "bfloat16", "nu": "int8"}),
        "dtype": adamas.jax.adamw(state={"nu": "int8"}, mu_dtype=jnp.bfloat16),
    }
    for tx in made.values():
        kept = tx.init(p)
        assert kept.mu.dtype == jnp.bfloat16 and kept.nu.codes.dtype == jnp.uint8
    assert adamas.jax.adamw(mu_dtype="float32").init(p).mu.dtype == jnp.float32


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("int4", "not to be had in JAX.*denormal.*state='int8'"),
        ("int3", "state='int3': adamas.jax keeps float32, bfloat16, int8"),
        ({"u": "int8"}, "adamw has no state 'u'; it has mu, nu"),
        ({"m": "int4"}, "state='int4'"),
        (8, "state=8 must be a format"),
    ],
)
def test_what_cannot_be_had_is_refused_when_it_is_asked_for(state: Any, message: str) -> None:
    """A format that there is not is named at once, with those that there are."""
    with pytest.raises((TypeError, ValueError), match=message):
        adamas.jax.adamw(state=state)


def test_numbers_that_few_bits_cannot_hold_are_refused() -> None:
    """Complex parameters, states of rows and traced fractions as seeds are refused by name."""
    with pytest.raises(ValueError, match="complex64; choose state='float32'"):
        adamas.jax.adamw(state="bfloat16").init(jnp.ones(3, jnp.complex64))
    with pytest.raises(ValueError, match="'r' there is less than one number an element"):
        adamas.jax.transform(adafactor)(state={"r": "int8"})
    with pytest.raises(TypeError, match=r"seed=0\.5 must be a whole number"):
        adamas.jax.adamw(seed=0.5)
    with pytest.raises(ValueError, match="mu_dtype='float16' cannot be had"):
        adamas.jax.adamw(mu_dtype="float16")


def trained(step: Callable[..., Any], p: Any, kept: Any) -> Any:
    """The state after four steps of exact gradients."""
    for g in gradients(4, p.shape):
        p, kept = step(p, kept, g)
    return kept


def gradients(count: int, shape: tuple[int, ...]) -> jax.Array:
    """One for each step."""
    return jnp.asarray(coarse(np.random.default_rng(3), (count, *shape)))


def equal(one: Any, other: Any) -> bool:
    """Whether two trees have one structure and the same bits."""
    same = jax.tree.map(lambda a, b: a.dtype == b.dtype and bool((a == b).all()), one, other)
    return all(jax.tree.leaves(same))


@pytest.mark.parametrize("state", ["int8", "bfloat16"])
def test_codes_go_through_jax(state: str) -> None:
    """scan, vmap, donation, eval_shape, pickle and init under jit keep the codes of plain steps."""
    tx = adamas.jax.adamw(2**-10, b1=0.75, b2=0.875, state=state)
    p = jnp.asarray(coarse(np.random.default_rng(2), (64, 70)))

    def step(p: Any, kept: Any, g: Any) -> Any:
        u, kept = tx.update(g, kept, p)
        return optax.apply_updates(p, u), kept

    kept = tx.init(p)
    assert equal(jax.jit(tx.init)(p), kept)
    shapes = jax.eval_shape(tx.init, p)
    alike = jax.tree.map(lambda a, b: (a.shape, a.dtype) == (b.shape, b.dtype), shapes, kept)
    assert all(jax.tree.leaves(alike))
    plain = trained(jax.jit(step), p, kept)
    donated = jax.tree.map(jnp.copy, (p, kept))
    other = trained(jax.jit(step, donate_argnums=(0, 1)), *donated)
    assert equal(other, plain) and jax.tree.leaves(donated)[2].is_deleted()
    (_, other), _ = jax.lax.scan(
        lambda carry, g: (step(*carry, g), None), (p, kept), gradients(4, p.shape)
    )
    assert equal(other, plain)
    pair = jax.tree.map(lambda x: jnp.stack([x, x]), p)
    batched = jax.vmap(tx.init)(pair)
    several = jax.jit(jax.vmap(step, in_axes=(0, 0, None)))
    for g in gradients(4, p.shape):
        pair, batched = several(pair, batched, g)
    for k in range(2):
        assert equal(jax.tree.map(lambda x, k=k: x[k], batched), plain)
    assert equal(pickle.loads(pickle.dumps(plain)), plain)


WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "MultiSteps": lambda tx: optax.MultiSteps(tx, 1),
    "apply_if_finite": lambda tx: optax.apply_if_finite(tx, 3),
    "chain": lambda tx: optax.chain(optax.clip(1e9), tx),
    "masked": lambda tx: optax.masked(tx, {"a": True}),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_of_optax_keep_the_codes(wrapper: str) -> None:
    """What asks for the types of a state to stay, or goes over its arrays, finds codes as usual."""
    tx = adamas.jax.adamw(2**-10, b1=0.75, b2=0.875, state={"m": "int8", "v": "int8"})
    p = {"a": jnp.ones((3, 70))}
    g = {"a": jnp.asarray(coarse(np.random.default_rng(0), (3, 70)))}
    wrapped = WRAPPERS[wrapper](tx)
    _, plain = jax.jit(tx.update)(g, tx.init(p), p)
    _, found = jax.jit(wrapped.update)(g, wrapped.init(p), p)
    for name in ("mu", "nu"):
        assert equal(optax.tree.get(found, name), getattr(plain, name))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1)])
def test_a_leaf_of_any_shape_has_codes(shape: tuple[int, ...]) -> None:
    """A scalar, a leaf without elements and one without columns take codes and give them back."""
    tx = adamas.jax.adamw(1e-2, state={"m": "int8", "v": "bfloat16"})
    p = jnp.ones(shape)
    u, kept = jax.jit(tx.update)(p, tx.init(p), p)
    assert u.shape == kept.mu.codes.shape == kept.nu.shape == shape
    saved = adamas.jax.to_dict(kept)
    assert saved["mu.codes"].dtype == jnp.int8
    assert equal(adamas.jax.from_dict(saved, jax.eval_shape(tx.init, p)), kept)


def test_a_seed_may_be_traced() -> None:
    """inject_hyperparams keeps the seed as a number, and each member of an ensemble has its own."""
    p = jnp.ones(5000, jnp.bfloat16)
    tx = optax.inject_hyperparams(adamas.jax.sgd)(1e-3, seed=7)
    plain = adamas.jax.sgd(1e-3, seed=7)
    u, _ = jax.jit(tx.update)(p, tx.init(p), p)
    assert equal(u, jax.jit(plain.update)(p, plain.init(p), p)[0])

    def one(seed: Any) -> Any:
        tx = adamas.jax.sgd(1e-3, seed=seed)
        return tx.update(p, tx.init(p), p)[0]

    several = jax.jit(jax.vmap(one))(jnp.arange(6, 9))
    assert equal(several[1], u) and not equal(several[0], u)


def test_sharded_codes_are_those_of_one_device(tmp_path: Path) -> None:
    """On eight devices, sharded by the compiler or in types, codes and bits are the same."""
    path = tmp_path / "found.npz"
    flags = "--xla_force_host_platform_device_count=8"
    subprocess.run(
        [sys.executable, HELPERS / "jax_sharded.py", path],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        check=True,
        timeout=300,
    )
    with np.load(path) as found:
        plain = {name: found[name] for name in found if name.startswith("None")}
        assert plain and len(found) == 3 * len(plain)
        for name, array in plain.items():
            for kind in ("Auto", "Explicit"):
                np.testing.assert_array_equal(found[name.replace("None", kind)], array)
