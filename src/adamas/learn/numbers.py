"""How numbers are written on the pages: what `shown` in `script/chart.js` writes, in Python."""

from math import floor, log10

# Of spaces that no line ends in.
TIMES = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shown(value: float, digits: int = 4) -> str:
    r"""Return a number with at most `digits` significant ones.

    Beyond 0.001 and 100,000 it is a power of ten.

    >>> [shown(x, 3) for x in (3.16228, 0.001, 1e-8, -2.5e6, 1234.5)]
    ['3.16', '0.001', '10⁻⁸', '−2.5\xa0×\xa010⁶', '1230']
    """
    if value != value:
        return "NaN"
    sign = "−" if value < 0 else ""
    if value in (float("inf"), float("-inf")):
        return f"{sign}∞"
    if value == 0:
        return "0"
    mantissa, _, power = f"{abs(value):.{digits - 1}e}".partition("e")
    exponent = int(power)
    if exponent < -3 or exponent > 5:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        ten = f"10{str(exponent).translate(RAISED)}"
        return sign + (
            ten if mantissa == "1" else f"{mantissa}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{ten}"
        )
    places = max(0, digits - 1 - exponent)
    plain = f"{float(f'{abs(value):.{digits - 1}e}'):.{places}f}"
    return sign + (plain.rstrip("0").rstrip(".") if "." in plain else plain)


def above(value: float, digits: int = 1) -> str:
    r"""Return a positive number in so many digits, rounded up: for "at most" and "never".

    >>> above(2.45e-7), above(0.3), above(1.2059e-10, 2)
    ('3\xa0×\xa010⁻⁷', '0.3', '1.3\xa0×\xa010⁻¹⁰')
    """
    nearest = float(f"{value:.{digits - 1}e}")
    unit = 10.0 ** (floor(log10(value)) - digits + 1) if value else 0.0
    return shown(nearest if nearest >= value else nearest + unit, digits)


def written(digits: int, /, **values: float) -> dict[str, str]:
    """Return numbers as `shown` writes them, by name: what fills the slots of sentences.

    >>> written(2, share=0.123, steps=1000)
    {'share': '0.12', 'steps': '1000'}
    """
    return {name: shown(value, digits) for name, value in values.items()}
