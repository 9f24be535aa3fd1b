"""Threads change no bit, and optimizers in several of them do not disturb each other."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.engine import run, threads
from stepping import Array, make, snapshot

# A dozen slices: the smallest slice has 16,384 elements.
LONG = 200_001
STEPS = 3


def arrays(seed: int, kind: Any = np.float32) -> dict[str, Array]:
    """A long array, a strided, a transposed, a tiny and an empty one, of both dtypes."""
    rng = np.random.default_rng(seed)
    return {
        "long": rng.normal(size=LONG).astype(kind),
        "strided": rng.normal(size=2 * LONG // 3)[::2],
        "turned": rng.normal(size=(33, 1000)).T,
        "tiny": rng.normal(size=3).astype(kind),
        "empty": np.zeros((0, 4), kind),
    }


def trained(rule: str, count: int, sparse: bool = False, **options: Any) -> dict[str, Any]:
    """What a run on `count` threads ends with."""
    optimizer = make(rule, arrays(0), threads=count, **options)
    norms = []
    for t in range(STEPS):
        grads: dict[str, Any] = arrays(t + 1)
        if sparse and t != 1:
            grads["turned"] = None
            grads["long"] = adamas.Rows(np.arange(t, 40_000, 2), grads["long"][: 20_000 - t // 2])
        if t == 2 and options.get("on_nonfinite") == "skip":
            grads["turned"][-1, -1] = np.inf
        optimizer.step(grads)
        norms.append(optimizer.grad_norm)
    optimizer.sync()
    return {**snapshot(optimizer), "norms": str(norms)}


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped": {"clip_norm": 0.5},
    "allowed": {"on_nonfinite": "allow"},
    "skipped": {"on_nonfinite": "skip"},
    "averaged": {"ema": 0.9},
    "zeroed": {"zero_grads": True, "maximize": True},
    "wide state": {"state": {"v": "float64"}},
    "lazy rows": {"sparse": True},
    "exact rows": {"sparse": True, "rows": "exact", "weight_decay": 0.1, "clip_norm": 1.0},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_any_number_of_threads(option: str) -> None:
    """Parameters, state and norm have the same bits on one, two and three threads."""
    alone = trained("adamw", 1, **OPTIONS[option])
    assert trained("adamw", 2, **OPTIONS[option]) == alone
    assert trained("adamw", 3, **OPTIONS[option]) == alone
    assert any(thread.name.startswith("adamas") for thread in threading.enumerate())


@pytest.mark.parametrize("rule", rules.__all__)
def test_every_rule_on_threads(rule: str) -> None:
    """No rule's bits depend on the number of threads."""
    assert trained(rule, 3, clip_norm=100.0) == trained(rule, 1, clip_norm=100.0)


@settings(max_examples=20)
@given(
    sizes=st.lists(st.integers(0, 40_000), min_size=1, max_size=6),
    count=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_any_split(sizes: list[int], count: int, seed: int) -> None:
    """Many arrays on many threads have the bits of their concatenation on one."""
    rng = np.random.default_rng(seed)
    whole = rng.normal(size=sum(sizes)).astype(np.float32)
    ends = np.cumsum(sizes)[:-1]
    parts = [part.copy() for part in np.split(whole, ends)]
    one = adamas.RAdam(whole, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "PARALLEL", 0)
        many = adamas.RAdam(parts, threads=count)
        for _ in range(2):
            g = rng.normal(size=whole.size).astype(np.float32)
            one.step(g)
            many.step(np.split(g, ends))
    assert b"".join(p.tobytes() for p in parts) == whole.tobytes()


def test_concurrent_optimizers() -> None:
    """Optimizers stepped at the same time in different threads do not disturb each other."""

    def job(k: int) -> dict[str, Any]:
        optimizer = make(("adamw", "nadam", "lion")[k % 3], arrays(k), threads=2, clip_norm=1.0)
        for t in range(STEPS):
            optimizer.step(arrays(100 * k + t))
        return snapshot(optimizer)

    one_by_one = [job(k) for k in range(6)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(job, range(6))) == one_by_one


def test_no_new_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as while Python shuts down, a step is done by the caller."""

    def refuse(*_: Any) -> None:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    alone = trained("adamw", 1)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert trained("adamw", 3) == alone


def unbroken_with(interrupts: set[str], count: int) -> list[str]:
    """What `unbroken` does, in order, if the named actions are interrupted once each."""
    done: list[str] = []

    def action(name: str) -> Callable[[], None]:
        def act() -> None:
            if name in interrupts:
                interrupts.discard(name)
                raise KeyboardInterrupt(name)
            done.append(name)

        return act

    threads.unbroken(action("work"), count, [action("first"), action("second")])
    return done


@pytest.mark.parametrize("where", [{"work"}, {"first"}, {"second"}, {"work", "first", "second"}])
def test_an_interrupt_is_raised_when_all_is_done(where: set[str]) -> None:
    """An exception from a signal handler comes out after the last action, and comes out once."""
    with pytest.raises(KeyboardInterrupt) as raised:
        unbroken_with(set(where), 1)
    assert str(raised.value) == min(where, key=["work", "first", "second"].index)
    assert unbroken_with(set(), 1) == ["work", "first", "second"]


def test_an_error_that_stays_is_raised() -> None:
    """What fails every time is not tried for ever."""

    def fail() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        threads.unbroken(fail, 1)
