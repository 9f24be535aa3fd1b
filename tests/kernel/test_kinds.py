"""What each state holds is read from its formula: means, squares, and what must stay exact."""

from pathlib import Path
from typing import Any

import pytest

from adamas import rules
from adamas.kernel.formula import parse
from adamas.kernel.kinds import Kind, kinds
from adamas.kernel.variants import with_average
from written import function

MEAN, SQUARE = Kind("mean", False), Kind("square", False)
EXACT_MEAN, EXACT_SQUARE = Kind("mean", True), Kind("square", True)

# From the papers: a square is a mean, a maximum or a sum of squares or sizes that divides; a sum, a
# running maximum, an iterate and a variance by subtraction are exact.
FAMILY: dict[str, dict[str, Kind]] = {
    "sgd": {},
    "momentum": {"m": MEAN},
    "nesterov": {"m": MEAN},
    "adagrad": {"v": EXACT_SQUARE},
    "rmsprop": {"v": SQUARE},
    "rmsprop_centered": {"m": EXACT_MEAN, "v": EXACT_SQUARE},
    "adadelta": {"v": SQUARE, "d": SQUARE},
    "adam": {"m": MEAN, "v": SQUARE},
    "adamw": {"m": MEAN, "v": SQUARE},
    "amsgrad": {"m": MEAN, "v": SQUARE, "v_max": EXACT_SQUARE},
    "adamax": {"m": MEAN, "u": SQUARE},
    "nadam": {"m": MEAN, "v": SQUARE},
    "radam": {"m": MEAN, "v": SQUARE},
    "adabelief": {"m": MEAN, "s": SQUARE},
    "adam_atan2": {"m": MEAN, "v": SQUARE},
    "adamc": {"m": MEAN, "v": SQUARE},
    "cautious_decay_adamw": {"m": MEAN, "v": SQUARE},
    "laprop": {"m": MEAN, "v": SQUARE},
    "adopt": {"m": MEAN, "v": SQUARE},
    "grams": {"m": MEAN, "v": SQUARE},
    "signum": {"m": MEAN},
    "lion": {"m": MEAN},
    "ademamix": {"m1": MEAN, "m2": MEAN, "v": SQUARE},
    "adan": {"m": MEAN, "v": MEAN, "n": SQUARE, "g_prev": MEAN},
    "schedule_free_sgd": {"z": EXACT_MEAN},
    "schedule_free_adamw": {"z": EXACT_MEAN, "v": SQUARE},
    "schedule_free_radam": {"z": EXACT_MEAN, "v": SQUARE},
    "cautious_adamw": {"m": MEAN, "v": SQUARE},
    "masked_adamw": {"m": MEAN, "v": SQUARE},
    "mars": {"m": MEAN, "v": SQUARE, "g_prev": MEAN},
    "lars": {"m": MEAN},
    "lamb": {"m": MEAN, "v": SQUARE},
    "adamh": {"m": MEAN, "v": SQUARE},
    "stable_adamw": {"m": MEAN, "v": SQUARE},
    "adafactor": {},
    "came": {"m": MEAN},
    "muon": {"m": MEAN},
    "normuon": {"m": MEAN},
    "adamuon": {"m": MEAN, "v": SQUARE},
    "prodigy": {"m": MEAN, "v": SQUARE, "s": MEAN, "p0": EXACT_MEAN},
}


def test_the_family_is_complete() -> None:
    """Every rule stands in the table."""
    assert FAMILY.keys() == set(rules.__all__)


@pytest.mark.parametrize("rule", rules.__all__)
def test_family(rule: str) -> None:
    """Every state of every rule is of the kind that its paper means."""
    assert kinds(parse(getattr(rules, rule))) == FAMILY[rule]


@pytest.mark.parametrize("rule", ["sgd", "adamw", "schedule_free_adamw"])
def test_an_average_is_exact(rule: str) -> None:
    """The average that `ema=` adds is as fine as the parameter; other states keep their kinds."""
    found = kinds(with_average(parse(getattr(rules, rule))))
    assert found.pop("average").exact
    assert found == FAMILY[rule]


# One state each, called s; `d` is where it divides.
OWN: dict[str, tuple[str, Kind]] = {
    "product": ("s = beta * s + (1 - beta) * g * g; p = p - lr * g / sqrt(s + eps)", SQUARE),
    "bracket": ("s = beta * s + (1 - beta) * (g * g); p = p - lr * g / (sqrt(s) + eps)", SQUARE),
    "square": ("s = beta * s + (1 - beta) * g ** 2; p = p - lr * g / (sqrt(s) + eps)", SQUARE),
    "fourth": ("s = beta * s + (1 - beta) * g ** 4; p = p - lr * g / (s ** 0.25 + eps)", SQUARE),
    "size": ("s = beta * s + (1 - beta) * abs(g); p = p - lr * g / (s + eps)", SQUARE),
    "maximum": ("s = maximum(beta * s, abs(g)); p = p - lr * g / (s + eps)", SQUARE),
    "other names": ("q = g * g; s = beta * s + (1 - beta) * q; d = sqrt(s); p = p - lr * g / d",
                    SQUARE),
    "logarithm": ("s = beta * s + (1 - beta) * g * g; p = p - lr * g * log(s + eps)", SQUARE),
    "choice": ("s = g * g if t == 1 else beta * s + (1 - beta) * g * g; p = p - lr * g / sqrt(s)",
               SQUARE),
    "signed": ("s = beta * s + (1 - beta) * g; p = p - lr * s", MEAN),
    "cube": ("s = beta * s + (1 - beta) * g ** 3; p = p - lr * s", MEAN),
    "signed divisor": ("s = beta * s + (1 - beta) * g; p = p - lr * g / (abs(s) + eps)", MEAN),
    "never divides": ("s = beta * s + (1 - beta) * g * g; p = p - lr * g * s", MEAN),
    "difference": ("s = beta * s + (1 - beta) * (g * g - 1); p = p - lr * g / sqrt(abs(s))", MEAN),
    "one minus": ("s = beta * s + (1 - g * g) * beta; p = p - lr * g / sqrt(abs(s))", MEAN),
    "sum": ("s = s + g * g; p = p - lr * g / (sqrt(s) + eps)", EXACT_SQUARE),
    "a share of the rows": ("s = beta * s + g * g / rows; p = p - lr * g / sqrt(s)", SQUARE),
    "a share of the columns": ("s = beta * s + g * g / columns; p = p - lr * g / sqrt(s)", SQUARE),
    "of rows and columns": (
        'r = beta * r + (1 - beta) * mean(g * g, over="row"); '
        'c = beta * c + (1 - beta) * mean(g * g, over="column"); '
        "s = beta * s + (1 - beta) * r * c / mean(r); p = p - lr * g / sqrt(s)", SQUARE),
    "of rows of either sign": (
        'r = beta * r + (1 - beta) * mean(g, over="row"); c = c + total(g * g); '
        "s = beta * s + (1 - beta) * (g * g + r); p = p - lr * g / sqrt(abs(s))", MEAN),
    "of a tensor of either sign": (
        "c = beta * c + total(g); r = r + total(g * g); s = beta * s + abs(g) * c; "
        "p = p - lr * g / sqrt(abs(s))", MEAN),
    "one minus a tensor's number": (
        "s = beta * s + (1 - c) * g * g; c = norm(g); r = norm(p); "
        "p = p - lr * g / sqrt(abs(s))", MEAN),
    "sum of g": ("s = s + g; p = p - lr * s", EXACT_MEAN),
    "maximum so far": ("s = maximum(s, g * g); p = p - lr * g / (sqrt(s) + eps)", EXACT_SQUARE),
    "iterate": ("s = s - lr * g; p = p + beta * (s - p)", EXACT_MEAN),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_own_rules(name: str, tmp_path: Path) -> None:
    """A state of a rule of one's own is judged by its formula, whatever it is called."""
    body, expected = OWN[name]
    lines = "".join(f"    {line.strip()}\n" for line in body.split(";"))
    given = "t, rows, columns, lr=0.1, beta=0.9, eps=1e-8"
    text = f"def f(p, g, s, r, c, *, {given}):\n{lines}    return p, s, r, c\n"
    assert kinds(parse(function(tmp_path, text)))["s"] == expected


def test_variance_by_subtraction(tmp_path: Path) -> None:
    """Two means whose difference stands under a root are exact, under any names."""
    text = """
        def f(p, g, a, b, *, lr=0.1, beta=0.9):
            a = beta * a + (1 - beta) * g
            b = beta * b + (1 - beta) * g * g
            p = p - lr * g / sqrt(b - a * a + 1)
            return p, a, b
        """
    found: dict[str, Any] = kinds(parse(function(tmp_path, text)))
    assert all(kind.exact for kind in found.values())
