"""The random words of rounding are one function of 32 bits, on the arrays of every home."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adamas.engine.grid import grid_of
from adamas.kernel import dither
from adamas.kernel.runtime import stepping_integers
from adamas.words import rebound
from few_bits import Cut, mix
from foreign import torch

numbers = st.integers(0, 2**32 - 1)


def _jitted(key: Any, purpose: int, rows: int, width: int, count: Any) -> Any:
    return jax.jit(dither.words, static_argnums=(1, 2, 3, 4))(key, purpose, rows, width, count)


def _shifted(x: Any, bits: int) -> Any:
    """A shift to the right by whole division, for arrays without the operator."""
    return (x // (1 << bits)) & ((1 << 32 - bits) - 1)


HOMES: dict[str, tuple[Callable[[int], Any], Callable[..., Any]]] = {
    "numpy": (lambda n: np.arange(n, dtype=np.int32), dither.words),
    "torch": (lambda n: torch.arange(n, dtype=torch.int32), dither.words),
    "jax": (lambda n: jnp.arange(n, dtype=jnp.int32), dither.words),
    "jax under jit": (lambda n: jnp.arange(n, dtype=jnp.int32), _jitted),
    "without >>": (
        lambda n: np.arange(n, dtype=np.int32),
        rebound(dither.words, {"_down": _shifted}),
    ),
}


@given(key=numbers, number=numbers, purpose=st.integers(0, 2000))
@example(key=2**32 - 1, number=2**31, purpose=1)
def test_the_hash_is_that_of_64_bits_cut_off(key: int, number: int, purpose: int) -> None:
    """Arithmetic of 32 bits that wraps around, a debugger's, and that of 64 bits agree."""
    expected = int(mix(key, number, purpose))
    for one in (dither.wrapped(key), dither.whole(key)):
        assert int(dither.mix(one, dither.whole(number), purpose)[0]) == dither.wrapped(expected)
    stepped = stepping_integers.mix(
        stepping_integers.int32(dither.wrapped(key)), dither.wrapped(number), purpose
    )
    assert int(stepped) & 0xFFFFFFFF == expected


@given(seed=numbers, own=st.integers(0, 2**31 - 1), step=st.integers(1, 2**31 - 1))
def test_a_key_is_made_of_seed_number_and_step(seed: int, own: int, step: int) -> None:
    """The key of a step is the hash of the three that the decision says."""
    expected = dither.wrapped(int(mix(mix(seed, own, 0), step, 1)))
    whole, traced = dither.whole, jnp.int32
    assert dither.step_key(seed, whole(own), whole(step)).tolist() == [expected]
    assert dither.step_key(whole(seed), whole(own), whole(step)).tolist() == [expected]
    assert dither.step_key(seed, traced(own), traced(step)).item() == expected


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("shape", [(), (1,), (300,), (3, 200), (5, 70), (9, 10), (2, 3, 64), (0,)])
def test_every_home_draws_the_same_words(home: str, shape: tuple[int, ...]) -> None:
    """The words of a tensor are the same in all homes, whatever rows its blocks begin with."""
    count, words = HOMES[home]
    grid = grid_of(shape)
    key = dither.step_key(2**32 - 1, dither.whole(7), dither.whole(3))
    found = np.asarray(words(int(key[0]), 2, grid.rows, grid.width, count))
    assert found.dtype == np.int32
    if found.size:
        np.testing.assert_array_equal(found, Cut(shape).words(2**32 - 1, 7, 3, 2))
    else:
        assert shape == (0,)
