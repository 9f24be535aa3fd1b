"""The study of error rates: its cases and its tables, without the hours that it takes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adamas.lab.protocol.plan import Size
from adamas.lab.trial import run
from benchmarks.alike.__main__ import (
    HERE,
    LOOKS,
    SIZES_OF,
    WIDE,
    Case,
    carried_out,
    cases,
    known,
    share,
    table,
)
from benchmarks.alike.problems import problem
from benchmarks.alike.simulated import final
from benchmarks.alike.statuses import statuses


def test_the_modes_with_looks_are_a_part_of_the_study() -> None:
    """`--looks` leaves only those that look before the end, each kind with numbers of its own."""
    every, looks = list(cases(0.1)), list(cases(0.1, LOOKS))
    assert set(looks) < set(every) and len(set(every)) == len(every)
    assert {mode for _, mode, _, _ in looks} == {"quick, looks", "default, looks"}
    assert {pair for _, _, pair, _ in looks} == {"alike", "planted"}


def test_more_than_the_rate_is_searched_by_the_lab_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--wide` carries out a pair with the lab's search, and tells the word of the rate alone."""
    small = Size(tuning=1, refine=2, report=3, reach=0.5, points=2, finalists=1)
    monkeypatch.setitem(SIZES_OF, "quick, wide", small)
    case: Case = ("tumours", "quick, wide", "alike", 0)
    assert case in list(cases(0.1, WIDE)) and {mode for _, mode, _, _ in cases(0.1, WIDE)} == {
        *WIDE
    }
    tree = carried_out(case)
    assert {tree["word"], tree["alone"]} <= {"better", "worse", "tie", "few"}
    assert [len(finals) for finals in tree["finals"]] == [3, 3]


def test_the_simulation_takes_the_steps_of_the_lab() -> None:
    """The loops in machine code end a few steps where the lab's own trial of the same rule ends."""
    further = (("beta", 0.8), ("schedule", "cosine"), ("weight_decay", 0.01))
    posed = replace(problem("tumours", 0), steps=4, every=2)
    lab = run(posed, f"{HERE / 'wide_rules.py'}:wide_planted", 0.05, 3, further=further)
    assert final("tumours", "planted", 3, 4, 0.05, further) == pytest.approx(lab.final, rel=1e-9)


def test_words_and_statuses_are_counted(tmp_path: Path) -> None:
    """Two equals tied and one accused, and one planted found: the shares of words and statuses."""
    noise = [0.01, -0.01, 0.02, -0.02, 0.015, -0.015]
    base = [1.0] * 6
    pairs = {
        ("alike", 0, "tie"): [1 + value for value in noise],
        ("alike", 1, "worse"): [1.1 + value for value in noise],
        ("planted", 0, "worse"): [1.3 + value for value in noise],
    }
    file = tmp_path / "found.jsonl"
    lines = [
        {"case": ["digits", "quick, looks", pair, number], "word": word, "spent": 0.05,
         "finals": [ours, base]}
        for (pair, number, word), ours in pairs.items()
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    row = next(r for r in table(known(file)).splitlines() if r.startswith("| quick, looks | all"))
    assert row.split(" | ")[2:] == ["2", share(1, 2), "50", "1", share(1, 1), "0 |"]
    alike, planted = statuses(file, share).splitlines()[2:]
    assert [cell.strip() for cell in alike.split("|")][3:8] == [
        "2", "6", share(1, 2), share(0, 2), share(1, 2)
    ]  # fmt: skip
    assert planted.split(" | ")[4] == share(1, 1)
