"""Ratios of the comparison, their bars, and the pages that are made from its files.

Everything is made up and computed by hand; nothing is timed.
"""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adamas.bench import timing
from places import ROOT


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a module of the package `benchmarks`, which is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither wait between two calls nor repeat them for long."""
    monkeypatch.setattr(timing, "PAUSE", 0.0)
    monkeypatch.setattr(timing, "MOST_STEPS", 2)


def told(calls: list[str], name: str, samples: list[float]) -> Callable[[], float]:
    """A clock that says these seconds, one by one, and writes down that it was asked."""
    given = iter(samples)

    def clock() -> float:
        calls.append(name)
        return next(given)

    return clock


@pytest.mark.usefixtures("hasty")
def test_a_ratio_is_the_median_of_the_rounds_ratios(full: Callable[[str], ModuleType]) -> None:
    """A slow round changes both sides and no ratio; medians of each side would say 3, not 2."""
    calls: list[str] = []
    clocks = {"a": told(calls, "a", [2.0, 60.0, 6.0]), "b": told(calls, "b", [1.0, 30.0, 2.0])}
    found = full("race").timed("case", clocks, [("a", "b")], 3)
    assert found.ratios == {"a / b": [2.0, 2.0, 3.0]}
    assert found.ratio("a", "b") == 2.0
    assert found.median("a") / found.median("b") == 3.0
    # Neighbours in time, and each the first of a round as often as the other, as far as three go.
    assert calls == ["a", "b", "b", "a", "a", "b"]


@pytest.mark.usefixtures("hasty")
def test_a_side_in_two_pairs_runs_beside_each(full: Callable[[str], ModuleType]) -> None:
    """Each pair has calls of its own, so that no ratio is between calls far apart."""
    calls: list[str] = []
    clocks = {
        "a": told(calls, "a", [1.0, 10.0]),
        "b": told(calls, "b", [2.0]),
        "c": told(calls, "c", [40.0]),
    }
    found = full("race").timed("case", clocks, [("b", "a"), ("c", "a")], 1)
    assert calls == ["b", "a", "c", "a"]
    assert found.ratios == {"b / a": [2.0], "c / a": [4.0]}
    assert found.samples["a"] == [1.0, 10.0]
    with pytest.raises(KeyError):
        found.ratio("b", "c")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("rounds", "placements"), [(2, 2), (12, 5)])
def test_placements_share_the_rounds(
    rounds: int, placements: int, full: Callable[[str], ModuleType]
) -> None:
    """Sides are made anew, no round is lost, and no side is first more often in any of them."""
    made: list[list[str]] = []

    def make(part: int) -> dict[str, Callable[[], float]]:
        assert part == len(made)
        made.append([])
        seconds = [part + 1.0] * rounds
        return {name: told(made[-1], name, seconds) for name in ("a", "b")}

    found = full("race").placed("case", make, [("a", "b")], rounds)
    assert len(made) == placements
    calls = [name for each in made for name in each]
    assert calls == ["a", "b", "b", "a"] * (rounds // 2)
    assert found.ratios == {"a / b": [1.0] * rounds}
    assert sorted(set(found.samples["a"])) == [k + 1.0 for k in range(placements)]


@pytest.mark.parametrize(("count", "rank"), [(5, 1), (6, 1), (11, 2), (20, 6), (21, 6), (50, 18)])
def test_the_interval_is_that_of_the_sign_test(
    count: int, rank: int, full: Callable[[str], ModuleType]
) -> None:
    """The ranks of the tables in Conover's book, from either end; order does not matter."""
    samples = [float(k) for k in range(count, 0, -1)]
    assert full("race").interval(samples) == (rank, count + 1 - rank)


@pytest.mark.parametrize(
    ("value", "cpu", "at_least", "verdict"),
    [
        (0.85, "Intel(R) Xeon(R) Processor", False, "at most 0.85: met"),
        (0.9, "Intel(R) Xeon(R) Processor", False, "at most 0.85: missed"),
        (0.9, "AMD EPYC", False, "at most 0.96: met"),
        (0.97, "AMD EPYC", False, "at most 0.96: missed"),
        (0.96, "Another", False, "at most 0.96: met"),
        (0.84, "Another", True, "at least 0.85: missed"),
        (0.95, "AMD EPYC", True, "at least 0.96: missed"),
        (0.85, "Intel(R) Xeon(R) Processor", True, "at least 0.85: met"),
    ],
)
def test_each_kind_of_processor_has_its_bar(
    value: float, cpu: str, at_least: bool, verdict: str, full: Callable[[str], ModuleType]
) -> None:
    """Columns, upper and lower bars are not confused, and a bar just reached is met."""
    assert full("bars").Bar(0.85, 0.96, at_least).verdict(value, cpu) == verdict


# What the issue that set them asks for: on the Xeon, on the Zen 4.
ASKED = {
    ("guard", "float32, 64 Mi"): (1.02, 1.02),
    ("guard", "bf16 p and g, int8 state, 1 Mi"): (1.05, 1.05),
    ("large", "adamas / torch fused"): (0.85, 0.96),
    ("large", "share of the memory limit"): (0.95, 0.93),
    ("bits", "adamas int8 / torch fused, 64 Mi"): (0.70, 0.75),
    ("bits", "adamas bfloat16 / torch fused, 64 Mi"): (0.70, 0.85),
    ("bits", "adamas int8, bf16 p and g / torch fused bf16, 64 Mi"): (0.75, 0.75),
    ("growth", "adamas / torch fused at 1 Mi"): (1.0, 1.0),
    ("bits", "adamas int8 / torch fused, 1 Mi"): (1.1, 1.1),
    ("jax", "adamas.jax / optax, over the larger of 1 and the control, 64 Mi"): (1.05, 1.05),
    ("dense", "adamas / torch fused, of it the optimizer"): (0.9, 0.9),
    ("dense", "adamas int8 / torch fused, of it the optimizer"): (0.8, 0.8),
    ("whole", "adamas / torch's three calls"): (0.60, 0.65),
    ("tiny", "fresh gradient array"): (4, 5),
}


def test_the_bars_are_those_that_were_set(full: Callable[[str], ModuleType]) -> None:
    """No bar is lowered quietly, and each belongs to a section that exists."""
    bars = full("bars").BARS
    assert {key: (bars[key].xeon, bars[key].zen) for key in ASKED} == ASKED
    assert {section for section, _ in bars} <= full("__main__").SECTIONS.keys()


def record(cpu: str, value: float, **more: Any) -> dict[str, Any]:
    """A results file with one section, one case of two sides, and two figures."""
    case = {
        "title": "64 Mi",
        "samples": {"adamas": [0.003, 0.001, 0.002], "torch fused": [0.006, 0.002, 0.004]},
        "ratios": {"adamas / torch fused": [0.5, 0.25, 0.75]},
    }
    what = {"what": "adamas / torch fused", "unit": "x", "low": 0.25, "high": 0.75}
    section = {
        "title": "One large array",
        "note": f"Note on {cpu}.",
        "cases": [case],
        "figures": [{**what, "value": value}, {"what": f"only on {cpu}", "value": 7.0}],
        "date": "2026-01-01 00:00 UTC",
        "load": [0.5, 0.5, 0.5],
        "others": 0.5,
    }
    here = timing.Machine(cpu, 2, {"adamas": 2}, 2.0**35, "Linux", {}, "2026-01-01", [0.5])
    return {"machine": vars(here), "sections": {"large": section}, **more}


def test_two_kinds_stand_side_by_side(full: Callable[[str], ModuleType]) -> None:
    """One row holds a figure of both, each with its own bar; what one lacks stays empty."""
    kinds = {
        "epyc": record("AMD EPYC", 0.9, processor="znver4"),
        "xeon": record("Intel(R) Xeon(R) Processor", 0.9, remark="Measured before the guard."),
    }
    page = full("table").render(kinds)
    assert "| what | AMD EPYC (znver4) | Intel Xeon |" in page
    assert (
        "| One large array: adamas / torch fused "
        "| 0.900 x (0.250 to 0.750); at most 0.96: met "
        "| 0.900 x (0.250 to 0.750); at most 0.85: **missed** |"
    ) in page
    assert "| One large array: only on AMD EPYC | 7.00 |  |" in page
    # What has a bar and was not measured is seen to be missing.
    assert "| One large array: share of the memory limit |  |  |" in page
    assert "**Measured before the guard.**" in page
    # The section once, and below it each kind with its own note.
    assert page.count("## One large array\n") == 1
    assert page.index("### epyc") < page.index("Note on AMD EPYC.") < page.index("### xeon")


def test_the_tables_show_ratios_medians_and_minima(full: Callable[[str], ModuleType]) -> None:
    """Ratios with their interval, times with their minimum, and whether the machine was idle."""
    page = full("table").render({"box": record("CPU", 0.5)})
    assert "| adamas / torch fused | 0.500 (0.250 to 0.750) |" in page
    assert "| adamas | 2.00 (1.00) |" in page
    assert "| torch fused | 4.00 (2.00) |" in page
    assert "3 rounds; 2026-01-01 00:00 UTC" in page
    assert "50% of the processors **(not idle)**" in page


def test_a_file_without_pairs_shows_ratios_of_medians(full: Callable[[str], ModuleType]) -> None:
    """Records from before pairs were run keep their ratios to the first side."""
    old = record("CPU", 0.5)
    for case in old["sections"]["large"]["cases"]:
        del case["ratios"]
    old["sections"]["large"]["figures"][0]["bar"] = 0.1
    page = full("table").render({"box": old})
    assert "| torch fused | 4.00 (2.00), 2.00x |" in page
    assert "| ratio |" not in page


def test_a_table_in_a_page_is_made_anew(full: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """The lines between the two marks change, the rest of the page does not."""
    text = "before\n<!-- measured: readme -->\nold\n<!-- end of measured -->\nafter\n"
    (tmp_path / "README.md").write_text(text)
    slow = record("AMD EPYC", 1.25)
    slow["sections"]["large"]["figures"].append({"what": "NumPy tutorial / adamas", "value": 18.4})
    kinds = {"epyc": slow, "xeon": record("Xeon", 0.75, remark="Remark.")}
    assert full("summary").rewrite(tmp_path, kinds) == [tmp_path / "README.md"]
    page = (tmp_path / "README.md").read_text("utf-8")
    assert page.startswith("before\n<!-- measured: readme -->\n")
    assert page.endswith("\n<!-- end of measured -->\nafter\n")
    assert "old" not in page
    assert "| float32, 64 Mi parameters | 1.25 | 0.75 |" in page
    assert "| beside a tutorial's NumPy code | 1/18 |  |" in page
    assert "Xeon: Remark." in page


def test_a_chinese_page_has_a_table_in_chinese(
    full: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """The same figures under Chinese words, also the remark; a page's language is in its name."""
    (tmp_path / "docs").mkdir()
    pages = [tmp_path / "docs" / name for name in ("torch.md", "torch.zh.md")]
    for page in pages:
        page.write_text("<!-- measured: torch -->\n<!-- end of measured -->\n")
    kinds = {"xeon": record("Xeon", 0.75, remark="Remark.", remark_zh="附注。")}
    assert full("summary").rewrite(tmp_path, kinds) == pages
    english, chinese = (page.read_text("utf-8") for page in pages)
    assert "| float32, 64 Mi parameters | 0.75 |" in english
    assert "\nXeon: Remark.\n" in english
    assert "附注" not in english
    assert "| float32，64 Mi 个参数 | 0.75 |" in chinese
    assert "\nXeon：附注。\n" in chinese
    assert "Remark" not in chinese
    assert "parameters" not in chinese


def test_every_row_of_a_chinese_table_has_its_words(full: Callable[[str], ModuleType]) -> None:
    """A row that is added to a page in two languages, and a remark, is worded in both."""
    summary = full("summary")
    names = {
        block
        for page in summary.PAGES
        if summary.language(page) == "zh"
        for _, block, _ in summary.BLOCK.findall((ROOT / page).read_text("utf-8"))
    }
    words = {row.words for name in names for row in summary.BLOCKS[name]}
    assert words | {summary.HEAD} == set(summary.CHINESE)
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        saved = json.loads(path.read_text("utf-8"))
        assert ("remark" in saved) == ("remark_zh" in saved)


def test_every_row_of_a_table_names_a_figure(full: Callable[[str], ModuleType]) -> None:
    """A row whose figure nobody measures would stay empty for ever, and nobody would notice."""
    rows = [row for rows in full("summary").BLOCKS.values() for row in rows]
    held = full("bars").BARS
    # No bar was set for the fork's second library.
    without = {row for row in rows if (row.section, row.figure) not in held}
    assert without == {full("summary").SLOW}


def test_the_pages_are_those_of_the_files(full: Callable[[str], ModuleType]) -> None:
    """Nobody typed a number into the page of results, nor into the tables of the documentation."""
    folder = ROOT / "benchmarks" / "results"
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    kinds = {name: each for name, each in sorted(read.items()) if "sections" in each}
    page = (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8")
    assert page == full("table").render(kinds)
    summary = full("summary")
    held = 0
    for name in summary.PAGES:
        for _, block, _ in summary.BLOCK.findall((ROOT / name).read_text("utf-8")):
            held += 1
            table = summary.block(block, kinds, summary.language(name))
            assert table in (ROOT / name).read_text("utf-8")
    assert held == len(summary.PAGES)


@pytest.mark.usefixtures("hasty")
def test_the_race_beside_the_fork_has_its_pairs(full: Callable[[str], ModuleType]) -> None:
    """What the child process measures and prints is what the section makes figures of."""
    pytest.importorskip("bitsandbytes")
    fork = full("fork")
    found = fork.measured("4,096", 4096, 1)
    assert [*found.ratios] == [f"{a} / {b}" for a, b in fork.PAIRS]


def test_a_missing_fork_is_named(
    full: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the fork cannot be had, the section says why instead of ending the comparison."""
    fork = full("fork")
    monkeypatch.setenv(fork.VARIABLE, str(tmp_path))
    section = fork.fork(full("record").Plan(4096, 4096, 1))
    assert not section.cases
    assert f"Left out: {fork.VARIABLE} names a folder without bitsandbytes." in section.note
    # A folder with another bitsandbytes is no fork.
    (tmp_path / "bitsandbytes").mkdir()
    (tmp_path / "bitsandbytes" / "__init__.py").write_text('__version__ = "0.50.2"\noptim = None\n')
    section = fork.fork(full("record").Plan(4096, 4096, 1))
    assert "this bitsandbytes is 0.50.2" in section.note
