"""What the lab takes a column of a user's table for, as something to learn from or to predict."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.own import csv, splits
from adamas.lab.own.columns import NumberColumn, TextColumn, read_columns, typed
from adamas.lab.own.features import Features
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import Marks
from adamas.lab.own.prepared import CLIP, prepared
from adamas.lab.own.spec import Spec, resolve
from own_files import ROWS, found, inputs, note, numbers, small, written


def test_columns_that_are_left_out_are_named(tmp_path: Path) -> None:
    """Constant, empty, counting and identifying columns teach nothing; each is named in a note."""
    problem = found(
        tmp_path,
        flat=["x"] * ROWS,
        none=["", "NA", "null"] * (ROWS // 3),
        row=list(range(ROWS)),
        who=[f"person {i}" for i in range(ROWS)],
    )
    assert inputs(problem) == 2
    for words in (
        "every row: flat.",
        "any value: none.",
        "dates such as 2024-01-31): row.",
        "ids",
        "who (60).",
    ):
        assert words in note(problem)
    for words in ("相同的列：flat", "任何值的列：none", "即可保留）：row", "who (60)"):
        assert words in note(problem, "zh")


def test_texts_dates_and_missing_numbers(tmp_path: Path) -> None:
    """Texts become flags, dates days, and a missing number its median with a flag of its own."""
    many = [f"w{i % 5 if i % 10 else i}" for i in range(ROWS)]
    problem = found(
        tmp_path,
        color=["red", "green", "", "blue"] * (ROWS // 4),  # 3 values and missing: 4 flags
        yes=["yes", "no"] * (ROWS // 2),  # 1 flag
        day=[f"2024-01-{i % 28 + 1:02d}" for i in range(ROWS)],  # 1 number
        gap=["NA", *numbers(ROWS - 1)],  # 1 number and 1 flag
        many=many,  # fewer than 20 values: one flag each
    )
    assert inputs(problem) == 2 + 4 + 1 + 1 + 2 + len(set(many))
    assert "read as days: day." in note(problem)
    assert "says so: gap." in note(problem)


def test_the_twenty_most_frequent_texts_are_kept(tmp_path: Path) -> None:
    """A text with many values keeps 20 flags and one for the rest."""
    words = [f"w{i % 20}" for i in range(ROWS - 10)] + [f"rare {i}" for i in range(10)]
    assert inputs(found(tmp_path, a=words)) == 1 + 21


def test_a_short_list_of_names_is_no_category(tmp_path: Path) -> None:
    """In forty rows twenty names are half of them, and still say nothing about the next row."""
    columns = {name: values[:40] for name, values in small().items()}
    problem = found(tmp_path, **columns, who=[f"person {i}" for i in range(40)])
    assert inputs(problem) == 2
    assert "who (40)" in note(problem)


GERMAN, ENGLISH = Marks(comma=True), Marks(comma=False)
READ = [
    (["1,5", "2,25"], ENGLISH, [1.5, 2.25], "comma"),
    (["1,250", "12,000"], ENGLISH, [1250.0, 12000.0], "thousands as_thousands"),
    (["1,250", "5000"], ENGLISH, [1250.0, 5000.0], "thousands as_thousands"),
    (["1.250", "5000"], GERMAN, [1250.0, 5000.0], "thousands as_thousands"),
    (["1,250", "5000"], GERMAN, [1.25, 5000.0], "comma as_decimals"),
    (["1.250", "-5000"], ENGLISH, [1.25, -5000.0], "as_decimals"),
    (["1,250", "12,000"], Marks(False, sure=True), [1250.0, 12000.0], "thousands"),
    (["1,250", "2,000"], GERMAN, [1.25, 2.0], "comma as_decimals"),
    (["1,250", "2,000"], Marks(True, sure=True), [1.25, 2.0], "comma"),
    (["1,250,000", "2,000"], GERMAN, [1250000.0, 2000.0], "thousands"),
    (["1.250,5", "7"], GERMAN, [1250.5, 7.0], "comma"),
    (["1.234,50", "950,00", "12.500"], ENGLISH, [1234.5, 950.0, 12500.0], "comma"),
    (["1,234.50", "950.00", "12,500"], GERMAN, [1234.5, 950.0, 12500.0], "thousands"),
    (["12.500", "-1.000", "7"], GERMAN, [12500.0, -1000.0, 7.0], "thousands as_thousands"),
    (["12.500", "-1.000", "7"], ENGLISH, [12.5, -1.0, 7.0], "as_decimals"),
    (["12.500", "-1.000"], Marks(False, sure=True), [12.5, -1.0], ""),
    (["12.500", "0.125"], GERMAN, [12.5, 0.125], ""),
    (["1.250.000", "2.000"], ENGLISH, [1250000.0, 2000.0], "thousands"),
    (["1'234.5", "12’000"], ENGLISH, [1234.5, 12000.0], "thousands"),
    (["1 234,5", "12\u202f000", "3\u00a0000"], ENGLISH, [1234.5, 12000.0, 3000.0], "comma"),
    (["1 234.5", "12 000"], GERMAN, [1234.5, 12000.0], "thousands"),
    (["12,34,567.5", "1,23,456"], ENGLISH, [1234567.5, 123456.0], "thousands"),
    (["(1,250.5)", "3"], ENGLISH, [-1250.5, 3.0], "thousands minus"),
    (["1.250,5-", "−3"], ENGLISH, [-1250.5, -3.0], "comma minus"),
    (["2024-01-02", "1970-01-01T12:00+00:00"], ENGLISH, [19724.0, 0.5], "dates"),
    (["2024/1/2", "1970/1/1"], ENGLISH, [19724.0, 0.0], "dates"),
    (["2024年1月2日", "1970年1月1日"], ENGLISH, [19724.0, 0.0], "dates"),
    (["31/12/1970", "01/01/1970"], ENGLISH, [364.0, 0.0], "dates day_first"),
    (["12/31/1970", "01/01/1970"], ENGLISH, [364.0, 0.0], "dates month_first"),
    (["1", "inf"], ENGLISH, [1.0, np.nan], "infinite"),
    (["1e400", "-3"], ENGLISH, [np.nan, -3.0], "infinite"),
    ([*["1"] * 39, "unknown"], ENGLISH, [*[1.0] * 39, np.nan], "words"),
    ([*["950,00"] * 39, "1,234.5"], ENGLISH, [*[950.0] * 39, np.nan], "comma words"),
]


@pytest.mark.parametrize(("raw", "file", "expected", "keys"), READ)
def test_how_numbers_are_read(
    raw: list[str], file: Marks, expected: list[float], keys: str
) -> None:
    """A column is read in one convention, and every reading that is not the plain one is said."""
    notes = Notes()
    column = typed("c", raw, notes, file)
    assert isinstance(column, NumberColumn)
    np.testing.assert_array_equal(column.values, expected)
    assert " ".join(notes.names) == keys


WAYS = {  # thousands, decimals
    "english": (",", "."),
    "german": (".", ","),
    "swiss": ("\u2019", "."),
    "french": ("\u202f", ","),
    "plain": ("", "."),
}


@given(
    st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=1, max_size=20),
    st.sampled_from(sorted(WAYS)),
    st.booleans(),
)
def test_any_column_is_read_in_its_convention(values: list[Decimal], way: str, comma: bool) -> None:
    """Numbers with two decimals come back as written, whatever the rest of the file looks like."""
    between, mark = WAYS[way]
    english = [f"{value:,.2f}" for value in values]
    swap = str.maketrans({",": between, ".": mark})
    column = typed("c", [text.translate(swap) for text in english], Notes(), Marks(comma))
    assert isinstance(column, NumberColumn)
    np.testing.assert_array_equal(column.values, [float(value) for value in values])


@pytest.mark.parametrize("quarter", [True, False])
def test_the_file_decides_what_a_column_leaves_open(quarter: bool, tmp_path: Path) -> None:
    """Beside decimal commas 12.500 is 12500; alone between semicolons too, but then it is said."""
    rng = np.random.default_rng(1)
    path = tmp_path / "data.csv"
    end = ",25" if quarter else ""
    lines = [f"{x}{end};{a}.{b:03d};{y}" for x, a, b, y in rng.integers(1, 999, (ROWS, 4)).tolist()]
    path.write_text("\n".join(["x;betrag;y", *lines]))
    frame = csv.read(path, "y")
    problem = resolve(Spec(str(path), "y"))
    column = typed("betrag", frame.features["betrag"], Notes(), frame.marks)
    assert isinstance(column, NumberColumn)
    whole = [int(line.split(";")[1].replace(".", "")) for line in lines]
    np.testing.assert_array_equal(column.values, whole)
    assert ("was read as one between thousands" in note(problem)) is not quarter
    assert "thousands were ignored: betrag" in note(problem)


@pytest.mark.parametrize("raw", [["1", "a", "b"], ["01/02/2024", "03/04/2024"], ["1,5", "x,5"]])
def test_what_is_no_number(raw: list[str]) -> None:
    """Words, and dates that could be two days, stay texts."""
    notes = Notes()
    assert isinstance(typed("c", raw, notes), TextColumn)
    assert list(notes.names) == (["ambiguous"] if "/" in raw[0] else [])


@pytest.mark.parametrize(
    ("target", "kind", "outputs"),
    [
        (numbers(), "regression", 1),
        ([i % 3 for i in range(ROWS)], "classification", 3),
        ([i % 3 + 0.5 for i in range(ROWS)], "regression", 1),
        ([i % 7 for i in range(ROWS)], "regression", 1),  # fewer than ten rows each
        (["no", "yes", "yes"] * (ROWS // 3), "classification", 2),
        ([f"2024-01-{i % 28 + 1:02d}" for i in range(ROWS)], "regression", 1),
        (["once", *["a", "b"] * 29, "b"], "classification", 2),
    ],
)
def test_what_kind_of_target(target: list[object], kind: str, outputs: int, tmp_path: Path) -> None:
    """A few whole numbers or texts are classes, everything else that counts is a number."""
    problem = found(tmp_path, y=target)
    assert problem.about is not None and problem.about.kind == kind
    assert problem.task(0).start()["W1"].shape[1] == outputs
    assert ("only once" in note(problem)) == ("once" in target)


def test_guessing_the_mean_costs_one(tmp_path: Path) -> None:
    """A network that says 0, the standardised training mean, has a validation loss of 1."""
    task = found(tmp_path, y=[1e6 + 1e3 * float(str(x)) for x in numbers()]).task(4)
    blank = {name: np.zeros_like(value) for name, value in task.start().items()}
    assert task.evaluate(blank) == pytest.approx(1, rel=1e-6)
    y = np.array([float(str(x)) for x in numbers()]) * 1e3
    rng_rows = splits.split_rows(ROWS, np.random.default_rng([4, 0]))
    off = y[rng_rows[1]] - y[rng_rows[0]].mean()
    expected = {"rmse": np.sqrt(np.mean(off**2)), "mae": np.abs(off).mean()}
    assert task.extras(blank) == pytest.approx(expected, rel=1e-5)


def test_guessing_a_class_costs_its_logarithm(tmp_path: Path) -> None:
    """A network that says nothing has a loss of log 3 for three classes."""
    task = found(tmp_path, y=["a", "b", "c"] * (ROWS // 3)).task(4)
    blank = {name: np.zeros_like(value) for name, value in task.start().items()}
    assert task.evaluate(blank) == pytest.approx(np.log(3), rel=1e-6)
    assert task.extras(blank) == {"accuracy": pytest.approx(1 / 3)}


@given(st.integers(0, 99), st.floats(1e-300, 1e300))
def test_scaling_sees_training_rows_only(seed: int, unit: float) -> None:
    """Training columns have mean 0 and variance 1 at any scale; a judge's outlier changes none."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    x[rng.random((50, 3)) < 0.1] = np.nan
    flags = np.zeros((50, 0), np.float32)
    split = splits.split_rows(50, np.random.default_rng([seed, 0]))
    plain = prepared(Features(x * unit, flags), y, False, split)
    known = ~np.isnan(x[split[0]])
    assert np.isfinite(plain.data[0][0]).all()
    np.testing.assert_allclose(plain.data[0][0].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(plain.data[0][0].std(axis=0), 1, rtol=1e-5)
    assert known.shape == plain.data[0][0].shape
    x[split[1][0]] = 1e3
    other = prepared(Features(x * unit, flags), y, False, split)
    np.testing.assert_array_equal(plain.data[0][0], other.data[0][0])
    assert other.data[1][0].max() <= CLIP


def test_a_reading_tells_what_a_column_was_taken_for(tmp_path: Path) -> None:
    """Every column tells its kind, its gaps, which words counted as missing, and its role."""
    columns = small(
        id=list(range(ROWS)),
        day=["", *[f"2024-01-{i % 28 + 1:02d}" for i in range(ROWS - 1)]],
        color=["red", "", "blue"] * (ROWS // 3),
        gap=["?", "unknown", *numbers(ROWS - 2)],
    )
    frame = csv.read(written(tmp_path, columns), "y")
    found = {name: column.reading for name, column in read_columns(frame).items()}
    assert list(found) == ["a", "b", "id", "day", "color", "gap", "y"]
    assert {name: reading.kind for name, reading in found.items()} == {
        **dict.fromkeys(["a", "b", "id", "gap", "y"], "number"),
        "day": "date",
        "color": "text",
    }
    gaps = {name: reading.missing for name, reading in found.items() if reading.missing}
    assert gaps == {"day": 1, "color": ROWS // 3, "gap": 2}
    assert found["gap"].tokens == ("?", "unknown") and found["gap"].notes == ("words",)
    assert found["day"].notes == ("dates",) and found["id"].role == "counter"
