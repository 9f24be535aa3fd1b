"""Shards on several ranks: what they compute together is what one process computes alone."""

import os
import subprocess
import sys

import pytest
import torch

from places import HELPERS

# Ranks that wait for each other in vain end by themselves, before this many seconds.
LIMIT = 240
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
REDUCING_CASES = [("every", 4, "int8"), ("observed", 2, "float32")]
RULED_CASES = [
    ("clip", 2, "float32"),
    ("nonfinite", 2, "float32"),
    ("guard", 2, "float32"),
    ("first", 2, "float32"),
    ("checkpoint", 4, "int8"),
    ("fsdp", 2, "float32"),
]
# A process each: torch takes seconds to import, and what is compiled once serves the cases behind.
RUNS = {
    "steps": ("torch_ranks.py", [c for c in CASES if c[0] in ("steps", "clip", "first")]),
    "not finite": ("torch_ranks.py", [c for c in CASES if c[0] in ("nonfinite", "guard")]),
    "refused": ("torch_ranks.py", [c for c in CASES if c[0] in ("refused", "elsewhere")]),
    "checkpoint": ("torch_ranks.py", [c for c in CASES if c[0] == "checkpoint"]),
    "wrappers": ("torch_ranks.py", [c for c in CASES if c[0] in ("fsdp", "ddp")]),
    "launched": ("torch_ranks.py", [c for c in CASES if c[0] == "launched"]),
    "codes": ("torch_shards.py", [c for c in STATE_CASES if c[0] in ("codes", "halves")]),
    "shards": ("torch_shards.py", [c for c in STATE_CASES if c[0] not in ("codes", "halves")]),
    "reducing": ("torch_reducing.py", REDUCING_CASES),
}


def test_every_case_is_run() -> None:
    """No case is forgotten when another is added, and none is run twice."""
    run = [case for _, cases in RUNS.values() for case in cases]
    assert sorted(run) == sorted([*CASES, *STATE_CASES, *REDUCING_CASES])


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no ranks")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="ranks are forks of one process")
@pytest.mark.parametrize("run", RUNS)
def test_ranks_step_as_one(run: str) -> None:
    """Each scenario holds: uneven shards, clipping, NaN, wrappers, threads, checkpoints, codes."""
    program, cases = RUNS[run]
    done = subprocess.run(
        [sys.executable, str(HELPERS / program), *("-".join(map(str, case)) for case in cases)],
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
