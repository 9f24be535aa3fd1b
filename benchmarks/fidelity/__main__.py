"""`python -m benchmarks.fidelity`: train, write the record, its tables and its picture."""

import argparse
import datetime
import json
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from adamas.bench.timing import machine
from benchmarks.fidelity.contest import contest, stressed, terms
from benchmarks.fidelity.digits import digits, digits_decay
from benchmarks.fidelity.picture import draw
from benchmarks.fidelity.report import render
from benchmarks.fidelity.scales import scales1, scales2
from benchmarks.fidelity.side import Side
from benchmarks.fidelity.sides import BASELINE, NARROW, OURS, PEERS, TORCHAO, YARDSTICK, installed
from benchmarks.fidelity.text import text, text_narrow
from benchmarks.fidelity.training import Training

ROOT = Path(__file__).parents[2]
SEEDS, QUICK_SEEDS, STRESS_SEEDS = 5, 2, 2
PACKAGES = ("numpy", "torch", "bitsandbytes", "torchao", "scikit-learn")

TRAININGS: dict[str, Callable[[bool], Training]] = {
    "digits": digits,
    "digits-decay": digits_decay,
    "scales1": scales1,
    "scales2": scales2,
    "text": text,
    "text-bfloat16": text_narrow,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments name; a missed bar is no failure of the program."""
    args = _arguments(argv)
    record_file: Path = args.out / "benchmarks/results/fidelity.json"
    record: dict[str, Any] = {"trainings": {}}
    if record_file.exists() and not args.quick:
        record = json.loads(record_file.read_text("utf-8"))
    try:
        for name in [] if args.render else args.only or [*TRAININGS, "stress"]:
            _measure(record, name, args)
            if not args.quick:
                _write(record, args.out)
    except KeyboardInterrupt:
        print("\nstopped; what had finished is kept", file=sys.stderr)
        return 130
    if args.quick:
        print(render(record))
        return 0
    _write(record, args.out)
    print(f"wrote {args.out / 'benchmarks/FIDELITY.md'}, fidelity.json and few-bits.png")
    return 0


def sides_of(name: str) -> tuple[Side, ...]:
    """The sides that can say something about a section."""
    if name == "text-bfloat16":
        return NARROW
    if name == "stress":
        # All of a tensor of 2,048 elements stays in float32 by the default rule.
        return tuple(s for s in OURS if "default rule" not in s.name) + _peers()
    torchao = installed(TORCHAO, "torchao") if name == "text" else ()
    return (*OURS, YARDSTICK, *_peers(), *torchao)


def _peers() -> tuple[Side, ...]:
    return installed(PEERS[:1], "bitsandbytes") + PEERS[1:]


def _measure(record: dict[str, Any], name: str, args: argparse.Namespace) -> None:
    sides = sides_of(name)
    if args.quick:
        sides = tuple(side for side in sides if not side.name.startswith("torchao"))
    order = [side.name for side in sides]
    chosen = tuple(side for side in sides if not args.side or side.name in args.side)
    if not chosen:
        return
    if name == "stress":
        seeds = 1 if args.quick else STRESS_SEEDS
        fresh, old = stressed(chosen, sides[0], seeds), record.get("stress", {})
        cases = old["cases"] if old.get("seeds") == seeds else {}
        for key, case in fresh["cases"].items():
            merge(case, cases.get(key, {}), chosen, order)
        record["stress"] = fresh
    else:
        training = TRAININGS[name](args.quick)
        seeds = args.seeds or (QUICK_SEEDS if args.quick else SEEDS)
        old = record["trainings"].get(name, {})
        if any(old.get(key) != value for key, value in terms(training, seeds).items()):
            old = {}
        if BASELINE not in [*old.get("sides", {}), *(side.name for side in chosen)]:
            chosen = sides[:1] + chosen
        fresh = contest(training, chosen, seeds)
        merge(fresh, old, chosen, order)
        known = {**record["trainings"], name: fresh}
        record["trainings"] = {key: known[key] for key in TRAININGS if key in known}
    record["date"] = datetime.date.today().isoformat()
    record["machine"] = machine().cpu
    record["versions"] = {"python": sys.version.split()[0], **_versions()}


def merge(
    fresh: dict[str, Any], old: dict[str, Any], chosen: Sequence[Side], order: Sequence[str]
) -> None:
    """Keep the sides of an earlier run of the same thing that this run did not choose."""
    anew = [side.name for side in chosen]
    for part in ("sides", "failed"):
        if part in fresh:
            kept = {k: v for k, v in old.get(part, {}).items() if k not in anew}
            both = {**kept, **fresh[part]}
            fresh[part] = {name: both[name] for name in order if name in both}


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    """The same data with null for every number that JSON cannot say."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(record: dict[str, Any], out: Path) -> None:
    plain = _plain(record)
    (out / "benchmarks/results").mkdir(parents=True, exist_ok=True)
    words = json.dumps(plain, indent=1, allow_nan=False) + "\n"
    (out / "benchmarks/results/fidelity.json").write_text(words, "utf-8")
    (out / "benchmarks/FIDELITY.md").write_text(render(plain), "utf-8")
    draw(plain, out / "docs/few-bits.png")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity", description=__doc__)
    add = parser.add_argument
    names = [*TRAININGS, "stress"]
    add("--only", action="append", choices=names, help="a section; may be given several times")
    add("--side", action="append", help="a row of the tables; the others stay as recorded")
    add("--seeds", type=int, help=f"paired seeds of each training (default {SEEDS})")
    add("--quick", action="store_true", help="short trainings, two seeds; prints, writes nothing")
    add("--render", action="store_true", help="only make tables and picture anew from the record")
    add("--out", type=Path, default=ROOT, help="folder that gets benchmarks/ and docs/")
    args = parser.parse_args(argv)
    if args.seeds is not None and args.seeds < 1:
        parser.error(f"--seeds {args.seeds}: a training needs at least one seed")
    known = {side.name for name in names for side in sides_of(name)}
    for side in args.side or []:
        if side not in known:
            parser.error(f"--side {side!r}: there are {', '.join(sorted(known))}")
    return args


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module=r"torchao|torch\..*|bitsandbytes")
    sys.exit(main())
