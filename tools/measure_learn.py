"""Measure what the guide says about frameworks and the lab; write it to learn/measured.json.

About ten minutes in one process. `--only GROUP ...` measures some groups anew and keeps the others;
what each holds is said in `adamas.learn.measured`. tests/learn/test_learn_measured.py repeats it.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import learn_runs as runs
from adamas.kernel.build import adamas_version
from adamas.lab.protocol.results_types import Results
from adamas.learn.measured import AdamHome, AdamRate, HomeDistance

ROOT = Path(__file__).parents[1]
FILE = ROOT / "src" / "adamas" / "learn" / "measured.json"
PACKAGES = (
    "numpy", "numba", "scipy", "scikit-learn", "torch", "jax", "optax", "keras", "tensorflow-cpu",
)  # fmt: skip


def adam() -> dict[str, AdamHome]:
    """Run `learn_adam.py` in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(ROOT / "tools" / "learn_adam.py")]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    found: dict[str, AdamHome] = json.loads(done.stdout.splitlines()[-1])
    return found


def homes() -> dict[str, HomeDistance]:
    """Run the example of the six homes; a home that is not installed is an error."""
    sys.path.insert(0, str(ROOT / "examples"))
    script = importlib.import_module("six_homes")
    ended = dict(script.ends([*script.HOMES]))
    assert [*ended] == [*script.HOMES]
    return distances(script, ended)


def distances(script: Any, ended: dict[str, Any]) -> dict[str, HomeDistance]:
    """Return the rows of the example's table, unrounded."""
    wide, ours = script.exact(), ended["NumPy"]
    rows: dict[str, HomeDistance] = {}
    for name, end in ended.items():
        norm, farthest = script.far(end, wide)
        rows[name] = HomeDistance(norm=norm, farthest=farthest, from_numpy=script.far(end, ours)[1])
    return rows


@cache
def compared(problem: str) -> Results:
    """Return the contest on a problem, which two groups need."""
    return runs.compared(problem)


def rates() -> dict[str, AdamRate]:
    """Return Adam's best rate on every problem."""
    found: dict[str, AdamRate] = {}
    for name in runs.RATES:
        alone = name not in runs.CONTESTS
        results = runs.compared(name, ["adam"]) if alone else compared(name)
        found[name] = runs.rate(name, results)
    return found


GROUPS: dict[str, Callable[[], Any]] = {
    "adam": adam,
    "homes": homes,
    "contests": lambda: {name: runs.contest(compared(name)) for name in runs.CONTESTS},
    "batches": lambda: {rule: runs.batch_study(rule) for rule in runs.BATCH_GRIDS},
    "schedules": lambda: {name: runs.schedule_study(name) for name in runs.SCHEDULES},
    "rates": rates,
}


def versions() -> dict[str, str]:
    """Return the versions that the figures depend on."""
    found = {"python": platform.python_version(), "adamas": adamas_version()}
    return found | {name: version(name) for name in PACKAGES}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=[*GROUPS], metavar="GROUP")
    only = parser.parse_args().only
    kept = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    with threadpool_limits(limits=1):
        for name in only:
            print(f"{name} ...", file=sys.stderr, flush=True)
            kept[name] = GROUPS[name]()
    tree = {"versions": versions(), **{name: kept[name] for name in GROUPS if name in kept}}
    FILE.write_text(json.dumps(tree, indent=1, allow_nan=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
