"""What somebody else's code prints, and the results that a program reads."""

import json
import os
import sys
from pathlib import Path

import pytest

from adamas.cli import main
from adamas.lab.commands.results_alone import printing_apart

TALKATIVE = """
import os
from dataclasses import replace
import numpy as np
from adamas.lab import loop_problem
from adamas.lab.zoo import built_in

print("imported")

def told():
    print("RUN")
    os.write(1, b"LOW\\n")

def train(make_optimizer, seed, steps):
    w = np.full(2, 1.0 + seed % 7)
    optimizer = make_optimizer(w)
    for step in range(steps):
        yield float(w @ w) / 2
        told()
        optimizer.step(w.copy())
    yield float(w @ w) / 2

def loop():
    return loop_problem(train, steps=20)

def problem():
    line = built_in("line")
    return replace(line, steps=20, every=5, task=lambda seed: told() or line.task(seed))
"""
COMMANDS = {
    "compare": ("loop", "--quick"),
    "find-lr": ("problem",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_loop_that_prints_leaves_the_results_alone(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With --json stdout is one tree although the user's code prints, also below Python."""
    mine = tmp_path / "mine.py"
    mine.write_text(TALKATIVE)
    name, *more = COMMANDS[command]
    words = [command, f"{mine}:{name}", *more, "--optimizer", "sgd", "--seeds", "1"]
    words += ["--workers", "1", "--out", str(tmp_path / "out")]
    assert main([*words, "--json"]) == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out)
    assert {"imported", "RUN", "LOW"} <= set(printed.err.splitlines())


def fails_apart() -> None:
    """Print from another process, as workers do, and fail."""
    with printing_apart(True):
        os.system("echo apart")
        raise ValueError("mine")


def test_printing_is_as_before_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    """Stdout is stdout again after an error, and without --json it never was anything else."""
    with pytest.raises(ValueError, match="mine"):
        fails_apart()
    os.write(1, b"low\n")
    with printing_apart(False):
        print("high")
    sys.stdout.flush()
    assert capfd.readouterr() == ("low\nhigh\n", "apart\n")
