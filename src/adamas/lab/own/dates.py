"""Dates written as texts, read as days since 1970."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from adamas.lab.own.numerals import Reading

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
FORMATS = tuple(day + time for day in DAYS for time in ("", " %H:%M", " %H:%M:%S"))
Way = Callable[[str], datetime]
TRIED = 50  # values that a format is tried on before all of them are read


def days(values: Collection[str]) -> Reading:
    """Read dates and times in the first way that fits most values; without a zone they are UTC.

    Values that both day/month and month/day would fit are not read and noted as ambiguous.

    >>> days(["1970-01-03", "1971-01-01 12:00"])[:2]
    ({'1970-01-03': 2.0, '1971-01-01 12:00': 365.5}, ('dates',))
    >>> days(["01/02/2024", "03/04/2024"])[:2]
    ({}, ('ambiguous',))
    """
    ways: list[Way] = [datetime.fromisoformat, *(partial(_by, form) for form in FORMATS)]
    sample = list(islice(values, TRIED))
    fitting = [way for way in ways if 2 * len(_read(sample, way)) > len(sample)]
    found = sorted((_read(values, way) for way in fitting), key=len, reverse=True)
    if len(found) > 1 and len(found[0]) == len(found[1]) and found[0] != found[1]:
        return Reading({}, ("ambiguous",))
    return Reading(found[0] if found else {}, ("dates",), "date")


def _by(form: str, value: str) -> datetime:
    return datetime.strptime(value, form)


def _read(values: Collection[str], way: Way) -> dict[str, float]:
    found = {}
    for value in values:
        try:
            moment = way(value)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            found[value] = (zoned - EPOCH).total_seconds() / 86400
        except (ValueError, OverflowError):
            continue
    return found
