"""The map of states: every row between every two homes, run by the libraries themselves.

What is expected follows from the rule that each home is known to compute (tests/helpers/home_map.py
has it beside each optimizer, read in its source): the same rule continues, another one is refused.
Numbers are float64, so that a wrong power of beta or a lost step cannot hide.
"""

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from adamas import dialects, rules
from adamas.classes import CLASSES
from adamas.homes.keras import SIGNATURES
from adamas.kernel.formula import parse
from home_keras import CASES
from home_page import PAGES, block, marked
from matrix_cases import CASES as MATRICES
from places import ROOT
from quick_xla import FLAGS
from reduction_cases import CASES as SUMS

# What rounding leaves of float64 after forty steps; a wrong formula is a thousand times further.
CLOSE, APART = 1e-13, 1e-8
HELPERS = ROOT / "tests" / "helpers"
# Which rule each home computes where it is not the one that the row is called after.
INSIDE = {"momentum_lr_inside": "momentum", "nesterov_lr_inside": "nesterov"}
INSIDE |= {
    f"rmsprop{mean}_momentum_lr_inside": f"rmsprop{mean}_momentum" for mean in ("", "_centered")
}


@functools.cache
def _run() -> "subprocess.CompletedProcess[str]":
    """A process that has Keras on JAX, optax and torch; once, also where it fails."""
    environment = {
        **os.environ, "KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu",
        "OMP_NUM_THREADS": "1", "XLA_FLAGS": FLAGS,
        "PYTHONPATH": os.pathsep.join([str(HELPERS), *sys.path]),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(HELPERS / "home_map.py")],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


@functools.cache
def results() -> dict[str, Any]:
    """What came of all rows."""
    done = _run()
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rule(row: str, home: str) -> str | None:
    """The rule that a home computes in a row."""
    found: str | None = results()["map"][row][f"{home} -> adamas"]["rule"]
    return found


ROWS = """sgd; momentum; nesterov; momentum, dampened; adagrad; adagrad, lr decayed; rmsprop;
rmsprop, eps outside; rmsprop, centered; rmsprop, momentum; rmsprop, momentum, eps outside;
rmsprop, centered, momentum; rmsprop, centered, momentum, eps outside; adadelta; adam; adam, L2;
adamw; amsgrad; adamax; nadam; nadam, momentum_decay=1; radam; adabelief; lion; ademamix;
schedule_free_adamw; schedule_free_sgd; schedule_free_radam; signum; adopt; lamb; lars; adafactor;
muon; muon, match_rms_adamw; adan"""
NAMES = [name.strip() for name in ROWS.replace("\n", " ").split(";")]


def test_no_row_is_forgotten() -> None:
    """The rows that are tested are the rows that were run."""
    assert list(results()["map"]) == NAMES


@pytest.mark.parametrize("row", NAMES)
def test_adamas_goes_on_as_each_home_and_each_home_as_adamas(row: str) -> None:
    """Twenty steps at home and twenty in adamas, by the home's rule, are forty; and back."""
    for pair, one in results()["map"][row].items():
        if "adamas" in pair:
            known = one["rule"] is not None
            assert (one["difference"] < CLOSE) if known else ("never" in one), (pair, one)


@pytest.mark.parametrize("row", NAMES)
def test_two_homes_continue_each_other_or_the_rule_that_would_is_named(row: str) -> None:
    """The same rule goes on exactly; another one is refused by the name of the one that would."""
    for pair, one in results()["map"][row].items():
        first, second = pair.split(" -> ")
        if "adamas" in pair:
            continue
        theirs, ours = rule(row, first), rule(row, second)
        if theirs is None or ours is None:
            assert "none of adamas' rules" in one["never"]
        elif row == "nadam" and pair == "torch -> Keras":
            # The same rule with another constant, which Keras' class cannot be given.
            assert "momentum_decay" in one["refused"] and one["ignored"] > APART
        elif INSIDE.get(theirs, theirs) == INSIDE.get(ours, ours):
            assert one["difference"] < CLOSE, (pair, one)
        else:
            name = theirs.replace("adamw_", "adam_")
            assert re.search(rf"adamas\.(dialects|rules)\.{name}\b", one["refused"])
            assert ("never" in one) != (one.get("ignored", 0.0) > APART), (pair, one)


NEVER = {
    ("amsgrad", "optax", "torch"), ("amsgrad", "optax", "Keras"), ("amsgrad", "torch", "optax"),
    ("amsgrad", "Keras", "optax"), ("nadam", "optax", "torch"), ("nadam", "optax", "Keras"),
    ("nadam", "torch", "optax"), ("nadam", "Keras", "optax"),
    ("schedule_free_adamw", "torch", "Keras"), ("schedule_free_adamw", "optax", "Keras"),
    ("schedule_free_adamw", "Keras", "torch"), ("schedule_free_adamw", "Keras", "optax"),
    ("adafactor", "torch", "optax"), ("adafactor", "optax", "torch"),
    ("muon", "torch", "optax"), ("muon", "optax", "torch"),
}  # fmt: skip


def test_numbers_that_mean_something_else_are_never_taken() -> None:
    """A maximum of corrected values, a product that is not kept: no escape turns them around."""
    found = {
        (row, *pair.split(" -> "))
        for row, pairs in results()["map"].items()
        for pair, one in pairs.items()
        if "never" in one and "adamas" not in pair
    }
    assert found == NEVER


def test_every_dialect_is_held_to_its_home() -> None:
    """No dialect ships that is not run against the library that has it."""
    run = {rule(row, pair.split(" -> ")[0]) for row, found in results()["map"].items()
           for pair in found if pair.endswith("-> adamas")}  # fmt: skip
    # Those that no class of a home is known to compute, and Keras' in `keras_numbers`.
    held = {case.rule.__name__ for case in (*SUMS.values(), *MATRICES.values())}
    assert set(dialects.__all__) <= run | held | {"muon_moonlight", "adafactor_eps_inside"}


def test_every_rule_goes_from_numpy_to_jax_and_keras_and_back() -> None:
    """Whatever rule: twenty steps in adamas and twenty in another face are forty in one."""
    faces = results()["faces"]
    kept = [CLASSES[name] for name in SIGNATURES if not parse(CLASSES[name]).rows]
    assert len(faces) == 4 * len(set(kept) - {rules.prodigy})
    assert not {pair: one for pair, one in faces.items() if one > CLOSE}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_keras_is_heard(case: Callable[[], None]) -> None:
    """What Keras asks besides: its counts, its learning rate, its files, its layers."""
    told = results()["keras"][case.__name__]
    assert not told, told


@pytest.mark.parametrize("page", PAGES)
def test_the_table_in_the_docs_is_what_was_run(page: str) -> None:
    """The page's table is made of these runs; tests/helpers/home_page.py writes it anew."""
    text = (ROOT / page).read_text("utf-8")
    assert marked(text) == block(results()["map"], page)
