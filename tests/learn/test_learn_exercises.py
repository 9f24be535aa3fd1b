"""The page's exercises: it computes what the answers say, and understands what is typed."""

import json
from math import log, sqrt
from pathlib import Path
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from adamas.learn import book
from adamas.learn.chapters.cost import bytes_each
from adamas.learn.chapters.exercises import ANSWERS, DRAW, SETTINGS, arrives, fitted, left_over
from adamas.learn.problems import best_line
from adamas.rules import adam, adamw
from v8 import run

# What pencil and paper give; the others are counted in a run.
CLOSED = {
    "first": 0.1 / sqrt(0.001),
    "memory": log(0.5) / log(0.9),
    "alternate": 0.1 / 1.9,
    "eps": 0.5,
    "sign": 1.0,
    "late": 0.1 / (1 - 0.9**1000) * sqrt((1 - 0.999**1000) / 0.001),
    "decoupled": (1 - 0.001 * 0.1) ** 1000,
    "l2": 1 - 100 * 0.001,
    "bytes": 80.0,
}


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request: pytest.FixtureRequest) -> MiniRacer:
    """The whole script of a language."""
    context = MiniRacer()
    context.eval(book.script(request.param))
    return context


def heard(page: MiniRacer, name: str, text: str) -> str:
    """What the page says to a typed answer."""
    return str(page.eval(f"heard({json.dumps(name)}, {json.dumps(text)})"))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_what_pencil_and_paper_give(name: str) -> None:
    """The answer on the page is right, and the page's own script computes the same."""
    found = ANSWERS[name]()
    assert run(f"EXERCISES[{json.dumps(name)}].answer()") == pytest.approx(found, rel=1e-9)
    if name in CLOSED:
        # The decayed weight is smaller at each step, which Adam's memory notices a little.
        near = 2e-3 if name == "l2" else 1e-5
        assert found == pytest.approx(CLOSED[name], rel=near)


def test_the_line_is_reached_about_when_distance_and_rate_say() -> None:
    """The rule of thumb is an answer that the page takes, and a tenth of lr takes ten times."""
    rough = SETTINGS["goal"] / SETTINGS["goal_lr"]
    assert rough < ANSWERS["reach"]() < 1.15 * rough
    assert arrives(0.001) == pytest.approx(10 * arrives(), rel=0.05)


def test_what_the_answers_add_is_so() -> None:
    """Half the rate halves AdamW's decay, L2's hardly knows its size, int8 takes a quarter."""
    half, whole = (1 - left_over(adamw, 1000, lr) for lr in (0.0005, 0.001))
    assert half == pytest.approx(whole / 2, rel=0.03)
    gentle, firm = (1 - left_over(adam, 100, 0.001, decay) for decay in (0.01, 1.0))
    assert gentle == pytest.approx(firm, rel=0.01)
    assert bytes_each()["int8"] == pytest.approx(bytes_each()["float32"] / 4, rel=0.02)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_typed_is_heard(page: MiniRacer, name: str) -> None:
    """The right number is taken as one may write it; others are called too small or too large."""
    value = ANSWERS[name]()
    right = heard(page, name, str(value))
    wide = {ord(a): b for a, b in zip("0123456789.", "０１２３４５６７８９．", strict=True)}
    for text in (
        f"  {value:.3g} ",
        f"{value:.3f}".replace(".", ","),
        f"{value:.3f}".translate(wide),
    ):
        assert heard(page, name, text) == right
    small, large = heard(page, name, str(0.8 * value)), heard(page, name, str(1.2 * value))
    assert len({right, small, large, heard(page, name, ""), heard(page, name, "abc")}) == 4
    assert heard(page, name, "−1") != right


def test_every_exercise_is_whole_without_a_script() -> None:
    """Question, hint and answer of each are in the page; only typing needs the script."""
    for language in book.GUIDE:
        say = book.Say(language)
        text = book.CHAPTERS["exercises"](say, lambda name: "<svg></svg>")
        assert text.count('<div class="exercise"') == text.count("data-exercise=") == len(ANSWERS)
        assert text.count("<details>") == 2 * len(ANSWERS) + 1
        assert text.count('class="controls"') == len(ANSWERS)


def test_the_pictures_are_of_a_line_that_fits() -> None:
    """After the steps that are shown first, the slope is the one of least squares."""
    assert fitted().last[0] == pytest.approx(best_line()[0], abs=1e-3)


def test_the_code_to_draw_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code that is shown draws two pictures, and the line has the slope that was found."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(DRAW, names)
    left, right = names["figure"].axes
    assert left.lines[0].get_ydata()[0] == pytest.approx(fitted().losses[0])
    assert right.lines[0].get_ydata()[1] / 10 == pytest.approx(fitted().last[0], abs=1e-9)
