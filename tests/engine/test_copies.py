"""deepcopy and pickle: the copy has parameters and state of its own, and goes on bit for bit."""

import array
import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.schedule import cosine
from foreign import torch
from stepping import Array, named, snapshot


def values() -> dict[str, Array]:
    """A matrix, a Fortran-ordered one, one that is not dense, and a table."""
    rng = np.random.default_rng(0)
    return {
        "w": rng.normal(size=(64, 70)).astype(np.float32),
        "turned": np.asfortranarray(rng.normal(size=(5, 70))),
        "strided": rng.normal(size=40)[::2],
        "table": rng.normal(size=(9, 64)).astype(np.float32),
    }


def gradients(t: int) -> dict[str, Any]:
    """The gradients of step t, some rows of the table."""
    rng = np.random.default_rng([5, t])
    made: dict[str, Any] = {
        k: rng.normal(size=p.shape).astype(p.dtype) for k, p in values().items()
    }
    made["table"] = adamas.Rows([t % 9, 3], made["table"][:2])
    return made


KINDS: dict[str, Callable[[], adamas.Optimizer]] = {
    "adamw": lambda: adamas.AdamW(values(), lr=cosine(0.1, steps=9), ema=0.9, clip_norm=1.0),
    "few bits": lambda: adamas.NAdam(
        values(), state=adamas.careful("int8", small=64), rows="exact", seed=3
    ),
    "schedule free": lambda: adamas.ScheduleFreeAdamW(values(), maximize=True, threads=1),
}
WAYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_goes_on_bit_for_bit(kind: str, way: str) -> None:
    """The copy of a run ends as the run does, and neither moves the other."""
    optimizer = KINDS[kind]()
    for t in range(3):
        optimizer.step(gradients(t))
    other = WAYS[way](optimizer)
    assert type(other) is type(optimizer)
    before = snapshot(optimizer)
    assert snapshot(other) == before
    assert np.array_equal(other.grad_norm, optimizer.grad_norm, equal_nan=True)
    assert other.settings() == optimizer.settings()
    for t in range(3, 6):
        other.step(gradients(t))
    assert snapshot(optimizer) == before != snapshot(other)
    for t in range(3, 6):
        optimizer.step(gradients(t))
    for each in (optimizer, other):
        each.sync()
    assert snapshot(other) == snapshot(optimizer)
    assert repr(other) == repr(optimizer)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", [True, False])
def test_copied_together_they_stay_together(way: str, first: bool) -> None:
    """A copied optimizer updates the parameters that were copied with it, in either order."""
    params = values()
    optimizer = adamas.AdamW([{"params": params, "lr": 0.5}], state="int8")
    pair = (params, optimizer) if first else (optimizer, params)
    copied = WAYS[way](pair)
    theirs, other = copied if first else copied[::-1]
    grads = {name: np.ones_like(p) for name, p in params.items()}
    other.step([grads])
    assert all(theirs[k] is v for k, v in named(other).items())
    assert all(np.array_equal(v, values()[k]) for k, v in params.items())
    optimizer.step([grads])
    assert all(np.array_equal(v, params[k]) for k, v in theirs.items())


@pytest.mark.parametrize("params", [array.array("f", [1, 2]), torch.ones(2), [torch.ones(2)]])
def test_what_is_not_an_array_is_copied_too(params: Any) -> None:
    """Buffers and tensors are copied as what they are, and the copy updates the copied ones."""
    optimizer = adamas.SGD(params, lr=1.0)
    theirs, other = copy.deepcopy((params, optimizer))
    g = np.ones(2, np.float32)
    other.step([g] if isinstance(params, list) else g)
    one, two = (p[0] if isinstance(p, list) else p for p in (params, theirs))
    assert [float(x) for x in one] == [float(x) + 1 for x in two]


def test_what_cannot_be_copied_is_refused() -> None:
    """A memoryview says why it cannot be copied, and a shallow copy why there is none."""
    optimizer = adamas.SGD({"w": memoryview(array.array("f", [1, 2]))}, lr=1.0)
    for make in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="'w' is a memoryview, which Python cannot copy"):
            make(optimizer)
    with pytest.raises(TypeError, match=r"two optimizers on one state; use copy\.deepcopy"):
        copy.copy(optimizer)


def test_a_subclass_keeps_its_attributes() -> None:
    """What a subclass has added comes along."""
    optimizer = Tagged(np.ones(3), "first")
    optimizer.step(np.ones(3))
    for way in WAYS.values():
        other = way(optimizer)
        assert (type(other), other.tag, other.steps) == (Tagged, "first", 1)


class Tagged(adamas.AdamW):
    """An optimizer with a name, and a constructor of its own."""

    def __init__(self, params: Any, tag: str) -> None:
        self.tag = tag
        super().__init__(params, lr=0.5)


RULE = """
import adamas

@adamas.rule
def shrinking(p, g, *, lr=0.5):
    return p - lr * g{more}
"""


def test_a_rule_of_ones_own_is_pickled_by_name(tmp_path: Any) -> None:
    """A user's rule is found again by its name; if it computes something else now, that is said."""
    script = """
import pickle, sys
import numpy as np
from mine import shrinking
if len(sys.argv) == 1:
    optimizer = shrinking(np.zeros(2), lr=1.0)
    optimizer.step(np.ones(2))
    open("kept", "wb").write(pickle.dumps(optimizer))
else:
    optimizer = pickle.load(open("kept", "rb"))
    optimizer.step(np.ones(2))
    print(optimizer.steps, optimizer.param_groups[0]["params"][0].tolist())
"""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "import sys; sys.path.insert(0, '.')\n" + script, *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    (tmp_path / "mine.py").write_text(RULE.format(more=""))
    first = run()
    assert first.returncode == 0, first.stderr
    assert run("again").stdout.strip() == "2 [-2.0, -2.0]"
    (tmp_path / "mine.py").write_text(RULE.format(more=" * 2  # and no more"))
    assert "ValueError: the rule shrinking is not the formula that it was" in run("again").stderr
