"""Shards on several ranks: what they compute together is what one process computes alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).with_name("torch_ranks.py")
CASES = [
    ("steps", 2, "float32"),
    ("steps", 2, "bfloat16"),
    ("steps", 4, "int8"),
    ("steps", 4, "int4"),
    ("clip", 2, "float32"),
    ("clip", 4, "int8"),
    ("nonfinite", 2, "float32"),
    ("nonfinite", 4, "int8"),
    ("elsewhere", 2, "float32"),
    ("checkpoint", 4, "float32"),
    ("checkpoint", 4, "int8"),
    ("checkpoint", 4, "int4"),
    ("fsdp", 2, "int8"),
    ("fsdp", 4, "float32"),
    ("ddp", 2, "int8"),
]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no ranks")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="ranks are forks of one process")
@pytest.mark.parametrize(
    ("scenario", "ranks", "state"), CASES, ids=[f"{s}-{n}-{state}" for s, n, state in CASES]
)
def test_ranks_step_as_one(scenario: str, ranks: int, state: str) -> None:
    """Each scenario of `torch_ranks` holds: uneven shards, clipping, NaN, checkpoints, wrappers."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), scenario, str(ranks), state],
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
