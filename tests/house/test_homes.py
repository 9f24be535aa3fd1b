"""One rule in all homes ends at the same numbers, and the page says how near, and what differs."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import permutations
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from adamas import Adam
from adamas.kernel.reference import Reference
from adamas.learn.measured import measured
from measure_learn import distances
from places import HELPERS, ROOT

PAGES = [ROOT / "docs" / name for name in ("homes.md", "homes.zh.md")]
EXAMPLES = ROOT / "examples"
# torch keeps NAdam's product of momenta in float32.
CLOSE, COARSE = 1e-12, {"torch.NAdam": 1e-9}


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """The example, imported as a module."""
    sys.path.insert(0, str(EXAMPLES))
    spec = importlib.util.spec_from_file_location("six_homes", EXAMPLES / "six_homes.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    yield made
    sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def ended(script: ModuleType) -> dict[str, Any]:
    """Where every home ends, and the torch operations that other devices run."""
    found = dict(script.ends(list(script.HOMES)))
    import torch

    from adamas.torch import optimizer

    anywhere = type("Anywhere", (optimizer(script.growing),), {"_anywhere": True})
    start, gradients = script.drawn()
    p = torch.nn.Parameter(torch.tensor(start))
    stepping = anywhere([p], lr=script.LR)
    for g in gradients:
        p.grad = torch.tensor(g)
        stepping.step()
    return {**found, "PyTorch, any device": p.detach().numpy()}


def test_every_home_follows_the_float64_run(script: ModuleType, ended: dict[str, Any]) -> None:
    """A hundred float32 steps of a rule of one's own end within 2e-6 of float64, in norm."""
    assert [*ended] == [*script.HOMES, "PyTorch, any device"]
    wide = script.exact()
    for name, end in ended.items():
        assert end.shape == (257,)
        assert end.dtype == (np.float64 if name == "SciPy" else np.float32)
        assert script.far(end, wide)[0] <= (1e-14 if name == "SciPy" else 2e-6), name


def test_numpy_torch_and_jax_agree_in_every_number(
    script: ModuleType, ended: dict[str, Any]
) -> None:
    """No number is farther off than 1e-5, |a - b| / (|b| + 1e-3), whichever two are compared."""
    for a, b in permutations(["NumPy", "PyTorch", "JAX", "PyTorch, any device"], 2):
        assert script.far(ended[a], ended[b])[1] <= 1e-5, (a, b)


def test_the_float64_run_is_that_of_the_text(script: ModuleType) -> None:
    """What all are compared with is the rule executed line by line."""
    start, gradients = script.drawn()
    by_hand = Reference(script.growing.formula, start, lr=script.LR)
    for g in gradients:
        by_hand.step(g)
    assert script.far(script.exact(), by_hand.p)[1] <= 1e-12


def figures(line: str) -> tuple[str, list[float]]:
    """The home and the numbers of a line of the table."""
    name, *values = (cell.strip() for cell in line.strip("|").split("|"))
    return name, [float(value) for value in values]


def test_the_page_has_the_table_of_the_script(
    script: ModuleType,
    ended: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the page says was measured is what is measured here, up to what processors differ in."""
    monkeypatch.setattr(script, "ends", lambda names: ((name, ended[name]) for name in names))
    monkeypatch.setattr(sys, "argv", ["six_homes.py"])
    script.main()
    printed = capsys.readouterr().out.splitlines()
    for page in PAGES:
        block = re.search(r"<!-- made: homes -->\n\n(.*?)\n\n<!--", page.read_text(), re.S)
        assert block
        shown = block[1].splitlines()
        assert page.name != "homes.md" or shown[0] == printed[0]
        assert [figures(line)[0] for line in shown[2:]] == list(script.HOMES)
        for line, now in zip(shown[2:], printed[2:], strict=True):
            name, said = figures(line)
            assert name == figures(now)[0]
            assert said[0] <= 2e-6 and said[2] <= 1e-5
            norm, farthest, from_numpy = figures(now)[1]
            assert norm <= 3 * said[0] + 1e-14 and farthest <= 3 * said[1] + 1e-14, name
            # Two processors contract products and sums in different homes.
            assert from_numpy <= 2e-5, name


def test_the_guide_has_the_figures_of_the_script(script: ModuleType, ended: dict[str, Any]) -> None:
    """What learners read was measured is what is measured here, up to what processors differ in."""
    now = distances(script, {name: ended[name] for name in script.HOMES})
    assert [*now] == [*measured()["homes"]]
    for name, said in measured()["homes"].items():
        norm, farthest, from_numpy = now[name].values()
        assert norm <= 3 * said["norm"] + 1e-14 and said["norm"] <= 3 * norm + 1e-14, name
        assert farthest <= 3 * said["farthest"] + 1e-14, name
        assert max(from_numpy, said["from_numpy"]) <= 2e-5, name


def test_the_page_shows_the_rule_that_runs() -> None:
    """The text on the page is that of the file."""
    text = (EXAMPLES / "growing.py").read_text()
    for page in PAGES:
        assert text[text.index("@adamas.rule") :] in page.read_text()


def test_a_home_that_is_not_installed_is_left_out(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what to install; the other homes run."""
    monkeypatch.setattr(script, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["six_homes.py", "--homes", "JAX", "NumPy"])
    script.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "JAX is left out: no jax; pip install 'adamas[jax]'"
    assert lines[3].startswith("| NumPy |")


def test_optax_ends_where_the_page_says(script: ModuleType) -> None:
    """What is said of optax's own Adam, and of ours beside it, is what they do."""
    import jax
    import optax

    import adamas.jax

    start, gradients = script.drawn()
    wide = start.astype(np.float64)
    rule = Adam(wide, lr=script.LR)
    for g in gradients.astype(np.float64):
        rule.step(g)
    far = {}
    for home in (optax, adamas.jax):
        tx = home.adam(script.LR)
        step = jax.jit(tx.update)
        p, state = jax.numpy.asarray(start), tx.init(jax.numpy.asarray(start))
        for g in gradients:
            updates, state = step(g, state, p)
            p = optax.apply_updates(p, updates)
        far[home] = script.far(np.asarray(p), wide)[1]
    assert 1e-4 < far[optax] <= 2e-4
    assert far[adamas.jax] <= 1e-5


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (2.01e-7, "3e-07"), (2e-7, "2e-07"), (9.5e-6, "1e-05")]
)
def test_distances_are_rounded_up(script: ModuleType, value: float, shown: str) -> None:
    """One digit never says less than was measured."""
    assert script.up(value) == shown


def test_the_table_of_defaults_is_that_of_the_libraries() -> None:
    """Defaults are read from the installed signatures, and each named rule ends where they do."""
    path = os.pathsep.join([str(HELPERS), str(ROOT / "tools"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HELPERS / "homes_own.py")],
        capture_output=True, text=True, check=False,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["old"] == []
    assert len(found["off"]) > 40
    wrong = {name: off for name, off in found["off"].items() if not off <= COARSE.get(name, CLOSE)}
    assert not wrong
