"""What the demo tells a beginner is said only of runs that carry it."""

import copy
from typing import Any

import pytest

from adamas.lab.demo.advice import begin, digits
from adamas.lab.demo.rates_chapter import usual
from adamas.lab.report.subject import Subject, subject
from adamas.lab.report.verdict import practice
from adamas.lab.text import Say
from report_sample import CLASSICAL, sample

SAY = Say("en")
EVEN = {"mean": 0.1, "low": 0.09, "high": 0.11}
Contests = dict[str, Subject]


def contest(rate: float, penalty: float | None = 4.0, **words: str) -> Subject:
    """Return a comparison whose losses are 0.1 but SGD's 0.12, and all of whose verdicts are few.

    `rate` is Adam's tuned one, a hundredth of SGD's; `penalty` its loss at the default rate over
    that; `words` are other verdicts.
    """
    tree: dict[str, Any] = copy.deepcopy(sample(CLASSICAL))
    for name, row in tree["optimizers"].items():
        row |= {"interval": EVEN, "diverged": 0, "lr": rate}
        row["extras"]["accuracy"] = {"mean": 0.96, "low": 0.95, "high": 0.97}
        row["default"] |= {"lr": 0.001, "penalty": penalty}
        if name == "sgd":
            row |= {"interval": {"mean": 0.12, "low": 0.11, "high": 0.13}, "lr": rate**2 * 100}
    tree["optimizers"]["rmsprop"]["extras"]["accuracy"]["mean"] = 0.972
    tree["comparisons"] = [one for one in tree["comparisons"] if one["reference"] == "adam"]
    for one in tree["comparisons"]:
        one["word"] = words.get(one["optimizer"], "few")
    return subject(tree, None, SAY)


def both(**words: str) -> Contests:
    """Return two comparisons, the verdicts of the second one changed."""
    return {"softmax": contest(0.03, 5.0), "mlp": contest(0.01, 2.0, **words)}


def test_even_optimizers_leave_the_learning_rate() -> None:
    """Nobody is told apart and the default rate costs more than any choice: tune lr, with numbers.

    0.12 is 1.2 times 0.1, the default costs 2 and 5 times as much, accuracies are 0.96 and 0.972.
    """
    said = digits(both(), SAY)
    assert "optimizer matters little, its learning rate much" in said
    for number in ("All 4", "96.0 % to 97.2 %", "is 1.20 times", "0.001", "has 2.00 to 5.00 times"):
        assert number in said.replace("\xa0", " "), number


def test_a_good_default_is_left_alone() -> None:
    """Where the default rate costs less than the choice of an optimizer, nobody is told to tune."""
    contests = {"softmax": contest(0.03, 1.1), "mlp": contest(0.01, 1.05)}
    said = digits(contests, SAY)
    assert "at its default rate." in said and "tune lr" not in said


@pytest.mark.parametrize("word", ["better", "worse", "diverged"])
def test_a_difference_on_the_digits_is_told(word: str) -> None:
    """One verdict that is not even, and the page no longer says that the choice matters little."""
    said = digits(both(momentum=word), SAY)
    assert "little" not in said and f"{word}: Momentum" in said


@pytest.mark.parametrize(
    ("untuned", "said"),
    [(0.5, "0.001: 0.5000. So begin with Adam, and tune"), (None, "0.001: diverged. So begin"),
     (0.11, "0.001 with 0.1100. So Adam as it comes will do")],
)  # fmt: skip
def test_a_comparison_without_a_verdict_ends_in_practice(untuned: float | None, said: str) -> None:
    """Nobody is told apart: the losses, 0.1 and SGD's 0.12, beside Adam's at its default rate."""
    about = contest(0.03)
    about.rows["adam"]["default"]["interval"]["mean"] = untuned
    assert "all 4 end with a loss from 0.1000 to 0.1200; " in practice(about)
    assert said in practice(about)
    assert practice(contest(0.03, sgd="worse")) == ""


@pytest.mark.parametrize(
    ("untuned", "alone", "said"),
    [(0.5, 0.3, "alone tuned: 0.3000. So the learning rate of Adam is not enough: tune it together "
      "with betas, schedule."), (0.5, None, "alone tuned: diverged. So the learning rate"),
     (0.5, 0.11, "So begin with Adam, and tune its learning rate."),
     (0.11, 0.3, "So Adam as it comes will do.")],
)  # fmt: skip
def test_the_advice_is_what_the_search_showed(
    untuned: float, alone: float | None, said: str
) -> None:
    """Adam's rate is said to do only where with it alone Adam came to the 0.12 of the others."""
    about = contest(0.03)
    about.plan["search"] = {"asked": ["betas", "schedule", "lr"]}  # type: ignore[typeddict-item]
    row: Any = about.rows["adam"]
    row["default"]["interval"]["mean"] = untuned
    row["worth"] = {"alone": {"interval": {"mean": alone}}}
    assert said in practice(about)


def test_two_are_both_not_all() -> None:
    """Of two optimizers the page says that both end so."""
    tree: Any = copy.deepcopy(contest(0.03).results)
    tree["plan"]["optimizers"] = ["sgd", "adam"]
    for name in ("momentum", "rmsprop"):
        del tree["optimizers"][name]
    tree["comparisons"] = [one for one in tree["comparisons"] if one["optimizer"] == "sgd"]
    assert "tuned, both end with a loss" in practice(subject(tree, None, SAY))


def test_begin_with_adam_while_nobody_is_better() -> None:
    """Of six comparisons two were lost to Adam; its rates are a factor of 3 apart, SGD's of 9."""
    said = begin(both(sgd="worse", momentum="worse"), SAY)
    assert said.startswith("**Begin with Adam.** In 6 comparisons on 2 problems")
    assert "2 ended worse" in said and "from 0.01 to 0.03" in said
    assert "a factor of 3.0;" in said and "a factor of 9.0 apart" in said


def test_nobody_begins_with_what_is_beaten_or_failed() -> None:
    """One optimizer that is shown to be better, or a failed Adam, takes the advice back."""
    said = begin(both(rmsprop="better"), SAY)
    assert "Begin with Adam" not in said and "RMSProp (Digits, MLP)" in said
    failed = both()
    failed["mlp"].results["optimizers"]["adam"]["diverged"] = 1
    assert "Adam diverged" in begin(failed, SAY)


@pytest.mark.parametrize(
    ("rates", "line", "key"),
    [((0.03, 0.01), 0.5, "does not hold here"), ((0.03, 1e-3), 0.5, "holds for some"),
     ((1e-5, 1e-3), 0.5, "holds for some"), ((1e-5, 1e-3), 1e-4, "holds here")],
)  # fmt: skip
def test_the_usual_range_is_held_against_what_was_found(
    rates: tuple[float, float], line: float, key: str
) -> None:
    """The tutorial's 1e-5 to 1e-3 stands beside the best rates, and their agreement is told."""
    contests = {"softmax": contest(rates[0]), "mlp": contest(rates[1])}
    race: Any = {"entrants": {"adam": {"lr": line}}}
    said = usual(contests, race, SAY)
    assert key in said and "10⁻⁵ to 0.001" in said
