"""A search over more than the rate of other people's classes, and what the page makes of it."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.protocol.plan import Plan, Size, declare
from adamas.lab.protocol.results import tree_of
from adamas.lab.protocol.results_types import Results
from adamas.lab.protocol.runner import Runner
from adamas.lab.protocol.space import asked_for
from adamas.lab.protocol.study import study
from adamas.lab.report import worth
from adamas.lab.report.code import snippets
from adamas.lab.report.judged import default_row
from adamas.lab.report.numbers import percent, percent_spread, with_spread
from adamas.lab.report.subject import subject
from adamas.lab.text import Say
from noisy_bowl import BOWL

SMALL = Size(tuning=2, refine=3, report=3, reach=0.5, points=4, finalists=1)
# A class that has its betas as PyTorch's Adam has them, and other things that are no numbers.
MINE = """
class Mine:
    seen = []
    def __init__(self, params, lr=0.01, betas=(0.9, 0.999), amsgrad=False, mode="max",
                 eps=(None, 1e-3), momentum=False, clip=None):
        self.params, self.lr = params, lr
        self.seen.append(betas)
    def step(self, grads):
        for name, array in self.params.items():
            array -= self.lr * grads[name]
"""


def planned(folder: Path, names: str, text: str = "Mine") -> Plan:
    """Return the plan of a search of `Mine` beside Adam."""
    (folder / "mine.py").write_text(MINE)
    who = [entrant(f"{folder / 'mine.py'}:{text}"), entrant("adam")]
    return declare(BOWL, {}, who, SMALL, asked_for([names]))


def test_the_members_of_a_tuple_are_searched(tmp_path: Path) -> None:
    """Betas in a tuple are searched one by one, at the values that a rule's own two betas get."""
    made = planned(tmp_path, "betas")
    mine, adam = (dict(made.search.settings(name)) for name in made.optimizers)  # type: ignore[union-attr]
    assert [[value for _, value in pairs] for pairs in mine.values()] == [
        [value for _, value in pairs] for pairs in adam.values()
    ]
    further = next(iter(mine.values()))
    assert [name for name, _ in further] == ["betas[0]", "betas[1]"]
    who = entrant(made.optimizers[0])
    start: Params = {"p": np.zeros(2)}
    who.begin(start, start, 0.1, further)
    who.begin(start, start, 0.1, further[1:])
    seen = who.made.seen  # type: ignore[attr-defined]
    assert seen[-2:] == [tuple(value for _, value in further), (0.9, further[1][1])]
    (code,) = snippets(who.text, 0.1, "numpy", further).values()
    assert f"betas={seen[-2]!r}" in code


def test_a_tuple_that_a_text_fixes_is_not_searched(tmp_path: Path) -> None:
    """`betas=(0.8,0.99)` in an optimizer's text stays for all members."""
    made = planned(tmp_path, "betas", "Mine:betas=(0.8,0.99)")
    assert made.search.dimensions[made.optimizers[0]] == ()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["amsgrad", "momentum", "mode", "eps", "amsgrad=0..1"])
def test_what_is_no_number_has_no_range(tmp_path: Path, name: str) -> None:
    """A switch, a word and a tuple with None in it are not searched, whatever range is given."""
    with pytest.raises(LabError, match="no number, so it has no range"):
        planned(tmp_path, name)


def test_what_is_none_needs_a_range(tmp_path: Path) -> None:
    """What is None unless told is searched in a range that is given, and in no other."""
    (one,) = planned(tmp_path, "clip=0.1..1").search.dimensions[f"{tmp_path / 'mine.py'}:Mine"]  # type: ignore[union-attr]
    assert (one.name, one.low, one.high) == ("clip", 0.1, 1)
    with pytest.raises(LabError, match="there is no usual range for clip"):
        planned(tmp_path, "clip")


@cache
def found(*names: str) -> Results:
    """Return the results of a search over betas and schedule."""
    who = [entrant(name) for name in names]
    plan = declare(BOWL, {}, who, SMALL, asked_for(["betas,schedule"]))
    return tree_of(study(plan, Runner(lambda: BOWL, "bowl"), lambda stage: None), BOWL)


def test_the_default_stands_beside_the_rate_alone() -> None:
    """The chapter on the default rate tells the tuned rate, and nothing of what else was tuned."""
    tree = found("sgd", "momentum")
    about, rows = subject(tree, None, Say("en")), tree["optimizers"]
    # Of momentum something else was chosen.
    assert rows["momentum"]["finals"] != rows["momentum"]["worth"]["alone"]["finals"]
    for name, row in rows.items():
        alone = row["worth"]["alone"]
        assert default_row(about, name, row)[4] == with_spread(alone["interval"])
        ratio = np.mean(row["default"]["finals"]) / np.mean(alone["finals"])
        assert row["default"]["penalty"] == pytest.approx(ratio)


def test_a_single_optimizer_has_no_verdict_to_change() -> None:
    """Without a comparison nothing is said of a verdict that the rate alone would have led to."""
    say = Say("en")
    about = subject(found("momentum"), None, say)
    (told,) = worth.line(about)
    assert "verdict" not in told + worth.chapter(about) and told == told.strip()
    (both,) = worth.line(subject(found("sgd", "momentum"), None, say))
    assert "verdict" in both


def test_scores_stand_before_the_long_settings() -> None:
    """What was tried shows rate and score first, and the rate is not called the tuned one."""
    about = subject(found("momentum"), None, Say("en"))
    text = worth.tried(about, worth.worths(about))
    heads = re.findall(r'<th scope="col">([^<]*)', text)
    assert heads[1:3] == ["learning rate", "validation loss"] and heads[-1] == "besides the rate"


@pytest.mark.parametrize("key", ["worth_caption", "worth_parts_caption"])
def test_one_seed_is_no_seeds(key: str) -> None:
    """Captions count their seeds in the number that English has for them."""
    assert "1 fresh seed" in Say("en")(key, seeds=1)
    assert "1 fresh seeds" not in Say("en")(key, seeds=1)
    assert "2 fresh seeds" in Say("en")(key, seeds=2)


def test_the_last_bit_is_no_change() -> None:
    """What rounding left of two equal losses is zero; a small change is still a number."""
    say = Say("en")
    assert percent(1.4e-14, say) == percent(-1.4e-14, say) == percent(0.0, say)
    assert percent(1e-3, say) != percent(0.0, say)
    last = {"mean": -1.4e-14, "low": -2e-14, "high": 1e-14}
    assert percent_spread(last, say) == percent_spread(dict.fromkeys(last, 0.0), say)  # type: ignore[arg-type]
