"""Parameters and state on disk: seconds a step, beside plain reading and writing of as many bytes.

`python -m benchmarks.on_disk DIRECTORY 64 1024 4096` for so many Mi of parameters: bfloat16, state
in int8, both in files of the directory, which takes twelve bytes a parameter for a while. Caches
are dropped first where the system lets us.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

import adamas

MIB = 1 << 20
# Elements of a tensor; one gradient serves all of them.
TENSOR = 16 * MIB
STEPS = 3


def dropped() -> None:
    """Bring what was written to the disk, and drop it from memory if that is allowed."""
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")


def peak(again: bool = False) -> int:
    """The most bytes that were resident, since the last call with `again`."""
    if again:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def stepped(folder: Path, count: int) -> tuple[float, int]:
    """Seconds a step, what is left to be written included, and the most memory that it took."""
    params = adamas.open_params(folder / "model.safetensors")
    optimizer = adamas.AdamW(params, state="int8", state_dir=folder / "state")
    rng = np.random.default_rng(0)
    bits = rng.normal(size=min(TENSOR, count)).astype(np.float32).view(np.uint32) >> 16
    grads = dict.fromkeys(params, bits.astype(np.uint16))
    del bits
    optimizer.step(grads)
    dropped()
    peak(again=True)
    begin = time.perf_counter()
    for _ in range(STEPS):
        optimizer.step(grads)
    os.sync()
    return (time.perf_counter() - begin) / STEPS, peak()


def copied(folder: Path, count: int) -> float:
    """Seconds to read model and state one after the other and to write twice as many bytes."""
    files = [folder / "model.safetensors", folder / "state" / "state.safetensors"]
    dropped()
    buffer, begin = bytearray(4 * MIB), time.perf_counter()
    with open(folder / "spare", "wb", buffering=0) as spare:
        for path in files:
            with open(path, "rb", buffering=0) as file:
                while size := file.readinto(buffer):
                    spare.write(memoryview(buffer)[:size])
                    spare.write(memoryview(buffer)[:size])
        os.sync()
    seconds = time.perf_counter() - begin
    (folder / "spare").unlink()
    return seconds


def main(folder: Path, sizes: list[int]) -> None:
    """Print a row for each number of parameters."""
    print("parameters | files | s a step | GB/s | plain reads and writes | share | resident")
    for mib in sizes:
        place = folder / f"on_disk_{mib}"
        place.mkdir()
        count = mib * MIB
        tensors = max(1, count // TENSOR)
        nothing = np.broadcast_to(np.zeros(1, np.uint16), min(TENSOR, count))
        params = {f"layer{k}": nothing for k in range(tensors)}
        adamas.save(place / "model.safetensors", adamas.SGD(np.zeros(1)), params)
        seconds, resident = stepped(place, count)
        plain = copied(place, count)
        size = sum(file.stat().st_size for file in place.rglob("*.safetensors"))
        print(
            f"{mib} Mi | {size / 1e9:.2f} GB | {seconds:.2f} | {3 * size / seconds / 1e9:.2f} | "
            f"{3 * size / plain / 1e9:.2f} | {plain / seconds:.2f} | {resident / MIB:.0f} MiB",
            flush=True,
        )
        for file in [*place.rglob("*.safetensors"), place / "state" / "undo"]:
            file.unlink()
        (place / "state").rmdir()
        place.rmdir()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(mib) for mib in sys.argv[2:]])
