"""Numbers as a reader wants them: thousands separated, intervals in brackets, failures in words."""

from typing import Any

from adamas.lab.page.looks import LOOKS
from adamas.lab.page.plotting import ten_to
from adamas.lab.text import Say

Numbers = dict[str, Any]
PROBLEMS = ("words", "softmax", "mlp")
VERDICTS = ("better", "worse", "tie", "few", "diverged")


def count(value: float | None, say: Say) -> str:
    """Return a number of steps with thousands separated, or the word for never."""
    return say("never") if value is None else f"{value:,.0f}"


def with_interval(interval: Numbers, say: Say, sign: str = "") -> str:
    """Return "mean [low, high]" as HTML, or the word for a diverged run."""
    if interval["mean"] is None:
        return say("word_diverged")
    mean, low, high = (
        "" if interval[key] is None else format(interval[key], f"{sign}.4f").replace("-", "−")
        for key in ("mean", "low", "high")
    )
    return f'{mean} <span class="interval">[{low}, {high}]</span>' if low else mean


def seed_range(seeds: list[int]) -> str:
    """Return consecutive seeds as "first–last"."""
    return f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def scientific(value: float, digits: int = 0) -> str:
    """Return a very small number as a reader would write it by hand.

    >>> scientific(3.2e-14), scientific(5.623e-5, 2), scientific(0)
    ('3 × 10⁻¹⁴', '5.62 × 10⁻⁵', '0')
    """
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa} × {ten_to(int(exponent))}"


def rate(lr: float) -> str:
    """Return a learning rate with three digits.

    >>> rate(0.05623), rate(5.623e-5)
    ('0.0562', '5.62 × 10⁻⁵')
    """
    return f"{lr:.3g}" if lr >= 0.9e-4 else scientific(lr, 2)


def by_verdict(contest: Numbers, say: Say) -> str:
    """Return in words who was better than Adam, worse, or neither; empty groups are left out."""
    rows = contest["optimizers"]
    sentences = []
    for word in VERDICTS:
        found = [n for n in rows if n != "adam" and rows[n]["verdict"]["word"] == word]
        if found:
            names = say.names([LOOKS[n][0] for n in found])
            sentences.append(say(f"list_{word}", names=names))
    return say("sentence_gap").join(sentences)
