"""What a page and the terminal say where seeds are too few: how many, and a command that works."""

import functools
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adamas.cli import build_parser
from adamas.cli_lab import named_spec, requested
from adamas.lab.commands.compare import next_step
from adamas.lab.commands.session import Outcome
from adamas.lab.own.options import TableOptions
from adamas.lab.own.spec import Spec
from adamas.lab.report import again
from adamas.lab.report.exports import to_latex
from adamas.lab.report.judged import difference_table
from adamas.lab.report.more_seeds import command, looked
from adamas.lab.report.subject import Subject, subject
from adamas.lab.report.verdict import opening
from adamas.lab.text import Say
from report_sample import sample, sample_timing

NAMES = ("sgd", "adam")


def undecided(seen: int | None, likely: int | None, **plan: Any) -> dict[str, Any]:
    """Return the results of a comparison that needs that many seeds."""
    tree = sample(NAMES)
    (one,) = tree["comparisons"]
    one |= {"word": "few", "seeds_to_decide": {"seen": seen, "likely": likely}}
    tree["plan"] |= plan
    return tree


def told(tree: dict[str, Any], language: str = "en") -> Subject:
    """Return results ready to be told."""
    return subject(tree, sample_timing(NAMES), Say(language))


def told_on_page(about: Subject) -> str:
    """Return what a page begins with, and its table of differences."""
    return "\n".join([*opening(about), difference_table(about, "adam")])


@pytest.mark.parametrize(
    ("seen", "likely", "en", "zh"),
    [
        (17, 44, "About 17 seeds would decide that of SGD", "大约需要 17 个种子"),
        (90, None, "it may take more than 200", "也可能要 200 个以上"),
        (None, None, "more than 200 seeds would be needed", "要 200 个以上的种子"),
    ],
)
def test_the_page_says_how_many(seen: int | None, likely: int | None, en: str, zh: str) -> None:
    """In the answer and beside the difference, in both languages, with the command; never why."""
    for language, words in (("en", en), ("zh", zh)):
        page = told_on_page(told(undecided(seen, likely), language))
        assert words in page
        assert "to matter" not in page and "无关紧要" not in page
        assert ("--until-decided" in page) == (seen is not None)
        assert Say(language)("differences_seeds") in page
    assert "would decide" not in told_on_page(told(sample(NAMES)))


@example("quick", "--r", 0.1)
@given(
    st.sampled_from(["quick", "default", "rigorous"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    st.floats(0.001, 0.9).map(lambda share: float(f"{share:.3g}")),
)
def test_the_command_is_the_same_comparison(mode: str, hypothesis: str, margin: float) -> None:
    """Pasted into a shell, it asks for the same plan, whatever was written into it, with looks."""
    tree = undecided(17, 44, mode=mode, hypothesis=hypothesis, margin=margin, goal=0.25)
    words = shlex.split(command(told(tree), Path("a place/of its own")))
    assert words[:3] == ["adamas", "compare", "cells"]
    if not hypothesis.strip():
        return
    args = build_parser().parse_args(words[1:])
    request = requested(args, Spec("cells"), args.out, until_decided=args.until_decided)
    assert (request.mode, request.until_decided) == (mode, True)
    assert (args.hypothesis, args.margin, args.goal) == (hypothesis, margin, 0.25)
    assert list(request.optimizers) == list(NAMES) and args.out == Path("a place/of its own")


@pytest.mark.parametrize("placed", ["group", "time"])
def test_the_command_says_all_of_a_table(placed: str) -> None:
    """Every option of a table is in the command that makes the plan again, with its value."""
    said = {"task": "regression", "drop": ("a", "b"), "rows": 500, "encoding": "gb18030"}
    options = TableOptions(**said, **{placed: "patient"})  # type: ignore[arg-type]
    assert {*options.identity(), "group", "time"} == {one.name for one in fields(TableOptions)}
    tree = sample(NAMES)
    tree["plan"]["identity"] = {"text": "t.csv", "target": "y", **options.identity()}
    args = build_parser().parse_args(shlex.split(again.command(told(tree)))[1:])
    assert named_spec(args) == Spec("t.csv", "y", options)


@pytest.mark.parametrize(
    ("mode", "seen", "likely", "most"),
    [
        ("quick", 9, 12, 12), ("quick", 9, 13, 24), ("default", 41, 90, 160),
        ("default", 5, 8, 20), ("rigorous", 41, None, 200),
    ],
)  # fmt: skip
def test_the_largest_number_is_a_look_that_suffices(
    mode: str, seen: int, likely: int | None, most: int
) -> None:
    """The last look is the first doubling at which the largest likely spread would do, or 200."""
    found = command(told(undecided(seen, likely, mode=mode)), Path("x"))
    assert f" --seeds {most} " in found and " --until-decided " in found


@pytest.mark.parametrize(
    ("looks", "more"),
    [([10, 20], 40), ([10, 20, 40, 80], 160), ([10, 20, 40, 80, 160], 200), ([10, 200], None)],
)
def test_what_follows_looks_goes_further(looks: list[int], more: int | None) -> None:
    """After looks the command has a larger number, whose seeds are others, or there is none."""
    found = command(told(undecided(12, 18, looks=looks)), Path("x"))
    assert re.findall(r" --seeds (\d+) ", found) == ([str(more)] if more else [])
    assert ("--until-decided" in found) == bool(more)


def test_a_wider_search_has_no_command() -> None:
    """More seeds than those that were seen would include them, so no command is offered."""
    assert command(told(undecided(12, 18, search={"asked": ["eps"]})), Path("x")) == ""


def test_the_terminal_shows_a_free_directory(tmp_path: Path) -> None:
    """The command writes beside what is there, and the sentence has no marks in it."""
    (tmp_path / "report").mkdir()
    outcome = Outcome(undecided(17, 44), sample_timing(NAMES))  # type: ignore[arg-type]
    first, second = next_step(outcome, tmp_path / "report", Say("en"))
    assert "*" not in first
    assert second.endswith(f"--out {shlex.quote(str(tmp_path / 'report-2'))}")
    decided = Outcome(sample(NAMES), sample_timing(NAMES))  # type: ignore[arg-type]
    assert next_step(decided, tmp_path / "report", Say("en")) == []


def test_looks_are_told_and_repeated() -> None:
    """A page says at how many seeds was looked and what the intervals are; its command has them."""
    tree = undecided(None, None, looks=[10, 20, 40], report=list(range(3001, 3041)))
    for row in tree["optimizers"].values():
        row["finals"] = row["finals"] * 2
        row["lrs"] = row["lrs"] * 2
    looks = [(10, 0.0125), (20, 0.0125)]
    tree["looks"] = [{"seeds": n, "spent": spent, "undecided": []} for n, spent in looks]
    about = told(tree)
    assert about.seeds == 20 and about.judging == list(range(3001, 3021))
    assert again.command(about).count("--until-decided --seeds 40") == 1
    assert "after 10, 20 of at most 40 seeds" in looked(about)
    assert "98.75 % at this look" in looked(about)
    assert "98.75%" in looked(told(tree, "zh"))
    assert r"with 98.75\,\% (95\,\% over all looks, after 10, 20" in to_latex(tree)  # type: ignore[arg-type]
    tree["looks"][-1]["undecided"] = ["sgd"]
    assert "SGD stayed undecided" in looked(told(tree))


def test_texts_of_what_was_handed_over_are_quoted() -> None:
    """The call in Python gives a word back as a text, and numbers, tuples and switches as such."""
    found = again.handed("Mine:kind=strong_wolfe,betas=(0.8,0.9),fast=False,many=3")
    made = eval(found, {"functools": functools, "Mine": dict})
    assert made() == {"kind": "strong_wolfe", "betas": (0.8, 0.9), "fast": False, "many": 3}


def test_a_call_in_python_goes_on_in_python() -> None:
    """What was handed over as objects is called again with the keyword, in one line."""
    tree = undecided(17, 44)
    tree["plan"]["identity"] |= {"python": "(X, y)"}
    found = command(told(tree), Path("x"))
    assert found.startswith("adamas.lab.compare((X, y), ['sgd', 'adam'], ")
    assert found.endswith("until_decided=True, seeds=80, out='x')")
