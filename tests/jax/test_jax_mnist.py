"""The example that learns handwritten digits in JAX, as a user runs it."""

import re
import subprocess
import sys

import pytest

from long_form import LONG
from places import ROOT

# Epochs, format of the state, and how much of 1,000 unseen images is read rightly at least.
RUNS = [(10, "float32", 92.5), (10, "int8", 92.5)] if LONG else [(2, "float32", 85.0)]


def example(*given: str) -> "subprocess.CompletedProcess[str]":
    """The example, run to its end."""
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "jax_mnist.py"), *given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("epochs", "state", "least"), RUNS)
def test_digits_are_learnt_and_another_process_goes_on(
    epochs: int, state: str, least: float
) -> None:
    """It reads digits that it has not seen, and a process that loads the half ends the same."""
    done = example("--epochs", str(epochs), "--state", state)
    assert done.returncode == 0, done.stderr
    share = re.search(r"^([\d.]+)% of 1,000 images", done.stdout, re.M)
    assert share and float(share[1]) >= least
    assert done.stdout.endswith("it ends with the same bits: yes\n")
    # The second process does the second half only.
    assert done.stdout.count(f"epoch {epochs} of {epochs}") == 2
    assert done.stdout.count(f"epoch 1 of {epochs}") == 1


def test_too_few_epochs_are_refused() -> None:
    """There is no half of one epoch to save at."""
    done = example("--epochs", "1")
    assert done.returncode == 2
    assert "--epochs 1: there must be at least two" in done.stderr
