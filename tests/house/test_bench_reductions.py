"""The section on sums: its limit moves what the kernel's passes move, and its sides run.

Nothing is timed for its time.
"""

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest

from adamas.bench import timing
from places import ROOT


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a module of the package `benchmarks`, which is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr(timing, "PAUSE", 0.0)
    monkeypatch.setattr(timing, "MOST_STEPS", 2)
    return lambda name: importlib.import_module(f"benchmarks.{name}")


@pytest.mark.parametrize("count", [1, 3])
def test_the_limit_moves_the_bytes_and_changes_nothing(
    count: int, full: Callable[[str], ModuleType]
) -> None:
    """Every pass reads what it names, the last writes, and what is written is what was read."""
    from adamas.kernel.traffic import Pass

    rng = np.random.default_rng(0)
    arrays = [
        [(name, rng.normal(size=4096).astype(kind)) for name, kind in (("p", "f4"), ("m", "i1"))]
        for _ in range(count)
    ]
    before = [[x.copy() for _, x in each] for each in arrays]
    limit = full("passes").Limit(
        arrays, [Pass({"p", "m"}, set(), 5), Pass({"m"}, set(), 1), Pass({"p"}, {"p"}, 8)]
    )
    assert limit.moved == count * 4096 * (5 + 1 + 8)
    limit.step()
    for each, known in zip(arrays, before, strict=True):
        for (_, x), y in zip(each, known, strict=True):
            np.testing.assert_array_equal(x, y)
    # Each word that a pass only reads is in the sum that it leaves behind, which may wrap around.
    words = sum(
        int(x.view(np.int64).sum()) * times
        for each in arrays
        for (_, x), times in zip(each, (1, 2), strict=True)
    )
    if count > 1:
        assert (int(limit._found.sum()) - words) % 2**64 == 0


def test_the_limit_has_the_arrays_of_the_optimizer(full: Callable[[str], ModuleType]) -> None:
    """Its bytes are those that `adamas show` tells, where rows are whole blocks."""
    reductions = full("reductions")
    expected = {
        "AdamW": 28,
        "LAMB": 16 + 28,
        "LAMB int8": 8 + 2 + 2 / 128 + 16 + 4 / 128,
        "Adafactor": 4 + 8 + 12,
        "Adafactor of optax": 4 + 8 + 12,
        "Cautious AdamW": 8 + 28,
    }
    found = {name: sum(one.moved for one in e.passes) for name, e in reductions.ENTRIES.items()}
    assert found == expected
    sides = reductions.sided(reductions.ENTRIES["LAMB int8"], [np.ones((8, 1024), np.float32)])
    limit = sides[reductions.LIMIT].step.__self__
    assert limit.moved == 8 * 1024 * expected["LAMB int8"]


def test_the_sides_run_in_their_pairs(full: Callable[[str], ModuleType]) -> None:
    """Rule and limit step the same arrays, and the ratio to each peer of a case is there."""
    # timm is there without the torchvision that importing all of it would ask for.
    for package in ("pytorch_optimizer", "timm", "optax"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    reductions = full("reductions")
    for name, entry in reductions.ENTRIES.items():
        # The least that is kept in few bits.
        case = reductions.raced(name, entry, [(64, 64)] * 2, 1)
        assert [*case.ratios] == [
            f"{reductions.LIMIT} / {reductions.OURS}",
            *(f"{reductions.OURS} / {peer}" for peer in entry.peers),
        ]


def test_every_case_has_its_bar(full: Callable[[str], ModuleType]) -> None:
    """85 % of the limit is asked of each rule with sums, on one large matrix and on small ones."""
    reductions, bars = full("reductions"), full("bars")
    wanted = {
        reductions.share(f"{name}, {title}")
        for name in ("LAMB", "Adafactor", "Cautious AdamW")
        for title in ("64 Mi", "300 x 4,096")
    }
    assert set(bars.barred("reductions")) == wanted
    for what in wanted:
        bar = bars.bar("reductions", what)
        assert (bar.xeon, bar.zen, bar.at_least) == (0.85, 0.85, True)
