"""One torch optimizer in several threads, and adamas.torch where torch is not installed."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from adamas.torch import Adam


def test_steps_of_several_threads_are_one_after_the_other() -> None:
    """Steps, files and decoded states asked for in four threads at once lose nothing."""
    params = [torch.nn.Parameter(torch.linspace(-1, 1, 20_000)) for _ in range(2)]
    for p in params:
        p.grad = torch.ones_like(p)
    opt, alone = (Adam([p], lr=1e-3, threads=2) for p in params)

    def work(k: int) -> None:
        opt.step()
        if k % 10 == 0:
            opt.torch_state_dict()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(200)))
    for _ in range(200):
        alone.step()
    assert opt.state[params[0]]["step"] == 200
    assert torch.equal(*params)


@pytest.mark.parametrize("module", ["adamas.torch", "adamas.torch.base", "adamas.torch.classes"])
def test_without_torch_the_error_says_what_to_install(module: str) -> None:
    """Importing the face or any of its modules without PyTorch names the package in one line."""
    program = f"import sys; sys.modules['torch'] = None; import {module}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: adamas.torch needs PyTorch")
    assert "pip install 'adamas[torch]'" in last


FORKED = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")
import numpy, torch, adamas, adamas.torch

p = torch.nn.Parameter(torch.ones(8))
p.grad = torch.ones(8)
face = adamas.torch.AdamW([p])
face.step()
w, g = numpy.ones(8), numpy.ones(8)
plain = adamas.AdamW(w)
plain.step(g)
inside, done = threading.Event(), threading.Event()

def hold():
    with face._driver.lock:
        plain._turn.owner = threading.get_ident()
        inside.set()
        done.wait()
        plain._turn.owner = 0

other = threading.Thread(target=hold)
other.start()
inside.wait()
child = os.fork()
if not child:
    import signal
    signal.alarm(60)
    face.step()
    plain.step(g)
    good = face.state_dict()["state"][0]["step"] == 2 and plain.state_dict()["steps"] == 2
    os._exit(0 if good else 1)
_, status = os.waitpid(child, 0)
done.set()
other.join()
with face._driver.lock:
    child = os.fork()
    if not child:
        os._exit(0 if face._driver.lock._is_owned() else 1)
    _, again = os.waitpid(child, 0)
sys.exit(status or again)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX systems fork")
def test_a_fork_while_another_thread_steps_leaves_the_child_free() -> None:
    """The child of a fork steps and saves, although the thread that was inside is not there."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
