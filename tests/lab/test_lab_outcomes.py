"""How runs ended, and the second judgement: on the page, in the results, in words that count."""

import html
import re
from collections.abc import Sequence
from math import inf, nan
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.notebook.rows import comparison_rows, optimizer_rows
from adamas.lab.own.notes import Notes
from adamas.lab.protocol.best import best_so_far, lowest
from adamas.lab.protocol.ends import ending
from adamas.lab.report.compare_page import render
from adamas.lab.report.exports import all_runs
from adamas.lab.report.subject import subject
from adamas.lab.text import SENTENCES, Say
from adamas.lab.trial import Record
from adamas.pages.elements import markup, paragraph
from adamas.pages.sentences import fill, literal, plain
from html_pages import Page
from report_sample import CLASSICAL, sample, sample_timing

Tree = dict[str, Any]


def record(losses: Sequence[float], diverged: bool = False) -> Record:
    """Return a run with these losses at every tenth step."""
    steps = tuple(10 * place for place in range(len(losses)))
    final = inf if diverged else losses[-1]
    return Record("adam", 0.1, 1, steps, tuple(losses), final, diverged, {})


@pytest.mark.parametrize(
    ("losses", "diverged", "end"),
    [
        ((1.0, 0.5), False, "trained"),
        ((1.0, 0.5, 1.0), False, "trained"),
        ((1.0, 0.2, 1.5), False, "worse"),
        ((1.0, 50.0), True, "blown_up"),
        ((1.0, nan), True, "not_finite"),
        ((1.0, 2.0, inf), True, "not_finite"),
    ],
)
def test_failed_runs_are_told_from_bad_ones(
    losses: tuple[float, ...], diverged: bool, end: str
) -> None:
    """A run that left no result says how, and one that ended above its start is merely worse."""
    assert ending(record(losses, diverged)) == end


@given(st.lists(st.floats(-1e9, 1e9) | st.just(nan) | st.just(inf), min_size=1, max_size=20))
def test_the_lowest_loss_is_the_first_of_the_lowest(losses: list[float]) -> None:
    """The lowest finite evaluation counts, with the first step that has it."""
    finite = [loss for loss in losses if abs(loss) < inf]
    found, step = lowest(record(losses, diverged=True))
    assert (found, step) == ((min(finite), 10 * losses.index(min(finite))) if finite else (inf, 0))


def test_lowest_losses_are_judged_like_last_ones() -> None:
    """The comparisons are those of the minima of each seed, in the order of the seeds."""
    ours = [record((1.0, 0.1 + 0.001 * seed, 0.9)) for seed in range(6)]
    theirs = [record((1.0, 0.5, 0.3 + 0.001 * seed)) for seed in range(6)]
    plan = SimpleNamespace(optimizers=("a", "b"), references=("b",), margin=0.02)
    study = SimpleNamespace(plan=plan, report={"a": ours, "b": theirs}, spent=0.05)
    found = best_so_far(cast(Any, study), random=True)
    (one,) = found["comparisons"]
    assert (one["word"], one["difference"]["mean"]) == ("better", pytest.approx(-0.2))
    assert found["optimizers"]["a"]["steps"] == [10] * 6
    assert found["optimizers"]["b"]["median_step"] == 20


def failing() -> Tree:
    """Return results with every kind of end."""
    tree = sample(CLASSICAL, seeds=6)
    rows = tree["optimizers"]
    rows["sgd"]["ends"] = ["not_finite", "blown_up", "blown_up", "trained", "trained", "trained"]
    rows["sgd"]["finals"][:3] = [None] * 3
    rows["sgd"] |= {"diverged": 3, "interval": {"mean": None, "low": None, "high": None}}
    rows["rmsprop"]["ends"] = ["worse", *["trained"] * 5]
    rows["momentum"]["lasted"] = [340, *[680] * 5]
    return tree


def words(page: str) -> str:
    """Return what a page says, in one line."""
    return " ".join(Page(page).words.split())


def answer(page: str) -> str:
    """Return the answer of a page as text."""
    found = re.search(r'<p class="answer">(.*?)</p>', page)
    assert found
    return html.unescape(re.sub("<.*?>", "", found[1]))


def test_failures_stand_in_the_answer_the_table_and_the_curves() -> None:
    """Three ways to end badly are counted apart, in words, and drawn with different marks."""
    page = render(failing(), sample_timing(CLASSICAL), Say("en"))
    said = answer(page)
    assert "Failed runs: SGD (1 no longer finite, 2 blown up, of 6 runs)." in said
    assert "Finite, but worse than no training: RMSProp (1 of 6 runs)." in said
    table = page.split('<section id="result">')[1].split("</table>")[0]
    assert "1 no longer finite, 2 blown up" in table and "1 worse than untrained" in table
    assert "a cross, no longer finite; a triangle, blown up; a ring" in words(page)
    drawn = render(sample(CLASSICAL, seeds=6), sample_timing(CLASSICAL), Say("en"))
    assert "a triangle" not in words(drawn) and "No run failed" in words(drawn)
    marks = page.split('<figure id="fig-curves">')[1].split("</svg>")[0].count("<use ")
    assert marks == drawn.split('<figure id="fig-curves">')[1].split("</svg>")[0].count("<use ") + 4


def test_the_second_judgement_speaks_where_it_differs() -> None:
    """A sentence names whose word another stop would change, and says that it is optimistic."""
    tree = sample(CLASSICAL)
    assert "Stopped at its lowest loss" not in render(tree, None, Say("en"))
    for one in tree["best"]["comparisons"]:
        if (one["optimizer"], one["reference"]) == ("sgd", "adam"):
            one["word"] = "better" if one["word"] != "better" else "tie"
            changed = one["word"]
    said = words(render(tree, None, Say("en")))
    assert "optimistic; beside Adam then: " + f"{changed}: SGD." in said
    rows = {row["optimizer"]: row for row in optimizer_rows(cast(Any, tree))}
    assert rows["sgd"]["best_word"] == changed and rows["adam"]["best_word"] == "reference"
    assert len(comparison_rows(cast(Any, tree))) == len(tree["comparisons"])


def test_files_hold_the_lowest_losses() -> None:
    """Every tuned run of the CSV has its lowest loss and step; other rows have none."""
    tree = sample(CLASSICAL)
    for row in all_runs(subject(cast(Any, tree), None, Say("en"))):
        best = tree["best"]["optimizers"][row["optimizer"]]
        if row["kind"] == "tuned":
            place = tree["plan"]["report"].index(row["seed"])
            assert (row["lowest"], row["lowest_step"]) == (
                best["losses"][place], best["steps"][place],
            )  # fmt: skip
        else:
            assert row["lowest"] is row["lowest_step"] is None


@given(st.text(max_size=30))
def test_names_of_columns_are_never_markup(name: str) -> None:
    """Whatever a column is called, the page shows its name as it is, and nothing else changes."""
    shown = paragraph(f"**Dropped**: {literal(name)}, `code`")
    assert shown == (
        f"<p><strong>Dropped</strong>: {html.escape(name, quote=False)}, <code>code</code></p>"
    )
    assert plain(f"**Dropped**: {literal(name)}") == f"Dropped: {name}"


def test_notes_keep_names() -> None:
    """A column called a**b stays so in the notes of a table."""
    notes = Notes()
    for name in ("a**b", "c**d", "`e`"):
        notes.column("constant", name)
    assert "a**b, c**d, `e`" in html.unescape(markup(notes.words()["en"]))


# Numbers that never are one: the demo's own, and the rows of a table of 256 MiB.
FIXED = {"race_text", "range_text", "method_budget", "note.pieces"}
COUNTED = re.compile(
    r"(?<!of )(?<!most )\{(seeds|runs|rates|count|rows|steps|cores|kept)(:,)?\} (\w+ )?"
    r"(seeds|runs|rates|rows|updates|cores|classes)\b"
)


def test_counts_choose_their_words() -> None:
    """One seed is no seeds, in every English sentence that counts."""
    assert fill("{n} {n:seed|seeds}", {"n": 1}) == "1 seed"
    assert fill("{n:,} {n:row was|rows were}", {"n": 2000}) == "2,000 rows were"
    said = {key: both["en"].replace("\n", " ") for key, both in SENTENCES.items()}
    assert {key for key, text in said.items() if COUNTED.search(text)} == FIXED
