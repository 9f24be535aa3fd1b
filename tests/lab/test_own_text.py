"""How the text of a table is read: its encoding, its head, its delimiter, its rows."""

import bz2
import csv
import gzip
import io
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adamas import cli
from adamas.cli_lab import named_spec
from adamas.lab.needs import LabError
from adamas.lab.notebook.entering import entered_options, entered_problem
from adamas.lab.own import files
from adamas.lab.own.csv import read
from adamas.lab.own.frame import Frame
from adamas.lab.own.spec import Spec, resolve
from own_files import ROWS, inputs, note, numbers, refusal

A, B, Y = (numbers(seed=seed) for seed in (1, 2, 3))
ROWS_OF = [f"{a},{b},{y}" for a, b, y in zip(A, B, Y, strict=True)]


def table(folder: Path, content: str | bytes, target: str = "y", name: str = "data.csv") -> Frame:
    """Write a file and read it."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, target)


def columns(frame: Frame) -> dict[str, list[str]]:
    """Return the texts of a table by name, the target last."""
    found = {**frame.features, frame.target: frame.values}
    return {name: [str(cell) for cell in texts] for name, texts in found.items()}


def texts(*many: list[object]) -> list[list[str]]:
    """Return what a CSV file shows of numbers."""
    return [[str(one) for one in column] for column in many]


def lines(*head: str, between: str = ",", end: str = "\n") -> str:
    """Return the three columns of numbers below some lines."""
    return end.join([*head, *(row.replace(",", between) for row in ROWS_OF)]) + end


ENCODED = {
    "cp1252": ("preis €", "cp1252", "Windows-1252"),
    "latin_1": ("größe", "latin-1", "Windows-1252"),
    "gb18030": ("价格", "gb18030", "GB18030"),
    "utf_16": ("价格", "utf-16", "UTF-16"),
    "utf_16_without_a_mark": ("price", "utf-16-le", "UTF-16"),
    "big_endian": ("price", "utf-16-be", "UTF-16"),
    "utf_32": ("价格", "utf-32", "UTF-32"),
    "utf_8_with_a_mark": ("价格", "utf-8-sig", None),
}


@pytest.mark.parametrize("case", ENCODED)
def test_encodings_are_found_and_said(case: str, tmp_path: Path) -> None:
    """The encoding is found by its rule, names and values are right, and the page says which."""
    name, encoding, shown = ENCODED[case]
    found = table(tmp_path, lines(f"a,b,{name}").encode(encoding), name)
    assert columns(found) == dict(zip(["a", "b", name], texts(A, B, Y), strict=True))
    assert found.notes.said.get("encoding") == (shown and {"name": shown})


@pytest.mark.parametrize("text", ["élan,über", "Straße,größe", "naïve,créée", "20 °C,±½"])
def test_western_letters_are_not_taken_for_chinese(text: str, tmp_path: Path) -> None:
    """Accented letters stand alone, even where GB18030 would read a sign."""
    found = table(tmp_path, lines(f"{text},y").encode("cp1252"))
    assert [*columns(found)] == [*text.split(","), "y"]


def test_an_encoding_that_nothing_fits_is_refused_with_those_that_would(tmp_path: Path) -> None:
    """Cyrillic bytes are no Chinese and no Western text; --encoding reads them."""
    content = lines("цена,площадь,y").encode("cp1251")
    with pytest.raises(LabError, match=r"--encoding NAME .*cp1251"):
        table(tmp_path, content)
    path = tmp_path / "data.csv"
    found = read(path, "цена", "cp1251")
    assert [*columns(found)] == ["площадь", "y", "цена"]
    assert found.notes.said["encoding_asked"] == {"name": "cp1251"}
    for asked in ("no-such", "base64", "utf\0"):
        with pytest.raises(LabError, match="not known"):
            read(path, "y", asked)
    with pytest.raises(LabError, match="cannot be read with --encoding ascii"):
        read(path, "y", "ascii")


def test_an_encoding_is_said_on_the_command_line_and_in_python(tmp_path: Path) -> None:
    """--encoding reaches the reader and the plan, and is refused where there is no text."""
    path = tmp_path / "data.csv"
    path.write_bytes(lines("площадь,b,цена").encode("cp1251"))
    parsed = cli.build_parser("en").parse_args(
        ["compare", str(path), "--target", "цена", "--encoding", "cp1251"]
    )
    spec = named_spec(parsed)
    assert "cp1251, as you said" in note(resolve(spec))
    assert spec.identity()["encoding"] == "cp1251"
    options = entered_options(None, (), None, None, None, "cp1251")
    assert options == spec.options
    arrays = tmp_path / "data.npz"
    np.savez(arrays, X=np.ones((50, 2)), y=np.arange(50))
    with pytest.raises(LabError, match=r"--encoding cp1251 is for files of text; data\.npz"):
        resolve(Spec(str(arrays), "y", options))
    with pytest.raises(LabError, match="--encoding cp1251 is for"):
        resolve(Spec("digits", None, options))
    with pytest.raises(LabError, match="--encoding cp1251 is for"):
        entered_problem((np.ones((50, 2)), np.arange(50)), None, tmp_path / "kept", options)
    with pytest.raises(TypeError, match="encoding=8"):
        entered_options(None, (), None, None, None, 8)


def zipped(content: bytes, *names: str) -> bytes:
    """Return a zip archive in which several files have the same content."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "csv.gz": gzip.compress,
    "csv.bz2": bz2.compress,
    "csv.xz": lzma.compress,
    "zip": lambda content: zipped(content, "folder/", "folder/data.csv", "__MACOSX/._data.csv"),
}


@pytest.mark.parametrize("suffix", PACKED)
def test_compressed_tables_are_unpacked(suffix: str, tmp_path: Path) -> None:
    """A compressed table is read as the table in it, and called by its name without the ending."""
    path = tmp_path / f"data.{suffix}"
    path.write_bytes(PACKED[suffix](lines("a,b,y").encode()))
    assert inputs(resolve(Spec(str(path), "y"))) == 2
    assert Spec(str(path)).stem == "data"
    path.write_bytes(path.read_bytes()[:-60])
    assert "cannot be unpacked" in refusal(path)


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    """Which of several files is meant is not guessed."""
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(b"a,y\n", "one.csv", "two.csv"))
    assert "2 files and not one (one.csv, two.csv)" in refusal(path)


QUOTED = '"a b","b","y"'
HEADS = {  # what the file holds -> what the page says
    "plain": (lines("a,b,y"), ""),
    "excel_line": (lines("sep=;", "a;b;y", between=";"), ""),
    "quoted_excel_line": (lines('"sep=\t"', "a\tb\ty", between="\t"), ""),
    "odd_delimiter": (lines("SEP=^", "a^b^y", between="^"), ""),
    "comments": (lines("# from a logger", "#", "", "a,b,y"), ""),
    "names_in_a_comment": (lines("# 2024", "# a,b,y"), ""),
    "number_sign_before_names": (lines("#a,b,y"), ""),
    "titles": (lines("Report of 2024", "", "in euros,", "a,b,y"), "titles"),
    "blanks": (lines("a b y", between="   "), ""),
    "tabs_and_blanks": (lines("  a b \ty ", between=" \t "), ""),
    "blanks_at_the_ends": (lines("a b y", between=" ", end=" \r\n "), ""),
    "old_mac": (lines("a,b,y", end="\r"), ""),
    "delimiter_at_the_end": (lines("a,b,y", end=",\n"), ""),
    "delimiter_at_the_end_of_rows": ("a,b,y\n" + lines(end=",\n"), ""),
    "empty_rows": (lines("a,b,y") + ",,\n\n , ,\n\x1a", ""),
    "line_end_in_a_name": (lines('a,"b",y').replace('"b"', '"b\n"', 1), ""),
    "no_end": (lines("a,b,y").rstrip(), ""),
}


@pytest.mark.parametrize("case", HEADS)
def test_what_stands_around_a_table_is_passed_over(case: str, tmp_path: Path) -> None:
    """Excel's line, comments, titles, blanks and delimiters at the end do not change a table."""
    content, said = HEADS[case]
    found = table(tmp_path, content)
    read_as = columns(found)
    assert {name: read_as[name] for name in "aby"} == dict(zip("aby", texts(A, B, Y), strict=True))
    assert all(not any(read_as[name]) for name in read_as.keys() - set("aby"))
    assert [*found.notes.said] == ([said] if said else [])


R = {
    "words": ['"{}" {} {} {}', '"a" "b" "y"', " "],
    "tabs": ["{}\t{}\t{}\t{}", "a\tb\ty", "\t"],
    "commas": ["{},{},{},{}", "a,b,y", ","],
}


@pytest.mark.parametrize("case", R)
def test_row_names_of_r(case: str, tmp_path: Path) -> None:
    """Where R wrote one name fewer than fields, the first field of each row is its name."""
    form, head, _ = R[case]
    cars = [f"car {i}" if case != "commas" else str(i) for i in range(ROWS)]
    body = [form.format(*row) for row in zip(cars, A, B, Y, strict=True)]
    found = table(tmp_path, "\n".join([head, *body]), name="data.txt")
    expected = zip(["row.names", "a", "b", "y"], texts(cars, A, B, Y), strict=True)
    assert columns(found) == dict(expected)
    assert [*found.notes.said] == ["row_names"]


def test_quotes_that_r_kept_with_a_backslash(tmp_path: Path) -> None:
    """A quote behind a backslash belongs to its field, as R's write.table writes it."""
    body = [f'"say \\"hm, {i}\\" now",{y}' for i, y in enumerate(Y)]
    found = table(tmp_path, "\n".join(['"a","y"', *body]))
    assert columns(found)["a"] == [f'say "hm, {i}" now' for i in range(ROWS)]
    # Elsewhere a backslash is one.
    paths = table(tmp_path, "\n".join(["a,y", *(f'"C:\\x\\",{y}' for y in Y)]))
    assert set(columns(paths)["a"]) == {"C:\\x\\"}


PADDED = {  # the shapes of R's and Stata's lists
    "a_blank_in_values": ["years", *("< 12 years" if i % 3 else "12-15" for i in range(ROWS))],
    "a_blank_in_a_name": ["chest pain", *(f"kind{i % 3}" for i in range(ROWS))],
}


@pytest.mark.parametrize("case", PADDED)
def test_columns_padded_with_blanks(case: str, tmp_path: Path) -> None:
    """Where single blanks stand inside of values, two and more cut a line, as pandas cuts it."""
    widths = max(map(len, PADDED[case])) + 2
    lines = [f"{word:>{widths}}  {y:>9}" for word, y in zip(PADDED[case], ["y", *Y], strict=True)]
    path = tmp_path / "list.dat"
    path.write_text("\n".join(lines))
    theirs = pandas.read_csv(path, sep=r"\s\s+", engine="python", dtype=str)
    assert columns(read(path, "y")) == {name: theirs[name].tolist() for name in theirs}


NAMELESS = {  # the first lines of tables of the UCI repository, and the like
    "numbers": [f"{a},{b},{y}" for a, b, y in zip(A, B, Y, strict=True)],
    "classes": [f"{a},{b},{'ABC'[i % 3]}" for i, (a, b) in enumerate(zip(A, B, strict=True))],
    "words_only": [f"{'uvw'[i % 3]},{['high', 'low'][i % 2]},{'xy'[i % 2]}" for i in range(ROWS)],
    "with_missing": [f"?,{b},{'yes' if i % 2 else 'no'}" for i, b in enumerate(B)],
    "dates": [
        f"2024-01-{i % 28 + 1:02d},{b},{y}" for i, (b, y) in enumerate(zip(B, Y, strict=True))
    ],
}


@pytest.mark.parametrize("case", NAMELESS)
def test_a_table_without_names(case: str, tmp_path: Path) -> None:
    """A first line that looks like data is data, and the columns are called by their places."""
    path = tmp_path / "x.data"
    path.write_text("\n".join(NAMELESS[case]))
    found = read(path, "column3")
    cells = [line.split(",") for line in NAMELESS[case]]
    assert columns(found) == {
        f"column{i + 1}": [row[i] for row in cells] for i in range(len(cells[0]))
    }
    assert found.notes.said["no_names"] == {"last": "column3"}
    sentence = refusal(path, "price")
    assert "column1, column2, column3" in sentence and "first line looks like data" in sentence


NAMED = {
    "years": ("2019,2020,2021", "2020"),
    "places": ("0,1,2", "2"),
    "a_year_beside_words": ("country,2020,y", "y"),
    "a_number_that_is_asked_for": ("7,3.5,y", "7"),
    "a_value_below": ("1,2,setosa", "setosa"),
}


@pytest.mark.parametrize("case", NAMED)
def test_names_that_are_numbers_stay_names(case: str, tmp_path: Path) -> None:
    """Years, places, and what the user asks for are names, although they are numbers."""
    head, target = NAMED[case]
    found = table(tmp_path, lines(head), target)
    assert {*columns(found)} == {*head.split(",")}
    assert not found.notes.said


def test_a_few_rows_of_another_length_are_left_out_and_said(tmp_path: Path) -> None:
    """Up to one row in twenty may have other fields; the page says how many, and where."""
    content = lines('a,"b",y', '1,"two\nlines",3', "", *ROWS_OF[:3], "1,2,3,4", "7")
    found = table(tmp_path, content)
    assert len(found.values) == ROWS + 4
    assert found.notes.said["ragged"] == {
        "count": "2", "rows": str(ROWS + 6), "line": "8", "fields": "4", "width": "3"
    }  # fmt: skip


def test_names_are_one_line_that_can_be_seen(tmp_path: Path) -> None:
    """Line ends, escape sequences and blanks in a name do not reach a terminal or a message."""
    found = table(tmp_path, lines('"a\n  (EUR)",\u202eb\u200b c,y'), "a\n(EUR)")
    assert [*columns(found)] == ["b c", "y", "a (EUR)"]


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
    }
)


@given(
    DIALECTS,
    st.lists(st.tuples(CELLS, CELLS), min_size=40, max_size=45),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example({"delimiter": ";"}, [('say "a";\n1,5', '\\"')] * 40, "utf-8")
def test_what_csv_writers_write_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    dialect: dict[str, str],
    rows: list[tuple[str, str]],
    encoding: str,
) -> None:
    """Any cells in any dialect of csv.writer are read back as the same columns of texts."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, **dialect)  # type: ignore[arg-type]
    writer.writerow(["first", "second", "y"])
    writer.writerows([*row, i % 7] for i, row in enumerate(rows))
    path = tmp_path_factory.mktemp("any") / "data.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    found = columns(read(path, "y"))
    for name, expected in zip(["first", "second"], zip(*rows, strict=True), strict=True):
        assert found[name] == [cell.strip() for cell in expected]


@given(st.binary(max_size=400), st.sampled_from(["", "a,b,y\n", "sep=;\n", "\x1f\x8b", "PK\3\4"]))
@example(b"\xff\xfe", "")
@example(b"\x00a" * 100, "")
@example(b'"' + b"x" * 140_000, "a,b,y\n")
def test_nothing_but_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, head: str
) -> None:
    """Whatever bytes a file holds, it is read or refused with a sentence, and never crashes."""
    path = tmp_path_factory.mktemp("none") / "data.csv"
    for more in (content, content * 60):
        path.write_bytes(head.encode() + more)
        with suppress(LabError):
            read(path, "y")


def test_a_large_table_takes_little_more_than_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading holds the text and its columns, not a Python object for each cell."""
    monkeypatch.setattr("adamas.lab.own.csv.CELLS", 1000)
    monkeypatch.setattr(files, "BLOCK", 1000)
    content = "a,b,y\n" + "".join(f"{i},{-i},{i % 7}\n" for i in range(20_000))
    path = tmp_path / "data.csv"
    path.write_text(content)
    tracemalloc.start()
    try:
        found = read(path, "y")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(content)
    assert columns(found)["b"][-1] == "-19999"


def test_a_page_says_what_was_assumed_in_both_languages(tmp_path: Path) -> None:
    """Encoding, missing names and lost rows are told on the page."""
    path = tmp_path / "x.data"
    path.write_bytes(lines().encode() + "é,1\n".encode("cp1252"))
    problem = resolve(Spec(str(path), "column3"))
    for words in ("Windows-1252", "column1 to column3", "1 of 61 rows", "line 61 with 2"):
        assert words in note(problem)
    assert "第一行像是数据" in note(problem, "zh") and "第 61 行" in note(problem, "zh")


def test_one_column_has_no_row_names(tmp_path: Path) -> None:
    """A file of one column is refused as such, and its first row is a row if it has no name."""
    path = tmp_path / "data.csv"
    path.write_text("\n".join(map(str, Y)))
    assert "no column but the target 'column1'" in refusal(path, "column1")
    path.write_text("\n".join(["y", *map(str, Y)]))
    assert "no column but the target 'y'" in refusal(path)
