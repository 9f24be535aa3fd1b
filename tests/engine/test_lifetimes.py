"""Gradient arrays come, change, go and come back: every step reads the array it was given.

The optimizer recognises last step's arrays without looking at them again. It must never take an
array that is gone for one that is there, and it must not keep one alive.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import adamas
from foreign import copied, torch
from stepping import Array, momentum

SIZE = 6
# What happens to a parameter's gradient between two steps.
EVENTS = ("same", "written", "new", "none", "float64", "strided", "torch", "swapped")


def litter() -> list[Array]:
    """Arrays of the gradients' size, holding NaN, to take up the memory of those just freed."""
    return [np.full(SIZE, np.nan, np.float32) for _ in range(8)]


def after(event: str, old: Any, rng: np.random.Generator) -> Any:
    """The gradient that follows `old`."""
    fresh = rng.normal(size=SIZE).astype(np.float32)
    if event == "same":
        return old
    if event == "written" and old is not None:
        old[:] = torch.tensor(fresh) if torch.is_tensor(old) else fresh
        return old
    made: dict[str, Callable[[], Any]] = {
        "none": lambda: None,
        "float64": lambda: fresh.astype(np.float64),
        "strided": lambda: np.repeat(fresh, 2)[::2],
        "torch": lambda: torch.tensor(fresh),
    }
    return made.get(event, lambda: fresh)()


@given(
    events=st.lists(st.tuples(*[st.sampled_from(EVENTS)] * 2), min_size=1, max_size=12),
    several=st.booleans(),
    seed=st.integers(0, 999),
)
@example(events=[("new",) * 2, ("none",) * 2, ("new",) * 2], several=False, seed=0)
def test_any_sequence(events: list[tuple[str, str]], several: bool, seed: int) -> None:
    """Whatever happens to the arrays between steps, each step uses the values of its own."""
    rng = np.random.default_rng(seed)
    count = 2 if several else 1
    params = [np.zeros(SIZE, np.float32) for _ in range(count)]
    grads: list[Any] = [rng.normal(size=SIZE).astype(np.float32) for _ in range(count)]
    history: list[list[Array | None]] = [[] for _ in range(count)]
    optimizer = adamas.Momentum(params, lr=0.5)
    for step in events:
        if several and step[0] == "swapped":
            grads.reverse()
        else:
            grads = [after(event, g, rng) for event, g in zip(step, grads, strict=False)]
        filling = litter()
        for seen, g in zip(history, grads, strict=True):
            seen.append(None if g is None else copied(g))
        optimizer.step(list(grads))
        del filling
    for p, seen in zip(params, history, strict=True):
        assert p.tobytes() == momentum(np.zeros(SIZE, np.float32), seen, lr=0.5).tobytes()


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"w": x}])
def test_left_out_after_its_array_is_gone(wrap: Callable[[Any], Any]) -> None:
    """None means no gradient, also when last step's array has just been freed."""
    w = np.zeros(SIZE, np.float32)
    optimizer = adamas.SGD(wrap(w), lr=1.0)
    for _ in range(3):
        optimizer.step(wrap(np.ones(SIZE, np.float32)))
        filling = litter()
        optimizer.step(wrap(None))
        del filling
    assert w.tolist() == [-3.0] * SIZE
    assert optimizer.steps == 6
    assert next(iter(optimizer.state.values()))["step"] == 3


MAKERS: dict[str, Callable[[], Any]] = {
    "usual": lambda: np.ones(SIZE, np.float32),
    "float64": lambda: np.ones(SIZE),
    "strided": lambda: np.ones(2 * SIZE, np.float32)[::2],
    "torch": lambda: torch.ones(SIZE),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_no_gradient_is_kept_alive(maker: str) -> None:
    """When the caller drops a gradient its memory is free, whatever form it had."""
    optimizer = adamas.SGD(np.zeros(SIZE, np.float32), lr=1.0)
    for _ in range(2):
        g = MAKERS[maker]()
        gone = weakref.ref(g)
        optimizer.step(g)
        optimizer.step(g)
        del g
        assert gone() is None


def test_known_array_cannot_move() -> None:
    """NumPy refuses to move the memory of an array that the optimizer knows by its address."""
    g = np.ones(SIZE, np.float32)
    optimizer = adamas.SGD(np.zeros(SIZE, np.float32))
    optimizer.step(g)
    with pytest.raises(ValueError, match="cannot resize"):
        g.resize(100_000, refcheck=False)


def test_reshaped_gradient_is_looked_at_again() -> None:
    """A reshaped view of a known array is a new array, and has the wrong shape."""
    g = np.ones((2, 3), np.float32)
    optimizer = adamas.SGD(np.zeros((2, 3), np.float32))
    optimizer.step(g)
    with pytest.raises(ValueError, match=r"shape \(3, 2\), not \(2, 3\)"):
        optimizer.step(g.reshape(3, 2))
