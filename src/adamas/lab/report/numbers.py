"""Numbers as a report shows them: as many digits as the runs support, and a dash for none."""

from collections.abc import Mapping, Sequence
from math import floor, inf, isfinite, log10
from typing import Any

from adamas.lab.page.plotting import power_of_ten, ten_to
from adamas.lab.protocol.results_types import IntervalTree
from adamas.lab.text import Say

NONE = "–"
SMALL, LARGE = 1e-4, 1e6
# Per cent below which two decimals would show zero.
SMALLEST = 0.005
# A spread or a change of this share of a number is an error of rounding.
ROUNDING = 1e-12


def measured(value: Any, digits: int = 4) -> str:
    """Return a number with significant digits, in the plain form where that is readable.

    >>> measured(0.123456), measured(12345.6), measured(3.2e-7, 2), measured(None)
    ('0.1235', '12,346', '3.2 × 10⁻⁷', '–')
    """
    if value is None or not isfinite(value):
        return NONE
    if value != 0 and not SMALL <= abs(value) < LARGE:
        return minus(scientific(value, max(digits - 1, 0)))
    decimals = digits if value == 0 else max(0, digits - 1 - floor(log10(abs(value))))
    return minus(f"{value:,.{decimals}f}" if value else "0")


def minus(text: str) -> str:
    """Return a number with the typographic minus sign."""
    return text.replace("-", "−")


def scientific(value: float, digits: int = 0) -> str:
    """Return a very small number as a reader would write it by hand.

    >>> scientific(3.2e-14), scientific(5.623e-5, 2), scientific(0)
    ('3 × 10⁻¹⁴', '5.62 × 10⁻⁵', '0')
    """
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa} × {ten_to(int(exponent))}"


def learning_rate(lr: float | None) -> str:
    """Return a learning rate with three digits, or a dash.

    >>> learning_rate(0.05623), learning_rate(9.49e-5), learning_rate(1e-5)
    ('0.0562', '9.49 × 10⁻⁵', '10⁻⁵')
    """
    if lr is None:
        return NONE
    rounded = float(f"{lr:.3g}")
    return f"{rounded:.12g}" if SMALL <= rounded < LARGE else power_of_ten(rounded)


def settings_told(settings: Mapping[str, float | str]) -> str:
    """Return hyper-parameters with their values, as they are given to an optimizer.

    >>> settings_told({"beta1": 0.9, "schedule": "cosine"})
    'beta1=0.9, schedule=cosine'
    """
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def seed_range(seeds: Sequence[int]) -> str:
    """Return consecutive seeds as "first–last"."""
    return f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def decimals_of(interval: IntervalTree) -> int:
    """Return how many decimals show two digits of an interval's half width.

    Equal losses, whose width is the rounding of their mean, have three digits.

    >>> decimals_of({"mean": 0.5, "low": 0.49, "high": 0.51})
    3
    >>> decimals_of({"mean": 1.0442181, "low": 1.0442181 - 2e-16, "high": 1.0442181})
    2
    """
    mean, low, high = interval["mean"], interval["low"], interval["high"]
    size = abs(mean or 1)
    if low is None or high is None or not ROUNDING * size < (high - low) / 2 < inf:
        return min(8, max(0, 2 - floor(log10(size))))
    return min(8, max(0, 1 - floor(log10((high - low) / 2))))


def with_spread(interval: IntervalTree | None, sign: str = "") -> str:
    """Return "mean [low, high]" as HTML, with the digits that the interval supports."""
    if interval is None or (mean := interval["mean"]) is None:
        return NONE
    low, high = interval["low"], interval["high"]
    if low is None or high is None:
        return measured(mean)
    if max(abs(mean), abs(low), abs(high)) < SMALL or abs(mean) >= LARGE:
        shown = [measured(value, 3) for value in (mean, low, high)]
    else:
        places = decimals_of(interval)
        shown = [minus(f"{value:{sign},.{places}f}") for value in (mean, low, high)]
    return f'{shown[0]} <span class="interval">[{shown[1]}, {shown[2]}]</span>'


def percent(value: Any, say: Say, sign: str = "+") -> str:
    r"""Return a share in per cent, signed unless `sign` is empty.

    >>> percent(-3.14, Say("en")), percent(250.0, Say("zh"), "")
    ('−3.1\xa0%', '250%')
    """
    if value is None or not isfinite(value):
        return NONE
    value = settled(value)
    if 0 < abs(value) < SMALLEST:
        return say("report_percent", value=measured(value, 2))
    return say("report_percent", value=minus(f"{value:{sign}.{places_of(value)}f}"))


def settled(value: float) -> float:
    """Return a percentage; zero where it is an error of rounding."""
    return 0.0 if abs(value) < 100 * ROUNDING else value


def places_of(value: float) -> int:
    """Return how many decimals a percentage deserves."""
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2


def share(value: Any, say: Say) -> str:
    """Return a declared share, such as a margin, in per cent without idle zeros.

    >>> share(0.25, Say("zh"))
    '25%'
    """
    return NONE if value is None else say("report_percent", value=f"{100 * value:g}")


def percent_spread(interval: IntervalTree, say: Say) -> str:
    """Return "mean [low, high]" in per cent as HTML."""
    mean, low, high = interval["mean"], interval["low"], interval["high"]
    if mean is None or low is None or high is None:
        return percent(mean, say)
    places = places_of(max(abs(low), abs(high)))
    ends = [minus(f"{settled(value):+.{places}f}") for value in (mean, low, high)]
    shown = say("report_percent", value=ends[0])
    return f'{shown} <span class="interval">[{ends[1]}, {ends[2]}]</span>'


def probability(value: Any) -> str:
    """Return a p-value as HTML, never as zero.

    >>> probability(0.0321), probability(2e-5), probability(None)
    ('0.032', '&lt; 0.001', '–')
    """
    if value is None:
        return NONE
    return "&lt; 0.001" if value < 0.001 else f"{value:.2g}"


def times(value: Any) -> str:
    """Return a ratio such as "1.8×"."""
    return NONE if value is None else f"{measured(value, 3)}×"


def whole(value: Any) -> str:
    """Return a count with thousands separated, or a dash."""
    return NONE if value is None else f"{value:,.0f}"
