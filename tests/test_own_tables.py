"""Tables that nobody prepared: each gives a problem that trains, or one sentence of refusal."""

import csv
import io
import pickle
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adamas
from adamas.lab.needs import LabError
from adamas.lab.own import files, splits, table
from adamas.lab.own.columns import Numbers, Texts, typed
from adamas.lab.own.features import Features
from adamas.lab.own.frame import FEWEST
from adamas.lab.own.notes import NAMED, SENTENCES, Notes
from adamas.lab.own.prepared import CLIP, prepared
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.own.tabular import EVALUATIONS
from adamas.lab.problems import Params, Problem
from adamas.lab.zoo import built_in

ROWS = 60


def written(folder: Path, columns: dict[str, list[object]], name: str = "data.csv") -> Path:
    """Write a CSV file with these columns."""
    path = folder / name
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_text(text.getvalue(), "utf-8")
    return path


def numbers(count: int = ROWS, seed: int = 0) -> list[object]:
    """Return numbers without a pattern."""
    return [round(float(x), 4) for x in np.random.default_rng(seed).normal(size=count)]


def small(**more: list[object]) -> dict[str, list[object]]:
    """Return a small sound table, with further or replaced columns."""
    return {"a": numbers(seed=1), "b": numbers(seed=2), "y": numbers(seed=3), **more}


def found(folder: Path, target: str = "y", **columns: list[object]) -> Problem:
    """Resolve the small table with these columns."""
    return resolve(Spec(str(written(folder, small(**columns))), target))


def note(problem: Problem, language: str = "en") -> str:
    """Return what the problem says of the table."""
    assert problem.about is not None
    return problem.about.notes[language]


def inputs(problem: Problem) -> int:
    """Return how many numbers the network sees for each row."""
    return len(problem.task(0).start()["W0"])


def refusal(path: Path, target: str | None = "y") -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(LabError) as caught:
        resolve(Spec(str(path), target))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def trained(
    problem: Problem, steps: int, lr: float, seed: int = 1
) -> tuple[float, dict[str, float]]:
    """Train with Adam and return the validation loss and the extras."""
    task = problem.task(seed)
    params = task.start()
    grads: Params = {name: np.empty_like(value) for name, value in params.items()}
    optimizer = adamas.Adam(params, lr=lr, threads=1)
    for batch in islice(task.batches(), steps):
        task.gradient(params, batch, grads)
        optimizer.step(grads)
    return task.evaluate(params), task.extras(params)


# Refusals: content of the file -> words that the sentence must have.

HEAD = "a,b,y\n"
LINES = [f"{a},{b},{y}\n" for a, b, y in zip(*small().values(), strict=True)]
REFUSED = {
    "empty file": (b"", ["empty", "0 bytes"]),
    "blank lines": (b"\n\n  \n", ["no text"]),
    "header only": (HEAD.encode(), ["no rows"]),
    "one row": ((HEAD + LINES[0]).encode(), ["1 row ", "40"]),
    "39 rows": ((HEAD + "".join(LINES[:39])).encode(), ["39 rows", "40"]),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, ["binary", "CSV"]),
    "one class": ((HEAD + "1,2,yes\n" * 50).encode(), ["'yes'", "every row", "two values"]),
    "one number": ((HEAD + "1,2,7\n" * 50).encode(), ["'7'", "every row"]),
    "missing targets": (
        (HEAD + "".join(LINES) + "1,2,\n" * 9).encode(),
        ["9 of 69", "'y'", "5%", "fill"],
    ),
    "NaN and inf targets": (
        (HEAD + "".join(LINES) + "1,2,NaN\n3,4,inf\n" * 5).encode(),
        ["10 of 70", "not finite"],
    ),
    "no target at all": ((HEAD + "1,2,\n" * 50).encode(), ["50 of 50"]),
    "ragged": ((HEAD + "".join(LINES) + "1,2\n").encode(), ["2 fields", "line 62", "3 names"]),
    "doubled name": (b"a,y,a\n" + "".join(LINES).encode(), ["two columns", "'a'"]),
    "target alone": (b"y\n" + b"1\n2\n" * 30, ["no column but", "'y'"]),
    "free text": (
        (HEAD + "".join(f"1,2,name {i}\n" for i in range(50))).encode(),
        ["50 different values", "only once"],
    ),
    "nothing to learn from": (
        (HEAD + "".join(f"same,id {i},{i % 7}.5\n" for i in range(50))).encode(),
        ["no column left", "in every row: a", "b (50)"],
    ),
    "unclosed quote": ((HEAD + "".join(LINES) + '"' + "x" * 140_000).encode(), ["quotes"]),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "_"))
def test_refusals_name_the_value_and_the_cure(case: str, tmp_path: Path) -> None:
    """A file that cannot be learned from is refused in one sentence with its number and limit."""
    content, words = REFUSED[case]
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    sentence = refusal(path)
    assert all(word in sentence for word in ["data.csv", *words]), sentence


def test_a_missing_column_is_answered_with_the_closest(tmp_path: Path) -> None:
    """A misspelt target gets the columns and the likeliest one; none at all gets the columns."""
    path = written(tmp_path, {"Price": numbers(), "size": numbers(seed=1)})
    assert "Price, size; did you mean 'Price'?" in refusal(path, "prise")
    assert "--target" in refusal(path, None) and "Price, size" in refusal(path, None)
    many = written(tmp_path, {f"c{i}": numbers() for i in range(50)}, "many.csv")
    assert "c19 and 30 more" in refusal(many, None)


def test_files_that_are_none(tmp_path: Path) -> None:
    """A directory, a name that is not there and an unknown kind are told apart, with a cure."""
    assert "is a directory" in refusal(tmp_path)
    path = written(tmp_path, small())
    assert f"did you mean {path}?" in refusal(tmp_path / "dta.csv")
    assert "no file" in refusal(tmp_path / "elsewhere" / "other.csv")
    for name in ("data.xlsx", "data"):
        assert ".csv, .tsv, .parquet or .npz" in refusal(path.rename(tmp_path / name))
        path = tmp_path / name
    array = tmp_path / "x.npy"
    np.save(array, np.ones(3))
    assert "np.savez" in refusal(array)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission is refused with the system's reason; root would be let in."""
    path = written(tmp_path, small())

    def shut(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", shut)
    assert "Permission denied" in refusal(path) and "permissions" in refusal(path)


def test_a_file_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that memory may not hold is refused before it is read."""
    monkeypatch.setattr(files, "LARGEST", 100)
    assert "sample" in refusal(written(tmp_path, small()))


def test_builtin_names_and_targets(tmp_path: Path) -> None:
    """A built-in name resolves to itself, and `--target` belongs to data files alone."""
    assert resolve(Spec("digits")) is built_in("digits")
    assert "--target y" in refusal(Path("digits"))
    with pytest.raises(LabError, match="digits"):
        resolve(Spec("no-such-problem"))


def test_a_spec_travels(tmp_path: Path) -> None:
    """A spec pickles, is resolved once, and its identity follows the bytes of the file."""
    path = written(tmp_path, small())
    spec = Spec(str(path), "y")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert resolve(spec) is resolve(pickle.loads(pickle.dumps(spec)))
    first, before = spec.identity(), resolve(spec)
    assert first == {**first, "text": str(path), "target": "y"}
    written(tmp_path, small(c=numbers(seed=9)))
    assert spec.identity()["sha256"] != first["sha256"]
    assert inputs(resolve(spec)) == inputs(before) + 1


# What a column is.


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
    for words in ("every row: flat.", "any value: none.", "row number: row.", "ids", "who (60)."):
        assert words in note(problem)
    for words in ("相同的列：flat", "任何值的列：none", "行号列：row", "who (60)"):
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


@pytest.mark.parametrize(
    ("raw", "decimal", "expected", "key"),
    [
        (["1,5", "2,25"], False, [1.5, 2.25], "comma"),
        (["1,250", "12,000"], False, [1250.0, 12000.0], "thousands"),
        (["1,250", "2,000"], True, [1.25, 2.0], "comma"),
        (["1,250,000", "2,000"], True, [1250000.0, 2000.0], "thousands"),
        (["1.250,5", "7"], True, [1250.5, 7.0], "comma"),
        (["2024-01-02", "1970-01-01T12:00+00:00"], False, [19724.0, 0.5], "dates"),
        (["2024/1/2", "1970/1/1"], False, [19724.0, 0.0], "dates"),
        (["2024年1月2日", "1970年1月1日"], False, [19724.0, 0.0], "dates"),
        (["31/12/1970", "01/01/1970"], False, [364.0, 0.0], "dates"),
        (["12/31/1970", "01/01/1970"], False, [364.0, 0.0], "dates"),
        (["1", "inf"], False, [1.0, np.nan], "infinite"),
        (["1e400", "-3"], False, [np.nan, -3.0], "infinite"),
        ([*["1"] * 39, "unknown"], False, [*[1.0] * 39, np.nan], "words"),
    ],
)
def test_how_numbers_are_read(
    raw: list[str], decimal: bool, expected: list[float], key: str
) -> None:
    """Every reading of a number that is not the plain one gives the value and a note."""
    notes = Notes()
    column = typed("c", raw, notes, decimal)
    assert isinstance(column, Numbers)
    np.testing.assert_array_equal(column.values, expected)
    assert list(notes.names) == [key]


@pytest.mark.parametrize("raw", [["1", "a", "b"], ["01/02/2024", "03/04/2024"], ["1,5", "x,5"]])
def test_what_is_no_number(raw: list[str]) -> None:
    """Words, and dates that could be two days, stay texts."""
    notes = Notes()
    assert isinstance(typed("c", raw, notes), Texts)
    assert list(notes.names) == (["ambiguous"] if "/" in raw[0] else [])


# What is predicted.


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


def test_few_missing_targets_are_left_out(tmp_path: Path) -> None:
    """Up to a twentieth of the rows may lack the target; they are left out and counted."""
    problem = found(tmp_path, y=["", "inf", "?", *numbers(ROWS - 3)])
    assert "3 of 60 rows were left out" in note(problem)
    task = problem.task(0)
    assert len(task.training[1]) + len(task.validation[1]) == ROWS - 3  # type: ignore[attr-defined]


def test_copies_are_counted(tmp_path: Path) -> None:
    """Rows that repeat another one are counted, since they may be on both sides of the split."""
    columns = {name: [*values[:50], *values[:10]] for name, values in small().items()}
    assert "10 of 60 rows repeat" in note(found(tmp_path, **columns))
    assert "repeat" not in note(found(tmp_path))


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


@given(st.lists(st.integers(2, 30), min_size=1, max_size=6), st.integers(0, 99))
def test_each_class_is_on_both_sides(sizes: list[int], seed: int) -> None:
    """The split is a partition that holds back about a fifth of each class, at least one row."""
    classes = np.repeat(np.arange(len(sizes)), sizes)
    train, held = splits.split_classes(classes, np.random.default_rng(seed))
    assert sorted([*train, *held]) == list(range(len(classes)))
    for kind, size in enumerate(sizes):
        assert (classes[held] == kind).sum() == max(1, round(size / 5)) < size


@given(st.integers(0, 99), st.floats(1e-300, 1e300))
def test_scaling_sees_training_rows_only(seed: int, unit: float) -> None:
    """Training columns have mean 0 and variance 1 at any scale; a judge's outlier changes none."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    x[rng.random((50, 3)) < 0.1] = np.nan
    flags = np.zeros((50, 0), np.float32)
    plain = prepared(Features(x * unit, flags), y, False, seed)
    known = ~np.isnan(x[splits.split_rows(50, np.random.default_rng([seed, 0]))[0]])
    assert np.isfinite(plain.data[0][0]).all()
    np.testing.assert_allclose(plain.data[0][0].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(plain.data[0][0].std(axis=0), 1, rtol=1e-5)
    assert known.shape == plain.data[0][0].shape
    held = splits.split_rows(50, np.random.default_rng([seed, 0]))[1]
    x[held[0]] = 1e3
    other = prepared(Features(x * unit, flags), y, False, seed)
    np.testing.assert_array_equal(plain.data[0][0], other.data[0][0])
    assert other.data[1][0].max() <= CLIP


# Text in any shape.


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_delimiters_and_encodings(delimiter: str, encoding: str, tmp_path: Path) -> None:
    """Delimiter and encoding are found out; one that is not UTF-8 is noted."""
    lines = [
        f'{a}{delimiter}"{"红" if i % 2 else "绿"}{delimiter}"{delimiter}{i % 9}.5'
        for i, a in enumerate(numbers())
    ]
    path = tmp_path / "表.csv"
    path.write_bytes("\r\n".join([delimiter.join(["数", "颜色", "价格"]), *lines]).encode(encoding))
    problem = resolve(Spec(str(path), "价格"))
    assert inputs(problem) == 2
    assert ("not UTF-8" in note(problem)) == (not encoding.startswith("utf-8"))


def test_latin_letters_are_not_taken_for_chinese(tmp_path: Path) -> None:
    """Single accented letters are Latin-1, even before a letter, where GBK would read a sign."""
    notes = Notes()
    text = "élan,über\nnaïve,1\n"
    assert table.decoded(text.encode("latin-1"), "x.csv", notes) == text
    assert notes.said["encoding"] == {"name": "Latin-1"}


def test_line_numbers_count_lines_of_the_file(tmp_path: Path) -> None:
    """A ragged row after a field with a line break is named by its line in the file."""
    path = tmp_path / "data.csv"
    path.write_text(HEAD + '1,"two\nlines",3\n\n' + "".join(LINES) + "1,2,3,4\n")
    assert "4 fields in line 65 " in refusal(path)


def test_thousands_of_columns(tmp_path: Path) -> None:
    """Two thousand columns are learned from, and a note names a few of many."""
    wide = {f"c{i}": numbers(seed=i) for i in range(2000)}
    flat = {f"f{i}": ["1"] * ROWS for i in range(30)}
    problem = found(tmp_path, **wide, **flat)
    assert inputs(problem) == 2002
    assert f"f5 and {30 - NAMED} more" in note(problem)
    assert "等共 30 列" in note(problem, "zh")
    assert problem.steps >= problem.every * EVALUATIONS


def test_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More inputs than memory should hold are refused with the limit."""
    monkeypatch.setattr("adamas.lab.own.features.MOST_CELLS", 100)
    assert "100 cells" in refusal(written(tmp_path, small()))


def test_every_sentence_is_in_both_languages() -> None:
    """The two texts of a note take the same values."""
    for english, chinese in SENTENCES.values():
        fields = [
            sorted(part.split("}")[0] for part in text.split("{")[1:])
            for text in (english, chinese)
        ]
        assert set(fields[1]) <= set(fields[0])


# A large one, and anything at all.


def large(folder: Path, classes: bool) -> Path:
    """Write 50,000 rows with gaps, texts, a constant and an identifier, and a known dependence."""
    rng = np.random.default_rng(0)
    count = 50_000
    age, income = rng.integers(18, 90, count), rng.lognormal(10, 1, count)
    city = rng.choice(["Rome", "Paris", "北京"], count)
    price = 3 * age + 20 * np.log(income) + 30 * (city == "Paris") + rng.normal(0, 5, count)
    cheap = np.where(price < np.median(price), "cheap", "dear")
    columns: dict[str, list[object]] = {
        "id": [f"u{i}" for i in range(count)],
        "age": [
            "" if gap else int(a) for a, gap in zip(age, rng.random(count) < 0.05, strict=True)
        ],
        "income": [f"{x:.2f}" for x in income],
        "city": city.tolist(),
        "comment": [f"seen {i} times" for i in range(count)],
        "unit": ["EUR"] * count,
        "price": cheap.tolist() if classes else [f"{x:.2f}" for x in price],
    }
    return written(folder, columns)


@pytest.mark.parametrize("classes", [False, True])
def test_a_large_table_trains_below_its_baseline(classes: bool, tmp_path: Path) -> None:
    """A table as found in the wild is learned in 200 steps: half the loss of a blind answer."""
    problem = resolve(Spec(str(large(tmp_path, classes)), "price"))
    loss, extras = trained(problem, 200, 0.01)
    assert loss < 0.5 * (np.log(2) if classes else 1)
    assert not classes or extras["accuracy"] > 0.85
    for words in ("every row: unit.", "id (50,000), comment", "says so: age", "others: city"):
        assert words in note(problem)


CELLS: list[st.SearchStrategy[object]] = [
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from(["", "NA", "?", "nan"]),
    st.sampled_from(["red", "green", "blue", "2024-01-01", "31/12/1999", "1,5", "true"]),
    st.text(max_size=5),
    st.dates().map(str),
]


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[object]]:
    """Draw tables of numbers at any scale, with a few other cells among them or instead."""
    count = draw(st.integers(FEWEST - 1, FEWEST + 8))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    columns: dict[str, list[object]] = {}
    for name in ["y", "a", "b", "c"][: draw(st.integers(1, 4))]:
        unit = draw(st.sampled_from([1.0, 1e-300, 1e30, 1e99, 1e300]))
        pool = draw(st.lists(st.one_of(CELLS), min_size=1, max_size=5))
        share = draw(st.sampled_from([0, 0.03, 0.3, 1]))
        columns[name] = [
            pool[rng.integers(len(pool))] if rng.random() < share else unit * float(rng.normal())
            for _ in range(count)
        ]
    return columns


def sound(make: Callable[[], Problem]) -> None:
    """Check that a problem is refused in one sentence, or has finite inputs, losses and slopes."""
    problem, sentence = None, "given"
    try:
        problem = make()
    except LabError as error:
        sentence = str(error)
    assert sentence and "\n" not in sentence
    if problem is None:
        return
    task = problem.task(1)
    params = task.start()
    for x, y in (task.training, task.validation):  # type: ignore[attr-defined]
        assert np.isfinite(x).all() and np.isfinite(y).all() and np.abs(x).max() <= CLIP
        assert len(x) == len(y) >= 4
    grads = {name: np.full_like(value, np.nan) for name, value in params.items()}
    assert np.isfinite(task.gradient(params, next(task.batches()), grads))
    assert all(np.isfinite(grad).all() for grad in grads.values())
    assert 0 < task.evaluate(params) < np.inf
    assert all(np.isfinite(value) for value in task.extras(params).values())


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(columns=tables(), delimiter=st.sampled_from(",;\t|"))
def test_any_table_trains_or_is_refused(
    columns: dict[str, list[object]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in the cells, nothing but a `LabError` comes out, and numbers are finite."""
    path = tmp_path_factory.mktemp("any") / "data.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    sound(lambda: resolve(Spec(str(path), "y")))


@settings(deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace"))
    ),
    suffix=st.sampled_from([".csv", ".npz", ".parquet", ".tsv", ".npy"]),
)
def test_any_bytes_are_refused_in_a_sentence(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file of anything, under any name, gives a `LabError`."""
    path = tmp_path_factory.mktemp("any") / f"data{suffix}"
    path.write_bytes(content)
    sound(lambda: resolve(Spec(str(path), "y")))
