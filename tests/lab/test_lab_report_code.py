"""What leaves the report: code that runs and does what it says, CSV, LaTeX and picture files."""

import csv
import importlib
import io
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from adamas.classes import CLASSES
from adamas.cli import build_parser
from adamas.lab.report.again import command
from adamas.lab.report.code import KERAS, OPTAX, TORCH, snippets
from adamas.lab.report.exports import FIELDS, export_figures, to_csv, to_latex
from adamas.lab.report.find_lr_page import render_found
from adamas.lab.report.subject import subject
from adamas.lab.text import Say
from html_pages import LOADING, Page
from report_sample import CLASSICAL, SHAPES, sample

LR, STEPS = 0.01, 5
START = np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(2, 3)
RULES = [rule.__name__ for rule in CLASSES.values()]


def gradient(step: int) -> np.ndarray:
    """Return the gradient of one step, the same for every framework."""
    return np.random.default_rng(step).standard_normal(START.shape).astype(np.float32)


def by_adamas(name: str) -> np.ndarray:
    """Return the parameter after a few steps of the code for adamas."""
    scope: dict[str, Any] = {"params": {"w": START.copy()}, "grads": {"w": gradient(0)}}
    exec(snippets(name, LR)["adamas"], scope)
    for step in range(1, STEPS):
        scope["optimizer"].step({"w": gradient(step)})
    return np.asarray(scope["params"]["w"])


def by_torch(name: str, key: str) -> np.ndarray:
    """Return the parameter after the same steps of the code for PyTorch."""
    torch = importlib.import_module("torch")
    model = torch.nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(START))
    scope: dict[str, Any] = {"model": model}
    exec(snippets(name, LR)[key], scope)
    for step in range(STEPS):
        model.weight.grad = torch.from_numpy(gradient(step))
        scope["optimizer"].step()
    return np.asarray(model.weight.detach().numpy())


def test_every_rule_has_code() -> None:
    """Each rule of adamas can be used from its snippet, which is the class of that rule."""
    for name in RULES:
        direct = {"w": START.copy()}
        optimizer = adamas.Optimizer(getattr(rules, name), direct, lr=LR)
        for step in range(STEPS):
            optimizer.step({"w": gradient(step)})
        np.testing.assert_array_equal(by_adamas(name), direct["w"])


@pytest.mark.parametrize("name", RULES)
def test_code_for_torch_takes_the_same_steps(name: str) -> None:
    """The snippets for PyTorch, adamas's and its own, end where the NumPy one does."""
    pytest.importorskip("torch")
    found = snippets(name, LR)
    assert ("torch" in found) == (name in TORCH)
    for key in ("adamas_torch", "torch"):
        if key in found:
            np.testing.assert_allclose(by_torch(name, key), by_adamas(name), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", OPTAX)
def test_code_for_optax_takes_the_same_steps(name: str) -> None:
    """The snippet for optax ends where the one for adamas does."""
    optax = pytest.importorskip("optax")
    params: Any = {"w": START.copy()}
    scope: dict[str, Any] = {"params": params}
    exec(snippets(name, LR)["optax"], scope)
    state = scope["state"]
    for step in range(STEPS):
        updates, state = scope["optimizer"].update({"w": gradient(step)}, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(np.asarray(params["w"]), by_adamas(name), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", KERAS)
def test_code_for_keras_takes_the_same_steps(name: str) -> None:
    """The snippet for Keras ends where the one for adamas does."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    variable = keras.Variable(START)
    scope: dict[str, Any] = {}
    exec(snippets(name, LR)["keras"], scope)
    for step in range(STEPS):
        grads = [keras.ops.convert_to_tensor(gradient(step))]
        scope["optimizer"].apply(grads, [variable])
    value = variable.value
    found = np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)
    # Keras puts eps elsewhere: at gradients of about 1 that is a relative 1e-8, times 1/sqrt(1e-3).
    np.testing.assert_allclose(found, by_adamas(name), rtol=1e-4, atol=1e-6)


def test_changed_settings_and_own_rules_have_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hyper-parameter in the name reaches every framework; a user's rule is imported by name."""
    found = snippets("adam:beta1=0.8", LR)
    assert "beta1=0.8" in found["adamas"] and "(0.8, 0.999)" in found["torch"]
    assert "b1=0.8" in found["optax"] and "beta_1=0.8" in found["keras"]
    (tmp_path / "own_rule.py").write_text("def down(p, g, *, lr=1e-3):\n    return p - lr * g\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    scope: dict[str, Any] = {"params": {"w": START.copy()}, "grads": {"w": gradient(0)}}
    exec(snippets("somewhere/own_rule.py:down", LR)["adamas"], scope)
    np.testing.assert_allclose(scope["params"]["w"], START - LR * gradient(0), rtol=1e-6)


@pytest.mark.parametrize("name", ["adabelief", "signum", "adam", "adamw", "lion"])
def test_no_framework_drops_a_decay(name: str) -> None:
    """Code for optax or Keras has the weight decay that was chosen, or is not there at all."""
    found = snippets(f"{name}:weight_decay=0.1", LR)
    assert {"adamas", "adamas_torch"} <= found.keys()
    assert ("optax" in found) is (name in ("adamw", "lion"))
    assert all("weight_decay=0.1" in code for code in found.values())


@pytest.mark.parametrize("names", [CLASSICAL, ("adam", "adam:beta1=0.8", "momentum")])
def test_command_line_is_one_that_adamas_takes(names: tuple[str, ...]) -> None:
    """The command to reproduce is understood by the parser, with every declared setting."""
    tree = sample(names)
    tree["plan"] |= {"goal": 0.2, "margin": 0.05, "mode": "rigorous"}
    words = shlex.split(command(subject(tree, None, Say("en"))))
    args = build_parser().parse_args(words[1:])
    assert args.problem == "cells" and args.rigorous and args.seeds == 10
    assert (args.goal, args.margin) == (0.2, 0.05)
    assert args.hypothesis == tree["plan"]["hypothesis"]
    assert (args.optimizer is None) == (names == CLASSICAL)


def test_csv_holds_every_run() -> None:
    """Each judged run and each tuning point is a line, with the numbers of the results."""
    tree = sample()
    rows = list(csv.DictReader(io.StringIO(to_csv(tree), newline="")))
    assert tuple(rows[0]) == FIELDS
    for name, row in tree["optimizers"].items():
        mine = [r for r in rows if r["optimizer"] == name]
        tuned = [float(r["loss"]) if r["loss"] else None for r in mine if r["kind"] == "tuned"]
        assert tuned == row["finals"]
        assert len(mine) == 2 * len(row["finals"]) + len(row["points"])
    assert {r["seed"] for r in rows if r["kind"] == "tuned"} == set(map(str, range(100, 110)))


def test_latex_table_has_the_columns_it_declares() -> None:
    """Every row of the booktabs table has as many cells as columns, and nothing is unescaped."""
    text = to_latex(sample())
    declared = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert declared
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + len(SHAPES)
    for line in rows:
        assert len(re.findall(r"(?<!\\)&", line)) == len(declared[1]) - 1
        assert not re.search(r"(?<!\\)[_%#]", line)
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))


def test_figures_are_written_as_files(tmp_path: Path) -> None:
    """PNG and SVG files appear for every picture, the SVG without the page's variables."""
    paths = export_figures(sample(("adam", "mine.py:符号下降")), tmp_path / "new", ("png", "svg"))
    assert len(paths) == len(set(paths)) >= 16
    for path in paths:
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml")
        assert b"var(--" not in data and len(data) > 2000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_of_a_found_rate_is_self_contained(language: str) -> None:
    """The page of find-lr nests, loads nothing, and says rate, interval and cost."""
    scores = {1e-4: 5.0, 1e-3: 4.0, 1e-2: 3.0, 1e-1: 2.0, 1.0: None}
    points = [
        {"lr": lr, "score": score, "runs": 3, "diverged": int(score is None), "stage": "sweep"}
        for lr, score in scores.items()
    ]
    tree = {
        "problem": "own <one>", "optimizer": "mine.py:符号下降", "lr": 0.01, "low": 0.005,
        "high": 0.04, "open_ended": True, "cost": 0.62, "steps": 100, "points": points,
        "fallback": {"en": "no rate `trained` <yet>", "zh": "`没有` <学习率>"},
        "curve": {"lrs": [1e-3, 1e-2, 1e-1], "losses": [1.0, 0.5, None], "lowest": 0.01,
                  "divergence": None, "updates": 50},
    }  # fmt: skip
    lost = {**tree["curve"], "losses": [1.0, None, None]}  # type: ignore[dict-item]
    failed = {**tree, "points": [one | {"score": None} for one in points], "curve": lost}
    for numbers in (tree, failed):
        page = Page(render_found(json.loads(json.dumps(numbers)), Say(language)))
        assert LOADING.isdisjoint(page.tags) and all(link[0] == "#" for link in page.links)
        assert "&lt;one&gt;" in page.text and not re.search(r"[{}]|\bNone\b", page.words)
    said = render_found(tree, Say(language)).replace("\u00a0", " ")
    assert all(number in said for number in ("0.01", "0.005", "0.04", "0.62"))
