"""Kills a run while it steps and saves, and goes on from its file; run by a test.

`python tests/helpers/killed_saving.py DIRECTORY KILLS [background]` fails when a file is not whole,
when the one before it is not, or when the run is not, bit for bit, the one that was never
interrupted.
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
from filled import same

NAME = "run.safetensors"
SHAPE = (300, 200)


def made() -> tuple[adamas.Optimizer, np.ndarray[Any, Any]]:
    """An optimizer before its first step, and its parameter."""
    w = np.ones(SHAPE, np.float32)
    return adamas.AdamW({"w": w}, state="int8", lr=1e-2), w


def step(optimizer: adamas.Optimizer) -> None:
    """The next step of the run; its gradient depends on its number alone."""
    rng = np.random.default_rng(optimizer.steps)
    optimizer.step({"w": rng.normal(size=SHAPE).astype(np.float32)})


def go_on(place: Path, background: bool) -> None:
    """Train and save, without end, from the file if there is one; perhaps beside training."""
    optimizer, w = made()
    if place.exists():
        w[...] = optimizer.load(place).params["w"]
    while True:
        step(optimizer)
        optimizer.save(place, params={"w": w}, keep=2, background=background)


def main(folder: Path, kills: int, background: bool) -> None:
    """Kill, look, go on; then compare with the run that nobody killed."""
    place, draw = folder / NAME, random.Random(0)
    step(made()[0])  # the kernel is compiled here, so that children begin at once
    seen = {0}
    reference, w = made()
    # In seconds: as long as it takes to come a few files further, however busy the machine is.
    longest = 0.08
    for _ in range(kills):
        before = len(seen)
        child = os.fork()
        if child == 0:
            go_on(place, background)
        time.sleep(draw.uniform(0.002, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for path in (place, folder / "run.1.safetensors"):
            if path.exists():
                seen.add(adamas.open_file(path).steps)
        longest *= 1.3 if len(seen) == before else 0.9
        assert len(os.listdir(folder)) <= 4, os.listdir(folder)
        if place.exists():
            optimizer, found = made()
            file = optimizer.load(place)
            found[...] = file.params["w"]
            while reference.steps < file.steps:
                step(reference)
            assert np.array_equal(w, found) and file.steps == reference.steps
            assert same(optimizer.state_dict(), reference.state_dict())
    assert len(seen) > kills // 10, f"only {len(seen)} files were seen"
    print(f"{kills} kills, nothing lost; {len(seen)} different files, {reference.steps} steps")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), "background" in sys.argv[3:])
