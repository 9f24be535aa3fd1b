"""The tables of a comparison: rows of plain values under stable names."""

from collections.abc import Callable
from typing import TypedDict

from adamas.lab.protocol.results_types import Results
from adamas.lab.report.numbers import settings_told
from adamas.lab.report.subject import rate_alone


class OptimizerRow(TypedDict):
    """One optimizer at its tuned learning rate, on the report seeds; None where runs failed.

    `low` and `high` are the ends of the 95 % interval of the mean final loss, `word` says how it
    stands beside the first reference, `steps_to_target` is a median, and `default_` are the untuned
    runs. `best_` is the second judgement, of each run's lowest loss, at `best_step` (a median).
    `settings` are what a search chose besides lr, and `alone_` the runs at the rate alone, those of
    `mean` where nothing else was searched.
    """

    optimizer: str
    lr: float
    mean: float | None
    low: float | None
    high: float | None
    word: str
    seeds: int
    diverged: int
    at_edge: bool
    steps_to_target: float | None
    default_lr: float
    default_mean: float | None
    default_low: float | None
    default_high: float | None
    default_diverged: int
    best_mean: float | None
    best_low: float | None
    best_high: float | None
    best_step: float
    best_word: str
    runs: int
    settings: str
    alone_lr: float
    alone_mean: float | None
    alone_low: float | None
    alone_high: float | None


class ComparisonRow(TypedDict):
    """One optimizer beside one reference on the same seeds; lower is better.

    `difference` is the optimizer's loss minus the reference's, `percent` the same in per cent of
    the reference's mean, each with the ends of its 95 % interval; `p_holm` is corrected for all
    comparisons made together. None where runs failed. `best_` is the second judgement, of the
    lowest loss of each run.
    """

    optimizer: str
    reference: str
    word: str
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    percent: float | None
    percent_low: float | None
    percent_high: float | None
    p: float | None
    p_holm: float | None
    p_win: float | None
    correlation: float | None
    best_word: str
    best_percent: float | None
    best_percent_low: float | None
    best_percent_high: float | None
    best_p_holm: float | None
    seeds: int


def names(results: Results) -> Callable[[str], str]:
    """Return what turns an optimizer's text into the name that the user gave it, if any."""
    given = results.get("names", {})
    return lambda text: given.get(text, text)


def optimizer_rows(results: Results) -> list[OptimizerRow]:
    """Return a row for each optimizer, in the order of the plan."""
    return [optimizer_row(results, name) for name in results["optimizers"]]


def optimizer_row(results: Results, name: str) -> OptimizerRow:
    """Return the row of one optimizer."""
    row, best = results["optimizers"][name], results["best"]["optimizers"][name]
    alone, reference = rate_alone(row), results["verdict"]["reference"]
    settings = row["worth"]["settings"] if "worth" in row else {}
    words = [
        {one["optimizer"]: one["word"] for one in every if one["reference"] == reference}
        for every in (results["comparisons"], results["best"]["comparisons"])
    ]
    return (
        {"optimizer": names(results)(name), "lr": row["lr"], "mean": row["interval"]["mean"],
         "low": row["interval"]["low"], "high": row["interval"]["high"],
         "word": words[0].get(name, "reference"), "seeds": len(row["finals"]),
         "diverged": row["diverged"], "at_edge": row["at_edge"],
         "steps_to_target": row["target"]["median"], "default_lr": row["default"]["lr"],
         "default_mean": row["default"]["interval"]["mean"],
         "default_low": row["default"]["interval"]["low"],
         "default_high": row["default"]["interval"]["high"],
         "default_diverged": row["default"]["diverged"],
         "best_mean": best["interval"]["mean"], "best_low": best["interval"]["low"],
         "best_high": best["interval"]["high"], "best_step": best["median_step"],
         "best_word": words[1].get(name, "reference"), "runs": row["runs"],
         "settings": settings_told(settings), "alone_lr": alone["lr"],
         "alone_mean": alone["interval"]["mean"], "alone_low": alone["interval"]["low"],
         "alone_high": alone["interval"]["high"]}
    )  # fmt: skip


def comparison_rows(results: Results) -> list[ComparisonRow]:
    """Return a row for each comparison with a reference."""
    called = names(results)
    return [
        {"optimizer": called(one["optimizer"]), "reference": called(one["reference"]),
         "word": one["word"],
         "difference": one["difference"]["mean"], "difference_low": one["difference"]["low"],
         "difference_high": one["difference"]["high"], "percent": one["percent"]["mean"],
         "percent_low": one["percent"]["low"], "percent_high": one["percent"]["high"],
         "p": one["p"], "p_holm": one["p_holm"], "p_win": one["p_win"],
         "correlation": one["correlation"], "best_word": best["word"],
         "best_percent": best["percent"]["mean"], "best_percent_low": best["percent"]["low"],
         "best_percent_high": best["percent"]["high"], "best_p_holm": best["p_holm"],
         "seeds": one["seeds"]}
        for one, best in zip(results["comparisons"], results["best"]["comparisons"], strict=True)
    ]  # fmt: skip
