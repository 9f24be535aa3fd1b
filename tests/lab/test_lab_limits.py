"""`--fail-if-worse`: three exit statuses, against SciPy's one-sided tests and by whole commands."""

import re
import shlex
from collections.abc import Sequence
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from adamas.cli import main
from adamas.lab.commands.compare import verdict_code
from adamas.lab.constants import SHOWN_WORSE, UNDECIDED
from adamas.lab.statistics.limits import beyond
from adamas.lab.text import Say
from places import ROOT
from report_sample import sample

LOSS = st.floats(0.1, 10)
PAIRS = st.lists(st.tuples(LOSS, LOSS), min_size=3, max_size=12)
LIMITS = st.floats(0, 0.5)


def alone(ours: Sequence[float], theirs: Sequence[float], limit: float, **more: int) -> str:
    """Return the standing of a single optimizer beside a reference."""
    return beyond({"ours": ours, "theirs": theirs}, "theirs", limit, **more)["ours"]


@given(PAIRS, LIMITS)
def test_standings_are_scipys_tests(pairs: list[tuple[float, float]], limit: float) -> None:
    """One optimizer: "worse" and "not" are SciPy's one-sided t-tests of the limit at 2.5 %."""
    ours, theirs = (list(side) for side in zip(*pairs, strict=True))
    excess = np.subtract(ours, theirs) - limit * np.mean(theirs)
    assume(np.std(excess) > 1e-6)
    above = stats.ttest_1samp(excess, 0, alternative="greater").pvalue
    below = stats.ttest_1samp(excess, 0, alternative="less").pvalue
    assume(min(abs(above - 0.025), abs(below - 0.025)) > 1e-9)
    expected = "worse" if above < 0.025 else "not" if below < 0.025 else "open"
    assert alone(ours, theirs, limit) == expected


def test_an_estimate_above_the_limit_is_not_proof() -> None:
    """3 % worse on average and significantly worse than 0, but not shown to be worse by 2 %."""
    theirs = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0]
    ours = [a + 0.03 + d for a, d in zip(theirs, (0.02, -0.02, 0.015, -0.015, 0.01, -0.01))]  # noqa: B905
    assert stats.ttest_rel(ours, theirs).pvalue < 0.01
    assert alone(ours, theirs, 0.02) == "open"
    assert alone(ours, theirs, 0.001) == "worse"
    assert alone(ours, theirs, 0.1) == "not"


def test_the_culprits_are_corrected_for_their_number() -> None:
    """Twenty equal optimizers with one at p = 0.01 accuse nobody; alone it would be accused."""
    theirs = [1.0] * 6
    shape = np.array([1.0, -1.0, 0.5, -0.5, 0.2, -0.2])
    t = stats.t.isf(0.01, 5)
    odd = (1 + shape * 0.1 + t * 0.1 * shape.std(ddof=1) / np.sqrt(6)).tolist()
    even = (1 + 0.1 * shape).tolist()
    assert alone(odd, theirs, 0) == "worse"
    many = {f"n{k}": even for k in range(19)} | {"odd": odd, "theirs": theirs}
    assert beyond(many, "theirs", 0)["odd"] == "open"


@pytest.mark.parametrize(
    ("ours", "theirs", "least", "expected"),
    [
        ([1.0, 1.0, inf], [1.0, 1.0, 1.0], 3, "worse"),
        ([nan, 1.0, 1.0], [inf, 1.0, 1.0], 3, "open"),
        ([nan, 1.0], [1.0, 1.0], 3, "worse"),
        ([inf, *[1.0] * 9], [*[inf] * 9, 1.0], 3, "not"),
        ([*[inf] * 9, 1.0], [1.0, inf, *[1.0] * 8], 3, "worse"),
        ([inf, 1.001, 1.101, 1.201, 1.301], [inf, 1.0, 1.1, 1.2, 1.3], 3, "open"),
        ([inf], [inf], 3, "open"),
        ([inf], [inf], 1, "open"),
        ([1.0], [inf], 1, "not"),
        ([1.0, 1.1, 0.9, 1.0, 1.2], [inf, nan, inf, inf, inf], 3, "not"),
        ([1.0, 1.1, 0.9], [1.0, inf, 0.9], 3, "open"),
        ([2.0, 2.0], [1.0, 1.0], 3, "open"),
        ([2.0], [1.0], 1, "worse"),
        ([1.01], [1.0], 1, "not"),
        ([1.0] * 4, [1.0] * 4, 3, "not"),
        ([0.1] * 3, [0.0] * 3, 3, "worse"),
        ([1e308, -1e308, 1e308], [-1e308, 1e308, -1e308], 3, "open"),
    ],
)
def test_failed_few_and_fixed(
    ours: list[float], theirs: list[float], least: int, expected: str
) -> None:
    """A failed run beside none is worse, beside failed ones ranks decide, and too few seeds do not.

    Where nothing is random one seed is enough.
    """
    assert alone(ours, theirs, 0.02, least=least) == expected


@pytest.mark.parametrize(
    ("shift", "status", "said"),
    [
        (0.0, 0, "SGD: shown not to be worse than Adam by more than 2 %"),
        (0.1, SHOWN_WORSE, "SGD: shown to be worse than Adam by more than 2 %"),
        (0.02, UNDECIDED, "SGD: neither shown to be worse than Adam"),
        (None, SHOWN_WORSE, "SGD: shown to be worse"),
    ],
)
def test_three_exit_statuses(
    shift: float | None, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal is 0, 10 % worse and failed are 3, 2 % worse is 4; the reason is on stderr."""
    tree = sample(("sgd", "adam"))
    theirs = tree["optimizers"]["adam"]["finals"]
    rng = np.random.default_rng(2)
    ours = [loss * (1 + (shift or 0) + 0.01 * rng.normal()) for loss in theirs]
    tree["optimizers"]["sgd"]["finals"] = [None, *ours[1:]] if shift is None else ours
    assert verdict_code(tree, 0.02, Say("en")) == status
    assert verdict_code(tree, None, Say("en")) == 0
    assert said in capsys.readouterr().err


def test_after_looks_the_level_is_that_of_the_last() -> None:
    """What is shown at 95 % is not yet shown at the 99.4 % of a look that spends an eighth."""
    tree = sample(("sgd", "adam"))
    theirs = tree["optimizers"]["adam"]["finals"]
    noise = np.random.default_rng(2).normal(size=len(theirs))
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    error = 0.001 / np.sqrt(len(theirs))
    middle = (stats.t.isf(0.025, 9) + stats.t.isf(0.05 / 16, 9)) / 2
    shift = 0.02 * np.mean(theirs) + middle * error
    tree["optimizers"]["sgd"]["finals"] = (np.array(theirs) + shift + 0.001 * noise).tolist()
    assert verdict_code(tree, 0.02, Say("en")) == SHOWN_WORSE
    tree["looks"] = [{"seeds": 10, "spent": 0.05 / 8, "undecided": []}]
    assert verdict_code(tree, 0.02, Say("en")) == UNDECIDED


def test_the_workflow_in_the_docs_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The GitHub Actions example is YAML, and its command ends with 3 for a useless rule."""
    text = (ROOT / "docs" / "lab.md").read_text("utf-8")
    (block,) = re.findall(r"(?<=\n\n)(?:    .*\n|\n)*    jobs:\n(?:(?:    .*)?\n)+?(?=\S)", text)
    tree = yaml.safe_load("\n".join(line[4:] for line in block.splitlines()))
    steps = tree["jobs"]["compare"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    script = next(step["run"] for step in steps if "adamas compare" in step.get("run", ""))
    (line,) = [line for line in script.splitlines() if line.startswith("adamas compare")]
    words = shlex.split(line.partition("||")[0])[1:]
    (tmp_path / "mine.py").write_text("def signum(p, g, *, lr=1e-9):\n    return p - 1e-6 * lr * g")
    monkeypatch.chdir(tmp_path)
    small = ["line" if word == "digits" else word for word in words]
    assert main([*small, "--workers", "1"]) == SHOWN_WORSE
    assert (tmp_path / "report" / "report.html").is_file()
    assert "2 %" in capsys.readouterr().err
    assert "= 4" in script
