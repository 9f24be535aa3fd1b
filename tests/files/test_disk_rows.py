"""Rows of tables on disk: what is known of single rows lies in the file, and costs what they do."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas.disk import disk, rooms
from adamas.engine import sparse, starts
from filled import same

Arrays = dict[str, np.ndarray[Any, Any]]
Run = tuple[Arrays, adamas.Optimizer]
MODEL, STATE, UNDO = "model.safetensors", "state.safetensors", "undo"
ROWS, WIDTH = 60, 64


@pytest.fixture(autouse=True)
def _many_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "WINDOW", 1 << 11)
    # Histories that end often, and rows that catch up in several parts.
    for name, number in (("HISTORY", 4), ("AT_ONCE", 7), ("LOOK", 16)):
        monkeypatch.setattr(sparse, name, number)
    monkeypatch.setattr(starts, "PIECE", 1 << 10)


def begin() -> Arrays:
    """A table and a vector before the first step."""
    rng = np.random.default_rng(0)
    shapes = {"table": (ROWS, WIDTH), "b": (5,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


# What sets something up at the first step of each row: an average of the parameter, differences.
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ema": (adamas.AdamW, {"ema": 0.75}),
    "ema in codes": (adamas.AdamW, {"ema": 0.75, "state": {"average": "int4"}, "threads": 2}),
    "adan": (adamas.Adan, {}),
    "exact": (adamas.AdamW, {"rows": "exact"}),
    "exact, in codes": (adamas.AdamW, {"rows": "exact", "state": "int8", "maximize": True}),
    "exact, first steps": (adamas.Adan, {"rows": "exact", "ema": 0.75}),
}


def made(kind: str, params: Arrays, **more: Any) -> adamas.Optimizer:
    """An optimizer in memory, or with `state_dir` on disk."""
    cls, options = KINDS[kind]
    optimizer: adamas.Optimizer = cls(params, lr=0.01, **options, **more)
    return optimizer


def on_disk(folder: Path, kind: str) -> Run:
    """Parameters and state in files of a folder, as they stand there."""
    if not (folder / MODEL).exists():
        adamas.save(folder / MODEL, adamas.SGD(np.zeros(1)), begin())
    params = adamas.open_params(folder / MODEL)
    return params, made(kind, params, state_dir=folder / "run")


def gradients(rng: np.random.Generator, rows: Any) -> dict[str, Any]:
    """Those of a step: of these rows, of all of them for None."""
    values = rng.normal(size=(ROWS if rows is None else len(rows), WIDTH)).astype(np.float32)
    table = values if rows is None else adamas.Rows(rows, values)
    return {"table": table, "b": rng.normal(size=5).astype(np.float32)}


def alike(one: Run, other: Run) -> bool:
    """Whether state and parameters are the same to the last bit."""
    states = same(one[1].state_dict(), other[1].state_dict())
    return states and all(np.array_equal(p, other[0][name]) for name, p in one[0].items())


def both(one: Run, other: Run, call: Callable[[adamas.Optimizer], object]) -> None:
    """Do the same with two optimizers; nothing here holds one of them afterwards."""
    for _, optimizer in (one, other):
        call(optimizer)


# Rows, a dense gradient, none for the table, rows brought up to date, a directory opened anew.
OTHERS = ["dense", "none", "sync", "sync some", "again"]
named_rows = st.lists(st.integers(0, ROWS - 1), max_size=9)
EVENTS = st.lists(named_rows | st.sampled_from(OTHERS), min_size=1, max_size=8)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(events=EVENTS, seed=st.integers(0, 9))
def test_the_same_bits_as_in_memory(
    kind: str, events: list[Any], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rows that begin or wait at different steps end as in memory, opened anew or not."""
    folder = tmp_path_factory.mktemp("rows")
    params = begin()
    alone, other = (params, made(kind, params)), on_disk(folder, kind)
    rng = np.random.default_rng(seed)
    for event in events:
        if event == "again":
            del other
            other = on_disk(folder, kind)
        if event in ("sync", "sync some"):
            rows = {"table": [2, 3, 30]} if event == "sync some" else None
            both(alone, other, lambda optimizer, given=rows: optimizer.sync(given))
        if event in OTHERS[2:]:
            continue
        grads = gradients(rng, None if isinstance(event, str) else event)
        if event == "none":
            grads["table"] = None
        both(alone, other, lambda optimizer, given=grads: optimizer.step(given))
    assert alike(alone, other)
    assert not (folder / "run" / UNDO).stat().st_size


def test_a_half_seen_table_goes_from_file_to_memory_and_back(tmp_path: Path) -> None:
    """The state file says which rows were stepped, to any optimizer; a directory takes it over."""
    rng = np.random.default_rng(1)
    mapped, optimizer = on_disk(tmp_path, "ema")
    for rows in ([3, 5], [5, 7]):
        optimizer.step(gradients(rng, rows))
    params = {name: p.copy() for name, p in mapped.items()}
    alone = params, made("ema", params)
    alone[1].load(tmp_path / "run" / STATE)
    assert alone[1].state["table"]["stepped"].nonzero()[0].tolist() == [3, 5, 7]
    there = {name: p.copy() for name, p in params.items()}
    third = there, made("ema", there, state_dir=tmp_path / "third")
    third[1].step(gradients(rng, [1]))
    third[1].load(tmp_path / "run" / STATE)
    for name, p in params.items():
        there[name][...] = p
    grads = gradients(rng, [7, 9])
    for one in ((mapped, optimizer), alone, third):
        one[1].step(grads)
    assert alike(alone, (mapped, optimizer)) and alike(alone, third)


def test_a_table_that_is_whole_says_nothing_of_rows(tmp_path: Path) -> None:
    """When the last row was stepped, or a dense step was done, the file is as any other."""
    rng = np.random.default_rng(2)
    _, optimizer = on_disk(tmp_path, "ema")
    optimizer.step(gradients(rng, np.arange(0, ROWS, 2)))
    assert "stepped" in adamas.open_file(tmp_path / "run" / STATE).state()["state"]["table"]
    optimizer.step(gradients(rng, np.arange(1, ROWS, 2)))
    assert "stepped" not in adamas.open_file(tmp_path / "run" / STATE).state()["state"]["table"]
    assert "stepped" not in optimizer.state["table"]


@pytest.mark.parametrize("kind", ["ema in codes", "exact, in codes"])
def test_rows_cost_what_they_are(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a table is, a step reads and writes its rows, what is noted of them, no more."""
    counts = []
    for rows in (1_000, 20_000):
        table: Arrays = {"table": np.ones((rows, WIDTH), np.float32)}
        adamas.save(tmp_path / f"{rows}", adamas.SGD(np.zeros(1)), table)
        params = adamas.open_params(tmp_path / f"{rows}")
        optimizer = made(kind, params, state_dir=tmp_path / f"{rows}.run")
        moved = dict.fromkeys(("preadv", "pwrite"), 0)
        with monkeypatch.context() as patch:
            for call in moved:
                patch.setattr(os, call, counting(call, moved))
            for first in (5, 6, 5):
                optimizer.step({"table": adamas.Rows(np.arange(first, 900, 90), np.ones((10, 64)))})
        counts.append(moved)
    assert counts[0]["preadv"] == counts[1]["preadv"]
    # The list of files that begins an undo file has their names and sizes.
    assert abs(counts[0]["pwrite"] - counts[1]["pwrite"]) < 50


def counting(call: str, moved: dict[str, int]) -> Any:
    """The function of `os`, which adds up how many bytes it has moved."""
    real = getattr(os, call)

    def count(*given: Any) -> Any:
        found = real(*given)
        moved[call] += found
        return found

    return count


@pytest.mark.parametrize("kind", ["ema", "exact"])
@pytest.mark.parametrize("call", ["pwrite", "preadv", "ftruncate"])
def test_an_undone_step_forgets_its_rows(
    call: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the disk fails, what was noted of rows is as before, and the step is done anew."""
    rng, params = np.random.default_rng(3), begin()
    alone, other = (params, made(kind, params)), on_disk(tmp_path, kind)
    for rows in ([3, 5], [5, 9, 20], [3, 9], None):
        grads, at = gradients(rng, rows), 0
        while True:
            before = (tmp_path / "run" / STATE).read_bytes()
            with monkeypatch.context() as patch:
                patch.setattr(os, call, failing(call, at))
                if done(other[1], grads):
                    break
            # Exact rows that have caught up before the step are sound as they are.
            assert kind == "exact" or (tmp_path / "run" / STATE).read_bytes() == before
            at += 1 + at // 4
        assert at
        alone[1].step(grads)
    assert alike(alone, other)


def test_a_history_that_was_left_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process left in the middle of catching up is put back, and caught up anew."""
    rng, params = np.random.default_rng(8), begin()
    alone, other = (params, made("exact", params)), on_disk(tmp_path, "exact")
    for rows in ([3, 5], [5, 9, 20], [1]):
        grads = gradients(rng, rows)
        for one in (alone, other):
            one[1].step(grads)
    with monkeypatch.context() as patch:
        patch.setattr(disk.Disk, "_put_back", lambda self: None)
        patch.setattr(os, "pwrite", failing("pwrite", 60))
        with pytest.raises(OSError, match="nothing was changed but for rows"):
            other[1].sync()
    assert other[1]._disk
    other[1]._disk.close()
    assert (tmp_path / "run" / UNDO).stat().st_size
    del other
    assert alike(alone, on_disk(tmp_path, "exact"))


def test_rows_that_wait_are_told(tmp_path: Path) -> None:
    """A file in which rows wait is refused with the cure, and after sync() it is as any other."""
    _, optimizer = on_disk(tmp_path, "exact")
    optimizer.step(gradients(np.random.default_rng(9), [3, 5]))
    place = tmp_path / "run" / STATE
    other = made("exact", begin())
    for strict in (True, False):
        with pytest.raises(ValueError, match=r"some rows of 'table' wait .* sync\(\)") as error:
            other.load(place, strict=strict)
        assert "\n" not in str(error.value) and STATE in str(error.value)
    optimizer.sync()
    other.load(place)
    assert other.steps == 1 and same(other.state_dict(), optimizer.state_dict())


@pytest.mark.parametrize("said", [b'"base":5', b'"bass":0', b'"base":-'])
def test_what_is_said_of_waiting_rows_is_held_to_its_bounds(said: bytes, tmp_path: Path) -> None:
    """A history that cannot be is a ValueError that names the file, and changes no byte."""
    on_disk(tmp_path, "exact")[1].step(gradients(np.random.default_rng(10), [3, 5]))
    place = tmp_path / "run" / STATE
    before = place.read_bytes()
    changed = before.replace(b'\\"base\\":0', said.replace(b'"', b'\\"'))
    assert changed != before and len(changed) == len(before)
    place.write_bytes(changed)
    with pytest.raises(ValueError, match=STATE) as error:
        on_disk(tmp_path, "exact")
    assert "\n" not in str(error.value) and place.read_bytes() == changed
    place.write_bytes(before)
    assert on_disk(tmp_path, "exact")[1].steps == 1


def test_a_directory_is_of_exact_rows_or_of_lazy_ones(tmp_path: Path) -> None:
    """What a directory was made with is told where the other is asked for."""
    on_disk(tmp_path, "exact")
    with pytest.raises(ValueError, match="otherwise: it was made with rows='exact'"):
        adamas.AdamW(begin(), state_dir=tmp_path / "run")
    adamas.AdamW(begin(), state_dir=tmp_path / "lazy")
    with pytest.raises(ValueError, match="otherwise: it was made with rows='lazy'"):
        made("exact", begin(), state_dir=tmp_path / "lazy")


def failing(call: str, at: int) -> Any:
    """The function of `os`, whose call number `at`, counted from 0, fails."""
    real, calls = getattr(os, call), iter(range(1 << 30))

    def fail(*given: Any) -> Any:
        if next(calls) == at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*given)

    return fail


def done(optimizer: adamas.Optimizer, grads: dict[str, Any]) -> bool:
    """Whether a step was done, and the disk did not fail."""
    try:
        return optimizer.step(grads)
    except OSError as error:
        return error.filename is None


def test_a_directory_without_room_for_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of an earlier adamas opens and takes dense gradients; Rows are refused with the cure."""
    with monkeypatch.context() as patch:
        patch.setattr(rooms, "_takes_rows", lambda part, index: False)
        on_disk(tmp_path, "ema")[1].step(gradients(np.random.default_rng(4), None))
    optimizer = on_disk(tmp_path, "ema")[1]
    optimizer.step(gradients(np.random.default_rng(5), None))
    with pytest.raises(ValueError, match=r"'table': .* load its file into a new directory"):
        optimizer.step(gradients(np.random.default_rng(6), [1]))
    half = {"table": np.ones((ROWS, WIDTH), np.float32), "b": np.ones(5, np.float32)}
    other = made("ema", half)
    other.step(gradients(np.random.default_rng(7), [1]))
    with pytest.raises(ValueError, match=r"'table': .* load its file into a new directory"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.steps == 2
