"""Controls of figures: whatever the address says, they stand where a hand can put them."""

import json
import re

import pytest

from adamas.learn.book import CHAPTERS
from adamas.learn.chapters.exercises import ANSWERS
from adamas.learn.frames import play
from adamas.learn.text import Say
from v8 import engine, run

PLAYS = run("Object.keys(PLAYS)")
# Parts of the way from the lower end to the upper one, and beyond both.
PARTS = (-1, 0.0, 0.123, 0.3721, 0.5009, 0.777, 0.9999, 1.0, 3)


@pytest.mark.parametrize("name", PLAYS)
def test_values_of_an_address_are_on_the_step(name: str) -> None:
    """A number between two steps becomes the nearer one, and the figure shows numbers."""
    for control in run(f"PLAYS.{name}.controls"):
        if control["kind"] not in ("range", "steps"):
            continue
        low, high, step = (control[key] for key in ("low", "high", "step"))
        for part in PARTS:
            asked = low + part * (high - low)
            control_text, text = json.dumps(control), json.dumps(repr(asked))
            value = run(f"parsedValue({control_text}, {text})")
            assert low <= value <= high + 1e-9
            assert (value - low) / step == pytest.approx(round((value - low) / step), abs=1e-4)
            held = min(max(asked, low), low + int((high - low) / step + 1e-6) * step)
            assert abs(value - held) <= step / 2 + 1e-5
            key = json.dumps(control["name"])
            values = f"{{...startValues(PLAYS.{name}), [{key}]: {value!r}}}"
            shown = "".join(run(f"shownParts({name!r}, {values}, 480)").values())
            assert not re.search(r"NaN|undefined", shown)


@pytest.mark.parametrize("text", ["", " ", "x", "NaN", "Infinity", "1e999"])
def test_what_is_no_number_leaves_a_control(text: str) -> None:
    """A slider whose address holds no number stays where it is at the start."""
    for control in ('range("a", 0, 1, 0.1, 0.3)', 'logRange("a", 0.01, 1, 0.3)'):
        assert run(f"parsedValue({control}, {json.dumps(text)})") == 0.3


@pytest.mark.parametrize("name", PLAYS)
def test_controls_are_named_after_their_figure(name: str) -> None:
    """A screen reader that comes to the controls of a figure says the figure's caption."""
    figure = play(name, lambda key: str(engine().eval(f"playHtml({key!r})")), "a caption")
    (label,) = re.findall(r'<form [^>]*aria-labelledby="([^"]+)"', figure)
    assert f'<figcaption id="{label}">a caption<' in figure


@pytest.mark.parametrize("language", ["en", "zh"])
def test_fields_of_exercises_are_tied_to_their_questions(language: str) -> None:
    """Each field and button of an exercise is described by its own question."""
    page = CHAPTERS["exercises"](Say(language), lambda _: "")
    for name in ANSWERS:
        (form,) = re.findall(rf'<form [^>]*data-exercise="{name}".*?</form>', page, re.DOTALL)
        assert form.count(f'aria-describedby="question-{name}"') == form.count("<input") + 1 == 2
        assert page.count(f'<p id="question-{name}">') == 1
