"""How many threads a step takes: as asked, or the CPUs, or this process's share of them."""

import copy
import os
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from adamas.engine import cpus

Machine = Callable[[int, int], None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Sets how many CPUs this process and the one that started it may use."""

    def mine(own: int, launcher: int) -> None:
        allowed = {0: set(range(own)), os.getppid(): set(range(launcher))}
        monkeypatch.setattr(os, "sched_getaffinity", allowed.__getitem__, raising=False)

    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    return mine


def shown(**options: int) -> str:
    """What an optimizer says of its threads."""
    text = repr(adamas.SGD(np.zeros(3), lr=0.1, **options))
    return text.partition("threads=")[2].removesuffix(">")


@pytest.mark.parametrize("word", [None, "", "1", " 1 "])
def test_alone_a_process_takes_its_cpus(
    word: str | None, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without other processes a step takes every CPU this one may use, and its launcher's no."""
    machine(6, 8)
    if word is not None:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", word)
    assert shown() == "6"


@pytest.mark.parametrize(
    ("own", "launcher", "together", "share"),
    [
        (8, 8, 2, 4),
        (8, 8, 3, 2),
        # More processes than CPUs.
        (2, 2, 4, 1),
        # Every rank on CPUs of its own: they are not divided once more.
        (4, 16, 4, 4),
        (2, 16, 4, 2),
        # Every two of four ranks on the CPUs of one node of memory.
        (8, 16, 4, 4),
        # A launcher that keeps to one CPU itself.
        (8, 1, 2, 4),
    ],
)
def test_several_processes_share(
    own: int,
    launcher: int,
    together: int,
    share: int,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under LOCAL_WORLD_SIZE a process takes its share, which it says, and never more CPUs."""
    machine(own, launcher)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(together))
    # Launchers set it; the optimizer's threads are none of OpenMP's.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    every = max(own, launcher)
    assert shown() == f"{share} of {every} CPUs (LOCAL_WORLD_SIZE={together})"
    assert shown(threads=7) == "7"


@given(own=st.integers(1, 300), launcher=st.integers(1, 300), together=st.integers(2, 400))
def test_shares_never_exceed_the_machine(own: int, launcher: int, together: int) -> None:
    """All shares together are no more than the CPUs, unless there are fewer than processes."""
    allowed = {0: set(range(own)), os.getppid(): set(range(launcher))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", allowed.__getitem__, raising=False)
        patch.setenv("LOCAL_WORLD_SIZE", str(together))
        share = cpus.taken(None)
    assert 1 <= share <= own
    assert share == 1 or share * together <= max(own, launcher)


@pytest.mark.parametrize(
    ("framework", "taken"),
    # One is what launchers set, and more than a share what nobody set.
    [(1, 4), (2, 2), (3, 3), (4, 4), (8, 4)],
)
def test_a_framework_s_own_number(
    framework: int, taken: int, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a framework's threads, fewer than the share were chosen, and one was not."""
    machine(8, 8)
    assert cpus.taken(None, framework) == framework
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert cpus.taken(None, framework) == taken
    assert cpus.taken(5, framework) == 5


@pytest.mark.parametrize("word", ["two", "0", "-1", "2.5", "1e3"])
def test_nonsense_in_the_environment(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """LOCAL_WORLD_SIZE that is no number of processes is refused by name, unless nobody asks."""
    monkeypatch.setenv("LOCAL_WORLD_SIZE", word)
    with pytest.raises(ValueError, match=f"LOCAL_WORLD_SIZE='{word}'.*at least 1.*pass threads="):
        adamas.SGD(np.zeros(3), lr=0.1)
    assert shown(threads=2) == "2"


def test_a_launcher_that_cannot_be_seen(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the launcher is gone or hidden, the process's own CPUs are shared."""

    def hidden(process: int) -> set[int]:
        if process:
            raise ProcessLookupError
        return set(range(8))

    monkeypatch.setattr(os, "sched_getaffinity", hidden, raising=False)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert cpus.taken(None) == 2


def test_without_affinities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system knows no affinities, the machine's CPUs are shared."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert cpus.taken(None) == 6
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert cpus.taken(None) == 2


def test_copies_take_threads_of_their_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is copied or read from a file takes the share of the process that it is in then."""
    machine(8, 8)
    optimizer, asked = adamas.SGD(np.zeros(3), lr=0.1), adamas.SGD(np.zeros(3), lr=0.1, threads=5)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    copies = copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(asked)
    assert [one._stepper.threads for one in copies] == [4, 4, 5]
