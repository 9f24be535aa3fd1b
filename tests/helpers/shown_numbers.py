"""Numbers read back from how the pages write them."""

from adamas.learn.numbers import TIMES

RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
PLAIN = str.maketrans(RAISED, "-0123456789")


def read(text: str) -> float:
    """Return the number that `shown` or `above` wrote."""
    size = text.removeprefix("−")
    whole = f"1{TIMES}{size}" if size[-1] in RAISED and TIMES not in size else size
    number = float(whole.replace(f"{TIMES}10", "e").translate(PLAIN))
    return number if size == text else -number
