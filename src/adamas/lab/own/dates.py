"""Dates written as texts, read as days since 1970.

The order of day, month and year is that of the column: values that fit one order only decide for
all. Where none does, a part that is 1 throughout is the day (the first of each month), and points
stand between day, month and year.
"""

import re
from collections.abc import Collection
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from adamas.lab.own.numerals import Reading
from adamas.lab.problems import Array

EPOCH = date(1970, 1, 1)
NAMES = (
    "jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?",
    "aug(?:ust)?", "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?",
)  # fmt: skip
MONTHS = tuple(name[:3] for name in NAMES)
MONTH = rf"(?P<name>{'|'.join(NAMES)})\.?"
WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
DAY, YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?", r"(?P<year>\d{4})"
# Dates whose order is certain; what is not there is the first.
CERTAIN = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})(?:\2(?P<day>\d{1,2}))?",
        r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})[日号])?",
        rf"{WEEKDAY}{MONTH}[\s-]+{DAY},?[\s-]+{YEAR}",
        rf"{WEEKDAY}{DAY}[\s/.-]*{MONTH}[\s/.,-]*(?P<year>\d{{4}}|\d{{2}})",
        rf"{MONTH}[\s,-]+{YEAR}",
    )
]
OPEN = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*(?:([ap])\.?m\.?)?"
    r"\s*(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
PIVOT = 69  # years of two digits are 1969 to 2068, as POSIX has it
FIRST_YEAR, LAST_YEAR = 1900, 2100  # of dates that are written as one number
FEWEST_COMPACT = 3  # different numbers that all look like such dates
TRIED = 50  # values of which half must be dates before all of them are read
NOTED = {"dmy": "day_first", "mdy": "month_first", "ymd": "year_first"}


class Found(NamedTuple):
    """Three numbers of a date, and the mark between them if their order is not certain.

    Certain is year, month, day.
    """

    parts: tuple[int, int, int]
    mark: str = ""

    def day(self, order: str = "ymd") -> int | None:
        """Return the day since 1970 in an order, or None if that has no such day."""
        year, month, day = (self.parts[order.index(letter)] for letter in "ymd")
        try:
            return (date(_whole(year) if self.mark else year, month, day) - EPOCH).days
        except ValueError:
            return None


def days(values: Collection[str]) -> Reading:
    """Read dates and times in the order that fits most values; without a zone they are UTC.

    Values that both day/month and month/day would fit are not read and noted as ambiguous.

    >>> days(["1970-01-03", "Jan 1, 1971 12:00"])[:2]
    ({'1970-01-03': 2.0, 'Jan 1, 1971 12:00': 365.5}, ('dates',))
    >>> days(["01/02/1970", "31/01/70"])[:2]
    ({'01/02/1970': 31.0, '31/01/70': 30.0}, ('dates', 'day_first', 'short_years'))
    >>> days(["01/02/2024", "03/04/2024"])[:2]
    ({}, ('ambiguous',))
    """
    found: dict[str, tuple[Found, float]] = {}
    for place, value in enumerate(values):
        if place == TRIED and 2 * len(found) < TRIED:
            return Reading({})
        one, past = _parsed(value)
        if one and past is not None:
            found[value] = one, past
    unsure = {one for one, _ in found.values() if one.mark}
    order = _decided(unsure)
    if order is None:
        return Reading({}, ("ambiguous",))
    read = {
        value: day + past
        for value, (one, past) in found.items()
        if (day := one.day(order if one.mark else "ymd")) is not None
    }
    notes = ["dates"]
    if any(one.day(order) != one.day(other) for one in unsure for other in ("dmy", "mdy")):
        notes.append(NOTED[order])
    if any(one.parts[order.index("y")] < 100 for one in unsure):
        notes.append("short_years")
    return Reading(read, tuple(notes), "date")


def _decided(found: Collection[Found]) -> str | None:
    """Return the order of day, month and year in a column, or None if two are as good."""
    days = {order: [one.day(order) for one in found] for order in NOTED}
    failed = {order: read.count(None) for order, read in days.items()}
    # Year first with two digits is rare: only where nothing else fits as well.
    best = min(NOTED, key=lambda order: failed[order])
    if failed["dmy"] != failed["mdy"] or best == "ymd" or days["dmy"] == days["mdy"]:
        return best
    if all(one.mark == "." for one in found):
        return "dmy"
    firsts, seconds = ({one.parts[place] for one in found} for place in (0, 1))
    if firsts == {1} and len(seconds) > 2:
        return "dmy"
    return "mdy" if seconds == {1} and len(firsts) > 2 else None


def _parsed(value: str) -> tuple[Found | None, float | None]:
    """Return what a text says of a date, and how much of the day is past; None for what is none."""
    cut = value.find(":")
    if cut < 0:
        return _date(value), 0.0
    head = value[:cut].rstrip("0123456789")
    written = head.rstrip("T, \t")
    return (_date(written), _past(value[len(head) :])) if written != head else (None, None)


@lru_cache(maxsize=1 << 16)
def _date(text: str) -> Found | None:
    for form in CERTAIN:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            year, name = int(parts["year"]), parts.get("name")
            month = MONTHS.index(name[:3].lower()) + 1 if name else int(parts["month"])
            day = int(parts.get("day") or 1)
            return Found((_whole(year) if len(parts["year"]) == 2 else year, month, day))
    if found := OPEN.fullmatch(text):
        return Found((int(found[1]), int(found[3]), int(found[4])), found[2])
    try:
        iso = date.fromisoformat(text)
    except ValueError:
        return None
    return Found((iso.year, iso.month, iso.day))


@lru_cache(maxsize=1 << 16)
def _past(text: str) -> float | None:
    """Return which part of the day is past, in UTC, or None for what is no time."""
    found = TIME.fullmatch(text)
    if not found:
        return None
    hour, minute, half, zone = int(found[1]), int(found[2]), found[4], found[5]
    seconds = float((found[3] or "0").replace(",", "."))
    if hour > 24 or minute > 59 or seconds >= 61 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + 12 * (half in "pP")
    if zone and zone[0] in "+-":
        ahead = int(zone[1:3]) * 60 + int(zone[3:].strip(":") or 0)
        minute -= ahead if zone[0] == "+" else -ahead
    return (hour * 3600 + minute * 60 + seconds) / 86400


def _whole(year: int) -> int:
    return year if year > 99 else year + (1900 if year >= PIVOT else 2000)


def compact_days(values: Array) -> Array | None:
    """Return the days since 1970 of numbers that all are dates, 20240131 or 202401, or None.

    Of the numbers between, one in a thousand is such a date, so three different ones are no chance.

    >>> compact_days(np.array([19700101.0, 19700131, np.nan, 19710101]))
    array([  0.,  30.,  nan, 365.])
    """
    present = values[~np.isnan(values)]
    if np.any(present != np.floor(present)):
        return None
    distinct, places = np.unique(present, return_inverse=True)
    if len(distinct) < FEWEST_COMPACT:
        return None
    digits = 100 if distinct[-1] < 10**6 else 10**4
    if distinct[0] < FIRST_YEAR * digits or distinct[-1] >= (LAST_YEAR + 1) * digits:
        return None
    whole = distinct.astype(np.int64)
    year, rest = np.divmod(whole, digits)
    month, day = (rest, np.ones_like(rest)) if digits == 100 else np.divmod(rest, 100)
    if month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    if np.any(days.astype("datetime64[M]") != months):
        return None
    found = np.full(len(values), np.nan)
    found[~np.isnan(values)] = days.astype(np.float64)[places]
    return found
