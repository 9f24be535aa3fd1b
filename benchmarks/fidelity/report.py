"""`FIDELITY.md`, made from the record alone; bytes are those of `sides`."""

import math
from collections.abc import Iterator
from typing import Any

from benchmarks.fidelity.contest import LOSS_BAR, TEXT_BAR, UPDATE_BAR, Score, score

HEAD = f"""# Does few-bit state track float32?

Made by `python -m benchmarks.fidelity` from `results/fidelity.json`; edits here are lost.

Every side trains from the same initial parameters on the same batches for each seed; its final
loss is compared with float32's of the same seed. The mean of the paired differences has a 95 %
t-interval over the seeds; a negative difference is a deviation too, not a gain. *Largest update* is
the largest change of any parameter in any step, in units of lr, and in brackets its ratio to
float32's. A run has diverged when its final loss is no number or above the loss it started from.

The bars: the mean within {LOSS_BAR:g} % of float32 ({TEXT_BAR:g} % for the language model), no run
diverges, the largest update within {UPDATE_BAR:g}x float32's. They are promised for int8 and
bfloat16 state; the other rows show where a format stands. Unless a row says otherwise every tensor
is kept in few bits, biases and norms included, which is harsher than the libraries' defaults.
"""


COLUMNS = """\
| state | bytes | final loss | beside float32 [%] | furthest seed [%] | largest update | diverged \
| bars |
|---|---:|---:|---:|---:|---:|---:|---|"""


def bar(name: str) -> float:
    """The bar of a training on the mean difference, in percent."""
    return TEXT_BAR if name.startswith("text") else LOSS_BAR


def number(value: float | None) -> str:
    """Three figures; what is no number says so."""
    if value is None or math.isnan(value):
        return "no number"
    if math.isinf(value):
        return "inf"
    if value != 0 and (abs(value) >= 1e4 or abs(value) < 1e-3):
        return f"{value:.1e}"
    return f"{value:.3g}"


def render(record: dict[str, Any]) -> str:
    """The whole page."""
    parts = [HEAD, _made(record)]
    for name, result in record["trainings"].items():
        parts.append("\n".join(_training(name, result)))
    if "stress" in record:
        parts.append("\n".join(_stress(record["stress"])))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _made(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return f"Last run {record['date']} on {record['machine']}; {versions}."


def _training(name: str, result: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}: {result['title']}\n"
    rate = result["rate"].replace("_", " ")
    yield f"{result['steps']:,} steps, {result['seeds']} seeds, lr {result['lr']:g} ({rate}).\n"
    yield COLUMNS
    for side, data in result["sides"].items():
        yield _row(side, data, score(result, side), bar(name))
    notes = [f"{side}: {data['note']}" for side, data in result["sides"].items() if data["note"]]
    if notes:
        yield "\n" + "; ".join(notes) + "."
    for side, why in result["failed"].items():
        yield f"\n**{side} did not run**: {why}"


def _row(side: str, data: dict[str, Any], s: Score, limit: float) -> str:
    if side == "float32":
        beside, worst, verdict = "", "", ""
    elif math.isfinite(s.mean):
        half = (s.high - s.low) / 2
        beside, worst = f"{s.mean:+.3f} ± {half:.3f}", f"{s.worst:+.3f}"
        missed = s.misses(limit)
        verdict = f"**missed**: {missed}" if missed else "met"
    else:
        beside, worst, verdict = "", "", f"**missed**: {s.misses(limit)}"
    update = "" if math.isnan(s.largest) else f"{number(s.largest)} ({number(s.ratio)}x)"
    cells = [side, f"{data['bytes']:g}", f"{s.final:.4g}", beside, worst, update]
    return "| " + " | ".join([*cells, str(s.diverged) if s.diverged else "0", verdict]) + " |"


WATCHED = {"A": ["silent"], "C": ["all"], "E": ["others"]}


def _stress(stress: dict[str, Any]) -> Iterator[str]:
    yield "## stress: gradients chosen to break a format\n"
    yield (
        f"One tensor of 2,048 elements, {stress['seeds']} seeds, the one furthest from float32. "
        "RMS update over float32's, ideal 1 (quintiles from the smallest scales to the largest), "
        "and after the semicolon the largest update over float32's in the whole case."
    )
    cases = stress["cases"]
    yield "\n" + "; ".join(f"{name}: {case['title']}" for name, case in cases.items()) + ".\n"
    yield "| state | " + " | ".join(cases) + " drift, mean / largest [lr] |"
    yield "|---|" + "---|" * len(cases)
    for side in next(iter(cases.values()))["sides"]:
        cells = [_cell(name, case["sides"].get(side)) for name, case in cases.items()]
        yield f"| {side} | " + " | ".join(cells) + " |"


def _cell(name: str, found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    over = f"; {number(found['over'])}x"
    if name == "dead":
        mean, most = found["drift"]["silent"]
        return f"{number(mean)} / {number(most)}{over}"
    groups = WATCHED.get(name) or list(found["ratio"])
    return " / ".join(number(found["ratio"][group]) for group in groups) + over
