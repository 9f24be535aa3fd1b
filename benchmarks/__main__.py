"""`python -m benchmarks`: run the sections, write `results/*.json`, make all pages anew."""

import argparse
import gc
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llvmlite.binding import get_host_cpu_name

from adamas.bench.timing import IDLE, Others, machine
from benchmarks.bits import bits
from benchmarks.dense import dense
from benchmarks.footprint import footprint
from benchmarks.fork import VARIABLE, fork
from benchmarks.guard import guard
from benchmarks.jax_steps import jax_steps
from benchmarks.large import growth, large
from benchmarks.matrices import matrices
from benchmarks.record import MIB, Plan, Section
from benchmarks.reductions import reductions
from benchmarks.rows import sparse_rows
from benchmarks.small import many, tiny
from benchmarks.startup import startup
from benchmarks.summary import rewrite
from benchmarks.table import judged, render
from benchmarks.torch_small import torch_small
from benchmarks.training import own_rules, whole_step
from benchmarks.transient import transient

SECTIONS: dict[str, Callable[[Plan], Section]] = {
    "guard": guard,
    "large": large,
    "growth": growth,
    "many": many,
    "tiny": tiny,
    "rows": sparse_rows,
    "start": startup,
    "rules": own_rules,
    "reductions": reductions,
    "matrices": matrices,
    "whole": whole_step,
    "torch": torch_small,
    "jax": jax_steps,
    "dense": dense,
    "memory": transient,
    "bits": bits,
    "fork": fork,
    "footprint": footprint,
}
FEWEST_ROUNDS = 7


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments name and return the exit code; a missed bar is no failure."""
    args = _arguments(argv)
    folder: Path = args.out / "results"
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(round(args.size * MIB), round(args.largest * MIB), args.rounds)
    here = machine()
    kind = get_host_cpu_name()
    file = folder / f"{args.machine or word(here.cpu, kind, here.cores)}.json"
    record: dict[str, Any] = {"processor": kind, "machine": {}, "sections": {}}
    # Only what is named is measured anew: a whole run leaves nothing of the last one.
    if file.exists() and args.only:
        record = json.loads(file.read_text(encoding="utf-8"))
    if not args.render:
        warn_if_busy()
    for name in [] if args.render else args.only or SECTIONS:
        record["sections"][name] = measure(name, plan)
        known, now = record["machine"].get("threads", {}), asdict(machine())
        record["machine"] = {**now, "threads": {**known, **now["threads"]}}
        record["sections"] = {k: record["sections"][k] for k in SECTIONS if k in record["sections"]}
        file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    read = {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }
    # Other comparisons keep their records in the same folder.
    found = {name: each for name, each in read.items() if "sections" in each}
    (args.out / "RESULTS.md").write_text(render(found), encoding="utf-8")
    for page in [args.out / "RESULTS.md", *rewrite(args.out.parent, found)]:
        print(f"wrote {page}")
    return 0


def warn_if_busy(seconds: float = 1.0) -> None:
    """Say so before anything is measured if other programs are using the processors."""
    others = Others()
    time.sleep(seconds)
    share = others.share()
    if share is not None and share > IDLE:
        print(f"warning: this machine is not idle: {share:.0%} in use", file=sys.stderr)


def measure(name: str, plan: Plan) -> dict[str, Any]:
    """Run one section; return it as plain data with the date, the load and what others used."""
    before, others, start = machine(), Others(), time.monotonic()
    print(f"{name}: load average {before.load}", flush=True)
    section = SECTIONS[name](plan)
    gc.collect()
    share = others.share()
    for figure in section.figures:
        print(f"  {figure.what}: {judged(figure, name, before.cpu)}")
    print(f"  {time.monotonic() - start:.0f} s", flush=True)
    if share is not None and share > IDLE:
        print(
            f"warning: {name}: other programs used {share:.0%} of the processors", file=sys.stderr
        )
    more = {"date": before.date, "load": before.load, "others": share}
    return {**asdict(section), **more}


def word(cpu: str, kind: str, cores: int) -> str:
    """A file name for this kind of machine: its processor by both names, and the number of cores.

    A virtual machine may say no more than "AMD EPYC"; what LLVM finds tells generations apart.
    """
    plain = re.sub(r"\((r|tm)\)|@.*|\bcpu\b|\bprocessor\b", " ", cpu.lower())
    return "-".join([*re.findall(r"[a-z0-9]+", plain), kind, str(cores)])


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="bits and footprint also measure bitsandbytes and torchao where they are installed, "
        "as the extra dev does; beside another torch: "
        "pip install --no-deps bitsandbytes torchao. fork installs bitsandbytes-cpu-fork into a "
        f"folder of its own, once, or takes the folder that {VARIABLE} names.",
    )
    add = parser.add_argument
    add("--only", action="append", choices=SECTIONS, help="a section; may be given several times")
    add("--rounds", type=int, default=Plan.rounds, help="of each pair (at least 7)")
    add("--size", type=float, default=Plan.size / MIB, help="Mi parameters of the large array")
    add(
        "--largest",
        type=float,
        default=Plan.largest / MIB,
        help="Mi parameters that growth ends at",
    )
    add("--machine", help="name of the results file (default: processor and cores)")
    add("--out", type=Path, default=Path(__file__).parent, help="folder of results/ and RESULTS.md")
    add("--render", action="store_true", help="only make the pages anew from results/")
    args = parser.parse_args(argv)
    if args.rounds < FEWEST_ROUNDS:
        parser.error(f"--rounds {args.rounds}: a median needs at least {FEWEST_ROUNDS}")
    return args


if __name__ == "__main__":
    sys.exit(main())
