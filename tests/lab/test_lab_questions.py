"""Every question of docs/lab-questions.md is answered by what stands under it."""

import os
import re
import shlex
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from adamas.cli import main
from adamas.lab.protocol.plan import SIZES
from long_form import few_of
from places import ROOT
from unpainted import leave_out_pictures

pytest.importorskip("torch")
PAGE = (ROOT / "docs/lab-questions.md").read_text("utf-8")
TWIN = (ROOT / "docs/lab-questions.zh.md").read_text("utf-8")
QUESTION = re.compile(r"^## (\d+)\. .*$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Whose pages are drawn in this run: what pictures show is held in tests of the report.
DRAWN = few_of(range(1, 17), 3)
ONE_OPTIMIZER = '''
import torch


class SignMomentum(torch.optim.Optimizer):
    """Step by the sign of an average of gradients."""

    def __init__(self, params, lr=1e-3, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - group["beta"])
                p.sub_(m.sign(), alpha=group["lr"])
'''


def asked(page: str) -> dict[int, list[tuple[str, str, str]]]:
    """Return the blocks under each question: language, file and text."""
    places = [(int(found[1]), found.end()) for found in QUESTION.finditer(page)]
    ends = [*[found.start() for found in QUESTION.finditer(page)][1:], len(page)
            ]  # fmt: skip
    return {
        number: BLOCK.findall(page[begin:end])
        for (number, begin), end in zip(places, ends, strict=True)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory with the files that the page speaks of, small enough to be run."""
    template = files("adamas.lab.own").joinpath("template.txt").read_text("utf-8")
    (tmp_path / "mine.py").write_text(template.replace("steps=600", "steps=30"))
    (tmp_path / "mine_optimizer.py").write_text(ONE_OPTIMIZER)
    rng = np.random.default_rng(0)
    rows = ["price,area,street,note"]
    for k in range(80):
        price = "" if k % 16 == 3 else f"{100 + 3 * k + rng.normal():.2f}"
        rows.append(f"{price},{k + rng.normal():.2f},{k % 9},free text {rng.random()}")
    (tmp_path / "houses.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def carry_out(kind: str, text: str) -> int:
    """Run one block here and return its exit status: processes of its own would take minutes."""
    if kind == "sh":
        return main(shlex.split(text)[1:])
    exec(compile(text, "<page>", "exec"), {"__name__": "__main__"})
    return 0


@pytest.mark.parametrize("number", range(1, 17))
def test_the_block_under_a_question_runs(
    number: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands under a question ends without an error, and says something."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setitem(SIZES, "quick", replace(SIZES["quick"], tuning=1, refine=2, report=3))
    if number not in DRAWN:
        leave_out_pictures(monkeypatch)
    blocks = asked(PAGE)[number]
    assert any(not name for _, name, _ in blocks)
    try:
        for kind, name, text in blocks:
            if name:
                (folder / name).write_text(text)
                continue
            assert carry_out(kind, text) == 0
            assert capsys.readouterr().out.strip()
    finally:
        for module in ("mine", "mine_optimizer"):
            sys.modules.pop(module, None)


def test_both_pages_hold_the_same_blocks() -> None:
    """The Chinese page answers the same questions with the same commands."""
    assert asked(PAGE) == asked(TWIN) and len(asked(PAGE)) == 16


def test_scripts_are_short() -> None:
    """No script takes more than fourteen lines besides its imports; most take fewer than ten."""
    for blocks in asked(PAGE).values():
        for kind, _, text in blocks:
            lines = [line for line in text.splitlines() if line.strip()]
            assert kind != "py" or sum("import" not in line for line in lines) <= 14
