"""A state in int8 saved and loaded, beside `dd` and `torch.save` of torch's AdamW.

`python -m benchmarks.saving DIRECTORY 1024 7` for so many Mi of parameters and so many rounds; it
takes 18 bytes of memory and 16 of the disk a parameter. Before every side all goes to the disk and
leaves the memory; whoever writes brings what it writes to the disk, too. A first save finds no file
at its place, nor does `dd`; the other one replaces a file. The order turns from round to round.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

import adamas
from benchmarks.on_disk import MIB, TENSOR, dropped, peak

Side = Callable[[], object]
SAVED, PLAIN, THEIRS = "ours.safetensors", "plain", "theirs.pt"
# The file of each side, and those that must not be there before it.
FILES = {"first": SAVED, "again": SAVED, "load": SAVED, "dd to": PLAIN, "dd from": PLAIN}
FILES |= {"torch.save": THEIRS, "torch.load": THEIRS}
NEW = {"first": [SAVED], "dd to": [PLAIN], "torch.save": [THEIRS]}


def ours(folder: Path, count: int) -> dict[str, Side]:
    """Save and load the state of AdamW in int8, of `count` parameters that need no memory."""
    nothing = np.broadcast_to(np.zeros(1, np.uint16), TENSOR)
    names = [f"layer{k}" for k in range(count // TENSOR)]
    params = adamas.open_params(_parameters(folder, dict.fromkeys(names, nothing)))
    optimizer = adamas.AdamW(params, state="int8")
    rng = np.random.default_rng(0)
    bits = rng.normal(size=TENSOR).astype(np.float32).view(np.uint32) >> 16
    optimizer.step(dict.fromkeys(names, bits.astype(np.uint16)))
    path = folder / SAVED

    def save() -> None:
        optimizer.save(path)

    return {"first": save, "load": lambda: optimizer.load(path), "again": save}


def _parameters(folder: Path, params: dict[str, NDArray[np.uint16]]) -> Path:
    path = folder / "parameters.safetensors"
    adamas.save(path, adamas.SGD(np.zeros(1)), params)
    return path


def torchs(folder: Path, count: int) -> dict[str, Side]:
    """`torch.save` and `torch.load` of the state of torch's AdamW, brought to the disk."""
    state = {
        k: {name: torch.randn(TENSOR) for name in ("exp_avg", "exp_avg_sq")}
        for k in range(count // TENSOR)
    }
    path = folder / THEIRS

    def save() -> None:
        torch.save({"state": state}, path)
        subprocess.run(["sync", path], check=True)

    def load() -> None:
        found = torch.load(path, weights_only=True)["state"]
        for k, entry in found.items():
            for name, tensor in entry.items():
                state[k][name].copy_(tensor)

    return {"torch.save": save, "torch.load": load}


def dd(folder: Path, size: int) -> dict[str, Side]:
    """`dd` of as many bytes, to the disk, and from it."""
    path = folder / PLAIN

    def write() -> None:
        _dd("if=/dev/zero", f"of={path}", f"count={size}", "iflag=count_bytes", "conv=fsync")

    return {"dd to": write, "dd from": lambda: _dd(f"if={path}", "of=/dev/null")}


def _dd(*options: str) -> None:
    subprocess.run(["dd", "bs=8M", "status=none", *options], check=True)


def run(folder: Path, mib: int, rounds: int) -> dict[str, list[tuple[float, int]]]:
    """Seconds of every side in every round, and bytes of memory that it took for a while."""
    sides = ours(folder, mib * MIB)
    sides["again"]()
    size = (folder / SAVED).stat().st_size
    sides |= dd(folder, size) | torchs(folder, mib * MIB)
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in sides}
    for k in range(rounds):
        for name in list(sides)[:: -1 if k % 2 else 1]:
            for new in NEW.get(name, ()):
                (folder / new).unlink(missing_ok=True)
            dropped()
            peak(again=True)
            before, begin = peak(), time.perf_counter()
            sides[name]()
            seconds = time.perf_counter() - begin
            found[name].append((seconds, peak() - before))
            print(f"round {k + 1}, {name}: {seconds:.2f} s", file=sys.stderr, flush=True)
    return found


def main(folder: Path, mib: int, rounds: int) -> None:
    """Print seconds, the ratio to `dd` of the same round, bytes a parameter and memory."""
    folder.mkdir()
    found = run(folder, mib, rounds)
    size = {name: (folder / file).stat().st_size for name, file in FILES.items()}
    print("what | s | by dd of the round | bytes a parameter | memory")
    for name, figures in found.items():
        plain = found["dd from" if name in ("load", "torch.load", "dd from") else "dd to"]
        ratio = median(mine / dd for (mine, _), (dd, _) in zip(figures, plain, strict=True))
        middle, most = median(s for s, _ in figures), max(more for _, more in figures)
        least, longest = min(figures)[0], max(figures)[0]
        print(
            f"{name} | {middle:.2f} ({least:.2f} to {longest:.2f}) | {ratio:.2f} | "
            f"{size[name] / (mib * MIB):.3f} | {most / MIB:.0f} MiB"
        )
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


if __name__ == "__main__":
    main(Path(sys.argv[1]) / "saving", int(sys.argv[2]), int(sys.argv[3]))
