"""What the chapter on Adam as a whole says is so."""

import ast
import re
from inspect import getsource
from pathlib import Path

import numpy as np
import pytest

from adamas.learn.chapters import adam as chapter
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import Say
from adamas.learn.trace import trace
from adamas.rules import adam
from v8 import run

TERMS = Path(__file__).parents[2] / "docs" / "terms.md"
LABELS = {"p": "parameter; weight", "g": "gradient", "m": "first moment", "v": "second moment"}
LABELS |= {"lr": "learning rate", "eps": "eps", "beta1": "decay rate of the first moment"}
LABELS |= {"beta2": "decay rate of the second moment"}


def test_seven_lines() -> None:
    """Adam is the seven lines of the title, and the page has them as the file has them."""
    (tree,) = ast.parse(getsource(adam)).body
    assert isinstance(tree, ast.FunctionDef)
    assert len(tree.body) - 1 == 7, "all but the docstring"
    page = chapter.chapter(Say("en"), lambda name: "")
    for line in getsource(adam).partition('"""')[2].partition('"""')[2].split("\n"):
        assert line in page


def test_lengths() -> None:
    """Steps are about lr where gradients agree, and far shorter where noise is all there is."""
    found = chapter.ratios()
    early, late = np.mean(found[: chapter.EARLY]), np.mean(found[-chapter.LAST :])
    assert 0.8 < early <= 1.01 and late < 0.25


@pytest.mark.parametrize("g", [chapter.PAIR, (-3.0, 1e-3), (0.5, -70.0)])
def test_without_memory(g: tuple[float, float]) -> None:
    """With both betas 0 every step is lr long, in the direction of the sign."""
    found = chapter.without_memory(g)
    np.testing.assert_allclose(found, chapter.SIGN_LR * np.sign(g), rtol=2e-5)


@pytest.mark.parametrize(("name", "label"), LABELS.items())
def test_letters(name: str, label: str) -> None:
    """The letters of the paper and of d2l.ai are those of the list of terms."""
    (row,) = re.findall(rf"^\| {label} \|.*$", TERMS.read_text("utf-8"), re.MULTILINE)
    paper, d2l = (cell.strip(" *") for cell in row.split("|")[4:6])
    assert chapter.LETTERS[name] == (paper, d2l)


def test_names() -> None:
    """Each library's name stands in the row of the number that it keeps under it."""
    rows = {name: chapter.names(name) for name in ("m", "v", "lr", "beta1", "eps")}
    plain = {name: [re.sub("<.*?>", "", cell) for cell in row] for name, row in rows.items()}
    assert plain == {
        "m": ["exp_avg", "momentum", "mu"],
        "v": ["exp_avg_sq", "velocity", "nu"],
        "lr": ["lr", "learning_rate", "learning_rate"],
        "beta1": ["betas[0]", "beta_1", "b1"],
        "eps": ["eps", "epsilon", "eps"],
    }


@pytest.mark.parametrize("name", ["m", "v", "m_hat", "v_hat", "step"])
def test_figure(name: str) -> None:
    """The figure shows the value of each name at a step as the reference has it."""
    t = 40
    way = trace(adam, PROBLEMS["parabola"], t, lr=chapter.LR, noise=1.0, seed=1)
    m, v = (way.states[-1][state][0] for state in "mv")
    hats = {"m_hat": m / (1 - 0.9**t), "v_hat": v / (1 - 0.999**t)}
    step = way.points[-1][0] - way.points[-2][0]
    expected = {"m": m, "v": v, "step": step, **hats}[name]
    said = run(f"PLAYS.adam.show({{name: '{name}', t: {t}}}, 640).sentence")
    assert said.endswith(f"At step {t}: " + run(f"shown({expected!r})") + ".")
