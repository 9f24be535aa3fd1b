"""A state in a directory, and what may go wrong: the last whole step is there, and says so."""

import errno
import gc
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.disk import disk
from filled import same
from long_form import LONG
from places import HELPERS

MODEL, STATE, UNDO = "model.safetensors", "state.safetensors", "undo"
SHAPE = (300, 128)


@pytest.fixture(autouse=True)
def _many_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "WINDOW", 1 << 14)


def made(folder: Path | None = None) -> adamas.Optimizer:
    """An optimizer in memory, or one whose parameter and state are files of a folder."""
    params: dict[Any, Any] = {"w": np.ones(SHAPE, np.float32)}
    if folder is None:
        return adamas.AdamW(params, state="int8", lr=0.01)
    if not (folder / MODEL).exists():
        adamas.save(folder / MODEL, adamas.SGD(np.zeros(1)), params)
    return adamas.AdamW(
        adamas.open_params(folder / MODEL), state="int8", lr=0.01, state_dir=folder / "run"
    )


def step(optimizer: adamas.Optimizer) -> None:
    """The next step; its gradient depends on its number alone."""
    rng = np.random.default_rng(optimizer.steps)
    optimizer.step({"w": rng.normal(size=SHAPE).astype(np.float32)})


def alike(one: adamas.Optimizer, other: adamas.Optimizer) -> bool:
    """Whether parameters and state are the same to the last bit."""
    (p,), (q,) = one.param_groups[0]["params"], other.param_groups[0]["params"]
    return same(one.state_dict(), other.state_dict()) and np.array_equal(p, q)


def test_a_directory_and_its_model_move(tmp_path: Path) -> None:
    """Where parameters lie is not kept: moved, or put back from a backup, both go on together."""
    first, second, backup = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    first.mkdir()
    whole = made()
    for _ in range(2):
        step(whole)
    optimizer = made(first)
    step(optimizer)
    del optimizer
    # As from one disk to another.
    for place in (second, backup):
        shutil.copytree(first, place)
    shutil.rmtree(first)
    for place in (second, backup):
        optimizer = made(place)
        step(optimizer)
        assert alike(optimizer, whole)


def files(folder: Path) -> dict[str, bytes]:
    """What is in the files of a run."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def failing(call: str, at: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the call number `at` of a function of `os` fail, counted from 0; -1 for all."""
    real, calls = getattr(os, call), [0]

    def fail(*given: Any) -> Any:
        calls[0] += 1
        if at in (-1, calls[0] - 1):
            raise error
        return real(*given)

    monkeypatch.setattr(os, call, fail)
    return calls


@pytest.mark.parametrize("rows", ["lazy", "exact"])
def test_killed_at_any_moment(rows: str, tmp_path: Path) -> None:
    """A run that is killed inside a step stands at a whole one, and goes on bit for bit."""
    kills = 1000 if LONG else 10
    done = subprocess.run(
        [sys.executable, str(HELPERS / "killed_disk.py"), str(tmp_path), str(kills), rows],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "nothing lost" in done.stdout


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_fails_at_once(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room for the state is an error when it is made, with path and bytes; nothing is left."""
    place = tmp_path / "far" / "run"
    if there:
        place.mkdir(parents=True)
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    params = {"w": np.ones(SHAPE, np.float32)}
    with monkeypatch.context() as patch:
        failing("posix_fallocate", 0, error, patch)
        with pytest.raises(OSError, match=r"takes [\d,]+ bytes, and [\d,]+ are free") as caught:
            adamas.AdamW(params, state="int8", state_dir=place)
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(place / STATE)
    assert place.parent.exists() == place.exists() == there and not (there and os.listdir(place))
    assert made(tmp_path).steps == 0


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite", "preadv", "ftruncate"])
def test_a_failing_disk_leaves_the_last_step(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the disk fails inside a step, all is as before it, and the next one goes on."""
    optimizer, alone = made(tmp_path), made()
    for one in (optimizer, alone):
        step(one)
    with monkeypatch.context() as patch:
        calls = failing(call, -2, OSError(), patch)
        for one in (optimizer, alone):
            step(one)
        count = calls[0]
    assert count
    for at in {0, 1, 2, count // 3, count // 2, count - 2, count - 1} & set(range(count)):
        before = files(tmp_path)
        error = OSError(errno.EIO, os.strerror(errno.EIO))
        with monkeypatch.context() as patch:
            failing(call, at, error, patch)
            with pytest.raises(OSError, match=r"[\d,]+ bytes") as caught:
                step(optimizer)
        assert caught.value.errno == errno.EIO and caught.value.filename.endswith(UNDO)
        assert optimizer.steps == alone.steps and files(tmp_path) == before
    for one in (optimizer, alone):
        step(one)
    assert alike(optimizer, alone)


def interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a folder as a process does that dies inside its third step."""
    optimizer = made(folder)
    step(optimizer)
    step(optimizer)
    with monkeypatch.context() as patch:
        patch.setattr(disk.Disk, "_put_back", lambda self: None)
        failing("pwrite", 40, OSError(errno.EIO, ""), patch)
        with pytest.raises(OSError, match="bytes"):
            step(optimizer)
    assert optimizer._disk
    optimizer._disk.close()
    assert (folder / "run" / UNDO).stat().st_size


def test_what_was_begun_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with an unfinished step stands at the step before; so do the parameters."""
    interrupted(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match="in the middle of a step"):
        made().load(tmp_path / "run" / STATE)
    optimizer, alone = made(tmp_path), made()
    for _ in range(2):
        step(alone)
    assert optimizer.steps == 2 and alike(optimizer, alone)


def breaking(call: str, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with an error that is new each time, and kept by nobody here."""
    real, calls = getattr(os, call), [0]

    def fail(*given: Any) -> Any:
        calls[0] += 1
        if calls[0] > at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*given)

    monkeypatch.setattr(os, call, fail)


@pytest.mark.parametrize("call", ["pwrite", "preadv"])
def test_a_failed_step_keeps_nothing(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a step that failed `del` lets go of the directory, before any garbage is collected."""
    gc.collect()
    gc.disable()
    try:
        for at in range(0, 24, 3):
            optimizer = made(tmp_path)
            held = weakref.ref(optimizer._disk)
            with monkeypatch.context() as patch:
                breaking(call, at, patch)
                with suppress(OSError):
                    step(optimizer)
            del optimizer
            assert held() is None, at
        assert made(tmp_path).steps < 8
    finally:
        gc.enable()


def test_a_disk_that_cannot_put_back_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If what was written down cannot be put back now, no step is done before it was."""
    optimizer, alone = made(tmp_path), made()
    for one in (optimizer, alone):
        step(one)
    with monkeypatch.context() as patch:
        failing("preadv", -1, OSError(errno.EIO, ""), patch)
        with pytest.raises(OSError, match="bytes"):
            step(optimizer)
    with pytest.raises(OSError, match="make the optimizer again"):
        step(optimizer)
    assert alike(made(tmp_path), alone)


def test_what_lies_in_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that the disk ends half-way names a parameter that is not in a file."""
    params = {"w": np.ones(SHAPE, np.float32)}
    optimizer = adamas.AdamW(params, state="int8", state_dir=tmp_path)
    failing("pwrite", 30, OSError(errno.EIO, ""), monkeypatch)
    with pytest.raises(OSError, match="the step was undone, but 'w', in memory, may have moved"):
        step(optimizer)
    assert optimizer.steps == 0 and adamas.open_file(tmp_path / STATE).steps == 0


MUTATIONS: dict[str, tuple[str, Callable[[bytearray], bytearray]]] = {
    "a bit of a head": (UNDO, lambda b: b[:9] + bytes([b[9] ^ 4]) + b[10:]),
    "a bit of the list": (UNDO, lambda b: b[:70] + bytes([b[70] ^ 4]) + b[71:]),
    "a bit behind": (UNDO, lambda b: b[:3000] + bytes([b[3000] ^ 4]) + b[3001:]),
    "its end": (UNDO, lambda b: b[:900]),
    "text": (UNDO, lambda b: bytearray(b"not an undo file")),
    "state text": (STATE, lambda b: bytearray(b"not a state")),
    "state size": (STATE, lambda b: b + b"0"),
    "state none": (STATE, lambda b: bytearray()),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_malformed_files_are_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are not what was written are one line that names them, and nothing is changed."""
    interrupted(tmp_path, monkeypatch)
    name, change = MUTATIONS[what]
    if name == STATE:
        made(tmp_path)
    place = tmp_path / "run" / name
    place.write_bytes(change(bytearray(place.read_bytes())))
    before = files(tmp_path)
    with pytest.raises(ValueError, match=name) as error:
        made(tmp_path)
    assert "\n" not in str(error.value) and files(tmp_path) == before


def outcome(folder: Path) -> tuple[dict[str, Any], str | None]:
    """The state that is found in a folder, or why none is."""
    try:
        return made(folder).state_dict(), None
    except ValueError as error:
        return {}, str(error)


@pytest.mark.parametrize("name", [UNDO, STATE])
def test_bytes_that_flip(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed byte of an undo file, or of a header, is a ValueError, or makes no difference."""
    interrupted(tmp_path, monkeypatch)
    there = files(tmp_path)
    place = tmp_path / "run" / name
    header = 8 + int.from_bytes(there[str(tmp_path / "run" / STATE)][:8], "little")
    before, _ = outcome(tmp_path)
    if name == STATE:
        there = files(tmp_path)
    content, draw, refused = there[str(place)], random.Random(0), list[str]()
    # Most of a header's room is empty, and a difference in its numbers is a difference indeed.
    most = len(content) if name == UNDO else header // 2
    for _ in range(1000 if LONG else 60):
        for file, whole in there.items():
            Path(file).write_bytes(whole)
        changed = bytearray(content)
        changed[draw.randrange(most)] ^= 1 << draw.randrange(8)
        place.write_bytes(changed)
        held = files(tmp_path)
        found, told = outcome(tmp_path)
        if told is None:
            assert name == STATE or same(found, before)
        else:
            refused.append(told)
            assert "\n" not in told and name in told and files(tmp_path) == held
    assert len(refused) > 10


def test_a_lost_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unfinished step whose parameters are gone, or others, is refused with their path."""
    interrupted(tmp_path, monkeypatch)
    (tmp_path / MODEL).rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError, match=MODEL):
        adamas.AdamW({"w": np.ones(SHAPE, np.float32)}, state="int8", state_dir=tmp_path / "run")
    (tmp_path / MODEL).write_bytes(b"others")
    with pytest.raises(ValueError, match=f"{MODEL}' with [0-9,]+ bytes, which has others"):
        adamas.AdamW({"w": np.ones(SHAPE, np.float32)}, state="int8", state_dir=tmp_path / "run")
    (tmp_path / "away").rename(tmp_path / MODEL)
    assert made(tmp_path).steps == 2


def test_one_at_a_time(tmp_path: Path) -> None:
    """A directory that somebody has is refused with its name; a copy of it is somebody else's."""
    first = made(tmp_path)
    step(first)
    with pytest.raises(BlockingIOError, match="has its state in this directory") as error:
        made(tmp_path)
    assert error.value.filename == str(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "other")
    params = {"w": np.ones(SHAPE, np.float32)}
    assert adamas.AdamW(params, state="int8", state_dir=tmp_path / "other").steps == 1
    del first
    assert made(tmp_path).steps == 1


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    """A file where a directory should be, or a folder that cannot be written, says its name."""
    (tmp_path / "run").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="is a file, and no directory") as error:
        made(tmp_path)
    assert error.value.filename == tmp_path / "run"
    assert (tmp_path / "run").read_bytes() == b""
    with pytest.raises(ValueError, match=r"'\.' is the one you are in"):
        adamas.AdamW({"w": np.ones(SHAPE, np.float32)}, state_dir="")


# JAX, which another test may have imported, warns of every fork.
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_the_child_of_a_fork_does_not_step(tmp_path: Path) -> None:
    """A forked child is told whose the state is; its parent goes on, and it holds no lock."""
    optimizer = made(tmp_path)
    step(optimizer)
    child = os.fork()
    if child == 0:
        try:
            step(optimizer)
        except RuntimeError as error:
            os._exit(3 if "forked" in str(error) else 4)
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    step(optimizer)
    assert optimizer.steps == 2


def test_an_interrupt_comes_before_or_behind(tmp_path: Path) -> None:
    """What a signal handler raises leaves a whole step, and a file that says the same."""
    optimizer, alone = made(tmp_path), made()
    step(optimizer)
    step(alone)

    def handle(*given: Any) -> None:
        raise KeyboardInterrupt

    before, caught = signal.signal(signal.SIGALRM, handle), 0
    try:
        for k in range(20):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0002 * (k + 1))
                # Python ignores what is raised inside a destructor, so that one may get lost.
                for _ in range(50):
                    step(optimizer)
            except KeyboardInterrupt:
                caught += 1
            assert adamas.open_file(tmp_path / "run" / STATE).steps == optimizer.steps
            assert not (tmp_path / "run" / UNDO).stat().st_size
    finally:
        signal.signal(signal.SIGALRM, before)
    while alone.steps < optimizer.steps:
        step(alone)
    assert caught > 10 and alike(optimizer, alone)


BOUND = """
    import sys
    from pathlib import Path
    import numpy as np
    import adamas
    from adamas.disk import disk, runner

    disk.WINDOW, runner.MOST = 1 << 22, 1 << 23

    def most():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10

    def made(size, count, name):
        place = Path(sys.argv[1]) / name
        params = {str(k): np.zeros(size, np.uint16) for k in range(count)}
        adamas.save(place, adamas.SGD(np.zeros(1)), params)
        params = adamas.open_params(place)
        return adamas.AdamW(params, state="int8", state_dir=f"{place}.run", threads=2), size, count

    def step(optimizer, size, count):
        gradient = np.ones(size, np.uint16)
        optimizer.step({str(k): gradient for k in range(count)})

    step(*made(5000, 2, "small"))
    large = made(1 << 22, 8, "large")
    Path("/proc/self/clear_refs").write_text("5")
    before = most()
    step(*large)
    print(most() - before)
"""


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A step of 128 MB of parameters and state takes the memory of a few windows."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BOUND), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    # 8 MB of windows, as many of a gradient, 4 of what is read ahead, and what threads take.
    assert int(done.stdout) < 48
