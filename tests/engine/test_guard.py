"""A block whose gradient is not finite stays exactly as it was; everything else moves."""

from typing import Any

import numpy as np
import pytest

import adamas
from planted import CODED, bad, blocks, check, numbers
from stepping import Array, snapshot

SIZE = 3 * 128 + 45
# First, last, both sides of a block's edge, in the ragged end, in either half of an int4 pair.
PLACES = (0, 127, 128, 130, 130 + 64, 3 * 128, SIZE - 1)
BAD = (np.nan, np.inf, -np.inf)
# Dtypes of the parameter and of the gradient; uint16 are the bits of bfloat16.
FORMS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "plain": ("float32", "float32", {}),
    "wide gradient": ("float32", "float64", {}),
    "float16 gradient": ("float32", "float16", {}),
    "bfloat16 gradient, zeroed": ("float32", "uint16", {"zero_grads": True}),
    "float64": ("float64", "float64", {"zero_grads": True}),
    "narrow gradient": ("float64", "float32", {}),
    "bfloat16": ("float32", "float32", {"state": "bfloat16"}),
    "int8": ("float32", "float32", {"state": "int8"}),
    "int8, average": ("float32", "float32", {"state": "int8", "ema": 0.9}),
    "int4": ("float32", "float32", {"state": "int4"}),
    "int4 in float64": ("float64", "float64", {"state": "int4"}),
    "half parameter": ("uint16", "uint16", {}),
    "half parameter, int8": ("uint16", "float32", {"state": "int8"}),
    "master 8": ("uint16", "uint16", {"master": 8, "zero_grads": True}),
    "master 16": ("uint16", "float16", {"master": 16, "state": "int4"}),
}


def made(form: str, shape: Any = SIZE, lay: Any = None, **more: Any) -> adamas.Optimizer:
    """An optimizer one step old."""
    dtype, gradient, options = FORMS[form]
    options = {**options, **more}
    if isinstance(options.get("state"), str):
        options["state"] = lambda key, array, name=options["state"]: name
    p = numbers(shape, dtype, 0)
    optimizer = adamas.AdamW({"w": lay(p) if lay else p}, lr=0.01, **options)
    assert optimizer.step({"w": numbers(shape, gradient, 1)})
    return optimizer


def coded(form: str) -> bool:
    """Whether anything is kept in another dtype than it is computed in."""
    dtype, gradient, options = FORMS[form]
    short = {"uint16", "float16"} & {dtype, gradient}
    return bool(short) or options.get("state") in CODED


@pytest.mark.parametrize("form", FORMS)
def test_exactly_its_block_is_left(form: str) -> None:
    """Wherever it stands, every byte of its block stays and every other is a finite step's."""
    _, gradient, options = FORMS[form]
    optimizer, twin = made(form), made(form)
    for k, at in enumerate(PLACES):
        block = blocks((SIZE,), coded(form))
        given, other = numbers(SIZE, gradient, 10 + k), numbers(SIZE, gradient, 10 + k)
        given[at] = bad(gradient, BAD[k % 3])
        told = given.copy()
        lost = block[[at]]
        error = check(optimizer, twin, ({"w": given}, {"w": other}), {"w": (block, lost)})
        assert f"'w' holds {BAD[k % 3]} at [{at}]" in str(error)
        left = np.isin(block, lost)
        zeroed = np.where(left, told, np.zeros(1, told.dtype)) if "zero_grads" in options else told
        assert given.tobytes() == zeroed.tobytes()
        # The twin's block moved; from here on both are one again.
        twin.load_state_dict(optimizer.state_dict())
        twin.param_groups[0]["params"][0][...] = optimizer.param_groups[0]["params"][0]


def strided(p: Array) -> Array:
    """Every other element of a longer array."""
    base = np.zeros((*p.shape[:-1], 2 * p.shape[-1]), p.dtype)
    base[..., ::2] = p
    return base[..., ::2]


LAYOUTS: dict[str, Any] = {
    "every other": strided,
    "reversed": lambda p: p[::-1, ::-1].copy()[::-1, ::-1],
    "columns": np.asfortranarray,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["plain", "int8, average", "int4", "float64"])
def test_whatever_the_layout(form: str, layout: str) -> None:
    """Blocks follow the parameter's memory; a gradient that lay otherwise is written back whole."""
    shape, lay = (5, 150), LAYOUTS[layout]
    _, gradient, options = FORMS[form]
    order = "F" if layout == "columns" else "C"
    dense = shape[::-1] if order == "F" else shape
    block = blocks(dense, coded(form)).reshape(shape, order=order)
    for at in ((0, 0), (2, 127), (3, 128), (4, 149)):
        optimizer, twin = made(form, shape, lay), made(form, shape, lay)
        for turn in (lambda g: g, strided):
            given, other = turn(numbers(shape, gradient, 5)), turn(numbers(shape, gradient, 5))
            given[at] = np.inf
            told = given.copy()
            where = {"w": (block.ravel(order), block[[at[0]], [at[1]]])}
            check(optimizer, twin, ({"w": given}, {"w": other}), where, order)
            zero = np.zeros_like(told) if "zero_grads" in options else told
            assert np.array_equal(given, np.where(block == block[at], told, zero))
            optimizer, twin = made(form, shape, lay), made(form, shape, lay)


@pytest.mark.parametrize("mode", ["lazy", "exact"])
@pytest.mark.parametrize("form", ["plain", "int8", "int4"])
def test_rows(form: str, mode: Any) -> None:
    """A row's blocks count from its beginning; exact rows of one tensor are one block together."""
    shape, named = (6, 200), [4, 1, 1, 3]
    optimizer, twin = made(form, shape, rows=mode), made(form, shape, rows=mode)
    before = snapshot(optimizer)
    values = numbers((4, 200), "float32", 2)
    spoilt = values.copy()
    spoilt[0, 130] = np.nan
    given = {"w": adamas.Rows(named, spoilt)}
    if mode == "exact":
        with pytest.raises(adamas.NonFiniteError, match=r"nan at \[4, 130\]") as raised:
            optimizer.step(given)
        assert raised.value.left == 3 * 200
        assert snapshot(optimizer) == before
        return
    block = np.arange(6)[:, None] * 2 + np.arange(200) // 128
    where = {"w": (block.ravel(), np.array([4 * 2 + 1]))}
    error = check(optimizer, twin, (given, {"w": adamas.Rows(named, values)}), where)
    assert "nan at [4, 130]" in str(error)


@pytest.mark.parametrize("form", ["plain", "int8"])
def test_exact_rows_beside_others(form: str) -> None:
    """Exact rows that stay out take the step of nobody else, and go on as if it had not been."""
    state: Any = {"state": lambda key, array: "int8"} if form == "int8" else {}
    start = {"a": numbers((4, 128), "float32", 0), "b": numbers((4, 128), "float32", 1)}

    def run(spoilt: bool) -> adamas.Optimizer:
        params = {name: p.copy() for name, p in start.items()}
        optimizer = adamas.AdamW(params, rows="exact", **state)
        for t in range(4):
            rows = adamas.Rows([t % 3], numbers((1, 128), "float32", 10 + t))
            if t != 2:
                optimizer.step({"a": rows, "b": rows})
            elif spoilt:
                wrong = adamas.Rows([2, 0], np.full((2, 128), np.inf, np.float32))
                with pytest.raises(adamas.NonFiniteError) as raised:
                    optimizer.step({"a": wrong, "b": rows})
                assert (raised.value.key, raised.value.left) == ("a", 256)
            else:
                optimizer.step({"a": None, "b": rows})
        optimizer.sync()
        return optimizer

    assert snapshot(run(spoilt=True)) == snapshot(run(spoilt=False))


def test_blocks_are_counted_from_the_beginning_of_a_tensor() -> None:
    """Where a tensor is cut for threads does not tell which elements share a block."""
    shape, flat = (300, 100), 16_300
    optimizer, twin = made("plain", shape), made("plain", shape)
    given, other = numbers(shape, "float32", 5), numbers(shape, "float32", 5)
    given.reshape(-1)[flat] = np.nan
    block = blocks(shape, coded=False)
    check(optimizer, twin, ({"w": given}, {"w": other}), {"w": (block, block[[flat]])})
