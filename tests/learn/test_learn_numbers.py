"""Numbers are written alike in Python and in the page, and a bound is never rounded down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.learn.numbers import above, shown
from shown_numbers import read
from v8 import run


@given(st.floats(1e-60, 1e60), st.integers(1, 4))
def test_above_is_not_less(value: float, digits: int) -> None:
    """A number behind "at most" is not below the one that was found, and by one unit above it."""
    bound = read(above(value, digits))
    assert value <= bound * (1 + 1e-15)
    assert bound <= value * (1 + 10.0 ** (1 - digits)) * (1 + 1e-12)


@given(st.floats(-1e60, 1e60).filter(lambda x: abs(x) > 1e-60), st.integers(1, 6))
def test_shown_is_the_nearest(value: float, digits: int) -> None:
    """Read back, a number is within half a unit of its last digit."""
    assert read(shown(value, digits)) == pytest.approx(value, rel=0.5001 * 10.0 ** (1 - digits))


@pytest.mark.parametrize("value", [1.2059e-10, 1.2047e-7, 0.3, 9.6e-5, 99.5, 1.0, 2.4e-7])
def test_the_page_writes_the_same(value: float) -> None:
    """`above` in the page is `above` here."""
    for digits in (1, 2, 3):
        assert run(f"above({value!r}, {digits})") == above(value, digits)
