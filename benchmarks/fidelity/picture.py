"""One picture of the record: how far every side ends from float32, seed by seed."""

import math
from pathlib import Path
from typing import Any

from benchmarks.fidelity.contest import UPDATE_BAR, score
from benchmarks.fidelity.report import bar, number

INK, FAINT, PAPER = "#1f2328", "#d0d7de", "#ffffff"
OURS, THEIRS, MISSED = "#0969da", "#6e7781", "#cf222e"
LEGEND = (
    "Diamond: mean of the paired seeds with its 95 % interval; dots: seeds. "
    "Blue: adamas, grey: others, red: misses a bar."
)
FOREIGN = ("bitsandbytes", "FlashOptim", "torchao", "torch ")


def draw(record: dict[str, Any], path: Path) -> None:
    """Write the picture; its own white paper keeps it readable on dark pages."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    settings: dict[Any, Any] = {
        "font.size": 8.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "ytick.color": INK,
    }
    with plt.rc_context({**settings, "xtick.color": INK, "axes.edgecolor": FAINT}):
        names = list(record["trainings"])
        panels = len(names) + ("stress" in record)
        rows = -(-panels // 2)
        figure, axes = plt.subplots(rows, 2, figsize=(10.5, 2.35 * rows + 0.5), squeeze=False)
        figure.set_facecolor(PAPER)
        flat = list(axes.flat)
        for axis, name in zip(flat, names, strict=False):
            _losses(axis, record["trainings"][name], bar(name))
        if "stress" in record:
            _updates(flat[len(names)], record["stress"])
        for axis in flat[panels:]:
            axis.set_visible(False)
        figure.text(0.01, 0.985, LEGEND, va="top", fontsize=9)
        figure.tight_layout(rect=(0, 0, 1, 0.965))
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150, facecolor=PAPER)
        plt.close(figure)


def _colour(side: str, missed: bool) -> str:
    if missed:
        return MISSED
    return THEIRS if side.startswith(FOREIGN) else OURS


def _frame(axis: Any, sides: list[str], title: str) -> None:
    axis.set_facecolor(PAPER)
    axis.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axis.set_yticks(range(len(sides)), sides)
    axis.set_ylim(len(sides) - 0.4, -0.6)
    axis.grid(axis="x", color=FAINT, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.tick_params(length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


def _losses(axis: Any, result: dict[str, Any], limit: float) -> None:
    sides = [side for side in result["sides"] if side != "float32"]
    scores = [score(result, side) for side in sides]
    reach = max([limit * 2, *(abs(e) for s in scores for e in s.each)]) * 1.6
    _frame(axis, sides, result["title"])
    axis.set_xscale("symlog", linthresh=limit, linscale=1.6)
    axis.axvspan(-limit, limit, color="#dafbe1", linewidth=0, zorder=0)
    axis.axvline(0, color=INK, linewidth=0.8)
    for y, (side, s) in enumerate(zip(sides, scores, strict=True)):
        colour = _colour(side, bool(s.misses(limit)))
        axis.scatter(s.each, [y] * len(s.each), s=14, color=colour, alpha=0.45, linewidth=0)
        if s.each and math.isfinite(s.low):
            axis.plot([s.low, s.high], [y, y], color=colour, linewidth=1.4)
        if s.each:
            axis.scatter([s.mean], [y], s=34, color=colour, marker="D", linewidth=0, zorder=3)
        if words := _words(s):
            box = {"facecolor": PAPER, "linewidth": 0, "alpha": 0.85, "pad": 1}
            style = {"color": MISSED, "fontsize": 7.5, "bbox": box}
            axis.text(reach * 0.95, y, words, ha="right", va="center", **style)
    axis.set_xlim(-1.3 * max([limit, *(-e for s in scores for e in s.each)]), reach)
    ticks = _ticks(limit, *axis.get_xlim())
    axis.set_xticks(ticks, labels=[f"{x:+g}" if x else "0" for x in ticks])
    axis.minorticks_off()
    axis.set_xlabel("final loss beside float32 [%]; band: the bar")


def _words(s: Any) -> str:
    if s.diverged:
        return f"{s.diverged} of {s.diverged + len(s.each)} diverged"
    return f"update {number(s.ratio)}x" if s.ratio > UPDATE_BAR else ""


def _ticks(limit: float, low: float, high: float) -> list[float]:
    beyond = [x for x in (1.0, 10.0, 100.0, 1000.0, 10000.0) if x >= 3 * limit]
    outside = [sign * x for x in beyond for sign in (-1, 1)]
    return [-limit, 0.0, limit, *(x for x in outside if low < x < high)]


def _updates(axis: Any, stress: dict[str, Any]) -> None:
    cases = stress["cases"]
    sides = [side for side in next(iter(cases.values()))["sides"] if side != "float32"]
    _frame(axis, sides, "stress: largest update in each case")
    axis.set_xscale("log")
    axis.axvspan(1 / UPDATE_BAR, UPDATE_BAR, color="#dafbe1", linewidth=0, zorder=0)
    axis.axvline(1, color=INK, linewidth=0.8)
    for y, side in enumerate(sides):
        for case in cases.values():
            over = case["sides"].get(side, {}).get("over")
            if over is not None and over > 0:
                colour = _colour(side, over > UPDATE_BAR)
                axis.scatter([over], [y], s=22, color=colour, alpha=0.6, linewidth=0)
    axis.set_xlabel("times float32's; one dot for each case; band: the bar")
