"""The names of the checks of `adamas.keras`, read without importing Keras, and a run of them."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from places import HELPERS, PACKAGE
from quick_xla import FLAGS

FILES = (
    "keras_numbers",
    "keras_rounding",
    "keras_fitting",
    "keras_saving",
    "keras_kept",
    "keras_converted",
)
PREFIX = "check_"


def _functions(file: str) -> list[ast.FunctionDef]:
    tree = ast.parse((HELPERS / f"{file}.py").read_text("utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [node for node in found if node.name.startswith(PREFIX)]


CHECKS = {
    f"{file}.{node.name}": ast.get_docstring(node) or ""
    for file in FILES
    for node in _functions(file)
}
"""The promise of each check by its name."""

# Tests of Keras that fail with ours: why, and what their failure says.
DIFFERENT = {
    "sgd: test_invalid_momentum": ("refused as well, in other words", "momentum=-1.0 is not"),
    "lion: test_invalid_beta_1": ("refused as well, in other words", "beta_1=-0.1 is not"),
    "adamw: test_weight_decay_is_none": ("refused as well, in other words", "weight_decay=None"),
    "nadam: test_build_with_empty_var_list": (
        "the product of the momenta is a state of each variable, and Keras' is private",
        "_u_product",
    ),
}


def environment(backend: str) -> dict[str, str]:
    """What a process of its own runs in: a quiet backend, on one thread of the CPU."""
    return {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(HELPERS)]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "XLA_FLAGS": FLAGS,
    }


def run(backend: str, *arguments: Any, cwd: Path, timeout: float = 300) -> str:
    """What a Python process prints; raises AssertionError with its last words if it fails."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(backend), cwd=cwd, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def outcomes_of(backend: str, folder: Path) -> dict[str, str]:
    """The text of each failure of a backend, by check, and by test of Keras."""
    target = folder / "outcomes.json"
    run(backend, HELPERS / "keras_child.py", target, cwd=folder)
    found: dict[str, str] = json.loads(target.read_text("utf-8"))
    return found


def go_on(backend: str, folder: Path) -> None:
    """Load what the process of the checks has saved there, train on, and compare."""
    run(backend, HELPERS / "keras_saving.py", folder, cwd=folder)
