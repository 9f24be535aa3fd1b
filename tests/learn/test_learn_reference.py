"""The reference has every public name as it is, and what the catalogue tells to type works."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from places import HELPERS, ROOT


@pytest.fixture(scope="module")
def tried() -> dict[str, Any]:
    """What a process found that has all homes imported."""
    path = os.pathsep.join([str(HELPERS), str(ROOT / "tools"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HELPERS / "reference_child.py")],
        capture_output=True, text=True, check=False,
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_reference_is_current(tried: dict[str, Any]) -> None:
    """docs/api.md and docs/api/ are what tools/write_api.py makes of the source today."""
    assert tried["old"] == []


def test_every_public_name_is_in_the_reference(tried: dict[str, Any]) -> None:
    """Each name of `__all__` of nine modules has its heading, once, and nothing else has one."""
    assert len(tried["public"]) == 10
    for module, names in tried["public"].items():
        assert sorted(tried["shown"][module]) == sorted(names), module


def test_links_of_the_reference_lead_somewhere(tried: dict[str, Any]) -> None:
    """To headings of its pages and to files."""
    assert tried["lost"] == []


def test_calls_of_the_catalogue_work(tried: dict[str, Any]) -> None:
    """Whoever types a line of the catalogue gets an optimizer, of every rule in every home.

    A home is left out only where it refuses the rule.
    """
    assert tried["calls"] == []


def test_torch_is_as_the_catalogue_says(tried: dict[str, Any]) -> None:
    """Its classes are those that torch has, with the options that they take."""
    assert tried["torch"] == []
