"""What stands in the cells of a user's table: money, percentages, units, words for missing."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.own.columns import Column, NumberColumn, TextColumn, read_columns, typed
from adamas.lab.own.csv import read
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import Marks
from adamas.lab.own.spec import Spec, resolve
from own_files import ROWS, found, inputs, note, numbers, small, written

POINT = Marks(comma=False)
NAN = float("nan")


def one(raw: list[str], file: Marks = POINT) -> Column:
    """Read a column by itself."""
    return typed("c", raw, Notes(), file)


def of(folder: Path, **columns: list[object]) -> dict[str, Column]:
    """Write a table and read its columns."""
    return read_columns(read(written(folder, small(**columns)), "y"))


MONEY = [
    (["$72,365", "$5.50"], [72365, 5.5], "$"),
    (["-$5", "$-6", "($7)", "$(8)", "$9-"], [-5, -6, -7, -8, -9], "$"),
    (["€ 1.234,50", "€ 12,00"], [1234.5, 12], "€"),
    (["1.234,50 €", "-12,00€", "3 €"], [1234.5, -12, 3], "€"),
    (["¥1,000", "￥500", "-¥2.5"], [1000, 500, -2.5], "¥"),
    (["$5", "€6"], [5, None], "$"),
    (["US$ 10", "US$12.5"], [10, 12.5], "US$"),
    (["CHF 1'250.50", "CHF 2'000"], [1250.5, 2000], "CHF"),
    (["120 kr", "1 250,50 kr"], [120, 1250.5], "kr"),
    (["100元", "2.5万元"], [100, 25000], "元"),
    (["$1.5M", "$250K", "$2B", "$0"], [1.5e6, 2.5e5, 2e9, 0], "$"),
    (["Rs. 1,23,456", "Rs. 500"], [123456, 500], "Rs."),
    (["$100", "250"], [100, 250], "$"),
]


@pytest.mark.parametrize(("raw", "expected", "unit"), MONEY, ids=lambda case: str(case)[:9])
def test_amounts_of_money_are_numbers(
    raw: list[str], expected: list[float | None], unit: str
) -> None:
    """A currency stands before or behind, with the sign on either side; another is no number."""
    column = one([*raw * 20, raw[0]] if None not in expected else [*raw, *[raw[0]] * 20 * len(raw)])
    assert isinstance(column, NumberColumn), column
    assert (column.reading.kind, column.reading.unit) == ("currency", unit)
    values = [NAN if value is None else value for value in expected]
    np.testing.assert_array_equal(column.values[: len(raw)], values)


@given(
    st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=2, max_size=20),
    st.sampled_from(["${}", "-", "€ {}", "{} €", "({})", "{} zł", "HK${}"]),
    st.booleans(),
)
def test_any_amount_comes_back(values: list[Decimal], form: str, comma: bool) -> None:
    """Amounts that are written with a currency are the numbers without it."""
    raw = [f"{value:,.2f}" for value in values]
    if comma:
        raw = [text.translate(str.maketrans(",.", ".,")) for text in raw]
    if form == "({})":
        raw = [f"(${text.removeprefix('-')})" if text[0] == "-" else f"${text}" for text in raw]
    elif form == "-":
        raw = [f"-${text[1:]}" if text[0] == "-" else f"${text}" for text in raw]
    else:
        raw = [form.format(text) for text in raw]
    column = one(raw)
    assert isinstance(column, NumberColumn) and column.reading.kind == "currency"
    np.testing.assert_array_equal(column.values, [float(value) for value in values])


def test_percentages_are_numbers() -> None:
    """14% is 14, with a blank, a sign or a decimal comma; a bare number beside them is none."""
    column = one(["14%", "-5.5 %", "0％", "120%"] * 10)
    assert isinstance(column, NumberColumn)
    assert (column.reading.kind, column.reading.unit) == ("percent", "%")
    np.testing.assert_array_equal(column.values[:4], [14, -5.5, 0, 120])
    comma = one(["14,5%", "5,25%"] * 10)
    assert isinstance(comma, NumberColumn)
    np.testing.assert_array_equal(comma.values[:2], [14.5, 5.25])
    mixed = one([*["14%"] * 39, "0.14"])
    assert isinstance(mixed, NumberColumn) and mixed.reading.tokens == ("0.14",)


def test_units_are_passed_over_where_all_share_one() -> None:
    """Many numbers with one unit are numbers; few, or with many units, are texts."""
    column = one([f"{i}.5 km/h" for i in range(40)])
    assert isinstance(column, NumberColumn)
    assert (column.reading.kind, column.reading.unit) == ("number", "km/h")
    np.testing.assert_array_equal(column.values, np.arange(40) + 0.5)
    assert isinstance(one(["2wd", "4wd"] * 20), TextColumn)
    assert isinstance(one([f"{i} {'cm' if i % 2 else 'km'}" for i in range(40)]), TextColumn)
    assert isinstance(one([f"A{i}" for i in range(40)]), TextColumn)


def test_money_and_percentages_as_target_and_input(tmp_path: Path) -> None:
    """A price is predicted as a number, a percentage is one input, and the page says so."""
    price = [f"${50_000 + 37 * i:,}" for i in range(ROWS)]
    rate = [f"{i * i % 60}%" for i in range(ROWS)]
    problem = found(tmp_path, rate=rate, y=price)
    assert problem.about is not None and problem.about.kind == "regression"
    assert inputs(problem) == 3
    assert "without their currency: y." in note(problem)
    assert "before their sign: rate." in note(problem)
    assert "去掉货币符号" in note(problem, "zh") and "百分号" in note(problem, "zh")


ABSENT = [".", "..", "--", "missing", "无", "缺失", "#DIV/0!", "#VALUE!", "N/A", "None", "—", "?"]


@pytest.mark.parametrize("word", [*ABSENT, "refused", "not measured", "<LOD"])
@pytest.mark.parametrize("share", [3, 2])
def test_words_for_missing_among_numbers(word: str, share: int, tmp_path: Path) -> None:
    """A word among numbers counts as missing and is named; the column is not thrown away."""
    income = [word if i % share == 0 else x for i, x in enumerate(numbers())]
    column = of(tmp_path, income=income)["income"]
    assert isinstance(column, NumberColumn)
    assert column.reading.tokens == (word,) and column.reading.missing == -(-ROWS // share)
    problem = resolve(Spec(str(tmp_path / "data.csv"), "y"))
    assert inputs(problem) == 2 + 2
    assert (f"income ({word!r})" in note(problem)) == (word not in ("N/A", "?"))


def test_several_words_for_missing() -> None:
    """A few words may stand among many numbers; many words, or few numbers, make texts."""
    raw = [f"{x}" for x in range(60)]
    column = one([*raw, "refused", "unsure", "."])
    assert isinstance(column, NumberColumn)
    assert {*column.reading.tokens} == {"refused", "unsure", "."}
    assert isinstance(one([*raw, *(f"word {i}" for i in range(6))]), TextColumn)
    assert isinstance(one(["1", "2", "3", "other"] * 10), TextColumn)
    assert isinstance(one([*raw, *["other"] * 61]), TextColumn)
    assert isinstance(one(["0-9", "10-19", "20"] * 20), TextColumn)


@pytest.mark.parametrize("word", ["None", "NA", "-", "无", "missing"])
def test_a_class_that_is_called_so(word: str, tmp_path: Path) -> None:
    """A word for missing is a class, and the page says so, unless a number is missing by it."""
    edu = [word if i % 3 == 0 else "HS" if i % 2 else "BA" for i in range(ROWS)]
    columns = of(tmp_path, y=edu)
    assert isinstance(columns["y"], TextColumn)
    assert {*columns["y"].words} == {word, "HS", "BA"} and columns["y"].reading.missing == 0
    problem = resolve(Spec(str(tmp_path / "data.csv"), "y"))
    assert "y has 3 classes" in note(problem)
    assert f"y ({word!r})" in note(problem) and "按普通取值处理" in note(problem, "zh")
    columns = of(tmp_path, y=edu, gap=[word, *numbers(ROWS - 1)])
    assert isinstance(columns["y"], TextColumn) and {*columns["y"].words} == {"HS", "BA"}
    assert columns["y"].reading.tokens == (word,)


@pytest.mark.parametrize("word", ["", "nan", "NULL", "#N/A", "?"])
def test_words_that_are_never_a_class(word: str, tmp_path: Path) -> None:
    """Nothing, and what programs write for nothing, is missing in texts as well."""
    column = of(tmp_path, c=[word, "a", "b"] * (ROWS // 3))["c"]
    assert isinstance(column, TextColumn) and {*column.words} == {"a", "b"}
    assert column.reading.missing == ROWS // 3


NUMERIC = st.lists(st.floats(-1e6, 1e6).map(lambda x: f"{x:.3f}"), min_size=50, max_size=60)


@given(NUMERIC, st.text(max_size=8).map(str.strip), st.integers(1, 20))
def test_any_word_among_many_numbers_is_missing(raw: list[str], word: str, count: int) -> None:
    """Whatever a few cells hold beside fifty numbers, the column stays one of numbers."""
    different = [f"{float(text) + i}" for i, text in enumerate(raw)]
    column = one([*different, *[word] * count])
    assert isinstance(column, NumberColumn)
    np.testing.assert_array_equal(column.values[: len(raw)], [float(text) for text in different])


@pytest.mark.parametrize(("form", "kind"), [("€ {}", "currency"), ("{} %", "percent")])
def test_the_file_decides_how_amounts_are_read(form: str, kind: str, tmp_path: Path) -> None:
    """12.500 beside a unit is 12500 in a file with decimal commas, and 12.5 in one with points."""
    amount = [form.format(f"{i + 1}.{i * 7 % 10}00") for i in range(ROWS)]
    for mark, times in ((",", 1000), (".", 1)):
        other = [f"{i * i}{mark}25" for i in range(ROWS)]
        column = of(tmp_path, amount=amount, a=other, b=other, y=other)["amount"]
        assert isinstance(column, NumberColumn) and column.reading.kind == kind
        expected = [(i + 1 + i * 7 % 10 / 10) * times for i in range(ROWS)]
        np.testing.assert_allclose(column.values, expected, rtol=1e-12)
        assert "as_thousands" not in column.reading.notes


@given(
    st.lists(st.decimals(-(10**4), 10**4, places=3), min_size=3, max_size=20),
    st.lists(st.sampled_from(["", "-", "n/a", "1,5", "7", "-0,25", "1e3"]), max_size=4),
)
def test_the_short_way_for_decimal_commas_is_the_long_one(
    values: list[Decimal], more: list[str]
) -> None:
    """Columns with decimal commas are the same numbers whichever way reads them."""
    raw = [*(str(value).replace(".", ",") for value in values), *more, "0,125"]
    column = one(raw, Marks(comma=True, sure=True))
    assert isinstance(column, NumberColumn)
    expected = [float(text.replace(",", ".")) if text[-1:].isdigit() else NAN for text in raw]
    np.testing.assert_array_equal(column.values, expected)


PARTS = st.text("0123456789.,-+()$€% /:eE年月K²٣'\u2212 naifJan", max_size=12)


@given(st.lists(st.one_of(PARTS, st.text(max_size=5)), min_size=1, max_size=12), st.booleans())
def test_any_column_is_read_as_something(raw: list[str], comma: bool) -> None:
    """Whatever stands in its cells, a column becomes numbers that are finite, or texts."""
    column = one([*raw, *raw[:1] * 20], Marks(comma))
    if isinstance(column, NumberColumn):
        assert not np.isinf(column.values).any()
        assert np.isnan(column.values).sum() == column.reading.missing
    else:
        assert (column.codes < 0).sum() == column.reading.missing
