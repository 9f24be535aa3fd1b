"""One line changed in the training of a small language model, and what it changes.

A six-layer transformer of 4.8 million parameters learns, letter by letter, the reference manual of
Python, which every Python brings along. It is trained with the default and the fused `AdamW` of
torch and with that of adamas, its state in float32 and in eight bits: from the same start, on the
same batches, taking turns, so that the times can be compared. Printed are the times of the passes
and of the optimizer's step, the memory that training took in a process of its own, and the losses;
the picture shows losses and times.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import torch
from torch import nn

import adamas.torch

EXAMPLES = """examples:
  python examples/swap.py                        a minute or two
  python examples/swap.py --steps 2000           until the losses flatten
  python examples/swap.py --only int8 --steps 50 one side of the four
"""
LENGTH, BATCH, WIDTH = 64, 8, 256
SIDES: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "torch default": lambda params: torch.optim.AdamW(params, lr=1e-3),
    "torch fused": lambda params: torch.optim.AdamW(params, lr=1e-3, fused=True),
    "adamas float32": lambda params: adamas.torch.AdamW(params, lr=1e-3),
    "adamas int8": lambda params: adamas.torch.AdamW(params, lr=1e-3, state="int8"),
}


class Letters(nn.Module):
    """Predicts each letter from those before it."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        layer = nn.TransformerEncoderLayer(
            WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, count)

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        """Scores of every letter, at every place."""
        mask = nn.Transformer.generate_square_subsequent_mask(letters.shape[1])
        hidden = self.embedding(letters) + self.place
        scores: torch.Tensor = self.head(self.body(hidden, mask=mask, is_causal=True))
        return scores


def read() -> tuple[torch.Tensor, int]:
    """The text as numbers of letters, and how many letters there are."""
    text = "\n".join(topics[name] for name in sorted(topics))
    letters = sorted(set(text))
    number = {letter: k for k, letter in enumerate(letters)}
    return torch.tensor([number[letter] for letter in text]), len(letters)


class Run:
    """One side: its model and optimizer, its losses, and milliseconds of passes and steps."""

    def __init__(self, side: str, letters: int) -> None:
        torch.manual_seed(0)
        self.model = Letters(letters)
        self.optimizer = SIDES[side](self.model.named_parameters())
        self.losses: list[float] = []
        self.passes: list[float] = []
        self.updates: list[float] = []

    def step(self, part: torch.Tensor) -> None:
        """Learn from one batch."""
        begin = time.perf_counter()
        self.optimizer.zero_grad()
        scores = self.model(part[:, :-1]).flatten(0, 1)
        loss = nn.functional.cross_entropy(scores, part[:, 1:].flatten())
        loss.backward()
        middle = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        self.passes.append(1e3 * (middle - begin))
        self.updates.append(1e3 * (end - middle))
        self.losses.append(loss.item())

    def held(self) -> float:
        """Megabytes of the optimizer's state."""
        entries = self.optimizer.state.values()
        return sum(v.nbytes for entry in entries for v in entry.values() if v.ndim) / 1e6


def batches(text: torch.Tensor, steps: int) -> Iterator[torch.Tensor]:
    """Pieces of the text, the same in every run of this program."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        start = torch.randint(len(text) - LENGTH - 1, (BATCH, 1), generator=generator)
        yield text[start + torch.arange(LENGTH + 1)]


def train(sides: list[str], steps: int) -> dict[str, Run]:
    """Train all sides at once, a step each in turn; Ctrl-C ends it early."""
    text, letters = read()
    runs = {side: Run(side, letters) for side in sides}
    order, begin = list(sides), time.monotonic()
    try:
        for step, part in enumerate(batches(text, steps), start=1):
            # Nobody runs after the same neighbour every time.
            random.Random(step).shuffle(order)
            for side in order:
                runs[side].step(part)
            if step in (2, 10) or step % max(1, steps // 10) == 0:
                left = (time.monotonic() - begin) / step * (steps - step)
                shown = ", ".join(f"{run.losses[-1]:.3f}" for run in runs.values())
                print(f"step {step} of {steps}, losses {shown}; {left:.0f} s left", flush=True)
    except KeyboardInterrupt:
        print("\nstopped; this is what there is so far", flush=True)
    done = min(len(run.losses) for run in runs.values())
    for run in runs.values():
        del run.losses[done:]
    return runs


def resident(key: str) -> float:
    """Megabytes of `VmRSS` (now) or `VmHWM` (at most) of this process; needs Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1e3


def added(side: str) -> float:
    """Megabytes that training adds at most to this process, everything loaded and compiled."""
    text, letters = read()
    warm = nn.Linear(WIDTH, WIDTH)
    optimizer = SIDES[side](warm.named_parameters())
    warm(torch.ones(1, WIDTH)).sum().backward()
    optimizer.step()
    before = resident("VmRSS")
    run = Run(side, letters)
    for part in batches(text, 5):
        run.step(part)
    return resident("VmHWM") - before


def measured(side: str) -> str:
    """`added` in a process of its own, in words."""
    if not Path("/proc/self/status").exists():
        return "unknown"
    command = [sys.executable, __file__, "--memory", side]
    # glibc keeps blocks of up to 32 MiB for later, which would hide that they were given back.
    given_back = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 16)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=given_back)
    return f"{float(done.stdout):.0f} MB"


def report(runs: dict[str, Run]) -> None:
    """A line for every side."""
    print(f"{'':14} {'passes':>9} {'step':>9} {'state':>9} {'training adds':>14} {'loss':>7}")
    for side, run in runs.items():
        last = statistics.mean(run.losses[-50:])
        print(
            f"{side:14} {statistics.median(run.passes):6.1f} ms "
            f"{statistics.median(run.updates):6.2f} ms {run.held():6.1f} MB "
            f"{measured(side):>14} {last:7.4f}",
            flush=True,
        )


def draw(runs: dict[str, Run], file: str) -> None:
    """The losses, averaged over some steps, beside the times of a step."""
    from matplotlib import pyplot

    figure, (curves, times) = pyplot.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    styles = ((5.0, "-"), (3.0, "-"), (2.0, "--"), (1.2, ":"))
    colors = ("#9ecae1", "#3182bd", "#e6550d", "black")
    for (side, run), (width, line), color in zip(runs.items(), styles, colors, strict=False):
        window = max(1, len(run.losses) // 40)
        smooth = torch.tensor(run.losses).unfold(0, window, 1).mean(1)
        places = range(window, len(run.losses) + 1)
        curves.plot(places, smooth, line, linewidth=width, color=color, label=side)
    curves.set(xlabel="step", ylabel="cross entropy, nats a letter", title="loss")
    # The first drop is the same for everybody, and would leave no room for what follows.
    curves.set_ylim(top=1.1 * float(smooth[len(smooth) // 12]))
    curves.legend()
    passes = [statistics.median(run.passes) for run in runs.values()]
    updates = [statistics.median(run.updates) for run in runs.values()]
    times.barh(list(runs), passes, color="#bbbbbb", label="forward and backward")
    bars = times.barh(list(runs), updates, left=passes, color="#e6550d", label="optimizer")
    times.bar_label(bars, [f" {value:.1f} ms" for value in updates])
    times.invert_yaxis()
    times.set(xlabel="milliseconds, median", title="one step", xlim=(0, 1.35 * max(passes)))
    figure.legend(*times.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    figure.savefig(file, dpi=110)
    print(f"wrote {file}")


def main() -> None:
    """Train, compare, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--steps", type=int, default=200, help="batches to learn from (default: 200)")
    add("--only", choices=[side.split()[-1] for side in SIDES], help="train one side")
    add("--threads", type=int, help="of torch and adamas (default: what torch takes)")
    add("--picture", default="swap.png", help="file to draw into (default: swap.png)")
    add("--memory", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    if given.memory:
        print(added(given.memory))
        return
    if given.steps < 1:
        parser.error(f"--steps {given.steps}: there must be at least one")
    sides = [side for side in SIDES if given.only in (None, side.split()[-1])]
    runs = train(sides, given.steps)
    if any(run.losses for run in runs.values()):
        report(runs)
        draw(runs, given.picture)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
