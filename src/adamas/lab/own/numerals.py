"""Numbers written as texts: a column is read in one convention, and what could be two is said.

A convention is which mark stands before decimals and which between thousands. `1.250` is a number
in two of them: the column itself decides, then the other columns of its file, then how the file is
cut.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from adamas.lab.own.forms import APOSTROPHES, SPACES, Form, form, grouped

# Groups of three; between commas also India's, of two before the last three.
THREES, INDIAN = r"[1-9]\d{0,2}(?:SEP\d{3})+", r"[1-9]\d?(?:SEP\d{2})+SEP\d{3}"
# One mark before exactly three digits: between thousands, or before decimals.
EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
SAMPLE = 1000  # cells of a column that tell which mark its file uses
# A unit belongs to a column if this share of its numbers have it; a currency may be left out.
ALL = 0.95
FEWEST_MEASURED = 10  # different numbers that make a word behind them a unit and no name


class Reading(NamedTuple):
    """The values of the texts that could be read, what they are, and the notes they deserve."""

    values: dict[str, float]
    notes: tuple[str, ...] = ()
    kind: str = "number"
    unit: str = ""


class Convention(NamedTuple):
    """How numbers are written: what matches, and the two marks."""

    matches: re.Pattern[str]
    separators: str
    mark: str

    def fits(self, number: str) -> bool:
        """Return whether a number is written so."""
        return self.matches.fullmatch(number) is not None

    def read(self, number: str) -> float:
        """Return the number that a fitting text stands for."""
        return float(number.translate(str.maketrans(self.mark, ".", self.separators)))


def written(separators: str, mark: str, groups: str = THREES) -> Convention:
    """Return the convention of numbers with one of `separators` between groups of digits."""
    groups = groups.replace("SEP", f"[{separators}]")
    number = rf"[+-]?(?:(?:{groups}|\d+)(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d+)?"
    return Convention(re.compile(number), separators, mark)


class Plain(NamedTuple):
    """Numbers as Python writes them."""

    mark: str = "."

    def fits(self, number: str) -> bool:
        """Return whether Python reads this."""
        try:
            float(number)
        except ValueError:
            return False
        return True

    def read(self, number: str) -> float:
        """Return the number."""
        return float(number)


PLAIN = Plain()
COMMAS, POINTS = written(",", ".", f"{THREES}|{INDIAN}"), written(".", ",")
OTHERS = [written(between, mark) for between in (APOSTROPHES, SPACES) for mark in ".,"]
WAYS: Sequence[Plain | Convention] = (PLAIN, COMMAS, POINTS, *OTHERS)


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
        values = {value for value in islice(column, SAMPLE) if "." in value or "," in value}
        for shape in grouped(values):
            number = (where := form(shape)) and where.number(shape)
            if number and POINTS.fits(number) != COMMAS.fits(number):
                found.add(POINTS.fits(number))
    return Marks(found.pop(), sure=True) if len(found) == 1 else Marks(semicolons)


def unclear(texts: Iterable[str]) -> bool:
    """Return whether plain numbers have points, each of which may stand between thousands."""
    pointed = False
    for text in texts:
        if "." in text:
            pointed = True
            if not EITHER.fullmatch(text):
                return False
    return pointed


def as_numbers(present: Mapping[str, int], file: Marks) -> Reading:
    """Read texts, each with how often it occurs, in the one convention that reads most of them.

    Of conventions that read as many, that of the file is taken, and a note says so unless the file
    leaves no doubt. All numbers have one currency, all a percent sign or all one unit, or none.

    >>> as_numbers({"1.234,50": 1, "12.500": 3}, Marks(comma=False))[:2]
    ({'1.234,50': 1234.5, '12.500': 12500.0}, ('comma',))
    >>> as_numbers({"1,250": 1, "5000": 3}, Marks(comma=False))[:2]
    ({'1,250': 1250.0, '5000': 5000.0}, ('thousands', 'as_thousands'))
    >>> as_numbers({"$1,250.5": 1, "($12.0)": 1}, Marks(comma=False))
    Reading(values={'$1,250.5': 1250.5, '($12.0)': -12.0}, notes=('thousands', 'minus', \
'currency'), kind='currency', unit='$')
    """
    shapes = grouped(present)
    counts = {shape: sum(present[text] for text in texts) for shape, texts in shapes.items()}
    forms = {shape: found for shape in shapes if (found := form(shape))}
    kind, unit = _of_all(forms, counts, shapes)
    forms = {shape: one for shape, one in forms.items() if _belongs(one, kind, unit)}
    numbers = {shape: one.number(shape) for shape, one in forms.items()}
    fitting = [{shape for shape in numbers if way.fits(numbers[shape])} for way in WAYS]

    def worth(place: int) -> tuple[int, bool]:
        return sum(counts[shape] for shape in fitting[place]), (
            WAYS[place].mark == ","
        ) == file.comma

    best = max(range(len(WAYS)), key=worth)
    way, fits = WAYS[best], fitting[best]
    # Ways that read the same shapes differ by the same factor in all texts of one shape.
    shown = [numbers[shape] for shape in fits]
    rivals = [
        other
        for other, same in zip(WAYS, fitting, strict=True)
        if same == fits and any(other.read(one) != way.read(one) for one in shown)
    ]
    notes = []
    if fits and (fits != fitting[0] or PLAIN in rivals):
        marked = way.mark == "," and any("," in number for number in shown)
        notes.append("comma" if marked else "thousands")
    if rivals and not file.sure:
        larger = any(abs(way.read(one)) > abs(rivals[0].read(one)) for one in shown)
        notes.append("as_thousands" if larger else "as_decimals")
    if any(forms[shape].odd for shape in fits):
        notes.append("minus")
    notes += [kind] if kind != "number" else []
    values = {
        text: forms[shape].times * way.read(forms[shape].number(text))
        for shape in shapes
        if shape in fits
        for text in shapes[shape]
    }
    return Reading(values, tuple(notes), "number" if kind == "unit" else kind, unit)


def _of_all(
    forms: Mapping[str, Form], counts: Mapping[str, int], shapes: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """Return the kind and the unit that the numbers of a column have."""
    found: Counter[tuple[str, str]] = Counter()
    for shape, one in forms.items():
        found[one.kind, one.unit] += counts[shape]
    money = Counter({key: count for key, count in found.items() if key[0] == "currency"})
    if money:
        return money.most_common(1)[0][0]
    for (kind, unit), count in found.most_common(1):
        texts = sum(len(shapes[shape]) for shape, one in forms.items() if one.unit == unit)
        if count >= ALL * found.total() and (kind != "unit" or texts >= FEWEST_MEASURED):
            return kind, unit
    return "number", ""


def _belongs(one: Form, kind: str, unit: str) -> bool:
    """Return whether a number may stand in a column of this kind."""
    return (one.kind, one.unit) == (kind, unit) or (kind == "currency" and one.kind == "number")
