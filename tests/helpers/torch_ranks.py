"""What several ranks do together: scenarios of `torch_scenarios`, which is the program.

Kernels are compiled once, for the run on one process that the others are compared with; the ranks
are forks of it.
"""

import math
import os
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard, distribute_tensor, init_device_mesh
from torch.multiprocessing import start_processes
from torch.nn.parallel import DistributedDataParallel

from adamas import NonFiniteError
from adamas.engine import phases
from adamas.torch import AdamW

# Uneven for 2 and for 4 ranks; the fourth has no row of `few`. Rows of `narrow` share blocks.
SHAPES = {"rows": (37, 200), "few": (3, 2048), "narrow": (301, 20), "short": (7,)}
# Where sharded runs have the whole run's bits; `short` is float32 under "int8" and "int4".
EXACT = {
    "float32": list(SHAPES),
    "bfloat16": ["rows", "few"],
    "int8": ["rows", "few", "short"],
    "int4": ["rows", "few", "short"],
}
Ours = dict[str, torch.Tensor]
# Ranks that wait for one that does something else end with an error: gloo's, or else ours.
PATIENCE = 30.0  # seconds


def start(rank: int, ranks: int, folder: str, work: Callable[..., None]) -> None:
    """Be one rank, and do `work(mesh)`."""
    file = f"file://{folder}/meeting-{ranks}"
    wait = timedelta(seconds=PATIENCE)
    dist.init_process_group("gloo", init_method=file, rank=rank, world_size=ranks, timeout=wait)
    work(init_device_mesh("cpu", (ranks,)))
    dist.barrier()
    dist.destroy_process_group()


def on_ranks(ranks: int, work: Callable[..., None]) -> None:
    """`work(mesh)` on this many ranks; raises what one of them raised, or TimeoutError."""
    with tempfile.TemporaryDirectory() as folder:
        given = (ranks, folder, work)
        group: Any = start_processes(start, given, nprocs=ranks, join=False, start_method="fork")
        end = time.monotonic() + 3 * PATIENCE
        while not group.join(timeout=1):
            if time.monotonic() > end:
                for process in group.processes:
                    process.kill()
                raise TimeoutError(f"{ranks} ranks have not come to an end together")


def cut(value: torch.Tensor, mesh: Any) -> torch.Tensor:
    """A tensor that every rank has as a DTensor of its rows; as it is without a mesh."""
    if mesh is None:
        return value
    made: torch.Tensor = distribute_tensor(value, mesh, [Shard(0)], src_data_rank=None)
    return made


def drawn(name: str, seed: int) -> torch.Tensor:
    """Numbers that depend on the name and the seed."""
    made = torch.Generator().manual_seed(1000 * seed + list(SHAPES).index(name))
    return torch.randn(SHAPES[name], generator=made)


def module(mesh: Any = None) -> nn.ParameterDict:
    """Named parameters, sharded over a mesh if there is one."""
    return nn.ParameterDict({name: nn.Parameter(cut(drawn(name, 0), mesh)) for name in SHAPES})


def train(net: nn.ParameterDict, opt: Any, steps: range, mesh: Any = None) -> None:
    """Steps with given gradients: each the parameter's start plus noise."""
    for step in steps:
        for name, p in net.items():
            p.grad = cut(drawn(name, 0) + drawn(name, step + 1), mesh)
        opt.step()


def whole(net: Any) -> Ours:
    """Every parameter, put together."""
    values = {name: p.detach() for name, p in net.named_parameters()}
    return {n: v.full_tensor() if isinstance(v, DTensor) else v.clone() for n, v in values.items()}


def same(found: Ours, expected: Ours, state: str) -> None:
    """The same bits where shards end with blocks; elsewhere the same run, rounded otherwise."""
    for name in EXACT[state]:
        assert torch.equal(found[name], expected[name]), name
    for name, value in expected.items():
        off = (found[name] - value).norm() / value.norm()
        assert off < (0.05 if state == "int4" else 0.02), (name, off)


def make(net: nn.Module, state: str, **more: Any) -> AdamW:
    """An optimizer of large steps."""
    return AdamW(net.named_parameters(), lr=0.03, weight_decay=0.1, state=state, seed=5, **more)


def steps(ranks: int, state: str) -> None:
    """Sharded steps equal whole ones; state is kept as asked, on the shard."""
    alone = module()
    train(alone, make(alone, state), range(4))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        net = module(mesh)
        opt = make(net, state)
        train(net, opt, range(4), mesh)
        same(whole(net), expected, state)
        entry = opt.state[net["rows"]]
        limit = {"float32": 8.0, "bfloat16": 4.0, "int8": 2.2, "int4": 1.2}[state]
        held = [value for value in entry.values() if value.ndim]
        assert all(isinstance(value, DTensor) for value in held)
        mine = net["rows"].to_local().numel()
        assert sum(value.to_local().nbytes for value in held) <= limit * mine

    on_ranks(ranks, work)


def clip(ranks: int, state: str) -> None:
    """The norm is that of all ranks' gradients; replicated parameters count once."""
    alone = module()
    reference = make(alone, state, clip_norm=1.5)
    train(alone, reference, range(3))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        net = module(mesh)
        net["short"] = nn.Parameter(drawn("short", 0))
        opt = make(net, state, clip_norm=1.5)
        for step in range(3):
            for name, p in net.items():
                g = drawn(name, 0) + drawn(name, step + 1)
                p.grad = g if name == "short" else cut(g, mesh)
            opt.step()
        assert abs(opt.grad_norm / reference.grad_norm - 1) < 1e-12
        for name, value in whole(net).items():
            if state == "float32" or name != "narrow":
                # Sums in another order may turn one rounding of the factor.
                torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)

    on_ranks(ranks, work)


def nonfinite(ranks: int, state: str) -> None:
    """One rank's NaN stops all of them, or is skipped by all; huge gradients are no NaN."""

    def work(mesh: Any) -> None:
        for choice in ("raise", "skip"):
            net = module(mesh)
            opt = make(net, state, on_nonfinite=choice)
            train(net, opt, range(1), mesh)
            before = whole(net)
            if dist.get_rank() == 1:
                net["rows"].grad.to_local()[0, 3] = torch.nan
            if choice == "skip":
                opt.step()
                assert opt.skipped == 1
            else:
                with pytest.raises(NonFiniteError) as raised:
                    opt.step()
                assert raised.value.key == "rows"
            assert all(torch.equal(v, before[name]) for name, v in whole(net).items())
        for p in net.values():
            p.grad = torch.full_like(p, 0.0)
        opt.step()

    on_ranks(ranks, work)


def guard(ranks: int, state: str) -> None:
    """One rank's bad block is left; all raise, count alike and go on, also where one is stuck."""
    # Element 410 of the shard; in few bits blocks begin with rows of 200.
    block = (384, 512) if state == "float32" else (400, 528)

    def work(mesh: Any) -> None:
        for anywhere in (False, True) if state == "float32" else (False,):
            last = dist.get_rank() == ranks - 1
            net, twin = module(mesh), module(mesh)
            opt, other = make(net, state), make(twin, state)
            opt._driver.anywhere = other._driver.anywhere = anywhere
            train(net, opt, range(1), mesh)
            train(twin, other, range(2), mesh)
            rows = net["rows"]
            before = rows.to_local().detach().flatten().clone()
            for name, p in net.items():
                p.grad = cut(drawn(name, 0) + drawn(name, 2), mesh)
            if last:
                rows.grad.to_local()[2, 10] = torch.nan
            with pytest.raises(NonFiniteError, match="gradient of 'rows'") as raised:
                opt.step()
            start, end = (410, 411) if anywhere else block
            assert raised.value.left == end - start
            expected = twin["rows"].to_local().detach().flatten().clone()
            if last:
                expected[start:end] = before[start:end]
            assert torch.equal(rows.to_local().detach().flatten(), expected)
            assert all(torch.equal(v, whole(twin)[n]) for n, v in whole(net).items() if n != "rows")
            train(net, opt, range(2, 3), mesh)
            assert [int(opt.state[p]["step"]) for p in net.values()] == [3] * len(net)
            for everywhere in (False, True):
                if last or everywhere:
                    rows.grad.to_local().fill_(torch.nan)
                before = rows.to_local().detach().flatten().clone()
                with pytest.raises(NonFiniteError, match="gradient of 'rows'"):
                    opt.step()
                moved = rows.to_local().detach().flatten() != before
                assert bool(moved.any()) == (not last and not everywhere)
                assert int(opt.state[rows]["step"]) == 4
            assert int(opt.state[net["few"]]["step"]) == 5
            train(net, opt, range(3, 4), mesh)
            assert int(opt.state[rows]["step"]) == 5

    on_ranks(ranks, work)


def first(ranks: int, state: str) -> None:
    """A first step that one rank does before the others is read first by all; they go on alike."""
    # Otherwise each rank would compile the kernel that averages, and likewise below.
    train(alone := module(), make(alone, state, ema=0.9), range(1))

    def work(mesh: Any) -> None:
        for anywhere in (False, True):
            net, late = module(mesh), nn.Parameter(torch.ones(4))
            net["late"] = late
            opt = make(net, state, ema=0.9)
            opt._driver.anywhere = anywhere
            for step in range(4):
                if step > 1 or (step == 1 and dist.get_rank() == 0):
                    late.grad = torch.ones(4)
                for name in SHAPES:
                    net[name].grad = cut(drawn(name, 0) + drawn(name, step + 1), mesh)
                opt.step()
            assert [int(opt.state[net[name]]["step"]) for name in SHAPES] == [4] * len(SHAPES)
            assert int(opt.state[late]["step"]) == (3 if dist.get_rank() == 0 else 2)

    on_ranks(ranks, work)


def refused(ranks: int, state: str) -> None:
    """Exact rows that one rank leaves out whole are told by all of them, which go on together."""
    train(alone := module(), make(alone, state, track_norm=True), range(1))

    def work(mesh: Any) -> None:
        bad = dist.get_rank() == 0
        net, table = module(mesh), nn.Parameter(torch.ones(6, 200))
        net["table"] = table
        opt = make(net, state, rows="exact", track_norm=True)
        # The last rank holds 3 elements of `short`, which are left out beside the rows.
        errors = ["", "403 elements of 2 tensors", "400 elements of 1 tensor ", ""]
        for step, told in enumerate(errors):
            for name in SHAPES:
                g = None if step == 2 else cut(drawn(name, 0) + drawn(name, step + 1), mesh)
                net[name].grad = g
            values = torch.ones(2, 200)
            if told and bad:
                values[1, 3] = torch.nan
            if step == 1 and not bad:
                net["short"].grad.to_local().fill_(torch.nan)
            table.grad = torch.sparse_coo_tensor(torch.tensor([[1, 4]]), values, (6, 200))
            if told:
                with pytest.raises(NonFiniteError, match=told) as raised:
                    opt.step()
                assert raised.value.left == int(told[:3])
            else:
                opt.step()
            assert math.isnan(opt.grad_norm) == bool(told)
        assert [int(opt.state[net[name]]["step"]) for name in SHAPES] == [3] * len(SHAPES)
        assert int(opt.state[table]["step"]) == (2 if bad else 4)

    on_ranks(ranks, work)


def elsewhere(ranks: int, state: str) -> None:
    """Shards that the kernels cannot reach are stepped and clipped as the whole tensors are."""
    alone = module()
    train(alone, make(alone, state, clip_norm=1.5), range(3))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        net = module(mesh)
        opt = make(net, state, clip_norm=1.5)
        opt._driver.anywhere = True
        train(net, opt, range(3), mesh)
        for name, value in whole(net).items():
            torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)
        assert isinstance(opt.state[net["rows"]]["exp_avg"], DTensor)

    on_ranks(ranks, work)


def save(mesh: Any, folder: str, state: str) -> None:
    """Three steps, and a distributed checkpoint."""
    net = module(mesh)
    opt = make(net, state)
    train(net, opt, range(3), mesh)
    values = {"model": dict(net.named_parameters()), "opt": get_optimizer_state_dict(net, opt)}
    dcp.save(values, checkpoint_id=folder)


def resume(mesh: Any, folder: str, state: str, expected: Ours) -> None:
    """The checkpoint, and three steps more."""
    net = module(mesh)
    opt = make(net, state)
    values = {"model": dict(net.named_parameters()), "opt": get_optimizer_state_dict(net, opt)}
    dcp.load(values, checkpoint_id=folder)
    set_optimizer_state_dict(net, opt, values["opt"])
    assert opt.state[net["rows"]]["step"] == 3
    train(net, opt, range(3, 6), mesh)
    same(whole(net), expected, state)


def checkpoint(ranks: int, state: str) -> None:
    """Saved by `ranks`, loaded by half of them, and continued: the uninterrupted run's bits."""
    alone = module()
    train(alone, make(alone, state), range(6))
    with tempfile.TemporaryDirectory() as folder:
        on_ranks(ranks, partial(save, folder=folder, state=state))
        on_ranks(ranks // 2, partial(resume, folder=folder, state=state, expected=whole(alone)))


def network() -> nn.Module:
    """A small network, always the same."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(70, 91), nn.Tanh(), nn.Linear(91, 5))


def learn(net: nn.Module, opt: Any, part: slice) -> None:
    """Four steps on some of the rows of fixed data."""
    for step in range(4):
        x = torch.randn(8, 70, generator=torch.Generator().manual_seed(step))[part]
        opt.zero_grad()
        (net(x) ** 2 - x[:, :5]).pow(2).mean().backward()
        opt.step()


def parallel(ranks: int, state: str, *, fsdp: bool) -> None:
    """Models wrapped by torch, every rank with its part of the data, learn as one on all of it."""
    alone = network()
    learn(alone, make(alone, state, clip_norm=0.5), slice(None))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        net = network()
        rows = 8 // ranks
        net = fully_shard(net, mesh=mesh) if fsdp else DistributedDataParallel(net)
        first = rows * dist.get_rank()
        learn(net, make(net, state, clip_norm=0.5), slice(first, first + rows))
        found = whole(net if fsdp else net.module)
        for name, value in found.items():
            # Gradients are sums in another order; a code may round to its other neighbour.
            off = (value - expected[name]).norm() / expected[name].norm()
            assert off < (1e-5 if state == "float32" else 1e-3), (name, off)

    on_ranks(ranks, work)


def launched(ranks: int, state: str) -> None:
    """Where torchrun gave every rank one thread, each takes its share; it changes no bit."""
    alone = module()
    train(alone, make(alone, state, threads=1), range(4))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        os.environ |= {"LOCAL_WORLD_SIZE": str(ranks), "OMP_NUM_THREADS": "1"}
        os.sched_getaffinity = lambda process: set(range(3 * ranks))
        phases.PARALLEL = 0
        net = module(mesh)
        opt = make(net, state)
        taken = f"CPU threads: 3 of {3 * ranks} CPUs (LOCAL_WORLD_SIZE={ranks})"
        assert taken in repr(opt)
        train(net, opt, range(4), mesh)
        assert taken in repr(opt)
        assert torch.get_num_threads() == 1
        helpers = [one.name for one in threading.enumerate() if one.name.startswith("adamas")]
        assert sorted(helpers) == ["adamas-0", "adamas-1"]
        same(whole(net), expected, state)

    on_ranks(ranks, work)


SCENARIOS: dict[str, Callable[[int, str], None]] = {
    "steps": steps,
    "clip": clip,
    "nonfinite": nonfinite,
    "guard": guard,
    "first": first,
    "refused": refused,
    "elsewhere": elsewhere,
    "checkpoint": checkpoint,
    "fsdp": partial(parallel, fsdp=True),
    "ddp": partial(parallel, fsdp=False),
    "launched": launched,
}
