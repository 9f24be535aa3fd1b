"""Numbers written as texts: plain ones, and those with commas."""

import re
from collections.abc import Iterable

# The values that could be read, and the note that the reading deserves.
Reading = tuple[dict[str, float], str | None]

THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL = re.compile(r"[+-]?(\d*|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?")


def plain(values: Iterable[str]) -> Reading:
    """Read numbers as Python does.

    >>> plain(["1.5", "2e3", "many"])
    ({'1.5': 1.5, '2e3': 2000.0}, None)
    """
    found = {}
    for value in values:
        try:
            found[value] = float(value)
        except ValueError:
            continue
    return found, None


def with_commas(values: Iterable[str], decimal: bool) -> Reading:
    """Read numbers with commas, all of them either between thousands or decimal.

    A comma before three digits could be both: it is decimal if `decimal`, which a file cut by
    semicolons is a sign of, unless a number has two commas or a point behind one.

    >>> with_commas(["1,250", "12,000"], decimal=False)
    ({'1,250': 1250.0, '12,000': 12000.0}, 'thousands')
    >>> with_commas(["1,250", "3,5"], decimal=False)
    ({'1,250': 1.25, '3,5': 3.5}, 'comma')
    """
    commas = [value for value in values if "," in value]
    grouped = [value for value in commas if THOUSANDS.fullmatch(value)]
    sure = any(value.count(",") > 1 or "." in value for value in grouped)
    if commas and len(grouped) == len(commas) and (sure or not decimal):
        plainly, note = {value: value.replace(",", "") for value in values}, "thousands"
    else:
        matching = [v for v in values if DECIMAL.fullmatch(v) or "," not in v]
        plainly, note = (
            {v: v.replace(".", "").replace(",", ".") if "," in v else v for v in matching},
            "comma",
        )
    numbers, _ = plain(plainly.values())
    return {value: numbers[text] for value, text in plainly.items() if text in numbers}, note
