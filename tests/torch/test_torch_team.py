"""Steps on torch's own threads: the same bits, safe in forks, and called from C alone."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch

from adamas.engine import threads
from adamas.torch import AdamW
from adamas.torch.openmp import install

LARGE = 1 << 19
lent = pytest.mark.skipif(threads._team is None, reason="this torch has no OpenMP to be reached")


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before, team = torch.get_num_threads(), threads._team
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
    threads.lend(team)


def trained() -> torch.Tensor:
    """Some steps large enough for several threads."""
    p = torch.nn.Parameter(torch.linspace(-1, 1, LARGE))
    opt = AdamW([p], lr=0.1, state="int8")
    for step in range(3):
        p.grad = torch.cos(p.detach() * step)
        opt.step()
    return p.detach()


@lent
def test_the_bits_are_those_of_our_own_threads() -> None:
    """Whose threads run a step changes no bit."""
    found = trained()
    threads.lend(None)
    assert threads._team is None
    assert torch.equal(found, trained())


@lent
def test_every_thread_of_torch_calls_the_work() -> None:
    """The work is called once on each of as many threads as torch has, this one among them."""
    install()
    team = threads._team
    assert team is not None
    meeting, seen = threading.Barrier(2, timeout=60), set()

    def work() -> None:
        meeting.wait()
        seen.add(threading.get_ident())

    action = team([work], 2)
    assert action is not None
    action()
    assert len(seen) == 2
    assert threading.get_ident() in seen


@lent
def test_another_number_of_threads_is_ours_to_provide() -> None:
    """Asked for more threads than torch has, the team does nothing."""
    called: list[int] = []
    team = threads._team
    assert team is not None
    assert team([partial(called.append, 1)], 3) is None
    assert not called


def test_one_thread_that_a_launcher_set_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torchrun gave torch one thread, a step takes this process's share, with our helpers."""
    helped: list[int] = []
    original = threads._helped

    def seen(work: Any, count: int) -> Any:
        helped.append(count)
        return original(work, count)

    expected = trained()
    monkeypatch.setattr(threads, "_helped", seen)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)), raising=False)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    torch.set_num_threads(1)
    assert torch.equal(trained(), expected)
    assert set(helped) == {2}


def test_repr_says_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """`repr` names the threads: as asked, as torch's, or a share, and after steps those of them."""
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    opt = AdamW([p])
    assert repr(opt).endswith("\nCPU threads: 2\n)")
    torch.set_num_threads(3)
    assert repr(opt).endswith("\nCPU threads: 3\n)")
    opt.step()
    torch.set_num_threads(2)
    assert repr(opt).endswith("\nCPU threads: 3\n)")
    assert repr(AdamW([p], threads=5)).endswith("\nCPU threads: 5\n)")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "half")
    with pytest.raises(ValueError, match="LOCAL_WORLD_SIZE='half'"):
        AdamW([p])


FORKED = """
import os
import torch
import adamas.torch

torch.set_num_threads(2)

def step():
    p = torch.nn.Parameter(torch.ones(1 << 19))
    p.grad = torch.ones_like(p)
    adamas.torch.AdamW([p], lr=0.5, weight_decay=0.0).step()
    assert abs(p[0].item() - 0.5) < 1e-6
    return p

step()
child = os.fork()
if child == 0:
    import numpy
    p = torch.nn.Parameter(torch.from_numpy(numpy.ones(1 << 19, "float32")))
    p.grad = torch.from_numpy(numpy.ones(1 << 19, "float32"))
    adamas.torch.AdamW([p], lr=0.5, weight_decay=0.0).step()
    os._exit(0 if abs(p.detach().numpy()[-1] - 0.5) < 1e-6 else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
step()
"""


@pytest.mark.skipif(not hasattr(threads.os, "fork"), reason="no forks here")
def test_a_forked_child_steps_on_threads_of_its_own() -> None:
    """OpenMP's threads are gone after a fork; a step there neither hangs nor is wrong."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
