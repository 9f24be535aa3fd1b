"""A saved state knows its schedules again in another process, and no others."""

import functools
import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.schedule import cosine

SCRIPT = """
import functools, json, sys
import numpy as np
import adamas

def decay(t, base, power=1.0):
    return base / t**power

class Rate:
    def __init__(self, base):
        self.base = base
    def __call__(self, t):
        return self.base / t
    def at(self, t):
        return self.base / t

def closure(base):
    return lambda t: base / t

base, kind, saved = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
schedule = {
    "partial": functools.partial(decay, base=base),
    "object": Rate(base),
    "method": Rate(base).at,
    "closure": closure(base),
    "function": lambda t: base / t,
}[kind]
optimizer = adamas.SGD(np.zeros(2), lr=schedule)
if saved:
    # JSON has texts as keys only, and no arrays.
    optimizer.load_state_dict(json.loads(saved[0]) | {"state": {0: {"step": 1}}})
else:
    optimizer.step(np.ones(2))
    print(json.dumps(optimizer.state_dict() | {"state": {}}))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", ["partial", "object", "closure"])
def test_the_same_schedule_in_another_process(kind: str) -> None:
    """Partials, objects and closures are known again after a restart; with another base not."""
    first = run("0.5", kind)
    assert first.returncode == 0, first.stderr
    saved = json.loads(first.stdout)
    assert " at 0x" not in saved["param_groups"][0]["lr"]
    for base, right in (("0.5", True), ("0.25", False)):
        done = run(base, kind, first.stdout)
        assert (done.returncode == 0) is right, done.stderr
        if not right:
            assert "ValueError: saved lr is" in done.stderr
            assert "make the optimizer with the same lr" in done.stderr


def lambdas() -> tuple[Callable[[int], float], Callable[[int], float]]:
    """Two functions of one name."""
    return lambda t: 0.1 / t, lambda t: 0.2 / t


def late(after: float) -> Callable[[int], float]:
    """Closures of one name that agree at first."""
    return lambda t: 0.1 if t <= 1000 else after


@dataclass
class Table:
    """A schedule that has values for so many steps only."""

    rates: list[float]

    def __call__(self, t: int) -> float:
        """The rate of step t."""
        return self.rates[t - 1]


OTHERS: dict[str, tuple[Any, Any]] = {
    "lambdas": lambdas(),
    "closures": (late(0.1), late(0.01)),
    "tables": (Table([0.1, 0.2]), Table([0.1, 0.3])),
    "shorter table": (Table([0.1] * 20), Table([0.1] * 5)),
    "partials": (functools.partial(pow, 0.5), functools.partial(pow, 0.25)),
    "ours": (cosine(0.1, steps=5), cosine(0.1, steps=6)),
    "a number": (lambda t: 0.1, 0.1),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_schedule_is_refused(case: str) -> None:
    """Two schedules of one name and other values, sooner or later, are told apart."""
    w = np.zeros(2)
    one, other = (adamas.SGD(w.copy(), lr=lr) for lr in OTHERS[case])
    one.step(np.ones(2))
    saved = one.state_dict()
    for lr in OTHERS[case]:
        again = adamas.SGD(w.copy(), lr=lr)
        if lr is OTHERS[case][0]:
            again.load_state_dict(saved)
    with pytest.raises(ValueError, match="saved lr is"):
        other.load_state_dict(saved)
    assert other.steps == 0


def test_nothing_in_common_is_refused() -> None:
    """`strict=False` with a state of quite other parameters is an error, not a new step count."""
    one, two = adamas.Adam({"a": np.ones(2)}), adamas.Adam({"b": np.ones(2)})
    one.step({"a": np.ones(2)})
    with pytest.raises(ValueError, match=r"nothing of \['b'\]; it has \['a'\]"):
        two.load_state_dict(one.state_dict(), strict=False)
    assert two.steps == 0


def test_a_schedule_that_asks_its_own_optimizer_for_a_state_dict() -> None:
    """It is not asked without end: the second state dict inside the first is refused."""
    found: list[adamas.Optimizer] = []

    def asking(t: int) -> float:
        for optimizer in found:
            optimizer.state_dict()
        return 0.5

    w = np.ones(3)
    optimizer = adamas.SGD(w, lr=asking)
    found.append(optimizer)
    optimizer.step(np.ones(3))
    assert (optimizer.steps, w.tolist()) == (1, [0.5] * 3)
    found.clear()
    optimizer.step(np.ones(3))
    assert w.tolist() == [0.0] * 3


@pytest.mark.parametrize(("off", "same"), [(1e-15, True), (1e-9, False)])
def test_the_last_bits_of_another_libm_are_no_other_schedule(off: float, same: bool) -> None:
    """A function whose values differ in the last bits, as on another machine, is the same."""
    factor = 1.0

    def rate(t: int) -> float:
        return factor * math.exp(-t / 7)

    one, other = adamas.SGD(np.zeros(2), lr=rate), adamas.SGD(np.zeros(2), lr=rate)
    saved = one.state_dict()
    factor = 1 + off
    if same:
        other.load_state_dict(saved)
        return
    with pytest.raises(ValueError, match="saved lr is"):
        other.load_state_dict(saved)
