"""Rows of a table on disk: seconds a step, resident memory and bytes written, by rows of the table.

`python -m benchmarks.rows_on_disk DIRECTORY 1000000 10000000 100000000` for tables of so many rows,
64 numbers each unless `--width` says otherwise: bfloat16, state in int8, both in files of a new
folder in DIRECTORY, which is removed at the end. A step is one of 4,096 random rows. Cold: others
each time, with caches dropped before where the system lets us; warm: the same rows once more.
"""

import argparse
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import adamas
from benchmarks.on_disk import MIB, dropped, peak

# Rows of a gradient, and steps of each kind.
NAMED, STEPS = 4096, 9
# Bytes that are written at once while files are made.
PIECE = 1 << 24
LEGEND = "table | rows | files | s a step, cold | warm | resident | bytes written a step | in pages"


def say(what: str) -> None:
    """Progress, for whoever waits."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


@contextmanager
def room(folder: Path, size: int) -> Iterator[Path]:
    """A new folder in `folder` with room for so many bytes, removed whatever happens."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SystemExit(f"{folder} has {free:,} bytes free, and this takes about {size:,}.")
    place = Path(tempfile.mkdtemp(prefix="rows_on_disk_", dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def settled(path: Path) -> None:
    """Write a file over itself: room that was only taken is read faster than what was written."""
    buffer = bytearray(PIECE)
    with open(path, "r+b", buffering=0) as file:
        while size := file.readinto(buffer):
            file.seek(-size, os.SEEK_CUR)
            file.write(memoryview(buffer)[:size])
    dropped()


def made(model: Path, place: Path, kind: str) -> adamas.Optimizer:
    """The optimizer of the table, as its directory stands."""
    rows: Any = kind
    return adamas.AdamW(adamas.open_params(model), state="int8", rows=rows, state_dir=place)


def written() -> tuple[int, int]:
    """Bytes that this process has written so far: by its calls, and in whole pages of files."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"]), int(lines["write_bytes"])


def timed(optimizer: adamas.Optimizer, grads: dict[str, Any]) -> float:
    """Seconds of a step."""
    begin = time.perf_counter()
    optimizer.step(grads)
    return time.perf_counter() - begin


def measured(optimizer: adamas.Optimizer, rows: int, width: int) -> str:
    """What steps cost, as a row of the table."""
    rng = np.random.default_rng(0)
    cold, warm = list[float](), list[float]()
    values = rng.normal(size=(NAMED, width)).astype(np.float32)

    def grads() -> dict[str, Any]:
        return {"table": adamas.Rows(rng.integers(0, rows, NAMED), values)}

    optimizer.step(grads())
    dropped()
    peak(again=True)
    before = written()
    for _ in range(STEPS):
        given = grads()
        cold.append(timed(optimizer, given))
        warm.append(timed(optimizer, given))
        dropped()
    calls, pages = ((b - a) / 2 / STEPS for a, b in zip(before, written(), strict=True))
    return (
        f"{statistics.median(cold):.3f} | {statistics.median(warm):.3f} | "
        f"{peak() / MIB:.0f} MiB | {calls / MIB:.1f} MiB | {pages / MIB:.1f} MiB"
    )


def table(folder: Path, rows: int, width: int, sync: bool) -> None:
    """Print a row for lazy rows of a table, and one for exact ones."""
    # Two bytes a parameter, two of state, a scale for 128 of each, and a number for exact rows.
    with room(folder, rows * (width * 4 + width // 64 + 2 + 8) + PIECE) as place:
        model = place / "model.safetensors"
        say(f"{rows:,} rows: writing the parameters")
        nothing = np.broadcast_to(np.zeros(1, np.uint16), (rows, width))
        adamas.save(model, adamas.SGD(np.zeros(1)), {"table": nothing})
        for kind in ("lazy", "exact"):
            say(f"{rows:,} rows, {kind}: writing the state")
            state = place / kind
            made(model, state, kind)
            settled(state / "state.safetensors")
            say(f"{rows:,} rows, {kind}: stepping")
            optimizer = made(model, state, kind)
            found = measured(optimizer, rows, width)
            size = sum(file.stat().st_size for file in place.rglob("*.safetensors"))
            print(f"{kind} | {rows:,} | {size / 1e9:.2f} GB | {found}", flush=True)
            if sync and kind == "exact":
                say(f"{rows:,} rows, {kind}: bringing all of them up to date")
                steps, begin = optimizer.steps, time.perf_counter()
                peak(again=True)
                optimizer.sync()
                seconds = time.perf_counter() - begin
                print(
                    f"all rows brought up to date after {steps} steps: {seconds:.1f} s, "
                    f"{peak() / MIB:.0f} MiB",
                    flush=True,
                )
            del optimizer
            shutil.rmtree(state)


def main() -> None:
    """Print a row for each number of rows and kind."""
    parser = argparse.ArgumentParser(description="Rows of tables on disk.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--width", type=int, default=64, help="numbers in a row (64)")
    parser.add_argument("--sync", action="store_true", help="time sync() of exact rows, too")
    given = parser.parse_args()
    # Whoever ends this wants the room on the disk back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(LEGEND, flush=True)
    for rows in given.rows:
        table(given.directory, rows, given.width, given.sync)


if __name__ == "__main__":
    main()
