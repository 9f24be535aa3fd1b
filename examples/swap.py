"""One line changed in the training of a small language model: `python examples/swap.py`.

A two-layer transformer learns, letter by letter, the reference manual of Python, which every Python
brings along. It is trained three times from the same start on the same batches: with `AdamW` of
torch, with that of adamas, and with its state in eight bits. Printed are the times of forward and
backward pass and of the optimizer's step, in the middle of the run, and the memory of the state;
`swap.png` shows the losses.
"""

import argparse
import statistics
import time
from pydoc_data.topics import topics

import torch
from torch import nn

import adamas.torch

LENGTH, BATCH, WIDTH = 64, 8, 256


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


def train(make: type, steps: int, **options: object) -> tuple[list[float], float, float, float]:
    """The losses, milliseconds of passes and of steps, and megabytes of state."""
    text, count = read()
    torch.manual_seed(0)
    model = Letters(count)
    optimizer = make(model.named_parameters(), lr=1e-3, **options)
    losses, passes, updates = [], [], []
    for _ in range(steps):
        start = torch.randint(len(text) - LENGTH - 1, (BATCH, 1))
        part = text[start + torch.arange(LENGTH + 1)]
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten())
        loss.backward()
        middle = time.perf_counter()
        optimizer.step()
        end = time.perf_counter()
        passes.append(1e3 * (middle - begin))
        updates.append(1e3 * (end - middle))
        losses.append(loss.item())
    held = sum(v.nbytes for entry in optimizer.state.values() for v in entry.values() if v.ndim)
    return losses, statistics.median(passes), statistics.median(updates), held / 1e6


def draw(curves: dict[str, list[float]], file: str) -> None:
    """The losses, each averaged over the last twenty steps."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for (name, losses), style in zip(curves.items(), ("-", "--", ":"), strict=True):
        width = min(20, len(losses))
        smooth = torch.tensor(losses).unfold(0, width, 1).mean(1)
        axes.plot(range(width, len(losses) + 1), smooth, style, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("cross entropy, nats a letter")
    axes.legend()
    figure.savefig(file, dpi=150)


def main() -> None:
    """Train three times and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--picture", default="swap.png")
    given = parser.parse_args()
    runs = {
        "torch.optim.AdamW": (torch.optim.AdamW, {}),
        "adamas.torch.AdamW": (adamas.torch.AdamW, {}),
        "adamas.torch.AdamW, int8": (adamas.torch.AdamW, {"state": "int8"}),
    }
    curves = {}
    for name, (make, options) in runs.items():
        losses, passes, updates, held = train(make, given.steps, **options)
        curves[name] = losses
        last = statistics.mean(losses[-20:])
        print(
            f"{name:25} forward and backward {passes:6.1f} ms, step {updates:5.2f} ms, "
            f"state {held:5.1f} MB, loss {last:.3f}"
        )
    draw(curves, given.picture)


if __name__ == "__main__":
    main()
