"""Every shape of a schedule against torch, optax and the closed form of its paper."""

from __future__ import annotations

import doctest
import math
import re
from collections.abc import Callable
from typing import Any

import jax
import optax
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as tls

from adamas.schedule import base as schedule_base
from adamas.schedule import shapes as schedule
from adamas.schedule.shapes import (
    Schedule,
    constant,
    cosine,
    exponential,
    linear,
    one_cycle,
    step,
    warmup,
    wsd,
)
from places import ROOT

NAMES = {name: getattr(schedule, name) for name in schedule.__all__}
DOCS = ROOT / "docs" / "schedules.md"


def values(ours: Schedule, n: int) -> list[float]:
    """Return ours at steps 1 to n."""
    return [ours(t) for t in range(1, n + 1)]


def torch_values(make: Callable[[Any], Any], lr: float, n: int) -> list[float]:
    """Return the lr that torch's optimizer sees at its first n steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    seen = [float(optimizer.param_groups[0]["lr"])]
    for _ in range(n - 1):
        optimizer.step()
        scheduler.step()
        seen.append(float(optimizer.param_groups[0]["lr"]))
    return seen


def optax_values(make: Callable[[], Any], n: int) -> list[float]:
    """Return optax's values at counts 0 to n - 1, in float64."""
    with jax.enable_x64(True):
        theirs = make()
        return [float(theirs(count)) for count in range(n)]


def close(ours: list[float], theirs: list[float], rel: float = 1e-12) -> None:
    """Assert that all values agree; 1e-15 is rounding in a cosine that ends at zero."""
    assert ours == pytest.approx(theirs, rel=rel, abs=1e-15)


# torch and optax: every step.

lrs = st.floats(1e-6, 10.0)
lengths = st.integers(1, 40)


@given(lr=lrs, end=st.floats(0, 1), steps=lengths)
def test_cosine_is_torchs(lr: float, end: float, steps: int) -> None:
    """A cosine is CosineAnnealingLR from the first step to T_max, where torch's period ends."""
    theirs = torch_values(lambda o: tls.CosineAnnealingLR(o, steps, end), lr, steps + 1)
    close(values(cosine(lr, steps=steps, end=end), steps + 1), theirs, rel=1e-9)


@given(lr=lrs, every=st.integers(1, 7), factor=st.floats(0.1, 1.5))
def test_step_is_torchs(lr: float, every: int, factor: float) -> None:
    """A step schedule is StepLR."""
    theirs = torch_values(lambda o: tls.StepLR(o, every, factor), lr, 30)
    close(values(step(lr, every=every, factor=factor), 30), theirs)


@given(lr=lrs, factor=st.floats(0.1, 1.5))
def test_exponential_is_torchs(lr: float, factor: float) -> None:
    """An exponential schedule is ExponentialLR."""
    theirs = torch_values(lambda o: tls.ExponentialLR(o, factor), lr, 30)
    close(values(exponential(lr, factor=factor), 30), theirs)


@given(lr=lrs, first=st.floats(0.01, 1), last=st.floats(0, 1), steps=lengths)
def test_linear_is_torchs(lr: float, first: float, last: float, steps: int) -> None:
    """A line is LinearLR, its end value held afterwards."""
    theirs = torch_values(lambda o: tls.LinearLR(o, first, last, steps), lr, steps + 5)
    close(values(linear(first * lr, last * lr, steps=steps), steps + 5), theirs, rel=1e-9)


@given(lr=lrs, fraction=st.floats(0.01, 1), steps=lengths)
def test_warmup_is_torchs(lr: float, fraction: float, steps: int) -> None:
    """A warm-up is LinearLR that ends at factor 1."""
    theirs = torch_values(lambda o: tls.LinearLR(o, fraction, 1.0, steps), lr, steps + 5)
    close(values(warmup(lr, steps=steps, fraction=fraction), steps + 5), theirs, rel=1e-9)


@given(
    lr=lrs,
    steps=st.integers(2, 60),
    pct=st.sampled_from([0.0, 0.01, 0.25, 0.3, 0.77, 1.0]),
    div=st.floats(0.5, 100),
    final=st.floats(0.5, 1e5),
)
def test_one_cycle_is_torchs(lr: float, steps: int, pct: float, div: float, final: float) -> None:
    """The one-cycle schedule is OneCycleLR, except where torch divides by zero."""

    def make(o: Any) -> Any:
        kwargs: dict[str, Any] = {"pct_start": pct, "div_factor": div, "final_div_factor": final}
        return tls.OneCycleLR(o, lr, total_steps=steps, cycle_momentum=False, **kwargs)

    ours = one_cycle(lr, steps=steps, pct_start=pct, div_factor=div, final_div_factor=final)
    if pct * steps == 1:
        assert ours(1) == lr
    else:
        close(values(ours, steps), torch_values(make, lr, steps), rel=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_one_cycle_may_peak_at_its_first_step(steps: int) -> None:
    """With pct_start * steps = 1 the peak is the first step, where torch divides by zero."""
    assert one_cycle(0.5, steps=steps, pct_start=1 / steps)(1) == 0.5


@given(lr=lrs, n=st.integers(1, 10), steps=st.integers(20, 30), m=st.integers(11, 20))
def test_then_is_torchs_sequential(lr: float, n: int, steps: int, m: int) -> None:
    """Joined schedules switch at the same step as SequentialLR's milestones."""

    def make(o: Any) -> Any:
        parts = [tls.LinearLR(o, 0.1, 1.0, n), tls.CosineAnnealingLR(o, steps)]
        return tls.SequentialLR(o, [*parts, tls.ExponentialLR(o, 0.9)], [n, m])

    ours = warmup(lr, steps=n, fraction=0.1).then(cosine(lr, steps=steps), at=n)
    ours = ours.then(exponential(lr, factor=0.9), at=m)
    close(values(ours, 30), torch_values(make, lr, 30), rel=1e-9)


OPTAX: list[tuple[Schedule, Callable[[], Any]]] = [
    (constant(0.3), lambda: optax.constant_schedule(0.3)),
    (linear(0.7, 0.2, steps=9), lambda: optax.linear_schedule(0.7, 0.2, 9)),
    (warmup(0.4, steps=6, fraction=0.5), lambda: optax.warmup_constant_schedule(0.2, 0.4, 6)),
    (cosine(0.5, steps=11, end=0.1), lambda: optax.cosine_decay_schedule(0.5, 11, 0.2)),
    (
        step(0.5, every=4, factor=0.3),
        lambda: optax.exponential_decay(0.5, 4, 0.3, staircase=True),
    ),
    (exponential(0.5, factor=0.9), lambda: optax.exponential_decay(0.5, 1, 0.9)),
    (
        warmup(0.4, steps=5).then(cosine(0.4, steps=15, end=0.01), at=5),
        lambda: optax.warmup_cosine_decay_schedule(0.0, 0.4, 5, 20, 0.01),
    ),
    # optax peaks at k = int(pct_start * transition_steps), torch at pct_start * total_steps - 1.
    (
        one_cycle(0.4, steps=21, pct_start=7 / 21),
        lambda: optax.cosine_onecycle_schedule(20, 0.4, 0.3, 25.0, 1e4),
    ),
    (
        wsd(0.4, warmup=5, stable=8, decay=7, end=0.1),
        lambda: optax.join_schedules(
            [
                optax.linear_schedule(0.0, 0.4, 5),
                optax.constant_schedule(0.4),
                optax.linear_schedule(0.4, 0.1, 7),
            ],
            [5, 13],
        ),
    ),
]


@pytest.mark.parametrize(("ours", "make"), OPTAX, ids=[repr(ours) for ours, _ in OPTAX])
def test_shapes_are_optaxs(ours: Schedule, make: Callable[[], Any]) -> None:
    """Every shape has the optax counterpart that its docstring names, held end included."""
    close(values(ours, 30), optax_values(make, 30), rel=1e-12)


# Closed forms.


@given(lr=lrs, w=st.integers(0, 9), s=st.integers(0, 9), d=st.integers(1, 9))
def test_wsd_is_minicpms_formula(lr: float, w: int, s: int, d: int) -> None:
    """The three stages are Hu et al. 2024's WSD(T; s) with Hägele et al. 2024's linear decay."""
    for k in range(w + s + d + 1):
        decayed = lr * (1 - (k - w - s) / d)
        expected = k / w * lr if k < w else lr if k < w + s else decayed
        assert wsd(lr, warmup=w, stable=s, decay=d)(k + 1) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("steps", [10**4, 10**6, 10**9])
def test_cosine_keeps_its_digits_near_the_end(steps: int) -> None:
    """The last step before zero is sin(pi / 2n)**2, not the cancelled sum 1 + cos."""
    x = math.pi / 2 / steps
    assert cosine(1, steps=steps)(steps) == pytest.approx((x - x**3 / 6) ** 2, rel=1e-14)


ENDS: list[tuple[Schedule, int, float]] = [
    (constant(0.3), 1, 0.3),
    (linear(0.7, 0.1, steps=9), 10, 0.1),
    (warmup(0.3, steps=7, fraction=0.3), 8, 0.3),
    (cosine(0.7, steps=9, end=0.1), 10, 0.1),
    (cosine(0.7, steps=9), 10, 0.0),
    (one_cycle(0.5, steps=9, div_factor=2, final_div_factor=4), 9, 0.0625),
    (one_cycle(0.5, steps=9, pct_start=1), 9, 0.5),
    (wsd(0.3, warmup=2, stable=3, decay=4, end=0.1), 10, 0.1),
    (warmup(0.3, steps=2).then(linear(0.3, 0.1, steps=4), at=2) * 2, 7, 0.2),
]


@pytest.mark.parametrize(("ours", "last", "end"), ENDS, ids=[repr(ours) for ours, _, _ in ENDS])
@given(later=st.integers(0, 10**18))
def test_end_value_is_held(ours: Schedule, last: int, end: float, later: int) -> None:
    """From its last step on, a schedule is exactly its end value, for ever."""
    assert ours(last + later) == end
    assert last == 1 or ours(last - 1) != end


@given(start=st.floats(0, 1e9), end=st.floats(0, 1e9), steps=lengths)
def test_ends_are_exact(start: float, end: float, steps: int) -> None:
    """The first and the last value are the arguments, bit for bit."""
    for ours in (linear(start, end, steps=steps), cosine(start, steps=steps, end=end)):
        assert (ours(1), ours(steps + 1)) == (start, end)


def test_doctests_of_every_shape_run() -> None:
    """The examples in the docstrings print what they say, and each public name has one."""
    for module in (schedule, schedule_base):
        assert doctest.testmod(module).failed == 0
    for name, public in NAMES.items():
        assert ">>> " in (public.__doc__ or ""), name


def test_documentation_runs_top_to_bottom() -> None:
    """The Python blocks of docs/schedules.md run as one script; their assertions hold."""
    blocks = re.findall(
        r"^```python\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert blocks
    exec(compile("\n".join(blocks), str(DOCS), "exec"), {"__name__": "docs"})
