"""What a gradient is multiplied by before the formula sees it."""


def lift(scale: float) -> float:
    """A first factor for scales that float32 could only hold with fewer digits, else 1.

    A gradient near 3e38 that is clipped to 1 needs a factor of 3e-39, which float32 holds to 1 in 4
    million only, and one of 2e-41 to 1 in 25,000; in two steps each factor has all its digits.
    """
    return 2.0**-64 if -(2.0**-100) < scale < 2.0**-100 else 1.0
