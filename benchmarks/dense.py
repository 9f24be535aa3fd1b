"""A dense model trained on the CPU, whole steps: `python -m benchmarks.dense SIDE` is its memory.

A step right after a backward pass finds torch's threads still spinning and its own memory out of
the caches, which no comparison of optimizers alone shows.
"""

import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adamas.bench.timing import Case, memory
from benchmarks.race import PLACEMENTS, Pair, placed, rotated
from benchmarks.record import MIB, Plan, Section, compared
from benchmarks.shared import beside

if TYPE_CHECKING:
    import torch

INPUTS, WIDTH, CLASSES, BATCH = 784, 2048, 1000, 32
DEFAULT, FUSED = "torch default", "torch fused"
FLOAT32 = "adamas"
OURS: dict[str, dict[str, Any]] = {
    FLOAT32: {},
    "adamas int8": {"state": "int8"},
}
RELEASED = "adamas int8, released gradients"
WHOLE, PART = "whole step", "of it the optimizer"
SIDES = (DEFAULT, FUSED, *OURS, RELEASED)


def optimizer(side: str, params: Any) -> "torch.optim.Optimizer":
    """The AdamW of a side."""
    import torch

    from adamas.torch import AdamW

    if side in (DEFAULT, FUSED):
        return torch.optim.AdamW(params, fused=True if side == FUSED else None)
    return AdamW(params, **OURS.get(side, {"state": "int8"}))


def network(width: int = WIDTH) -> "torch.nn.Module":
    """Three wide layers and one of classes; the same numbers every time."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(INPUTS, width), nn.ReLU(),
        nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, CLASSES),
    )  # fmt: skip


class Training:
    """A model, a batch, and an optimizer; `updates` are seconds of steps."""

    def __init__(self, side: str, model: "torch.nn.Module") -> None:
        import torch
        from torch import nn

        from adamas.torch import Optimizer, release_gradients

        self.model = model
        self.x, self.y = torch.randn(BATCH, INPUTS), torch.randint(CLASSES, (BATCH,))
        self.optimizer = optimizer(side, self.model.parameters())
        self.updates: list[float] = []
        self._loss = nn.CrossEntropyLoss()
        if side == RELEASED:
            assert isinstance(self.optimizer, Optimizer)
            release_gradients(self.optimizer)

    def step(self) -> float:
        """Forward, backward, step; returns the seconds of all of it."""
        start = time.perf_counter()
        self.optimizer.zero_grad()
        self._loss(self.model(self.x), self.y).backward()
        middle = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        self.updates.append(end - middle)
        return end - start

    def update(self) -> float:
        """The same; returns the seconds of the optimizer's step."""
        self.step()
        return self.updates[-1]

    def held(self) -> int:
        """Bytes of the optimizer's state."""
        entries = self.optimizer.state.values()
        return sum(v.nbytes for entry in entries for v in entry.values() if v.ndim)


def trainings(part: int, width: int = WIDTH) -> dict[str, Training]:
    """Every side, after two steps or more: on one model and state as far as formats allow."""
    model, runs = network(width), {}
    for side in rotated(SIDES, part):
        runs[side] = Training(side, network(width) if side == RELEASED else model)
        runs[side].step()
    for side in (DEFAULT, FUSED):
        runs[FLOAT32].step()
        beside(runs[FLOAT32].optimizer, runs[side].optimizer)
    for run in runs.values():
        run.step()
    return runs


def added(side: str) -> dict[str, float]:
    """MiB that training adds to this process at most, all loaded and compiled, and of its state."""
    warm = Training(side, network(128))
    warm.step()
    del warm
    gc.collect()
    before = memory("VmRSS", "self/status")
    training = Training(side, network())
    for _ in range(3):
        training.step()
    peak = memory("VmHWM", "self/status")
    return {"peak": (peak - before) / MIB, "state": training.held() / MIB}


def in_process(side: str) -> dict[str, float]:
    """The same in a process of its own."""
    # glibc keeps blocks of up to 32 MiB for later, which would hide that they were given back.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.dense", side],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 16)},
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def dense(plan: Plan) -> Section:
    """Whole steps of a dense model, their optimizer's part, and memory."""
    pairs: list[Pair] = [(side, FUSED) for side in SIDES if side != FUSED]
    whole = placed(
        WHOLE,
        lambda part: {name: run.step for name, run in trainings(part).items()},
        pairs,
        plan.rounds,
    )
    # Released gradients are stepped in the backward pass.
    apart = [pair for pair in pairs if RELEASED not in pair]
    part = placed(
        PART,
        lambda part: {name: run.update for name, run in trainings(part).items()},
        apart,
        plan.rounds,
    )
    size = sum(p.numel() for p in network().parameters())
    spaces = {side: in_process(side) for side in SIDES}
    spaces_of = {key: {side: [each[key]] for side, each in spaces.items()} for key in spaces[FUSED]}
    rooms = [
        Case("training adds", spaces_of["peak"], 0, "MiB"),
        Case("state", spaces_of["state"], 0, "MiB"),
    ]
    figures = [compared(case, side, FUSED) for case in (whole, part) for side in OURS]
    return Section(
        "A dense model",
        f"{size:,} parameters in four linear layers, batch {BATCH}, in PyTorch: forward, backward "
        "and AdamW. The optimizer's part is timed where it runs, right after the backward pass. "
        "All sides train the same copy of the model, but for released gradients, which need one of "
        "their own; adamas in float32 and torch keep their state in the same tensors. Gradients "
        "lie where the backward pass puts them. Everything was allocated anew "
        f"{PLACEMENTS} times, and the rounds divided among these placements. "
        "Memory is the peak of a process beyond what it held before the model was made, everything "
        "imported and compiled before.",
        [whole, part, *rooms],
        figures,
    )


if __name__ == "__main__":
    print(json.dumps(added(sys.argv[1])))
