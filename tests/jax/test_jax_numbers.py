"""Numbers between Python and a trace."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

import adamas.jax
from adamas.jax.words import exact
from jax_stepping import same

READ = jax.jit(exact)


def read(number: np.float32) -> np.float64:
    """What a step takes a float32 for."""
    with jax.enable_x64(True):
        return np.float64(READ(number))


@given(st.integers(1, 999_999), st.integers(-20, 0))
@example(999, -3)
@example(1, -16)
def test_a_decimal_comes_back_from_a_float32(digits: int, power: int) -> None:
    """What inject_hyperparams makes a float32 of is, to the bit, the number that was written."""
    written = float(f"{digits}e{power}")
    if written > 1e-17:
        assert read(np.float32(written)) == written
        assert read(np.float32(-written)) == -written


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_what_is_read_rounds_to_the_same_float32(number: float) -> None:
    """A number that no short decimal gives stays what it is; none moves by more than rounding."""
    assert np.float32(read(np.float32(number))) == np.float32(number)


def test_reading_has_the_derivative_of_the_number() -> None:
    """Through the rounding to a decimal goes the derivative 1."""
    with jax.enable_x64(True):
        assert jax.grad(lambda x: exact(x) * 3.0)(jnp.float32(0.001)) == 3.0


shapes = st.lists(st.lists(st.integers(0, 3), max_size=2).map(tuple), max_size=3)
trees = st.recursive(
    shapes,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3),
    ),
    max_leaves=6,
)


@given(trees)
def test_any_tree_comes_back_from_its_dict(tree: object) -> None:
    """Whatever containers the parameters are in, a state goes to a dict by path and back."""
    params = jax.tree.map(
        lambda shape: np.ones(shape, np.float32), tree, is_leaf=lambda x: isinstance(x, tuple)
    )
    state = adamas.jax.nadam().init(params)
    saved = {name: np.asarray(leaf) for name, leaf in adamas.jax.to_dict(state).items()}
    assert same(adamas.jax.from_dict(saved, state), state)
