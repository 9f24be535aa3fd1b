"""Numbers written as texts: a column is read in one convention, and what could be two is said.

A convention is which mark stands before decimals and which between thousands. `1.250` is a number
in two of them: the column itself decides, then the other columns of its file, then how the file is
cut.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

# The values that could be read, and the notes that the reading deserves.
Reading = tuple[dict[str, float], tuple[str, ...]]

APOSTROPHES, SPACES = "'\u2019", " \u00a0\u2009\u202f"
# Groups of three; between commas also India's, of two before the last three.
THREES, INDIAN = r"[1-9]\d{0,2}(?:SEP\d{3})+", r"[1-9]\d?(?:SEP\d{2})+SEP\d{3}"
# One mark before exactly three digits: between thousands, or before decimals.
EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
# A minus sign behind a number, or two parentheses around it, as accountants write.
BEHIND = re.compile(
    rf"\((?=\d)([\d.,{APOSTROPHES}{SPACES}]+)\)|(?=\d)([\d.,{APOSTROPHES}{SPACES}]+)-"
)
DASHES = str.maketrans(dict.fromkeys("\u2212\uff0d\u2013", "-"))
NUMBER = re.compile(r"\d|inf", re.IGNORECASE)  # what every number has
SAMPLE = 1000  # cells of a column that tell which mark its file uses


class Convention(NamedTuple):
    """How numbers are written: what matches, and the two marks."""

    matches: re.Pattern[str]
    separators: str
    mark: str

    def read(self, texts: Iterable[str]) -> dict[str, float]:
        """Return the numbers that the matching texts stand for."""
        drop = str.maketrans(self.mark, ".", self.separators)
        return {text: float(text.translate(drop)) for text in texts if self.matches.fullmatch(text)}


def written(separators: str, mark: str, groups: str = THREES) -> Convention:
    """Return the convention of numbers with one of `separators` between groups of digits."""
    groups = groups.replace("SEP", f"[{separators}]")
    number = rf"[+-]?(?:(?:{groups}|\d+)(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d+)?"
    return Convention(re.compile(number), separators, mark)


COMMAS, POINTS = written(",", ".", f"{THREES}|{INDIAN}"), written(".", ",")
OTHERS = [written(between, mark) for between in (APOSTROPHES, SPACES) for mark in ".,"]


class Marks(NamedTuple):
    """Whether the decimal mark of a file is a comma, and whether its numbers leave no doubt."""

    comma: bool
    sure: bool = False


POINT = Marks(comma=False)  # of texts that are not from a table of text


def marks(columns: Iterable[Iterable[str]], semicolons: bool) -> Marks:
    """Return the decimal mark of a file, told by the numbers that can be read in one way only.

    Where there are none, or both kinds, it is the comma if semicolons cut the file.

    >>> marks([["1.250", "0,5"], ["7"]], semicolons=True)
    Marks(comma=True, sure=True)
    >>> marks([["1.250"], ["1,250"]], semicolons=False)
    Marks(comma=False, sure=False)
    """
    found = set()
    for column in columns:
        for value in {v for v in islice(column, SAMPLE) if "." in v or "," in v}:
            comma = POINTS.matches.fullmatch(value) is not None
            if comma != (COMMAS.matches.fullmatch(value) is not None):
                found.add(comma)
    return Marks(found.pop(), sure=True) if len(found) == 1 else Marks(semicolons)


def plain(texts: Iterable[str]) -> dict[str, float]:
    """Read numbers as Python does.

    >>> plain(["1.5", "2e3", "many"])
    {'1.5': 1.5, '2e3': 2000.0}
    """
    found = {}
    for text in texts:
        try:
            found[text] = float(text)
        except ValueError:
            continue
    return found


def unclear(texts: Iterable[str]) -> bool:
    """Return whether plain numbers have points, each of which may stand between thousands."""
    pointed = [text for text in texts if "." in text]
    return bool(pointed) and all(EITHER.fullmatch(text) for text in pointed)


def signed(text: str) -> str:
    """Return a number with its minus sign in front.

    >>> signed("(1,250)"), signed("7-"), signed("\u22125")
    ('-1,250', '-7', '-5')
    """
    text = text.translate(DASHES)
    found = BEHIND.fullmatch(text)
    return f"-{found.group(1) or found.group(2)}" if found else text


def as_numbers(present: Mapping[str, int], file: Marks) -> Reading:
    """Read texts, each with how often it occurs, in the one convention that reads most of them.

    Of conventions that read as many, that of the file is taken, and a note says so unless the file
    leaves no doubt.

    >>> as_numbers({"1.234,50": 1, "12.500": 3}, Marks(comma=False))
    ({'1.234,50': 1234.5, '12.500': 12500.0}, ('comma',))
    >>> as_numbers({"1,250": 1, "5000": 3}, Marks(comma=False))
    ({'1,250': 1250.0, '5000': 5000.0}, ('thousands', 'as_thousands'))
    >>> as_numbers({"1,250": 1, "(12,000)": 1}, Marks(comma=False))
    ({'1,250': 1250.0, '(12,000)': -12000.0}, ('thousands', 'as_thousands', 'minus'))
    """
    texts = {value: signed(value) for value in present if NUMBER.search(value)}
    usual = plain(texts.values())
    ways = [
        (".", usual),
        *((one.mark, one.read(texts.values())) for one in (COMMAS, POINTS, *OTHERS)),
    ]

    def worth(way: tuple[str, dict[str, float]]) -> tuple[int, bool]:
        count = sum(present[value] for value, text in texts.items() if text in way[1])
        return count, (way[0] == ",") == file.comma

    mark, found = max(ways, key=worth)
    rivals = [other for _, other in ways if other.keys() == found.keys() and other != found]
    notes = []
    if found != usual and found:
        marked = mark == "," and any("," in text for text in found)
        notes.append("comma" if marked else "thousands")
    if rivals and not file.sure:
        larger = any(abs(value) > abs(rivals[0][text]) for text, value in found.items())
        notes.append("as_thousands" if larger else "as_decimals")
    numbers = {value: found[text] for value, text in texts.items() if text in found}
    if any(texts[value] != value for value in numbers):
        notes.append("minus")
    return numbers, tuple(notes)
