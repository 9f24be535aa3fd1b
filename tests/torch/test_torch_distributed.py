"""Shards on several ranks: what they compute together is what one process computes alone."""

import contextlib
import json
import os
import subprocess
import sys
from functools import cache

import pytest
import torch

from places import HELPERS

# Seconds. Ranks that wait for each other in vain end by themselves.
LIMIT = 600
CASES = [
    ("steps", 2, "float32"),
    ("steps", 2, "bfloat16"),
    ("steps", 4, "int8"),
    ("steps", 4, "int4"),
    ("clip", 2, "float32"),
    ("clip", 4, "int8"),
    ("nonfinite", 2, "float32"),
    ("nonfinite", 4, "int8"),
    ("guard", 2, "float32"),
    ("guard", 4, "int8"),
    ("first", 2, "float32"),
    ("refused", 2, "float32"),
    ("elsewhere", 2, "float32"),
    ("checkpoint", 4, "float32"),
    ("checkpoint", 4, "int8"),
    ("checkpoint", 4, "int4"),
    ("fsdp", 2, "int8"),
    ("fsdp", 4, "float32"),
    ("ddp", 2, "int8"),
    ("launched", 2, "float32"),
]
STATE_CASES = [
    ("codes", 4, "int8"),
    ("codes", 4, "int4"),
    ("halves", 2, "int8"),
    ("halves", 4, "bfloat16"),
    ("fsdp-bfloat16", 2, "int8"),
    ("released", 2, "float32"),
    ("offload", 2, "float32"),
    ("flattened", 2, "int8"),
    ("zero", 2, "float32"),
]
REDUCING_CASES = [
    ("sums", 4, "int8"),
    ("sums-guard", 4, "int8"),
    ("sums-checkpoint", 4, "float32"),
    ("sums-fsdp", 2, "float32"),
    ("observed", 2, "float32"),
]
RULED_CASES = [
    ("ruled-clip", 2, "float32"),
    ("ruled-nonfinite", 2, "float32"),
    ("ruled-guard", 2, "float32"),
    ("ruled-first", 2, "float32"),
    ("ruled-checkpoint", 4, "float32"),
    ("ruled-fsdp", 2, "float32"),
]
EVERY = ["-".join(map(str, c)) for c in (*CASES, *STATE_CASES, *REDUCING_CASES, *RULED_CASES)]


@cache
def raised() -> dict[str, str]:
    """What each case raised, or nothing; what the program said where it did not come that far."""
    found = dict.fromkeys(EVERY, "the program did not end")
    command = [sys.executable, str(HELPERS / "torch_scenarios.py"), *EVERY]
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
    # One process for all: torch takes seconds to import.
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        found = dict.fromkeys(EVERY, f"the program ended with {done.returncode}: {done.stderr}")
        found |= map(json.loads, done.stdout.splitlines())
    return found


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no ranks")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="ranks are forks of one process")
@pytest.mark.parametrize("case", EVERY)
def test_ranks_step_as_one(case: str) -> None:
    """Each scenario holds: uneven shards, clipping, NaN, wrappers, threads, checkpoints, codes."""
    assert raised()[case] == ""
