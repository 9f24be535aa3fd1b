"""What the chapter on frameworks says is so, and the code that it shows runs."""

import os
import subprocess
import sys
import tomllib
from typing import Any

import numpy as np
import pytest

from adamas.learn.chapters.frameworks import CODE, INSTALL, STEPS
from adamas.learn.measured import measured
from places import ROOT

GOAL = [1.0, -2.0]


@pytest.mark.parametrize("name", ["NumPy", "PyTorch", "JAX", "SciPy"])
def test_code_runs(name: str) -> None:
    """The code of each framework finds the two numbers that it looks for."""
    found: dict[str, Any] = {}
    exec(CODE[name], found)
    w = found["w"].detach() if name == "PyTorch" else found["w"]
    np.testing.assert_allclose(np.asarray(w), GOAL, atol=0.01)


def test_code_of_keras_runs() -> None:
    """The code of Keras does so on TensorFlow, in a process of its own."""
    code = CODE["TensorFlow / Keras"] + f"assert abs(w - {GOAL}).max() < 0.02, w\n"
    names = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=names, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_is_installed_exists() -> None:
    """Every name in the brackets is an extra of the package."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {"lab", "torch", "jax", "keras", "scipy"}
    assert named <= extras["optional-dependencies"].keys()
    assert all(name in INSTALL for name in named)


def test_all_homes_are_near() -> None:
    """Every home ends within a few last bits of float32 from the exact run, relative to its size.

    Single numbers are off by more, in the sixth digit; only SciPy computes in float64.
    """
    homes = measured()["homes"]
    assert f", {STEPS}, 1e-2" in (ROOT / "examples/six_homes.py").read_text("utf-8")
    assert [name for name, row in homes.items() if row["norm"] == 0] == ["SciPy"]
    assert all(1e-7 < row["farthest"] < 1e-5 for row in homes.values() if row["norm"])
    assert len(homes) >= 7
    assert all(row["norm"] <= 16 * 2.0**-24 for row in homes.values())
