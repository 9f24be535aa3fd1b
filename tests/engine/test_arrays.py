"""Arrays of any shape, layout, dtype and origin are stepped where they lie, element by element.

The expected bits are NumPy's own, from momentum written out in `stepping`, on the arrays as NumPy
reads them. torch 2.13's fused AdamW steps the wrong elements where strides differ (features 1F-2).
"""

import array
import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from foreign import torch
from stepping import Array, momentum

FLOATS = [np.float32, np.float64]
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@st.composite
def views(draw: st.DrawFn, shape: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
    """A base array and a view of `shape` into it: axes in any order, any step, either direction."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 1, 1, 2, 3, -1, -2])) for _ in shape]
    extents = [
        abs(step) * n + draw(st.integers(0, 1)) for step, n in zip(steps, shape, strict=True)
    ]
    base = np.zeros([extents[k] for k in order], dtype)
    base[...] = np.random.default_rng(draw(st.integers(0, 99))).normal(size=base.shape)
    if not shape:
        return base, base
    # `::-2` of an extent of 2n or 2n + 1 has n or n + 1 elements.
    view = base.transpose(np.argsort(order))[tuple(slice(None, None, step) for step in steps)]
    return base, view[tuple(slice(0, n) for n in shape)]


@given(data=st.data(), shape=shapes, kinds=st.tuples(*[st.sampled_from(FLOATS)] * 2))
def test_any_layout(data: st.DataObject, shape: tuple[int, ...], kinds: tuple[Any, Any]) -> None:
    """Each element meets its own gradient, and what lies between the elements stays untouched."""
    base, w = data.draw(views(shape, kinds[0]))
    grads = [data.draw(views(shape, kinds[1]))[1] for _ in range(2)]
    assert w.shape == shape
    before = base.copy()
    expected = momentum(w.copy(), grads, lr=0.5)
    optimizer = adamas.Momentum(w, lr=0.5)
    for g in grads:
        optimizer.step(g)
    assert w.tobytes() == expected.tobytes()
    w[...] = 0
    inside = base == 0
    assert np.array_equal(base[~inside], before[~inside])
    assert np.count_nonzero(inside) >= w.size


@given(data=st.data(), shapes=st.lists(shapes, min_size=1, max_size=5), named=st.booleans())
def test_many_arrays(data: st.DataObject, shapes: list[tuple[int, ...]], named: bool) -> None:
    """Any mixture of shapes, layouts and dtypes, some without gradient, shares one optimizer."""
    params, grads, expected = [], [], []
    for shape in shapes:
        kinds = [data.draw(st.sampled_from(FLOATS)) for _ in range(2)]
        params.append(data.draw(views(shape, kinds[0]))[1])
        mine = [data.draw(st.none() | views(shape, kinds[1])) for _ in range(3)]
        grads.append([g and g[1] for g in mine])
        expected.append(momentum(params[-1].copy(), grads[-1], lr=0.25))
    names = [f"p{k}" for k in range(len(shapes))]
    optimizer = adamas.Momentum(dict(zip(names, params, strict=True)) if named else params, lr=0.25)
    for now in zip(*grads, strict=True):
        optimizer.step(dict(zip(names, now, strict=True)) if named else list(now))
    assert [p.tobytes() for p in params] == [e.tobytes() for e in expected]


def test_transposed_gradient() -> None:
    """A gradient whose strides differ from the parameter's gives torch's unfused AdamW."""
    rng = np.random.default_rng(3)
    w, g = rng.normal(size=(5, 7, 3)), rng.normal(size=(3, 7, 5)).transpose(2, 1, 0)
    theirs = torch.tensor(w)
    reference = torch.optim.AdamW([theirs], lr=0.1, foreach=False, fused=False)
    optimizer = adamas.AdamW(w, lr=0.1)
    for scale in (1.0, -2.0, 0.5):
        theirs.grad = torch.tensor(g * scale)
        reference.step()
        optimizer.step(np.asfortranarray(g * scale))
    np.testing.assert_allclose(w, theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize("kind", FLOATS)
def test_gradient_is_the_parameter(kind: Any) -> None:
    """The gradient of half the squared norm is the parameter, and may be passed as that array."""
    w = np.array([1, -2, 3], kind)
    optimizer = adamas.SGD(w, lr=0.25)
    optimizer.step(w)
    optimizer.step(w)
    assert w.tolist() == [0.5625, -1.125, 1.6875]


@pytest.mark.parametrize("shift", [1, 3, 300])
def test_gradient_overlaps_the_parameter(shift: int) -> None:
    """A gradient that shares some memory with a parameter is read before it is overwritten."""
    base = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    for w, g in ((base[shift:], base[:-shift]), (base[:-shift], base[shift:])):
        expected = w - np.float32(0.5) * g
        adamas.SGD(w, lr=0.5).step(g)
        assert np.array_equal(w, expected)


def test_gradient_overlaps_another_parameter() -> None:
    """Two parameters may each have the other as gradient: both steps start from the old values."""
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    adamas.SGD([a, b], lr=1.0).step([b, a])
    assert (a.tolist(), b.tolist()) == ([-2.0, -3.0], [2.0, 3.0])


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("offset", [1, 2, 3])
def test_unaligned(kind: Any, offset: int) -> None:
    """Parameters and gradients that begin between two multiples of their size are stepped."""

    def shifted() -> Array:
        raw = np.zeros(offset + 33 * np.dtype(kind).itemsize, np.uint8)
        out: Array = raw[offset:].view(kind)
        out[:] = np.arange(33)
        return out

    w, g = shifted(), shifted()
    expected = momentum(w.copy(), [g, g], lr=0.125)
    optimizer = adamas.Momentum(w, lr=0.125)
    optimizer.step(g)
    optimizer.step(g)
    assert np.array_equal(w, expected)
    # x86 forgives what other processors do not: the kernel's own memory must be aligned.
    assert optimizer._stepper.tensors[0].work.flags.aligned


BUFFERS: dict[str, Callable[[], Any]] = {
    "torch": lambda: torch.tensor([1.0, 2.0, 3.0]),
    "torch strided": lambda: torch.tensor([[1.0, 2.0, 3.0], [0.0] * 3]).t().contiguous().t()[0],
    "array.array": lambda: array.array("d", [1, 2, 3]),
    "memoryview": lambda: np.array([1, 2, 3], np.float32).data,
    "ctypes": lambda: (ctypes.c_float * 3)(1, 2, 3),
    "subclass": lambda: np.array([1.0, 2.0, 3.0]).view(np.recarray),
}


@pytest.mark.parametrize("form", BUFFERS)
def test_buffers(form: str) -> None:
    """Whatever has a CPU buffer or DLPack is a parameter, updated in place, and a gradient."""
    w, g = BUFFERS[form](), BUFFERS[form]()
    optimizer = adamas.SGD([w], lr=0.5)
    optimizer.step([g])
    optimizer.step([BUFFERS[form]()])
    assert [float(x) for x in w] == [0.0, 0.0, 0.0]
    assert [float(x) for x in g] == [1.0, 2.0, 3.0]


def test_read_only_gradient() -> None:
    """A gradient is only read, so a read-only one will do, such as a broadcast."""
    w = np.zeros((3, 4), np.float32)
    adamas.SGD(w, lr=1.0).step(np.broadcast_to(np.float32(2), (3, 4)))
    assert np.array_equal(w, np.full((3, 4), -2))
