"""Dates as people and programs write them, as days since 1970."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.own.columns import Column, NumberColumn, TextColumn, typed
from adamas.lab.own.dates import compact_days, days
from adamas.lab.own.notes import Notes
from own_files import ROWS, found, inputs, note, numbers

# Day 18262 is 2020-01-01.
WRITTEN = {
    "01/31/20": 18292,
    "31.01.2020": 18292,
    "31.1.20": 18292,
    "1/31/2020": 18292,
    "31-01-2020": 18292,
    "2020/1/31": 18292,
    "2020.01.31": 18292,
    "2020年1月31日": 18292,
    "Jan 31, 2020": 18292,
    "January 31st, 2020": 18292,
    "31 Jan 2020": 18292,
    "31-Jan-20": 18292,
    "31jan2020": 18292,
    "Fri, 31 Jan 2020 00:00:00 GMT": 18292,
    "2020-01-31T12:00:00Z": 18292.5,
    "2020-01-31 12:00:00.000": 18292.5,
    "2020-01-31T12:00:00+02:00": 18292.5 - 2 / 24,
    "2020-01-31 12:00:00-0500": 18292.5 + 5 / 24,
    "1/31/2020 6:00 PM": 18292.75,
    "31.01.2020 18:00": 18292.75,
    "1/31/2020 12:30:00 a.m.": 18292 + 0.5 / 24,
    "2020-02": 18293,
    "2020年2月": 18293,
    "Feb 2020": 18293,
    "12/31/69": -1,
    "12/31/68": 36159,
}


@pytest.mark.parametrize("text", WRITTEN)
def test_common_forms_of_dates(text: str) -> None:
    """A date is read with its time and zone, in the forms that spreadsheets and programs write."""
    assert days([text]).values == {text: pytest.approx(WRITTEN[text])}


@pytest.mark.parametrize(
    "text", ["1.2.3", "12:30", "2020", "31/31/2020", "2020-13-01", "99:99 1 Jan 2020", "may be"]
)
def test_what_is_no_date(text: str) -> None:
    """Versions, times alone and days that no calendar has are no dates."""
    assert days([text]).values == {}


MOMENTS = st.lists(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), min_size=3, max_size=30
)
FORMS = {
    "%m/%d/%y": 1, "%d.%m.%Y": 1, "%d/%m/%Y": 1, "%Y-%m-%d": 1, "%b %d, %Y": 1, "%d %b %Y": 1,
    "%d-%b-%y": 1, "%B %d, %Y": 1, "%d/%m/%y %H:%M": 1440, "%m/%d/%Y %I:%M %p": 1440,
    "%Y-%m-%d %H:%M:%S": 86400, "%Y-%m-%dT%H:%M:%S+00:00": 86400, "%a, %d %b %Y %H:%M:%S": 86400,
}  # fmt: skip


@given(MOMENTS, st.sampled_from(sorted(FORMS)))
def test_any_column_of_dates_comes_back(moments: list[datetime], form: str) -> None:
    """Dates in one form are the days that they were written from, if one tells the order."""
    moments = [*moments, datetime(2001, 7, 31)]
    column = typed("c", [moment.strftime(form) for moment in moments], Notes())
    assert isinstance(column, NumberColumn) and column.reading.kind == "date"
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = [(moment.replace(tzinfo=UTC) - epoch) // timedelta(seconds=1) for moment in moments]
    unit = 86400 // FORMS[form]
    expected = [second // unit * unit / 86400 for second in seconds]
    np.testing.assert_allclose(column.values, expected, rtol=0, atol=1e-6)


def read(raw: list[str]) -> Column:
    """Read a column by itself."""
    return typed("c", raw, Notes())


ORDERS = [
    (["01/02/1970", "31/01/1970"], [31, 30], ("dates", "day_first")),
    (["01/02/1970", "01/31/1970"], [1, 30], ("dates", "month_first")),
    (["01.02.70", "03.04.70"], [31, 92], ("dates", "day_first", "short_years")),
    (["70/02/01", "70/01/31"], [31, 30], ("dates", "year_first", "short_years")),
    # The first of each month, which one order alone makes regular.
    (["01/02/1970", "01/03/1970", "01/04/1970"], [31, 59, 90], ("dates", "day_first")),
    (["02/01/1970", "03/01/1970", "04/01/1970"], [31, 59, 90], ("dates", "month_first")),
    (["01/01/20", "02/02/20"], [18262, 18294], ("dates", "short_years")),
]


@pytest.mark.parametrize(("raw", "expected", "notes"), ORDERS, ids=lambda case: str(case)[:14])
def test_the_column_decides_the_order(
    raw: list[str], expected: list[float], notes: tuple[str, ...]
) -> None:
    """Day and month are told apart by dates that fit one order only, and the page says which."""
    column = read(raw)
    assert isinstance(column, NumberColumn)
    np.testing.assert_array_equal(column.values, expected)
    assert column.reading.notes == notes


def test_what_no_date_decides_stays_a_text() -> None:
    """Dates that fit both orders are not guessed."""
    column = read(["01/02/2024", "03/04/2024", "05/06/2024"])
    assert isinstance(column, TextColumn) and column.reading.notes == ("ambiguous",)


def test_numbers_that_are_dates() -> None:
    """20240131 and 202401 are dates if all numbers of the column are; amounts stay amounts."""
    raw = ["19700101", "19700131", "", "19710101"]
    column = read(raw)
    assert isinstance(column, NumberColumn) and column.reading.kind == "date"
    np.testing.assert_array_equal(column.values, [0, 30, np.nan, 365])
    months = compact_days(np.array([197001.0, 197002.0, 197101.0]))
    np.testing.assert_array_equal(months, [0, 31, 365])
    for amounts in (
        [19700101, 19700132, 19700103],
        [197001, 197013, 197002],
        [1, 2, 3],
        [20240230, 20240101, 20240102],
        [19700101, 19700102],
        [197001.5, 197002, 3],
    ):
        assert compact_days(np.array(amounts, np.float64)) is None  # fmt: skip
    assert compact_days(np.array([])) is None


def test_dates_of_two_digits_are_inputs(tmp_path: Path) -> None:
    """A column of mm/dd/yy is one input, and the page says how it was read, in both languages."""
    day = [f"{i % 12 + 1:02d}/{i % 28 + 1:02d}/{20 + i // 28}" for i in range(ROWS)]
    problem = found(tmp_path, day=day, gap=["n/a", *numbers(ROWS - 1)])
    assert inputs(problem) == 2 + 1 + 2
    assert "month before the day, as the column shows: day." in note(problem)
    assert "1969 to 2068: day." in note(problem) and "月在日之前" in note(problem, "zh")
