"""One torch optimizer in several threads, and adamas.torch where torch is not installed."""

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
    assert 'pip install "adamas[torch]"' in last
