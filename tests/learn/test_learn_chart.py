"""The axes of the guide's pictures say what their scale is."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from v8 import run


@example(550001.0, 89999.0, 2)  # five multiples of 20,000, one of 50,000
@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-3, 1e6, allow_nan=False),
    st.integers(2, 12),
)
def test_an_axis_has_two_ticks_at_least(low: float, length: float, most: int) -> None:
    """A linear axis has two ticks or more, all on it, and hardly more than asked for."""
    high = low + length
    found = run(f"ticks({json.dumps({'low': low, 'high': high})}, {most})")
    assert 2 <= len(found) <= most + 2
    room = 1e-6 * max(abs(low), abs(high), length)
    assert all(low - room <= tick <= high + room for tick in found)
    assert found == sorted(set(found))
