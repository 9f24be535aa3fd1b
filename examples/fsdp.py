"""FSDP2 on two CPU processes, state in eight bits: `python examples/fsdp.py`.

Every process holds half of each parameter and the state of its half. Clipping knows the norm of
both, and the checkpoint at the end could be read by any number of processes.
"""

import tempfile

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.multiprocessing import start_processes

from adamas.torch import AdamW

RANKS = 2


def work(rank: int, folder: str) -> None:
    """Train this process's share of the model on its share of the data."""
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 301), nn.Tanh(), nn.Linear(301, 64))
    fully_shard(model, mesh=init_device_mesh("cpu", (RANKS,)))
    optimizer = AdamW(model.named_parameters(), lr=3e-3, state="int8", clip_norm=1.0)
    for step in range(200):
        x = torch.randn(32, 64, generator=torch.Generator().manual_seed(RANKS * step + rank))
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), x.flip(1))
        loss.backward()
        optimizer.step()
        if rank == 0 and step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.3f}, gradient {optimizer.grad_norm:.3f}")
    dcp.save({"optimizer": get_optimizer_state_dict(model, optimizer)}, checkpoint_id=folder)
    held = sum(
        value.to_local().nbytes
        for p in model.parameters()
        for value in optimizer.state[p].values()
        if value.ndim
    )
    mine = sum(p.to_local().numel() for p in model.parameters())
    print(f"process {rank}: {mine} parameters, {held / mine:.2f} bytes of state each")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        start_processes(work, (folder,), nprocs=RANKS, start_method="fork")
