"""Kills a run whose state and parameters are on disk while it steps; run by a test.

`python tests/helpers/killed_disk.py DIRECTORY KILLS lazy` fails when a directory cannot be opened
again, or when state and parameters there are not, bit for bit, those of a run in memory after as
many steps; so it does for `exact` rows, when all of them have been brought up to date.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import adamas
from adamas.disk import disk
from adamas.engine import sparse
from filled import same

Arrays = dict[str, np.ndarray[Any, Any]]
# Of "seen" never more than some rows, at first few, have a gradient.
SHAPES = {"w": (300, 200), "table": (5000, 64), "seen": (2000, 64), "b": (7,)}


def made(params: Arrays, **more: Any) -> adamas.Optimizer:
    """An optimizer before its first step, or where its directory stands."""
    rows = sys.argv[3]
    return adamas.AdamW(params, state="int8", master=8, lr=1e-2, ema=0.9, rows=rows, **more)


def begin() -> Arrays:
    """The parameters before the first step, as bits of bfloat16."""
    rng = np.random.default_rng(0)
    normal = {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    return {name: (one.view(np.uint32) >> 16).astype(np.uint16) for name, one in normal.items()}


def step(optimizer: adamas.Optimizer) -> None:
    """The next step of the run; its gradient depends on its number alone."""
    rng = np.random.default_rng(optimizer.steps)
    grads: dict[str, Any] = {
        name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()
    }
    for name, most in (("table", 5000), ("seen", min(2000, 10 + 5 * optimizer.steps))):
        if optimizer.steps % 3 or name == "seen":
            rows = np.unique(rng.integers(0, most, 400))
            grads[name] = adamas.Rows(rows, grads[name][: len(rows)])
    optimizer.step(grads)


def go_on(folder: Path) -> None:
    """Step without end; what is raised ends the process in another way than a kill does."""
    try:
        _go_on(folder)
    finally:
        os._exit(1)


def _go_on(folder: Path) -> None:
    params = adamas.open_params(folder / "model.safetensors")
    optimizer = made(params, state_dir=folder / "state")
    while True:
        step(optimizer)


def main(folder: Path, kills: int) -> None:
    """Kill, look, go on; then compare with the run that nobody killed."""
    # Many windows, so that many kills come between two of them.
    disk.WINDOW = 1 << 16
    # Histories that end while a child lives, and several parts of rows that catch up.
    sparse.HISTORY, sparse.AT_ONCE = 8, 1 << 9
    draw, reference = random.Random(0), begin()
    optimizer = made(reference)
    optimizer.save(folder / "model.safetensors", params=reference)
    step(made(begin()))  # kernels are compiled here, so that children begin at once
    seen, unfinished = {0}, 0
    # In seconds: as long as it takes to come a few steps further, however busy the machine is.
    longest = 0.08
    for _ in range(kills):
        before = len(seen)
        child = os.fork()
        if child == 0:
            go_on(folder)
        time.sleep(draw.uniform(0.002, longest))
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        undo = folder / "state" / "undo"
        unfinished += undo.exists() and undo.stat().st_size > 0
        if draw.random() < 0.5:
            # The next child puts back what this one has changed, and may be killed meanwhile.
            continue
        params = adamas.open_params(folder / "model.safetensors")
        again = made(params, state_dir=folder / "state")
        seen.add(again.steps)
        longest *= 1.3 if len(seen) == before else 0.9
        while optimizer.steps < again.steps:
            step(optimizer)
        assert optimizer.steps == again.steps
        assert same(again.state_dict(), optimizer.state_dict()), f"after {again.steps} steps"
        for name, array in reference.items():
            assert np.array_equal(array, params[name]), f"{name} after {again.steps} steps"
        del again
    assert len(seen) > kills // 10, f"only {len(seen)} steps were seen"
    print(
        f"{kills} kills, {unfinished} of them inside a step, nothing lost; "
        f"{len(seen)} different steps, {optimizer.steps} in all"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
