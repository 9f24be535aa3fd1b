"""What may be said of a table: its task, columns that are no inputs, and which rows judge."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adamas.cli import build_parser
from adamas.cli_lab import named_spec
from adamas.lab.needs import LabError
from adamas.lab.notebook.entering import entered_options
from adamas.lab.own.options import TableOptions
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.problems import Array, ColumnFate, Problem
from adamas.lab.protocol.promise import differences
from adamas.lab.report.again import command
from adamas.lab.report.column_chapter import lines
from adamas.lab.report.subject import subject
from adamas.lab.text import Say
from own_files import ROWS, found, inputs, note, numbers, small, written
from report_sample import sample


def said(folder: Path, columns: dict[str, list[object]], **options: Any) -> Problem:
    """Resolve a table of these columns with what is said of it."""
    path = written(folder, columns)
    return resolve(Spec(str(path), "y", TableOptions(**options)))


def fates(problem: Problem) -> dict[str, ColumnFate]:
    """Return the column table."""
    assert problem.about is not None
    return {one.name: one for one in problem.about.columns}


def split(problem: Problem, seed: int = 1) -> tuple[Array, Array]:
    """Return the targets that train and those that judge."""
    task = problem.task(seed)
    return task.training[1], task.validation[1]  # type: ignore[attr-defined]


COUNTS = [i % 4 for i in range(ROWS)]


def test_counts_are_numbers_where_that_is_said(tmp_path: Path) -> None:
    """Few whole numbers are classes unless a number is asked for, which the note tells."""
    plain = found(tmp_path, y=COUNTS)
    assert plain.about and plain.about.kind == "classification"
    assert "--task regression" in note(plain)
    number = said(tmp_path, small(y=COUNTS), task="regression")
    assert number.about and number.about.kind == "regression"
    fine = [round(i % 4 / 3, 2) for i in range(ROWS)]
    classes = said(tmp_path, small(y=fine), task="classification")
    assert classes.about and classes.about.kind == "classification"
    assert set(np.concatenate(split(classes))) == {0, 1, 2, 3}


@pytest.mark.parametrize(("different", "rows"), [(21, 420), (20, 199)])
def test_why_whole_numbers_are_no_classes(different: int, rows: int, tmp_path: Path) -> None:
    """Whole numbers that are too many, or too rare, for classes say so, with the way to classes."""
    y = [i % different for i in range(rows)]
    path = written(tmp_path, {"a": numbers(rows), "y": y})
    told = note(resolve(Spec(str(path), "y")))
    assert f"y has {different} different whole numbers, which are more than 20 or have" in told
    assert "give `--task classification`" in told
    for option in ("classification", "regression"):
        asked = resolve(Spec(str(path), "y", TableOptions(task=option)))
        assert "different whole numbers" not in note(asked)


def test_dropped_columns_are_no_inputs(tmp_path: Path) -> None:
    """Dropped columns, also with commas in one text or in a name, are gone and are listed so."""
    columns = small(**{"c,d": numbers(seed=5), "e": numbers(seed=6)})
    problem = said(tmp_path, columns, drop=("c,d", "a, e"))
    assert inputs(problem) == 1
    assert [name for name, one in fates(problem).items() if one.fate == "asked"] == [
        "c,d",
        "a",
        "e",
    ]


WHO = [f"p{i // 6}" for i in range(ROWS)]
DAYS = [f"2024-{i % 12 + 1:02d}-01" for i in range(ROWS)]


def test_groups_are_on_one_side_and_no_input(tmp_path: Path) -> None:
    """With --group no value trains and judges, on any seed, and the column is no input."""
    # The target tells the group.
    columns = small(who=WHO, y=[i // 6 + 0.001 * (i % 6) for i in range(ROWS)])
    problem = said(tmp_path, columns, group="who", task="regression")
    assert inputs(problem) == 2 and fates(problem)["who"].fate == "group"
    unit = np.std([float(str(y)) for y in columns["y"]])
    for seed in range(1, 6):
        train, held = (np.floor(side * unit * 2 + 1e3) for side in split(problem, seed))
        assert len(train) == 48 and len(held) == 12
    assert problem.about and "of its 10 values" in problem.about.split["en"]


def test_a_group_is_named_by_its_text(tmp_path: Path) -> None:
    """Group 7A beside groups of digits is one like others, and 07 is another one than 7."""
    names = ["7", "07", "7A", *(str(i) for i in range(10, 17))]
    problem = said(tmp_path, small(who=[names[i // 6] for i in range(ROWS)]), group="who")
    assert sum(map(len, split(problem))) == ROWS
    assert problem.about and "of its 10 values" in problem.about.split["en"]
    assert "7A" not in note(problem)


def test_the_last_in_time_judge(tmp_path: Path) -> None:
    """With --time the last rows judge on every seed, and the words say what that leaves out."""
    columns = small(day=DAYS, y=[float(i % 12) + i / 1000 for i in range(ROWS)])
    problem = said(tmp_path, columns, time="day", task="regression")
    assert inputs(problem) == 2 and fates(problem)["day"].fate == "time"
    sides = [split(problem, seed) for seed in (1, 2)]
    # Two of twelve months are as near to a fifth as whole months come.
    for train, held in sides:
        assert len(held) == 10 and train.max() < held.min()
    np.testing.assert_array_equal(*(np.sort(held, axis=0) for _, held in sides))
    assert problem.about
    assert "from 2024-11-01 on, judge: 10 of 60" in problem.about.split["en"]
    assert "another period" in problem.about.split["en"]


def test_a_sample_is_the_same_each_time(tmp_path: Path) -> None:
    """--rows takes that many rows, the same ones in every process, and says so."""
    first, again = (said(tmp_path, small(), rows=45) for _ in range(2))
    assert sum(map(len, split(first))) == 45
    np.testing.assert_array_equal(split(first)[0], split(again)[0])
    assert "A sample of 45 of 60 rows" in note(first)
    assert "sample" not in note(said(tmp_path, small(), rows=60))


UNEVEN = [{"group": "who"}, {"time": "day"}]


@pytest.mark.parametrize("options", UNEVEN)
def test_a_batch_is_no_larger_than_what_trains(options: dict[str, Any], tmp_path: Path) -> None:
    """With few rows in a group or in the first days, every seed still has its batches."""
    columns = {name: [*values, *values] * 9 for name, values in small().items()}
    rows = len(columns["y"])
    columns["who"] = ["a"] * (rows - 5) + ["b"] * 5
    columns["day"] = ["2024-01-01"] * 20 + ["2024-01-02"] * (rows - 20)
    problem = said(tmp_path, columns, **options)
    for seed in range(1, 5):
        task = problem.task(seed)
        assert len(next(task.batches())[1]) == problem.batch
        assert len(split(problem, seed)[0]) == {"group": rows - 5, "time": 20}[next(iter(options))]


def test_rows_without_a_place_are_left_out(tmp_path: Path) -> None:
    """A row without a group cannot be kept from judging its like, so it is left out and counted."""
    problem = said(tmp_path, small(who=["", *WHO[1:]]), group="who")
    assert sum(map(len, split(problem))) == ROWS - 1
    assert "1 of 60 rows" in note(problem) and "who" in note(problem)
    told = {code: "\n".join(lines(problem.about, Say(code))) for code in ("en", "zh")}
    assert "1 of 60 rows was left out because who" in told["en"] and "1 行因缺少" in told["zh"]


@pytest.mark.parametrize("gaps", [4, 20])
def test_rows_without_a_target_are_left_out(gaps: int, tmp_path: Path) -> None:
    """As long as most rows have a target, the others are left out and counted."""
    columns = {name: [*values, *values] for name, values in small().items()}
    columns["y"] = [*[""] * gaps, *map(float, range(2 * ROWS - gaps))]
    problem = said(tmp_path, columns)
    assert sum(map(len, split(problem))) == 2 * ROWS - gaps
    assert f"{gaps} of 120 rows" in note(problem)


def test_a_value_or_none_is_an_input(tmp_path: Path) -> None:
    """A column with one value and gaps says where there is one; that differs between rows."""
    problem = found(tmp_path, member=["yes", ""] * (ROWS // 2), once=["1", "", ""] * (ROWS // 3))
    assert inputs(problem) == 4
    assert {name: one.fate for name, one in fates(problem).items()} == {
        "y": "target", "a": "", "b": "", "member": "present", "once": "present"
    }  # fmt: skip


def test_what_speaks_against_a_random_split_is_said(tmp_path: Path) -> None:
    """Dates and ids of several rows are named beside the split, with the option that heeds them."""
    problem = found(tmp_path, day=DAYS, patient_id=[i // 3 % 15 for i in range(ROWS)])
    assert problem.about
    assert "--time day" in problem.about.split["en"]
    assert "--group patient_id" in problem.about.split["zh"]
    plain = found(tmp_path).about
    assert plain and "--" not in plain.split["en"]


def test_copies_are_counted(tmp_path: Path) -> None:
    """Rows with the inputs of an earlier one are counted, also if their targets differ."""
    columns = {name: [*values[:50], *values[:10]] for name, values in small().items()}
    columns["y"] = numbers()
    problem = found(tmp_path, **columns)
    assert problem.about and "10 of 60 rows repeat" in problem.about.split["en"]


REFUSED: list[tuple[dict[str, Any], dict[str, list[object]], list[str]]] = [
    ({"group": "a", "time": "b"}, {}, ["--group a", "--time b", "--drop"]),
    ({"rows": 39}, {}, ["39", "40"]),
    ({"drop": ("aa",)}, {}, ["'aa'", "did you mean 'a'?"]),
    ({"drop": ("a,bb",)}, {}, ["'bb'", "did you mean 'b'?"]),
    ({"group": "A"}, {}, ["'A'", "did you mean 'a'?"]),
    ({"drop": ("y",)}, {}, ["'y' is the target"]),
    ({"time": "y"}, {}, ["'y' is the target"]),
    ({"drop": ("a",), "group": "a"}, {}, ["'a'", "--drop"]),
    ({"drop": ("a", "b")}, {}, ["--drop a,b takes every other column", "keep one"]),
    ({"drop": ("a",), "group": "b"}, {}, ["--drop a --group b takes"]),
    ({"rows": 61}, {}, ["--rows 61", "60 rows can be used"]),
    ({}, {"y": [f"{i}e200" for i in range(1, ROWS + 1)]}, ["60 of 60", "beyond 1e100"]),
    ({"group": "who"}, {"who": ["x"] * ROWS}, ["'who'", "--group", "two or more"]),
    ({"time": "day"}, {"day": ["2024-01-01"] * ROWS}, ["'day'", "--time", "two or more"]),
    ({"time": "who"}, {"who": WHO}, ["'who'", "'p0'", "2024-01-31"]),
    ({"group": "who"}, {"who": WHO[:30] * 2, "y": WHO[:30] * 2}, ["'who'", "another column"]),
    (
        {"group": "who"},
        {"who": ["a"] * 40 + WHO[:20], "y": ["c"] * 40 + WHO[:20]},
        ["'who'", "40 of 60", "more than half"],
    ),
    ({"time": "day"}, {"day": DAYS[:1] * 19 + ["2025-01-01"] * 41}, ["'day'", "only 19", "20;"]),
    ({"task": "regression"}, {"y": ["yes", "no"] * 30}, ["'no'", "needs numbers"]),
    ({"task": "classification"}, {}, ["different values", "2 rows each"]),
]


@pytest.mark.parametrize(("options", "columns", "words"), REFUSED)
def test_contradictions_are_refused_early(
    options: dict[str, Any], columns: dict[str, list[object]], words: list[str], tmp_path: Path
) -> None:
    """What cannot be done is refused before anything is run, with the name and the cure."""
    with pytest.raises(LabError) as caught:
        said(tmp_path, small(**columns), **options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("option", [{"task": "regression"}, {"drop": ("a",)}, {"rows": 100}])
def test_only_tables_take_them(option: dict[str, Any], tmp_path: Path) -> None:
    """A built-in problem and a Python file refuse what is said of columns."""
    mine = tmp_path / "mine.py"
    mine.write_text("pass")
    for text in ("digits", f"{mine}:problem"):
        with pytest.raises(LabError, match="is for data files"):
            resolve(Spec(text, None, TableOptions(**option)))


def test_options_are_part_of_what_a_plan_promises(tmp_path: Path) -> None:
    """Every option changes the identity, by which a directory refuses another reading."""
    path = str(written(tmp_path, small()))
    options: list[dict[str, Any]] = [
        {}, {"task": "regression"}, {"drop": ("a",)}, {"group": "a"}, {"time": "a"}, {"rows": 50}
    ]  # fmt: skip
    found = [Spec(path, "y", TableOptions(**one)).identity() for one in options]
    assert all(one not in found[:i] for i, one in enumerate(found))


SAID = TableOptions("regression", ("a b", "it's"), None, "day", 5000)


def test_the_command_on_the_page_asks_the_same() -> None:
    """The command that makes a table's page again names what was said of it, and parses to it."""
    spec = Spec("data.csv", "y", SAID)
    tree = sample(("sgd", "adam"))
    tree["plan"]["identity"] = {"text": "data.csv", "target": "y", **SAID.identity()}
    words = shlex.split(command(subject(tree, None, Say("en"))))
    assert named_spec(build_parser("en").parse_args(words[1:])) == spec


def test_python_says_the_same_as_the_command_line() -> None:
    """The keywords of `compare` become the same options; columns may be named by numbers."""
    assert entered_options("regression", ["a b", "it's"], None, "day", 5000, None) == SAID
    assert entered_options(None, 3, 1, None, None, None) == TableOptions(drop=("3",), group="1")
    nothing: dict[str, Any] = dict.fromkeys(["task", "group", "time", "rows", "encoding"])
    for wrong in ({"task": "guess"}, {"rows": 1.5}):
        with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
            entered_options(**{**nothing, "drop": (), **wrong})


def test_another_reading_is_another_plan(tmp_path: Path) -> None:
    """A directory whose plan has an option that another lacks, or lacks one, says which."""
    path = str(written(tmp_path, small()))
    plain, other = (Spec(path, "y", one).identity() for one in (TableOptions(), SAID))
    for old, new in ((plain, other), (other, plain)):
        told = [one["en"] for one in differences({"identity": old}, {"identity": new})]
        assert len(told) == 4 and any("5000" in one and "not given" in one for one in told)
