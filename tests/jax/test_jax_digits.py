"""A classifier of images that is trained, saved, and trained on in another process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[1] / "helpers" / "jax_digits.py"


def trained(folder: Path, part: str) -> Any:
    """What a process of its own ends with."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), part],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_classifier_continues_exactly_in_another_process(tmp_path: Path) -> None:
    """Real images: who stops, saves and goes on elsewhere has every bit of who did not stop."""
    whole = trained(tmp_path, "whole")
    rest = trained(tmp_path, "rest")
    assert whole == rest
    assert whole["right"] > 0.85
