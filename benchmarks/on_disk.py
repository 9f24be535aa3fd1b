"""Parameters and state on disk: seconds a step, beside plain reading and writing of as many bytes.

`python -m benchmarks.on_disk DIRECTORY 7 64 1024 4096` for seven rounds with so many Mi of
parameters: bfloat16, state in int8, both in files of the directory, which takes twelve bytes a
parameter for a while. In every round both go once, in turns first; before each, all is brought to
the disk and dropped from memory where the system lets us.
"""

import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import adamas

MIB = 1 << 20
# Elements of a tensor; one gradient serves all of them.
TENSOR = 16 * MIB


def dropped(size: int = 0) -> None:
    """Bring what was written to the disk, and drop it from memory if that is allowed.

    Files of more bytes than there is memory leave it by themselves. What a virtual machine has
    given back to its host costs more to take again than to read from the disk, and would be
    measured instead.
    """
    os.sync()
    if size < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2:
        with suppress(OSError):
            Path("/proc/sys/vm/drop_caches").write_text("3")


def peak(again: bool = False) -> int:
    """The most bytes that were resident, since the last call with `again`."""
    if again:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def made(folder: Path, count: int) -> tuple[Any, dict[str, Any]]:
    """An optimizer with parameters and state in files of a folder, and a gradient for each."""
    nothing = np.broadcast_to(np.zeros(1, np.uint16), min(TENSOR, count))
    params = {f"layer{k}": nothing for k in range(max(1, count // TENSOR))}
    adamas.save(folder / "model.safetensors", adamas.SGD(np.zeros(1)), params)
    params = adamas.open_params(folder / "model.safetensors")
    optimizer = adamas.AdamW(params, state="int8", state_dir=folder / "state")
    rng = np.random.default_rng(0)
    bits = rng.normal(size=min(TENSOR, count)).astype(np.float32).view(np.uint32) >> 16
    grads = dict.fromkeys(params, bits.astype(np.uint16))
    del bits
    optimizer.step(grads)
    return optimizer, grads


def stepped(optimizer: Any, grads: dict[str, Any], size: int) -> tuple[float, int]:
    """Seconds of a step, what is left to be written included, and the most memory it took."""
    dropped(size)
    peak(again=True)
    begin = time.perf_counter()
    optimizer.step(grads)
    os.sync()
    return time.perf_counter() - begin, peak()


def copied(folder: Path, size: int) -> float:
    """Seconds to read model and state one after the other and to write twice as many bytes."""
    files = [folder / "model.safetensors", folder / "state" / "state.safetensors"]
    dropped(size)
    buffer, begin = bytearray(4 * MIB), time.perf_counter()
    with open(folder / "spare", "wb", buffering=0) as spare:
        for path in files:
            with open(path, "rb", buffering=0) as file:
                while count := file.readinto(buffer):
                    spare.write(memoryview(buffer)[:count])
                    spare.write(memoryview(buffer)[:count])
        os.sync()
    seconds = time.perf_counter() - begin
    (folder / "spare").unlink()
    return seconds


def row(folder: Path, mib: int, rounds: int) -> str:
    """What a step of so many parameters took in files of a folder."""
    optimizer, grads = made(folder, mib * MIB)
    size = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    steps: list[float] = []
    plain: list[float] = []
    resident = 0
    for k in range(rounds):
        for which in ("step", "plain")[:: -1 if k % 2 else 1]:
            if which == "step":
                seconds, most = stepped(optimizer, grads, size)
                steps.append(seconds)
                resident = max(resident, most)
            else:
                plain.append(seconds := copied(folder, size))
            print(f"{mib} Mi, round {k + 1}, {which}: {seconds:.2f} s", file=sys.stderr, flush=True)
    shares = [one / other for one, other in zip(plain, steps, strict=True)]
    middle = median(steps)
    return (
        f"{mib} Mi | {size / 1e9:.2f} GB | {middle:.2f} ({min(steps):.2f} to {max(steps):.2f}) | "
        f"{middle / mib * 1000:.2f} | {3 * size / middle / 1e9:.2f} GB/s | {median(plain):.2f} | "
        f"{median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f}) | {resident / MIB:.0f} MiB"
    )


def main(folder: Path, rounds: int, sizes: list[int]) -> None:
    """Print a row for each number of parameters."""
    print("parameters | files | s a step | ms a Mi | rate | plain | share of plain | resident")
    for mib in sizes:
        place = folder / f"on_disk_{mib}"
        place.mkdir()
        try:
            print(row(place, mib, rounds), flush=True)
        finally:
            shutil.rmtree(place)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [int(mib) for mib in sys.argv[3:]])
