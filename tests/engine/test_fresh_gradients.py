"""Gradients may be other arrays at every step, of any kind: each step goes by those it was given.

SGD with a rate of 1 subtracts them, exactly where they are small whole numbers.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas.engine.gradients import Reader
from adamas.engine.tensors import collect
from stepping import Array

SIZES = (1, 5, 40)


def strided(g: Array) -> Array:
    """The same numbers, every second of an array."""
    wide = np.zeros(2 * g.size, g.dtype)
    wide[::2] = g
    return wide[::2]


def unaligned(g: Array) -> Array:
    """The same numbers at an address that is no multiple of their size."""
    room = np.zeros(g.nbytes + 1, np.uint8)
    odd = room[1:].view(g.dtype)
    odd[:] = g
    return odd


def fixed(g: Array) -> Array:
    """The same numbers, read-only."""
    g.flags.writeable = False
    return g


KINDS: dict[str, Callable[[Array], Any]] = {
    "fresh": lambda g: g,
    "left out": lambda g: None,
    "strided": strided,
    "unaligned": unaligned,
    "read-only": fixed,
    "double": lambda g: g.astype(np.float64),
    "rows": lambda g: adamas.Rows(np.arange(len(g)), g),
    "subclass": lambda g: g.view(np.recarray),
}
FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "dict": lambda values: {f"w{k}": value for k, value in enumerate(values)},
    "dict backwards": lambda values: {f"w{k}": values[k] for k in reversed(range(len(values)))},
    "groups": lambda values: [values[0], values[1:2], tuple(values[2:])],
}


def parameters(form: str) -> tuple[list[Array], Any]:
    """Zeros, and the same in the form in which an optimizer is given them."""
    w = [np.zeros(size, np.float32) for size in SIZES]
    if form == "groups":
        return w, [{"params": w[0]}, {"params": w[1:2]}, {"params": w[2:]}]
    return w, (FORMS[form](w) if form.startswith("dict") else w)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(data=st.data())
def test_each_step_goes_by_its_own_gradients(form: str, data: st.DataObject) -> None:
    """Whatever kinds of gradients follow each other, new or kept, what is subtracted is they."""
    w, given_as = parameters(form)
    optimizer = adamas.SGD(given_as, lr=1.0)
    expected = [np.zeros(size, np.float32) for size in SIZES]
    memory = [[np.zeros(size, np.float32) for _ in range(2)] for size in SIZES]
    steps = data.draw(st.lists(st.sampled_from(["kept", "reused", *KINDS]), min_size=2, max_size=9))
    kept: list[Any] = [None] * len(SIZES)
    for t, kind in enumerate(steps, 1):
        odd = data.draw(st.integers(0, len(SIZES) - 1))
        values: list[Any] = []
        for k, size in enumerate(SIZES):
            g = np.arange(t, t + size, dtype=np.float32)
            if kind == "reused":
                # New objects on memory of earlier ones.
                room = memory[k][t % 2]
                room[:] = g
                values.append(room[...])
            elif kind == "kept" and isinstance(kept[k], np.ndarray) and kept[k].flags.writeable:
                kept[k][...] = g
                values.append(kept[k])
            else:
                values.append(KINDS[kind](g) if k == odd and kind in KINDS else g)
            expected[k] -= 0 if values[k] is None else g
        optimizer.step(FORMS[form](values))
        kept = values
    for one, other in zip(w, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_reads_what_it_can(kind: str) -> None:
    """Only aligned, writable, contiguous arrays of the parameter's dtype go to a kernel unseen."""
    reader = Reader(collect(np.zeros(5, np.float32))[0], writes=False)
    g = KINDS[kind](np.ones(5, np.float32))
    assert reader.quick([g]) == [g.ctypes.data if kind == "fresh" else 0]


@pytest.mark.parametrize("before", ["same", "fresh"])
def test_a_gradient_that_lies_in_a_parameter_is_read_before_it(before: str) -> None:
    """New gradients that overlap parameters count as they were when the step was called."""
    room = np.arange(1064, dtype=np.float32)
    w = room[64:]
    optimizer = adamas.SGD([w], lr=1.0)
    kept = np.zeros(1000, np.float32)
    for _ in range(3):
        optimizer.step([kept if before == "same" else np.zeros(1000, np.float32)])
    # Each element of w is 64 above that of the gradient, which is stepped just before it.
    optimizer.step([room[:1000]])
    np.testing.assert_array_equal(w, 64.0)
    optimizer.step([w])
    np.testing.assert_array_equal(w, 0.0)


@pytest.mark.parametrize("count", [2, 40])
def test_new_gradients_that_share_memory_are_not_zeroed(count: int) -> None:
    """`zero_grads` refuses gradients in each other's memory, also after steps with good ones."""
    w = [np.zeros(4, np.float32) for _ in range(count)]
    optimizer = adamas.SGD(w, lr=1.0, zero_grads=True)
    for _ in range(2):
        fresh = [np.ones(4, np.float32) for _ in w]
        optimizer.step(fresh)
        assert not np.any(fresh)
    shared = np.ones(6, np.float32)
    bad = [shared[:4], shared[2:], *[np.ones(4, np.float32) for _ in w[2:]]]
    with pytest.raises(ValueError, match="share memory"):
        optimizer.step(bad)
    np.testing.assert_array_equal(w[0], [-2.0] * 4)
    optimizer.step([np.ones(4, np.float32) for _ in w])
    np.testing.assert_array_equal(w[0], [-3.0] * 4)


@pytest.mark.parametrize("form", FORMS)
def test_wrong_gradients_after_right_ones(form: str) -> None:
    """A gradient of another shape, or one too few, is refused by name, and nothing has moved."""
    w, given_as = parameters(form)
    optimizer = adamas.SGD(given_as, lr=1.0)
    good = FORMS[form]([np.ones(size, np.float32) for size in SIZES])
    optimizer.step(good)
    with pytest.raises(ValueError, match=r"has shape \(4,\), not \(5,\)"):
        optimizer.step(FORMS[form]([np.ones(size - (size == 5), np.float32) for size in SIZES]))
    short = FORMS[form]([np.ones(size, np.float32) for size in SIZES[:2]])
    with pytest.raises((TypeError, ValueError), match=r"w2|2 gradients for 3|0 gradients for 1"):
        optimizer.step(short)
    optimizer.step(good)
    for one in w:
        np.testing.assert_array_equal(one, -2.0)


def test_gradients_are_not_kept_alive() -> None:
    """No new gradient outlives the caller's last use of it."""
    w = np.zeros(4, np.float32)
    optimizer = adamas.SGD([w], lr=1.0)
    for _ in range(3):
        g = np.ones(4, np.float32)
        optimizer.step([g])
        alive = weakref.ref(g)
        del g
        assert alive() is None
    np.testing.assert_array_equal(w, -3.0)
