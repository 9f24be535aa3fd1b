"""What ranks do together, as a program: `python torch_scenarios.py SCENARIO-RANKS-STATE ...`.

Torch is imported once, and what is compiled for one case serves those behind it. A line of JSON
for each case says what was raised in it, which is nothing if it holds.
"""

import json
import sys
import traceback

import torch

import torch_ranks
import torch_reducing
import torch_ruled
import torch_shards

PARTS = (torch_ranks, torch_shards, torch_reducing, torch_ruled)
SCENARIOS = {name: run for part in PARTS for name, run in part.SCENARIOS.items()}


def raised(case: str) -> str:
    """Do a case: the traceback of what it raised, or nothing."""
    name, ranks, state = case.rsplit("-", 2)
    try:
        SCENARIOS[name](int(ranks), state)
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    # Threads of torch do not survive the forks.
    torch.set_num_threads(1)
    for one in sys.argv[1:]:
        print(json.dumps([one, raised(one)]), flush=True)
