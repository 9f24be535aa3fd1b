"""The fork of bitsandbytes for CPUs, whose 8-bit AdamW is one fused native pass.

It is imported by the name of bitsandbytes, so it gets a folder of its own, which comes first in the
path of a process of its own; everything else there is as here. `python -m benchmarks.fork TITLE
SIZE ROUNDS` is that process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import adamas
from adamas.bench.peers import bitsandbytes_side, gradients
from adamas.bench.timing import Side
from benchmarks.few_bits import ENTRIES, Given
from benchmarks.race import PLACEMENTS, Clocks, Pair, Race, clocked, placed, rotated
from benchmarks.record import Plan, Section, compared, size_of

PACKAGE, VERSION = "bitsandbytes-cpu-fork", "0.50.2.dev9"
# Names a folder that holds the package already, as `pip install --no-deps --target` makes it.
VARIABLE = "BENCH_BNB_FORK"
FOLDER = Path(__file__).parent / ".peers" / f"{PACKAGE}-{VERSION}"
FORK, INT8, TORCH = f"{PACKAGE} 8-bit", "adamas int8", "torch fused"
PAIRS: tuple[Pair, ...] = ((FORK, TORCH), (INT8, TORCH), (FORK, INT8))
# The fork's own switch: on some processors its AVX2 library is the faster one.
WAYS = {"": {}, ", without AVX-512 in the fork": {"BNB_CPU_DISABLE_AVX512": "1"}}


class MissingError(RuntimeError):
    """The fork cannot be had or does not run here."""


def fork(plan: Plan) -> Section:
    """AdamW with int8 state here, in 8 bits by the fork, and torch's fused float32 step."""
    size, races, note = plan.sizes[1], [], ""
    try:
        folder = found()
        for way, environment in WAYS.items():
            print(f"  {FORK}{way}", flush=True)
            races.append(
                in_process(folder, f"{size_of(size)}{way}", size, plan.rounds, environment)
            )
    except MissingError as error:
        note = f" Left out: {error}."
        print(f" {note}")
    return Section(
        "The fork of bitsandbytes for CPUs",
        f"AdamW on float32 parameters; {PACKAGE} {VERSION} (a pre-release) does the 8-bit step of "
        "bitsandbytes in one fused native pass. It is imported by the same name, so all three "
        "sides ran in a process of their own, in which it is the only bitsandbytes. They step the "
        f"same parameters with the same gradients; their state was allocated anew {PLACEMENTS} "
        f"times, and the rounds divided among these placements.{note}",
        races,
        [compared(each, *pair) for pair in PAIRS for each in races],
    )


def found() -> Path:
    """The folder that holds the fork, which is installed there at first."""
    folder = Path(os.environ.get(VARIABLE, FOLDER)).resolve()
    if not (folder / "bitsandbytes").is_dir():
        if VARIABLE in os.environ:
            raise MissingError(f"{VARIABLE} names a folder without bitsandbytes")
        print(f"  installing {PACKAGE} {VERSION} for this comparison, once (9 MB)", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        run([*pip, "--target", str(folder), f"{PACKAGE}=={VERSION}"])
    return folder


def in_process(
    folder: Path, title: str, size: int, rounds: int, environment: dict[str, str]
) -> Race:
    """What `measured` finds in a process that imports bitsandbytes from `folder`."""
    source = Path(adamas.__file__).parents[1]
    path = os.pathsep.join([str(folder), str(source), os.environ.get("PYTHONPATH", "")])
    printed = run(
        [sys.executable, "-m", "benchmarks.fork", title, str(size), str(rounds)],
        {"PYTHONPATH": path, **environment},
    )
    return Race(**json.loads(printed.splitlines()[-1]))


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a program prints; MissingError with its last line where it fails."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise MissingError(f"{' '.join(command[1:3])} ended with {done.returncode}: {last}")
    return done.stdout


def measured(title: str, size: int, rounds: int) -> Race:
    """The three sides, with whatever `bitsandbytes` is in this process."""
    makers: dict[str, Callable[[Given], Side]] = {
        INT8: ENTRIES[INT8].make,
        FORK: lambda given: bitsandbytes_side(given.wide, given.params),
        TORCH: ENTRIES[TORCH].make,
    }

    def make(part: int) -> Clocks:
        given = Given(gradients([size]))
        return clocked({name: makers[name](given) for name in rotated(makers, part)}, PAIRS)

    return placed(title, make, PAIRS, rounds, size)


if __name__ == "__main__":
    here = import_module("bitsandbytes").__version__
    if here != VERSION:
        sys.exit(f"this bitsandbytes is {here}, not {PACKAGE} {VERSION}")
    print(json.dumps(asdict(measured(sys.argv[1], *map(int, sys.argv[2:])))))
