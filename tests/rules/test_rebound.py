"""One text, many homes: a function whose words are given another meaning."""

import math
from fractions import Fraction

import pytest

from adamas.words import rebound


def sqrt(x: float) -> float:
    """The word as this file has it."""
    return math.sqrt(x)


def _length(x: float, y: float) -> float:
    return sqrt(x * x + y * y)


def far(x: float, y: float = 4.0, *, limit: float = 5.0) -> bool:
    """Whether a point lies at `limit` or farther."""
    return _length(x, y) >= limit


def falling(n: int) -> int:
    """A function that calls itself."""
    return int(sqrt(n)) if n < 2 else falling(n - 1)


def test_a_word_is_bound_in_what_the_function_calls() -> None:
    """A word means what the home says, also in functions that the function calls."""
    seen: list[object] = []

    def exact(x: Fraction) -> Fraction:
        seen.append(x)
        return Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))

    assert rebound(_length, {"sqrt": exact})(Fraction(3), Fraction(4)) == 5  # type: ignore[arg-type]
    assert rebound(far, {"sqrt": exact})(Fraction(3), Fraction(4))  # type: ignore[arg-type]
    assert seen == [Fraction(25)] * 2


def test_a_function_that_calls_itself_calls_its_own_copy() -> None:
    """A recursive function keeps the home's words to its end."""
    assert rebound(falling, {"sqrt": lambda n: n + 41})(5) == 42


def test_the_function_given_stays_as_it_was() -> None:
    """Binding for one home changes nothing for the others, and defaults come along."""
    before = far(3.0)
    other = rebound(far, {"sqrt": lambda x: -1.0})
    assert not other(3.0) and other(3.0, limit=-2.0)
    assert before and far(3.0) and _length(3.0, 4.0) == 5.0
    assert other.__name__ == "far" and other.__doc__ == far.__doc__


def test_what_is_no_function_is_refused() -> None:
    """A word of C has no text that could mean something else, and the error says so."""
    with pytest.raises(TypeError, match="no plain Python function"):
        rebound(math.sqrt, {})
