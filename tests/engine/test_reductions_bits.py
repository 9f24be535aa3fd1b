"""Of rules with sums, too, no bit depends on threads, slices, memory, or where a run stopped."""

from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules, show
from adamas.engine import chunks, phases
from adamas.kernel.formula import parse
from reduction_foreign import Array, gradients, start
from reduction_steps import EVERY, WIDE, every_rule, wide_rule
from stepping import snapshot

SHAPES = [(301, 100), (70, 90), (20_011,), (3, 4099), (5, 7, 3, 3), ()]


def trained(rule: Any, steps: int = 3, dtype: str = "float32", **options: Any) -> dict[str, Any]:
    """What a rule ends with on several tensors, in every bit."""
    params = [start(shape, dtype) for shape in SHAPES]
    optimizer = adamas.Optimizer(rule, params, **options)
    for step in zip(*(gradients(p.shape, dtype)[:steps] for p in params), strict=True):
        optimizer.step(list(step))
    return snapshot(optimizer)


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, "float64" if name in WIDE else "float32") for name in EVERY]
)
def test_no_bit_depends_on_threads_or_slices(
    name: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One, two and three threads on slices of any size agree, on sums and on what follows."""
    rule = EVERY[name]
    alone = trained(rule, dtype=dtype, threads=1)
    monkeypatch.setattr(phases, "PARALLEL", 0)
    for smallest in (128, 384, 1 << 18):
        monkeypatch.setattr(chunks, "SMALLEST", smallest)
        monkeypatch.setattr(chunks, "slice_size", lambda total, s=smallest: s)
        for count in (1, 2, 3):
            assert trained(rule, dtype=dtype, threads=count) == alone, (smallest, count)


@every_rule
def test_no_bit_depends_on_the_other_tensors(rule: Any) -> None:
    """A tensor steps alone as it does among others."""
    together = trained(rule)
    for k, shape in enumerate(SHAPES):
        p = start(shape, "float32")
        optimizer = adamas.Optimizer(rule, p)
        for g in gradients(shape, "float32")[:3]:
            optimizer.step(g)
        assert p.tobytes() == together[str(k)][2]


def laid(array: Array, way: str) -> Array:
    """The same numbers in another layout of memory."""
    if way == "fortran":
        return np.asfortranarray(array)
    if way == "transposed":
        return np.ascontiguousarray(array.T).T
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


@wide_rule
@pytest.mark.parametrize("way", ["fortran", "transposed", "strided"])
@pytest.mark.parametrize("both", [True, False])
def test_how_memory_lies_changes_nothing_but_roundings(rule: Any, way: str, both: bool) -> None:
    """Rows are those of the shape, however parameter and gradient lie; float64 to 1e-12."""
    for shape in ((70, 90), (5, 7, 3, 3)):
        plain, grads = start(shape, "float64"), gradients(shape, "float64")[:4]
        other = laid(plain, way)
        one, two = adamas.Optimizer(rule, plain), adamas.Optimizer(rule, other)
        for g in grads:
            one.step(g)
            two.step(laid(g, way) if both else g)
        np.testing.assert_allclose(other, plain, rtol=1e-12)


@pytest.mark.parametrize(
    ("rule", "state"), [*((rule, "float32") for rule in EVERY.values()), (rules.lamb, "int8")]
)
def test_resuming_changes_no_bit(rule: Any, state: str) -> None:
    """A run that was saved in the middle, and went on in a new optimizer, has the same bits."""
    shapes = [(301, 100), (4113,), (5, 7, 3, 3)]
    whole, params = ([start(shape, "float32") for shape in shapes] for _ in range(2))
    steps = list(zip(*(gradients(p.shape, "float32")[:5] for p in params), strict=True))
    one = adamas.Optimizer(rule, whole, state=state, seed=3)
    first = adamas.Optimizer(rule, params, state=state, seed=3)
    for step in steps[:2]:
        one.step(list(step))
        first.step(list(step))
    second = adamas.Optimizer(rule, params, state=state, seed=8)
    second.load_state_dict(first.state_dict())
    for step in steps[2:]:
        one.step(list(step))
        second.step(list(step))
    assert snapshot(second) == snapshot(one)


def test_a_bfloat16_parameter_with_a_master_is_a_float32_one() -> None:
    """Sums are of the whole parameter, master included: the bits of a float32 run, rounded."""
    p, bits, grads = begun()
    one, two = adamas.Optimizer(rules.lamb, p), adamas.Optimizer(rules.lamb, bits, master=16)
    for g in grads:
        one.step(g)
        two.step(g)
    np.testing.assert_array_equal(bits, (p.view(np.uint32) + 0x8000 >> 16).astype(np.uint16))


def test_a_bfloat16_parameter_alone_moves_as_far() -> None:
    """Rounded at random, it goes on average where a float32 parameter goes."""
    p, bits, grads = begun()
    before = p.copy()
    one, two = (adamas.Optimizer(rules.adafactor, x, seed=1) for x in (p, bits))
    for g in grads:
        one.step(g)
        two.step(g)
    moved, near = p - before, (bits.astype(np.uint32) << 16).view(np.float32) - before
    # Roundings at random, of half a step or less each, add up to 0 over 6,144 elements.
    assert np.vdot(moved, near) / np.vdot(moved, moved) == pytest.approx(1.0, abs=0.05)


def begun() -> tuple[Array, Array, list[Array]]:
    """The same numbers as float32 and as the bits of bfloat16, and twenty gradients."""
    p = start((64, 96), "float32")
    bits = (p.view(np.uint32) >> 16).astype(np.uint16)
    p = (bits.astype(np.uint32) << 16).view(np.float32)
    return p, bits, gradients((64, 96), "float32")[:20]


def test_a_rule_with_sums_can_be_shown() -> None:
    """`show` prints the kernel of every dtype, and it is Python."""
    for rule in EVERY.values():
        for dtype in ("float32", "float64"):
            source = show.kernel_source(parse(rule), dtype)
            compile(source, rule.__name__, "exec")
