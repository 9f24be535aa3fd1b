"""Records of an undo file: what was written down is told from what was not."""

from hypothesis import given
from hypothesis import strategies as st

from adamas.disk.undo import checked

PAGE = 4096
FILLED = bytes(1 + k % 251 for k in range(5 * PAGE + 100))


@given(
    place=st.integers(0, len(FILLED) - 1), by=st.integers(1, 255), size=st.sampled_from([1, PAGE])
)
def test_what_was_changed_shows(place: int, by: int, size: int) -> None:
    """A byte of another value, a page of zeros and other places change the checksum."""
    changed = bytearray(FILLED)
    if size == 1:
        changed[place] = (changed[place] + by) % 256
    else:
        place -= place % PAGE
        changed[place : place + PAGE] = bytes(len(changed[place : place + PAGE]))
    before = checked(b"12345678", FILLED)
    assert checked(b"12345678", changed) != before
    assert checked(b"12345679", FILLED) != before
