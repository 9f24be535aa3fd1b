"""Three billion parameters trained in full, on a machine with 24 GB of memory and without a GPU.

A transformer learns, byte by byte, the reference manual of Python, which every Python brings along.
A parameter costs 2 bytes of its own, bfloat16 that is rounded at random, and 2 bytes of AdamW's
state in eight bits. Nothing stands in float32, and no gradient of the whole model: each matrix is
stepped in the backward pass as soon as its gradient is there, which is freed at once, and what a
layer computed is not kept but computed once more. Products of bfloat16 are fast on processors that
have them (x86 with AVX512-BF16 or AMX, ARM with BF16); on others the same run takes longer, and the
first line says how they compare here.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, embedding, gelu, linear, rms_norm
from torch.nn.functional import scaled_dot_product_attention as attention
from torch.utils.checkpoint import checkpoint

from adamas.schedule import warmup
from adamas.torch import AdamW, release_gradients

EXAMPLES = """examples:
  python examples/large.py                                   3 million parameters, a minute
  python examples/large.py --size 3b                         3 billion, 13.5 GB
  python examples/large.py --size 3b --file run.safetensors  once more, and it goes on from there
  python examples/large.py --layers 12 --width 1024          a size of your own
"""
OF_SIZE = ("layers", "width", "batch", "length", "steps")
SIZES = {
    "tiny": (2, 64, 4, 64, 50),
    "small": (4, 256, 8, 128, 200),
    "300m": (24, 1024, 1, 256, 10),
    "3b": (39, 2560, 1, 256, 5),
}
HEAD = 64


class Layer(nn.Module):
    """Attention and two products, which add to a stream of float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attend, self.join = matrix(3 * width, width), matrix(width, width)
        self.up, self.down = matrix(4 * width, width), matrix(width, 4 * width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The stream with what this layer adds."""
        parts = linear(normal(x), self.attend).view(*x.shape[:2], 3, -1, HEAD)
        seen = attention(*parts.permute(2, 0, 3, 1, 4), is_causal=True)
        x = x + linear(seen.transpose(1, 2).reshape(x.shape), self.join)
        return x + linear(gelu(linear(normal(x), self.up)), self.down)


class Bytes(nn.Module):
    """Predicts each byte of a text from those before it."""

    def __init__(self, layers: int, width: int, length: int) -> None:
        super().__init__()
        self.byte, self.place, self.head = (matrix(n, width) for n in (256, length, 256))
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Scores of all bytes, at every place."""
        x = (embedding(given, self.byte) + self.place).float()
        for layer in self.layers:
            x = checkpoint(layer, x, use_reentrant=False)
        return linear(normal(x), self.head).float()


def matrix(rows: int, columns: int) -> nn.Parameter:
    """A parameter of bfloat16 with nothing in it yet."""
    return nn.Parameter(torch.empty(rows, columns, dtype=torch.bfloat16))


def normal(x: torch.Tensor) -> torch.Tensor:
    """The stream with a mean square of 1, in the numbers of the products."""
    return rms_norm(x, x.shape[-1:]).bfloat16()


@torch.no_grad()
def fill(model: Bytes) -> None:
    """Draw the parameters a few rows at a time, so that the model never stands in float32."""
    torch.manual_seed(0)
    for name, p in model.named_parameters():
        spread = p.shape[1] ** -0.5
        if name.endswith(("join", "down")):  # all of these are added up
            spread *= (2 * len(model.layers)) ** -0.5
        for rows in p.split(256):
            rows.copy_(spread * torch.randn(rows.shape))


@torch.no_grad()
def resume(model: Bytes, optimizer: AdamW, path: Path) -> int:
    """Take a run from its file, and tell its step."""
    file = optimizer.load(path)
    for name, p in model.named_parameters():
        p.copy_(file.params[name])
        file.let_go()  # of what was read of the file, which would stay in memory beside the copy
    return file.steps


def batches(batch: int, length: int, steps: range) -> Iterator[torch.Tensor]:
    """Pieces of the text for each step, which depend on its number alone."""
    text = "\n".join(topics[name] for name in sorted(topics)).encode()
    numbers = torch.frombuffer(bytearray(text), dtype=torch.uint8)
    for step in steps:
        random = torch.Generator().manual_seed(step)
        start = torch.randint(len(numbers) - length, (batch, 1), generator=random)
        yield numbers[start + torch.arange(length + 1)].long()


def train(model: Bytes, optimizer: AdamW, given: Any, done: int) -> int:
    """Step to the end, or to that of the step in which Ctrl-C is pressed; tells the last step."""
    stopped: list[int] = []

    def stop(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nthis step is the last; Ctrl-C once more does not wait for it", flush=True)
        stopped.append(number)

    before, shown, last = signal.signal(signal.SIGINT, stop), 0.0, done + given.steps
    with release_gradients(optimizer):
        for part in batches(given.batch, given.length, range(done, last)):
            begin, done = time.monotonic(), done + 1
            scores = model(part[:, :-1]).flatten(0, 1)
            loss = cross_entropy(scores, part[:, 1:].flatten())
            loss.backward()  # steps each matrix, and frees its gradient
            optimizer.step()  # ends the iteration
            now = time.monotonic()
            if now - shown > 2 or done == last or stopped:
                print(f"step {done}: loss {loss.item():.4f}, {now - begin:.2f} s", flush=True)
                shown = now
            if stopped:
                break
    signal.signal(signal.SIGINT, before)
    return done


def kilobytes(file: str, key: str) -> int:
    """A number of the system's; 0 where it does not tell."""
    lines = Path(file).read_text().splitlines() if Path(file).exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(key)), 0)


def ratio() -> float:
    """How many times as fast as one of float32 a product of bfloat16 is here."""
    times = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    for dtype in [*times] * 4:
        a, begin = torch.ones(512, 1024, dtype=dtype), time.perf_counter()
        a @ a.T
        times[dtype] = min(times[dtype], time.perf_counter() - begin)
    return times[torch.float32] / times[torch.bfloat16]


def report(model: Bytes, optimizer: AdamW) -> None:
    """Which bytes a parameter has, and how many the process had at most."""
    params, entries = list(model.parameters()), optimizer.state.values()
    count = sum(p.numel() for p in params)
    own, largest = sum(p.nbytes for p in params), max(p.nbytes for p in params)
    state = sum(v.nbytes for entry in entries for v in entry.values() if v.ndim)
    peak = 1024 * kilobytes("/proc/self/status", "VmHWM")
    print(
        f"bytes a parameter: {own / count:.3f} of its own, {state / count:.3f} of state\n"
        f"largest gradient {largest / 1e6:.1f} MB; resident at most {peak / 1e9:.2f} GB, "
        f"{peak / count:.2f} bytes a parameter"
    )


def arguments() -> Any:
    """What was asked for, with the numbers of the size."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--size", choices=SIZES, default="small", help="what these five are (default: small)")
    for name in OF_SIZE:
        each = [f"{size} {dict(zip(OF_SIZE, n, strict=True))[name]}" for size, n in SIZES.items()]
        more = " (more, if the run goes on)" if name == "steps" else ""
        add(f"--{name}", type=int, help=", ".join(each) + more)
    add("--lr", type=float, help="learning rate after warmup (default: 0.1 / width)")
    add("--master", type=int, choices=(8, 16), help="keep so many bits that bfloat16 has not")
    add("--file", type=Path, help="the run is saved there, and goes on if it is there")
    given = parser.parse_args()
    for name, number in zip(OF_SIZE, SIZES[given.size], strict=True):
        setattr(given, name, number if getattr(given, name) is None else getattr(given, name))
        if getattr(given, name) < 1:
            parser.error(f"--{name} {getattr(given, name)}: it must be at least 1")
    if given.width % HEAD:
        parser.error(f"--width {given.width}: it must be a multiple of {HEAD}")
    if given.file and not given.file.parent.is_dir():
        parser.error(f"--file {given.file}: there is no folder {str(given.file.parent)!r}")
    return given


def main() -> None:
    """Train, and keep the run in its file."""
    given, begin = arguments(), time.monotonic()
    count = 12 * given.layers * given.width**2 + (512 + given.length) * given.width
    need = (4.03 + (given.master or 0) / 8) * count + 24 * given.width**2 + 1e9
    if 0 < (free := 1024 * kilobytes("/proc/meminfo", "MemAvailable")) < need:
        sys.exit(f"{count:,} parameters take {need / 1e9:.1f} GB; {free / 1e9:.1f} GB are free")
    print(f"{count:,} parameters; bfloat16 is {ratio():.1f} times as fast here as float32")
    model = Bytes(given.layers, given.width, given.length)
    # A first step moves every weight by the rate, in all layers to the same end.
    gentle = int(given.layers * given.width**0.5 / 3) + 1
    rate = warmup(given.lr or 0.1 / given.width, steps=gentle, fraction=1 / gentle)
    named = dict(model.named_parameters())
    optimizer = AdamW(named.items(), lr=rate, state="int8", master=given.master, weight_decay=0.1)
    done = 0
    if given.file and given.file.exists():
        done = resume(model, optimizer, given.file)
    else:
        fill(model)
    print(f"at step {done} after {time.monotonic() - begin:.1f} s", flush=True)
    done = train(model, optimizer, given, done)
    if given.file:
        begin = time.monotonic()
        optimizer.save(given.file, named)
        print(f"step {done} is in {given.file} after {time.monotonic() - begin:.1f} s; the same")
        print("command goes on from there")
    report(model, optimizer)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped within a step; the file, if there was one, is as it was")
    except (OSError, ValueError) as error:
        sys.exit(str(error))
