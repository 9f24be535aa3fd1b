"""The ten questions of a learner: what the short answers claim is what the runs gave."""

import re

import pytest

from adamas.learn.chapters import correction, exercises, questions
from adamas.learn.measured import measured
from adamas.learn.problems import best_line
from learn_pages import shipped
from shown_numbers import read

CONTESTS = measured()["contests"]


def test_every_question_leads_to_a_chapter_and_a_figure() -> None:
    """Ten answers, each with two links that exist in the page as it ships."""
    page = shipped("learn/en.html")
    chapter = page.partition('<section id="questions"')[2].partition("</section>")[0]
    links = re.findall(r'<a href="#([^"]+)"', chapter)
    assert len(links) == 20
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert set(links) <= ids, set(links) - ids


def test_uncorrected_steps_are_too_long_for_long() -> None:
    """The first step is as long as the closed form says, and a tenth too long until that step."""
    assert correction.lengths(1)[0] == pytest.approx(0.1 / 0.001**0.5)
    after = questions.settled()
    found = correction.lengths(after + 1)
    assert found[-3] > 1.1 >= found[-2] >= found[-1]


def test_a_short_memory_costs() -> None:
    """With a small beta2 the loss ends higher, and the best rate is lower."""
    found = {name: read(str(value)) for name, value in questions.forgetting().items()}
    assert found["low_beta2"] < found["beta2"] and found["loss"] < found["low_loss"]
    assert found["low_rate"] < found["rate"]


def test_eps_shows_on_small_gradients_alone() -> None:
    """Beside a tiny gradient the place alone shortens the first step; on others homes agree."""
    torch, keras = measured()["adam"]["torch"], measured()["adam"]["keras"]
    found = {name: read(str(value)) for name, value in questions.places_of_eps().items()}
    g, value = found["g"], found["torch_eps"]
    assert found["after"] == pytest.approx(g / (g + value), rel=1e-3)
    # The root of 1 - beta2 divides eps as it divides the average.
    assert found["before"] == pytest.approx(g / (g + value / 0.001**0.5), rel=2e-3)
    assert found["times"] * torch["eps"] == pytest.approx(keras["eps"])
    assert keras["line"] == pytest.approx(torch["line"], rel=1e-8)


def test_a_cosine_leaves_less_error() -> None:
    """On the noisy line the lab calls the cosine better than the best constant rate."""
    assert measured()["schedules"]["line"]["word"] == "better"


def test_no_optimizer_wins_everywhere() -> None:
    """SGD is better than Adam on one problem, worse on another, and undecided on the third."""
    words = {name: contest["optimizers"]["sgd"]["word"] for name, contest in CONTESTS.items()}
    assert words == {"digits": "few", "mnist5k": "better", "sentiment": "worse"}
    rows = CONTESTS["digits"]["optimizers"].values()
    right = [row["accuracy"] for row in rows]
    assert max(right) - min(right) < 0.005 and {row["word"] for row in rows} == {"few", "reference"}


def test_the_best_rates_are_above_the_default() -> None:
    """On no problem that was tuned is the best rate for Adam 0.001 or less."""
    assert questions.tuned()[0] > 0.001
    rate = measured()["rates"]["digits"]
    assert read(str(questions.rates()["digits_lr"])) == pytest.approx(rate["lr"], rel=1e-2)
    assert rate["loss"] < rate["loss_3"] < rate["loss_4"] < rate["loss_5"]


def test_the_other_numbers_are_those_of_their_chapters() -> None:
    """What a sentence takes from elsewhere is in the order that it says."""
    slots = questions.seldom() | questions.decayed() | questions.stopping()
    found = {name: read(str(value)) for name, value in slots.items()}
    assert found["sgd"] < found["adam"] < 100
    assert found["apart_little"] < found["l2_little"] < found["l2_large"]
    assert found["reached"] < best_line()[0] / 2
    fit = exercises.fitted()
    assert fit.losses[-1] < 0.01 * fit.losses[0]
    assert len(measured()["homes"]) == 7
    assert "np.loadtxt(" in exercises.DRAW
