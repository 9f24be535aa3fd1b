"""No kernel touches memory outside its arrays: a child process that does is killed."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from family import ELEMENTWISE
from long_form import LONG, few_of
from places import HELPERS

STATES = ("float32", "bfloat16", "int8", "int4")
EVERY = [
    (name, state)
    for name, state in itertools.product(ELEMENTWISE, STATES)
    if name != "schedule_free_average"
]
CASES = EVERY if LONG else [("adamw", "int4")]
SUMS = [(name, state) for name in ("adafactor", "lamb") for state in STATES if state != "bfloat16"]
SUMS = SUMS if LONG else [("adafactor", "float32")]
# Which of `guarded.KINDS`: another in every run, because kernels take long to compile.
KINDS = few_of(range(6), 1)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are forbidden in Linux' way")


def guarded(code: Sequence[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a child that finds the modules beside this one."""
    path = os.pathsep.join([str(HELPERS), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-W", "error", *code, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=3600 if LONG else 600,
    )


@pytest.mark.parametrize(("rule", "state"), CASES)
def test_no_access_outside(rule: str, state: str) -> None:
    """Arrays of any length, dtype and layout, dense and by rows, lie against forbidden pages."""
    asked = json.dumps({"rules": [rule], "states": [state], "long": LONG, "kinds": KINDS})
    done = guarded([str(HELPERS / "guarded.py")], asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["dense"] >= (128 if LONG else 64) and found["rows"] >= 16
    assert found["guarded"] > 1000


@pytest.mark.parametrize(("rule", "state"), SUMS)
def test_no_access_outside_for_a_sum(rule: str, state: str) -> None:
    """Nor do passes that sum over vectors and matrices of any shape, and what they keep of them."""
    asked = json.dumps({"rules": [rule], "states": [state], "long": LONG, "kinds": KINDS})
    done = guarded([str(HELPERS / "guarded.py")], asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (
        found["dense"] >= (128 if LONG else 64)
        and found["matrices"] >= (256 if LONG else 64)
        and found["guarded"] > 1000
    )


@pytest.mark.parametrize("state", STATES if LONG else ["int8"])
def test_no_access_outside_for_products(state: str) -> None:
    """Nor does a rule that orthogonalizes, whose matrices are gathered and given back."""
    asked = json.dumps({"rules": ["muon"], "states": [state], "long": LONG, "kinds": KINDS})
    done = guarded([str(HELPERS / "guarded.py")], asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["matrices"] >= (256 if LONG else 64) and found["guarded"] > 1000


@pytest.mark.parametrize(("upper", "index"), [(True, 5), (False, -1)])
def test_an_access_outside_would_be_found(upper: bool, index: int) -> None:
    """The test above can fail: one element too far, at either end, ends the process."""
    code = (
        "import ctypes, numpy as np\nfrom guarded import Guards\nguards = Guards()\n"
        f"guards.upper = {upper}\na = guards.zeros(5, np.float32)\n"
        "ctypes.c_float.from_address(a.ctypes.data + 4 * {}).value\nprint('alive')\n"
    )
    inside = guarded(["-c", code.format(index + (-1 if upper else 1))])
    assert inside.stdout == "alive\n", inside.stderr
    assert guarded(["-c", code.format(index)]).returncode == -signal.SIGSEGV
