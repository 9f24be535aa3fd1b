"""Numbers as a reader wants them: thousands separated, intervals in brackets, failures in words."""

from typing import Any

from adamas.lab.text import Say

Numbers = dict[str, Any]
PROBLEMS = ("words", "softmax", "mlp")


def count(value: float | None, say: Say) -> str:
    """Return a number of steps with thousands separated, or the word for never."""
    return say("never") if value is None else f"{value:,.0f}"


def with_interval(interval: Numbers, say: Say, sign: str = "") -> str:
    """Return "mean [low, high]" as HTML, or the word for a diverged run."""
    if interval["mean"] is None:
        return say("word_diverged")
    mean = format(interval["mean"], f"{sign}.4f")
    if interval["low"] is None:
        return mean
    ends = ", ".join(format(interval[end], f"{sign}.4f") for end in ("low", "high"))
    return f'{mean} <span class="interval">[{ends}]</span>'


def seed_range(seeds: list[int]) -> str:
    """Return consecutive seeds as "first–last"."""
    return f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])
