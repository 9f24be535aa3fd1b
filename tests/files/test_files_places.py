"""Whatever happens while a file is written, the last good one is there, and nothing else grows."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.files.naming import generation
from filled import filled, same
from long_form import LONG
from places import HELPERS

NAME = "run.safetensors"


def made(seed: int) -> adamas.Optimizer:
    """A small optimizer in a state of its own."""
    return filled(adamas.AdamW({"w": np.ones((50, 100))}), seed)


def refuse(error: OSError) -> Callable[..., Any]:
    """A function that raises `error`, whatever it is given."""

    def refused(*given: Any) -> Any:
        raise error

    return refused


@pytest.mark.parametrize("call", ["posix_fallocate", "write", "fsync", "replace", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ESTALE])
def test_a_failing_disk_leaves_the_last_file(
    call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the disk fails, the error names the file and its bytes, and the old file stays."""
    place = tmp_path / NAME
    made(1).save(place)
    before = place.read_bytes()
    with monkeypatch.context() as failing:
        failing.setattr(os, call, refuse(OSError(number, os.strerror(number))))
        with pytest.raises(OSError, match=rf"this file takes {len(before):,} bytes") as error:
            made(2).save(place)
    assert error.value.errno == number and error.value.filename == str(place)
    assert place.read_bytes() == before and os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize("at", [0, 1])
def test_a_disk_that_fills_up_on_the_way(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where room cannot be taken beforehand, a write that fails later leaves the old file."""
    place = tmp_path / NAME
    made(1).save(place)
    before, real, count = place.read_bytes(), os.write, iter(range(99))

    def write(file: int, data: Any) -> int:
        if next(count) >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[: len(data) // 2])

    with monkeypatch.context() as failing:
        failing.setattr(os, "posix_fallocate", refuse(OSError(errno.EOPNOTSUPP, "not here")))
        failing.setattr(os, "write", write)
        with pytest.raises(OSError, match="No space left on device"):
            made(2).save(place)
    assert place.read_bytes() == before and os.listdir(tmp_path) == [NAME]


def test_a_real_limit_of_the_system(tmp_path: Path) -> None:
    """A file that the system allows no room for is refused before a byte of it is written."""
    place = tmp_path / NAME
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OSError, match="this file takes") as error:
            made(1).save(place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.errno == errno.EFBIG and os.listdir(tmp_path) == []


def test_interrupted_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control-C while a file is written leaves the old file, and no rest."""
    place = tmp_path / NAME
    made(1).save(place)
    before = place.read_bytes()
    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", refuse(KeyboardInterrupt()))  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            made(2).save(place)
    assert place.read_bytes() == before and os.listdir(tmp_path) == [NAME]


def test_generations(tmp_path: Path) -> None:
    """`keep=3` keeps three files, the newest under the name; a killed save makes no two of one."""
    place = tmp_path / NAME
    for seed in range(5):
        made(seed).save(place, keep=3)
    found = sorted(os.listdir(tmp_path))
    assert found == ["run.1.safetensors", "run.2.safetensors", NAME]
    for age in range(3):
        file = adamas.open_file(generation(str(place), age))
        assert same(file.state()["state"], made(4 - age).state_dict()["state"])
    # As a process leaves it that dies between the second name and the new file.
    os.remove(tmp_path / "run.1.safetensors")
    os.link(place, tmp_path / "run.1.safetensors")
    (tmp_path / f".{NAME}.part").write_bytes(b"x" * 1_000_000)
    made(5).save(place, keep=3)
    steps = [adamas.open_file(generation(str(place), age)).steps for age in range(3)]
    assert steps == [made(seed).steps for seed in (5, 4, 2)]
    assert sorted(os.listdir(tmp_path)) == found


def test_no_second_names_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no hard links, generations are kept by renaming."""
    place = tmp_path / NAME
    monkeypatch.setattr(os, "link", refuse(OSError(errno.EPERM, "no links")))
    for seed in range(3):
        made(seed).save(place, keep=2)
    assert sorted(os.listdir(tmp_path)) == ["run.1.safetensors", NAME]
    assert adamas.open_file(tmp_path / "run.1.safetensors").steps == made(1).steps


def test_a_name_too_many_is_let_go_of(tmp_path: Path) -> None:
    """What a process left that died between the two names of a new file costs nobody that file."""
    place = tmp_path / NAME
    made(1).save(place)
    os.link(place, tmp_path / f".{NAME}.part")
    whole = place.read_bytes()
    with open(place, "rb") as before:
        made(2).save(place)
        assert before.read() == whole
    assert adamas.open_file(place).steps == made(2).steps and os.listdir(tmp_path) == [NAME]


def test_two_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second save to the same file while one is written is refused, and spoils neither."""
    place = tmp_path / NAME
    inner: list[OSError] = []
    real = os.fsync

    def meanwhile(file: int) -> None:
        if not inner:
            with pytest.raises(BlockingIOError, match="somebody else is saving") as error:
                made(2).save(place)
            inner.append(error.value)
        real(file)

    monkeypatch.setattr(os, "fsync", meanwhile)
    made(1).save(place)
    assert inner and adamas.open_file(place).steps == made(1).steps
    assert os.listdir(tmp_path) == [NAME]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Saving to a symbolic link writes the file that it means."""
    (tmp_path / "far").mkdir()
    made(1).save(tmp_path / "far" / "real")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "real")
    made(2).save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert adamas.open_file(tmp_path / "far" / "real").steps == made(2).steps


@pytest.mark.parametrize("way", ["at once", "background"])
def test_killed_while_saving(way: str, tmp_path: Path) -> None:
    """Killed at random moments, a run goes on from a whole file, bit for bit."""
    kills = 1000 if LONG else 20
    done = subprocess.run(
        [sys.executable, str(HELPERS / "killed_saving.py"), str(tmp_path), str(kills), way],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{kills} kills, nothing lost" in done.stdout
