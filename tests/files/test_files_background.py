"""A file that is written beside training is of its moment, and its errors reach somebody."""

import errno
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import adamas
import adamas.torch
from adamas.files import atomic
from adamas.files.naming import generation
from filled import filled, same

NAME = "run.safetensors"


@pytest.fixture(params=["adamas", "torch"])
def made(request: pytest.FixtureRequest) -> Any:
    """An optimizer of each home with a state, and its parameters by name."""
    if request.param == "adamas":
        w = np.ones((50, 100), np.float32)
        arrays = adamas.AdamW({"w": w}, state="int8")
        step(arrays, {"w": w})
        return arrays, {"w": w}
    p = torch.nn.Parameter(torch.ones(50, 100))
    optimizer = adamas.torch.AdamW([("w", p)], state="int8")
    step(optimizer, {"w": p.detach()})
    return optimizer, {"w": p.detach()}


def step(optimizer: Any, params: Any) -> None:
    """One more step."""
    if isinstance(optimizer, torch.optim.Optimizer):
        optimizer.param_groups[0]["params"][0].grad = params["w"] * 0 + 0.5
        optimizer.step()
    else:
        optimizer.step({"w": params["w"] * 0 + 0.5})


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Writing waits until this is set."""
    may, real = threading.Event(), atomic.write

    def write(*given: Any) -> None:
        assert may.wait(60)
        real(*given)

    monkeypatch.setattr(atomic, "write", write)
    yield may
    may.set()


def test_the_file_is_of_the_moment(made: Any, held: threading.Event, tmp_path: Path) -> None:
    """Steps that follow change nothing in a file that is still being written."""
    optimizer, params = made
    held.set()
    optimizer.save(tmp_path / "at once", params, {"epoch": 1})
    held.clear()
    saving = optimizer.save(tmp_path / NAME, params, {"epoch": 1}, background=True)
    assert not saving.done and not (tmp_path / NAME).exists()
    with pytest.raises(TimeoutError, match="not saved"):
        saving.wait(0.01)
    step(optimizer, params)
    held.set()
    saving.wait()
    assert saving.done and "done" in repr(saving)
    assert (tmp_path / NAME).read_bytes() == (tmp_path / "at once").read_bytes()


def test_one_after_the_other(made: Any, tmp_path: Path) -> None:
    """A save waits for the one before, whatever its kind; a load waits for its own file."""
    optimizer, params = made
    for _ in range(3):
        step(optimizer, params)
        optimizer.save(tmp_path / NAME, params, keep=3, background=True)
    optimizer.save(tmp_path / "other", params)
    assert adamas.open_file(tmp_path / NAME).steps == adamas.open_file(tmp_path / "other").steps
    steps = [adamas.open_file(generation(str(tmp_path / NAME), k)).steps for k in range(3)]
    assert steps[0] == steps[1] + 1 == steps[2] + 2
    optimizer.save(tmp_path / "last", params, background=True)
    assert optimizer.load(tmp_path / "last").steps == steps[0]


@pytest.mark.parametrize("how", ["wait", "save", "background", "load"])
def test_errors_are_raised_once(
    how: str, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What writing raised comes out where somebody waits, once, and the last good file stays."""
    optimizer, params = made
    optimizer.save(tmp_path / NAME, params)
    before = (tmp_path / NAME).read_bytes()
    step(optimizer, params)
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(full))
        saving = optimizer.save(tmp_path / NAME, params, background=True)
        while not saving.done:
            pass
    calls: dict[str, Any] = {
        "wait": saving.wait,
        "save": lambda: optimizer.save(tmp_path / "other", params),
        "background": lambda: optimizer.save(tmp_path / "other", params, background=True),
        "load": lambda: adamas.open_file(tmp_path / NAME),
    }
    with pytest.raises(OSError, match="No space left") as error:
        calls[how]()
    assert error.value.filename == str(tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == before and os.listdir(tmp_path) == [NAME]
    saving.wait()
    assert "failed" in repr(saving)
    optimizer.save(tmp_path / NAME, params, background=True).wait()
    assert (tmp_path / NAME).read_bytes() != before


def test_one_copy_of_memory(tmp_path: Path) -> None:
    """Copying takes the memory of the file, and gives it back when the file is there."""
    w = np.ones((1 << 22,), np.float32)
    optimizer = filled(adamas.AdamW({"w": w}))
    tracemalloc.start()
    saving = optimizer.save(tmp_path / NAME, {"w": w}, background=True)
    saving.wait()
    left, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = (tmp_path / NAME).stat().st_size
    assert size > 3 * w.nbytes and most < size + (1 << 20) and left < 1 << 20


PROGRAM = """
import os, sys, time
import numpy as np
import adamas
from adamas.files import atomic
way, place = sys.argv[1:]
w = np.ones(1000, np.float32)
optimizer = adamas.AdamW({"w": w})
real = atomic.write
def slowly(*given):
    time.sleep(0.3)
    if way == "full":
        raise OSError(28, "No space left on device", place)
    real(*given)
atomic.write = slowly
saving = optimizer.save(place, {"w": w}, background=True)
if way == "fork":
    child = os.fork()
    if child == 0:
        try:
            saving.wait()
        except RuntimeError as error:
            optimizer.save(place + ".child", {"w": w}, background=True).wait()
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert adamas.open_file(place + ".child").parameters
if way == "error":
    raise SystemExit("stopped")
"""


@pytest.mark.parametrize("way", ["end", "error", "full", "fork"])
def test_the_end_of_the_program(way: str, tmp_path: Path) -> None:
    """A process that ends waits for its file, and says if it failed; a child saves for itself."""
    place = tmp_path / NAME
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way, str(place)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if way == "error" else 0), done.stderr
    if way == "full":
        assert "was not saved" in done.stderr and str(place) in done.stderr
        assert not place.exists()
    else:
        assert adamas.open_file(place).parameters == {"w": (1000,)}


def test_another_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is the one of the call, wherever the process goes meanwhile."""
    (tmp_path / "a").mkdir()
    optimizer = filled(adamas.AdamW({"w": np.ones(10)}))
    monkeypatch.chdir(tmp_path / "a")
    saving = optimizer.save(NAME, background=True)
    os.chdir(tmp_path)
    saving.wait()
    other = adamas.AdamW({"w": np.ones(10)})
    other.load(tmp_path / "a" / NAME)
    assert same(other.state_dict(), optimizer.state_dict())


def test_what_no_file_holds_is_refused_at_once(tmp_path: Path) -> None:
    """Wrong arguments are raised where they are given, not later."""
    optimizer = adamas.AdamW({"w": np.ones(10)})
    with pytest.raises(TypeError):
        optimizer.save(tmp_path / NAME, extra={"a": object()}, background=True)
    with pytest.raises(ValueError, match="background"):
        optimizer.save(tmp_path / NAME, background=1)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []
