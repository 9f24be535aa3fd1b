"""The bytes that a step moves are those of the arrays that its kernel reads and writes."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from adamas import cli, rules, show
from adamas.kernel.formula import Formula, parse
from adamas.kernel.processors import here
from adamas.kernel.traffic import passes
from adamas.kernel.weave import weave
from adamas.words import maximum, mean, norm, rms, sqrt, where
from family import ELEMENTWISE


def lamb(p, g, m, v, *, lr=1e-3, beta1=0.9, beta2=0.999, weight_decay=0.1):  # type: ignore
    """You et al. 2019, Algorithm 2: both norms wait for one pass."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (sqrt(v) + 1e-6) + weight_decay * p
    p = p - lr * norm(p) / norm(u) * u
    return p, m, v


def adafactor(p, g, r, c, *, lr=1e-2, beta=0.9):  # type: ignore
    """Shazeer & Stern 2018, Algorithm 4: the size of the update waits for rows and columns."""
    r = beta * r + (1 - beta) * mean(g * g, over="row")
    c = beta * c + (1 - beta) * mean(g * g, over="column")
    u = g / sqrt(r * c / mean(r))
    p = p - lr * rms(p) / maximum(1.0, rms(u)) * u
    return p, r, c


def cautious(p, g, m, v, *, lr=1e-3, beta1=0.9, beta2=0.999):  # type: ignore
    """Liang et al. 2024, Algorithm 1: the mask is of m and g alone."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    mask = where(m * g > 0, 1.0, 0.0)
    p = p - lr * m / (sqrt(v) + 1e-8) * mask / maximum(mean(mask), 1e-3)
    return p, m, v


def of_parameters(p, g, m, *, lr=1e-3):  # type: ignore
    """The first pass looks at a gradient that it does not need; the sweep does not look again."""
    m = m + norm(p) * g
    p = p - lr * m
    return p, m


REDUCING = {one.__name__: one for one in (lamb, adafactor, cautious, of_parameters)}
FAMILY = {name: getattr(rules, name) for name in ELEMENTWISE if name != "schedule_free_average"}

# By hand, float32 unless said: each array read or written is its bytes, a scale 1/128 of one.
SCALES = 2 / 128
BYTES: list[tuple[Callable[..., Any], str | None, list[float]]] = [
    (rules.sgd, None, [12]),
    (rules.momentum, None, [20]),
    (rules.adamw, None, [28]),
    (rules.adamw, "bfloat16", [12 + 8]),
    (rules.adamw, "int8", [12 + 2 * (2 + SCALES)]),
    (rules.adamw, "int4", [12 + 2 * (1 + SCALES)]),
    (lamb, None, [4 * 4, 28]),
    (lamb, "int8", [8 + 2 + SCALES, 12 + 2 * (2 + SCALES)]),
    (adafactor, None, [4, 2 * 4, 12]),
    (adafactor, "int8", [4, 2 * 4, 12]),
    (cautious, None, [2 * 4, 28]),
    (cautious, "int8", [4 + 1 + SCALES / 2, 12 + 2 * (2 + SCALES)]),
    (of_parameters, None, [2 * 4, 4 * 5]),
]


@pytest.mark.parametrize(("rule", "state", "expected"), BYTES)
def test_bytes_are_those_counted_by_hand(
    rule: Callable[..., Any], state: str | None, expected: list[float]
) -> None:
    """Every pass is counted once, with the arrays it needs in the formats they have."""
    formula = parse(rule)
    found = passes(formula, show.layout_of(formula, "float32", state))
    assert [one.moved for one in found] == expected


def test_other_dtypes_are_counted() -> None:
    """In float64 all is twice as much; beside parameters in bfloat16 the state is in float32."""
    formula = parse(rules.adamw)
    assert [one.moved for one in passes(formula, show.layout_of(formula, "float64"))] == [56]
    assert [one.moved for one in passes(formula, show.layout_of(formula, "bfloat16"))] == [22]


def loaded_and_stored(source: str, function: str) -> tuple[set[str], set[str]]:
    """The arrays of elements that a function of a kernel reads and writes."""
    text = source.partition(f"def {function}(")[2].partition("\n\n\n")[0]
    calls = re.findall(r"\b_[mb]\.(\w+)\(_([a-z]\w*)_at, ", text)
    stored = {name for word, name in calls if word.startswith("store")}
    return {name for word, name in calls if not word.startswith("store")}, stored


@pytest.mark.parametrize("state", ["float32", "bfloat16", "int8", "int4"])
@pytest.mark.parametrize("rule", [*FAMILY, *REDUCING])
def test_the_arrays_are_those_of_the_kernel(rule: str, state: str) -> None:
    """A pass names the arrays that its lines in the kernel load and store, and no others."""
    formula = parse({**FAMILY, **REDUCING}[rule])
    layout = show.layout_of(formula, "float32", state)
    source = weave(formula, layout, "0", here()).source
    functions = [*re.findall(r"def (gather_\d+)", source), "update"]
    found = passes(formula, layout)
    assert [loaded_and_stored(source, name) for name in functions] == [
        (one.reads, one.writes) for one in found
    ]


def test_the_line_says_how_many_passes() -> None:
    """One pass is not split up, several are."""

    def line(formula: Formula, state: str | None = None) -> str:
        return show.moved(formula, "float32", state)

    assert line(parse(rules.adamw)) == "28 bytes a parameter and step: one pass"
    assert line(parse(lamb)) == "44 bytes a parameter and step: 16 + 28 in two passes"
    assert line(parse(adafactor)) == "24 bytes a parameter and step: 4 + 8 + 12 in three passes"
    assert line(parse(lamb), "int8").startswith("26.05 bytes a parameter and step: 10.02 + 16.03 ")


def test_show_tells_it_beside_the_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is the kernel alone, which may go into a file, or the formula."""
    assert cli.main(["show", "adamw", "--state", "int8"]) == 0
    printed = capsys.readouterr()
    assert printed.out == show.kernel_source(parse(rules.adamw), "float32", "int8")
    assert printed.err == "adamw moves 16.03 bytes a parameter and step: one pass\n"
    assert cli.main(["show", "adamw", "--formula"]) == 0
    printed = capsys.readouterr()
    assert printed.out == parse(rules.adamw).source
    assert printed.err == "adamw moves 28 bytes a parameter and step: one pass\n"
