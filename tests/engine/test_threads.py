"""Threads change no bit, and optimizers in several of them do not disturb each other."""

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas.engine import phases, threads, turn
from adamas.engine.stepper import Stepper
from family import ELEMENTWISE
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


@pytest.mark.parametrize("rule", ELEMENTWISE)
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
        patch.setattr(phases, "PARALLEL", 0)
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
        raise RuntimeError("can't create new thread at interpreter shutdown")

    alone = trained("adamw", 1)
    monkeypatch.setattr(threads, "_helpers", [])
    monkeypatch.setattr(threads, "_shares", SimpleQueue())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert trained("adamw", 3) == alone


def test_a_busy_pool_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares that no helper comes to are called off, and are not done later either."""
    shares: SimpleQueue[Any] = SimpleQueue()
    done: list[str] = []
    monkeypatch.setattr(threads, "_staff", lambda count: shares)
    threads.unbroken([partial(done.append, "work")], 3, [partial(done.append, "after")])
    assert done == ["work", "after"]
    assert (shares.get(), shares.get()) == ([], [])


def test_an_error_of_the_work_is_raised() -> None:
    """What fails is raised to the caller, and nothing that should follow is done."""
    done: list[str] = []
    with pytest.raises(IndexError):
        threads.unbroken([[].pop], 1, [partial(done.append, "after")])
    assert not done


def stepped_by(count: int, optimizer: adamas.Optimizer) -> tuple[int, int]:
    """Steps done by `count` threads at once, and calls that were refused."""
    refused: list[str] = []
    done: list[bool] = []

    def job() -> None:
        g = np.ones(LONG, np.float32)
        for _ in range(20):
            try:
                done.append(optimizer.step(g))
            except RuntimeError as error:
                refused.append(str(error))

    with ThreadPoolExecutor(count) as pool:
        for one in [pool.submit(job) for _ in range(count)]:
            one.result()
    assert all("another thread is inside a call of this optimizer" in one for one in refused)
    return len(done), len(refused)


@pytest.mark.parametrize("count", [1, 2])
def test_one_optimizer_in_four_threads(count: int) -> None:
    """Steps of one optimizer that would meet are refused; those that are done are counted right."""
    w = np.zeros(LONG, np.float32)
    optimizer = adamas.SGD(w, lr=1.0, threads=count)
    done, refused = stepped_by(4, optimizer)
    assert done + refused == 80
    assert optimizer.steps == done
    # Every step subtracts one.
    assert np.all(w == -done)


CALLS: dict[str, Callable[[adamas.Optimizer], object]] = {
    "step": lambda o: o.step(np.ones(2)),
    "sync": lambda o: o.sync(),
    "load_state_dict": lambda o: o.load_state_dict(o.state_dict()),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_inside_a_step(call: str) -> None:
    """A schedule that calls its own optimizer is told so, and the step can be done again."""
    inside = [True]

    def schedule(t: int) -> float:
        if t > 1 and inside:
            CALLS[call](optimizer)
        return 1.0

    w = np.zeros(2)
    optimizer = adamas.SGD(w, lr=schedule)
    optimizer.step(np.ones(2))
    with pytest.raises(RuntimeError, match="called from inside its own call"):
        optimizer.step(np.ones(2))
    assert (optimizer.steps, w.tolist()) == (1, [-1, -1])
    inside.clear()
    optimizer.step(np.ones(2))
    assert (optimizer.steps, w.tolist()) == (2, [-2, -2])


def test_a_checkpoint_inside_a_step() -> None:
    """A signal handler may save the state while a step is under way: it is that before or after."""
    saved: list[dict[str, Any]] = []

    def schedule(t: int) -> float:
        if t > 1:
            saved.append(optimizer.state_dict())
        return 1.0

    optimizer = adamas.Momentum(np.zeros(2), lr=schedule)
    optimizer.step(np.ones(2))
    before = optimizer.state_dict()
    optimizer.step(np.ones(2))
    assert saved[0]["steps"] == 1
    assert saved[0]["state"][0]["m"].tolist() == before["state"][0]["m"].tolist() == [1, 1]


def test_looking_at_the_state_never_writes_into_a_step() -> None:
    """A thread that reads `state` while another is inside `step` changes nothing."""
    inside, looked = threading.Event(), threading.Event()

    def schedule(t: int) -> float:
        if threading.current_thread().name == "stepper":
            inside.set()
            assert looked.wait(60)
        return 1.0

    optimizer = adamas.ScheduleFreeAdamW(np.full(4, 5.0), lr=schedule)
    raw = optimizer._stepper.store.arrays[0]["z"]
    assert optimizer.state[0]["z"].tolist() == [5.0] * 4
    stepper = threading.Thread(target=optimizer.step, args=(np.ones(4),), name="stepper")
    stepper.start()
    assert inside.wait(60)
    raw[...] = 7.0
    assert optimizer.state[0]["z"].tolist() == [7.0] * 4
    looked.set()
    stepper.join()
    assert optimizer.steps == 1
    # The first step of Adam goes lr from the parameter, whatever the state held.
    np.testing.assert_allclose(raw, 4.0, rtol=1e-7)


def test_a_step_waits_for_who_only_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that comes while another thread reads `state` is done after it, and not refused."""
    optimizer = adamas.ScheduleFreeAdamW(np.full(4, 5.0), lr=1.0)
    show, inside, waited = optimizer._stepper.store.show_all, threading.Event(), threading.Event()

    def slow() -> None:
        inside.set()
        assert waited.wait(60)
        show()

    def wait(_: float) -> None:
        waited.set()
        looker.join()

    monkeypatch.setattr(optimizer._stepper.store, "show_all", slow)
    monkeypatch.setattr(turn, "sleep", wait)
    looker = threading.Thread(target=lambda: optimizer.state)
    looker.start()
    assert inside.wait(60)
    optimizer.step(np.ones(4))
    monkeypatch.undo()
    np.testing.assert_allclose(optimizer.state[0]["z"], 4.0, rtol=1e-7)


@pytest.mark.parametrize("call", ["step", "sync"])
def test_an_error_of_a_tracer_leaves_the_optimizer_free(call: str) -> None:
    """A debugger or tracer may raise at any line of a call: the next call is heard all the same."""
    calls: dict[str, Callable[[], object]] = {
        "step": lambda: optimizer.step(np.ones(2)),
        "sync": lambda: optimizer.sync(),
    }
    optimizer = adamas.SGD(np.zeros(2), lr=1.0)
    files = {turn.__file__: "only", Stepper.step.__code__.co_filename: "step"}

    def tracer(frame: Any, event: str, _: Any) -> Any:
        if files.get(frame.f_code.co_filename) != frame.f_code.co_name:
            return None
        if event == "line" and frame.f_locals["self"]._turn.owner:
            raise KeyboardInterrupt
        return tracer

    before = sys.gettrace()
    try:
        sys.settrace(tracer)
        with pytest.raises(KeyboardInterrupt):
            calls[call]()
    finally:
        sys.settrace(before)
    calls[call]()


def test_python_s_locks_are_found_without_a_library_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no library without a name, so none is asked for to wait for helpers."""

    def refuse(*_: Any, **__: Any) -> None:
        raise TypeError("argument of type 'NoneType' is not iterable")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    again: dict[str, Any] = {"__name__": "again"}
    exec(Path(threads.__file__).read_text(), again)
    done: list[str] = []
    again["unbroken"]([partial(done.append, "work")], 3)
    assert "work" in done
