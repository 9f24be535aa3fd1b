"""Codes belong to elements, not to places in memory: state moves between memory orders."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import adamas
from adamas.engine.grid import Order

FORMS = ["int8", "int4"]
SHAPE = (6, 200, 3)
# One rounding to the nearest code, of the norm of the whole state.
COARSE = {"int8": 2**-3, "int4": 0.5}


def trained(order: Any, form: str) -> tuple[adamas.Optimizer, NDArray[Any]]:
    """An optimizer, after a few steps, of a parameter whose axes lie in memory as `order` says."""
    rng = np.random.default_rng(3)
    p = np.empty([SHAPE[k] for k in order], np.float32).transpose(np.argsort(order))
    p[...] = rng.normal(size=SHAPE)
    optimizer = adamas.AdamW(p, state=lambda key, array: form)
    scale = np.exp(2 * rng.normal(size=SHAPE))
    for _ in range(3):
        optimizer.step((scale * rng.normal(size=SHAPE)).astype(np.float32))
    return optimizer, p


@pytest.mark.parametrize("form", FORMS)
@given(st.permutations(range(3)), st.permutations(range(3)))
def test_codes_of_another_order_are_converted(form: str, old: list[int], new: list[int]) -> None:
    """A state saved from one memory order means the same numbers in any other."""
    first, _ = trained(old, form)
    second, _ = trained(new, form)
    second.load_state_dict(first.state_dict())
    before, after = first.values(0), second.values(0)
    for name, expected in before.items():
        off = np.linalg.norm(after[name] - expected) / np.linalg.norm(expected)
        assert off == 0 if old == new else off < COARSE[form], name


@pytest.mark.parametrize("form", FORMS)
def test_the_same_order_keeps_the_bits(form: str) -> None:
    """In its own memory order a state is taken over bit for bit."""
    first, _ = trained((1, 2, 0), form)
    second, _ = trained((1, 2, 0), form)
    second.load_state_dict(first.state_dict())
    for name, kept in first.state[0].items():
        assert np.array_equal(second.state[0][name], kept), name


def test_flat_codes_without_an_order_are_refused() -> None:
    """Codes that do not say where they belong are taken for a plain array's, or refused."""
    plain, _ = trained((0, 1, 2), "int4")
    turned, p = trained((2, 1, 0), "int4")
    saved = plain.state_dict()
    del saved["state"][0]["memory_order"]
    before, values = p.copy(), turned.values(0)
    with pytest.raises(ValueError, match="memory_order"):
        turned.load_state_dict(saved)
    assert np.array_equal(p, before)
    assert all(np.array_equal(turned.values(0)[name], values[name]) for name in values)
    plain.load_state_dict(saved)


def test_codes_in_the_shape_of_their_parameter_tell_their_order() -> None:
    """A state of eight bits from before orders were saved is read by the strides of its codes."""
    first, _ = trained((2, 0, 1), "int8")
    second, _ = trained((0, 1, 2), "int8")
    saved = first.state_dict()
    expected = first.values(0)["v"]
    del saved["state"][0]["memory_order"]
    second.load_state_dict(saved)
    assert np.linalg.norm(second.values(0)["v"] - expected) < 2**-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("wrong", [-1, 6, 1 << 70, 0.0, True, "0", (0, 1, 2), None])
def test_what_is_no_order_is_refused(wrong: Any) -> None:
    """A memory order beyond the six of three axes is an error, and nothing changes."""
    optimizer, _ = trained((0, 1, 2), "int8")
    saved = optimizer.state_dict()
    saved["state"][0]["memory_order"] = wrong
    before = optimizer.values(0)
    with pytest.raises((TypeError, ValueError), match=r"memory.order"):
        optimizer.load_state_dict(saved)
    assert all(np.array_equal(optimizer.values(0)[name], before[name]) for name in before)


@given(st.permutations(range(5)))
def test_orders_are_numbered_as_permutations_are(axes: list[int]) -> None:
    """The number of an order is its place in `itertools.permutations`, and says which it is."""
    shape = (2, 3, 4, 5, 6)
    order = Order(shape, tuple(axes))
    assert list(itertools.permutations(range(5)))[order.number] == order.axes
    assert Order.numbered(shape, order.number) == order


@pytest.mark.parametrize(
    ("shape", "one", "other", "same"),
    [
        ((4, 1, 100), (0, 1, 2), (0, 2, 1), True),
        # One row of 400 elements, or four of 100: other blocks, whatever the elements do.
        ((4, 1, 100), (0, 1, 2), (1, 0, 2), False),
        ((64, 32, 3, 3), (0, 1, 2, 3), (0, 2, 3, 1), False),
        ((), (), (), True),
    ],
)
def test_orders_are_the_same_if_their_blocks_are(
    shape: tuple[int, ...], one: tuple[int, ...], other: tuple[int, ...], same: bool
) -> None:
    """Two orders are one if the same blocks hold the same elements."""
    assert Order(shape, one).same(Order(shape, other)) is same


def test_an_order_from_a_file_of_arrays_is_taken() -> None:
    """A memory order comes back from an npz as an array without axes, as steps do."""
    first, _ = trained((1, 2, 0), "int4")
    second, _ = trained((0, 1, 2), "int4")
    saved = first.state_dict()
    for name in ("memory_order", "step", "rounding"):
        saved["state"][0][name] = np.array(saved["state"][0][name])
    second.load_state_dict(saved)
    assert second.state[0]["step"] == 3
