"""Whole arrays of codes: blocks in their places, and the nearest level of every number."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from adamas import codecs
from adamas.codecs import BLOCK, Codec
from adamas.engine import codes
from adamas.engine.grid import Grid, grid_of
from adamas.kernel.layout import columns
from few_bits import Cut

Array = NDArray[Any]
B = BLOCK
SCALED = [codecs.MEAN8, codecs.SQUARE8, codecs.MEAN4, codecs.SQUARE4]
PLAIN = [codecs.BFLOAT16, codecs.BFLOAT16_RANDOM, codecs.SPLIT8, codecs.SPLIT16]
# Half the distance of two levels at its widest, in units of the lower one; of a mean4, where it is
# from 1 to 2, in units of the number between them.
NEAREST = {
    "mean8": 2.0**-4, "square8": 2.0**-3, "mean4": 1 / 3, "square4": 0.25,
    "bfloat16": 2.0**-8, "bfloat16_random": 2.0**-8, "split8": 2.0**-16, "split16": 0.0,
}  # fmt: skip
OCTAVES = {"mean8": 14, "square8": 27, "mean4": 3, "square4": 6}
POSITIVE = ["square8", "square4", "bfloat16_random"]

shapes = st.one_of(
    st.tuples(st.integers(1, 400)),
    st.tuples(st.integers(1, 6), st.integers(1, 200)),
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 30)),
)
every_codec = pytest.mark.parametrize("codec", SCALED + PLAIN, ids=lambda c: c.name)
every_scaled = pytest.mark.parametrize("codec", SCALED, ids=lambda c: c.name)


def numbers(codec: Codec, shape: tuple[int, ...], seed: int) -> Array:
    """Numbers within the range of one block, with a sign where the codec has one."""
    rng = np.random.default_rng(seed)
    size = 2.0 ** -rng.uniform(0, OCTAVES.get(codec.name, 30), int(np.prod(shape)))
    sign = 1.0 if codec.name in POSITIVE else rng.choice([-1.0, 1.0], size.size)
    return (size * sign * 10.0 ** rng.uniform(-20, 20)).astype(np.float32)


def lengths(grid: Grid) -> list[int]:
    """The lengths of a grid's blocks, in order."""
    row = [min(BLOCK, grid.width - at) for at in range(0, grid.width, BLOCK)]
    return row * grid.rows


@given(shape=shapes)
def test_blocks_keep_to_rows(shape: tuple[int, ...]) -> None:
    """Blocks cut an array as issue 3 says, and no block crosses rows of half a block or more."""
    grid = grid_of(shape)
    assert lengths(grid) == Cut(shape).lengths
    assert grid.rows * grid.width == np.prod(shape)
    assert grid.blocks == len(lengths(grid))
    row = int(np.prod(shape[1:])) if len(shape) > 1 else 0
    if row >= BLOCK // 2:
        ends = np.cumsum(lengths(grid))
        assert set(range(row, int(np.prod(shape)) + 1, row)) <= set(ends.tolist())
    assert grid.rows * grid.row_bytes == sum((n + 1) // 2 for n in lengths(grid))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((0,), []),
        ((0, 5), []),
        ((5, 0), []),
        ((), [1]),
        ((3, B // 2 - 1), [B, B // 2 - 3]),
        ((3, B // 2), [B // 2] * 3),
        ((2, B), [B, B]),
        ((2, B + 36), [B, 36, B, 36]),
        ((1, B + 36), [B, 36]),
        ((2, 2, B - 1), [B, B - 2, B, B - 2]),
    ],
)
def test_grids(shape: tuple[int, ...], expected: list[int]) -> None:
    """Blocks of some shapes, counted by hand; nothing has none."""
    assert lengths(grid_of(shape)) == expected


@every_codec
@given(shape=shapes, seed=st.integers(0, 99))
def test_round_trip(codec: Codec, shape: tuple[int, ...], seed: int) -> None:
    """Decoding gives the nearest level of every number, and encoding that changes nothing.

    But for a mean4 block whose largest element, from 5.5 on, became 5: its new levels are finer.
    """
    grid, values = grid_of(shape), numbers(codec, shape, seed)
    arrays = codes.encode(codec, "x", values, grid)
    assert {k: v.dtype.name for k, v in arrays.items()} == {
        column.name: column.dtype for column in columns("x", codec)
    }
    for column in columns("x", codec):
        assert arrays[column.name].shape == (grid.length(column),)
    back = codes.decode(codec, arrays, "x", grid)
    assert np.all(np.abs(back - values) <= NEAREST[codec.name] * np.abs(values) * (1 + 1e-6))
    again = codes.decode(codec, codes.encode(codec, "x", back, grid), "x", grid)
    same = np.ones(values.size, bool)
    if codec.name == "mean4":
        tops = np.array([np.abs(block).max() for block in Cut(shape).blocks(back)])
        kept = tops != 5 * 2.0 ** (arrays["x.scale"].astype(np.float64) - 127)
        same = np.repeat(kept, lengths(grid))
    assert np.array_equal(again[same], back[same])


@every_scaled
@given(shape=shapes, seed=st.integers(0, 99), at=st.integers(0, 10_000))
def test_nan_poisons_its_block(codec: Codec, shape: tuple[int, ...], seed: int, at: int) -> None:
    """A NaN makes its own block NaN when read again, and changes no other."""
    grid, values = grid_of(shape), numbers(codec, shape, seed)
    clean = codes.decode(codec, codes.encode(codec, "x", values, grid), "x", grid)
    values[at % values.size] = np.nan
    arrays = codes.encode(codec, "x", values, grid)
    back = codes.decode(codec, arrays, "x", grid)
    block = np.repeat(np.arange(grid.blocks), lengths(grid))
    hit = block == block[at % values.size]
    assert np.isnan(back[hit]).all()
    assert np.array_equal(back[~hit], clean[~hit])
    assert np.flatnonzero(arrays["x.scale"] == 0).tolist() == [block[at % values.size]]


@pytest.mark.parametrize("shape", [(1,), (2,), (B - 1,), (B,), (B + 1,), (300,), (3, 33), (2, 101)])
def test_two_codes_a_byte(shape: tuple[int, ...]) -> None:
    """In each block the first half lies in low halves of bytes, the second in high ones."""
    rng = np.random.default_rng(0)
    grid, size = grid_of(shape), int(np.prod(shape))
    # One element of each block is 22, so that these are the levels.
    level = np.array([0, 1, 2, 4, 6, 10, 14, 22])
    code = rng.integers(0, 8, size)
    for start in np.cumsum([0, *lengths(grid)[:-1]]):
        code[start] = 7
    sign = rng.integers(0, 2, size) * (code > 0)
    values = level[code] * (1 - 2.0 * sign)
    arrays = codes.encode(codecs.MEAN4, "x", values.astype(np.float32), grid)
    assert np.array_equal(arrays["x"], Cut(shape).packed((code + 8 * sign).astype(np.uint8)))
    assert np.array_equal(codes.decode(codecs.MEAN4, arrays, "x", grid), values)


@every_scaled
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), ()])
def test_empty_and_single(codec: Codec, shape: tuple[int, ...]) -> None:
    """Arrays of nothing and of one number go through as well."""
    grid = grid_of(shape)
    # A number that is its block's largest level.
    one = 11.0 if codec.name == "mean4" else 1.0
    values = np.full(int(np.prod(shape)), one, np.float32)
    arrays = codes.encode(codec, "x", values, grid)
    assert np.array_equal(codes.decode(codec, arrays, "x", grid), values)


@every_scaled
def test_no_warning(codec: Codec) -> None:
    """The largest number, above every level, stays finite and a NaN NaN, in silence."""
    bits = np.array([[0x7F7FFFFF], [0x7F800001]], np.int32).repeat(B // 2, axis=1)
    grid = grid_of(bits.shape)
    arrays = codes.encode(codec, "x", bits.ravel().view(np.float32), grid)
    back = codes.decode(codec, arrays, "x", grid).reshape(bits.shape)
    assert np.isfinite(back[0]).all()
    assert np.isnan(back[1]).all()


@every_scaled
def test_fresh_state_is_zero(codec: Codec) -> None:
    """Room that was never written decodes to 0 for a mean, and to 2**-126 for a square."""
    grid = grid_of((3, 70))
    arrays = {}
    for column in columns("x", codec):
        start = codes.lowest(codec) if column.block else 0
        arrays[column.name] = np.full(grid.length(column), start, column.dtype)
    expected = 2.0**-126 if codec.name in POSITIVE else 0.0
    assert np.all(codes.decode(codec, arrays, "x", grid) == expected)
