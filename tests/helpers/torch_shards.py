"""How the state of shards travels: scenarios beside `torch_ranks`, whose parameters these are."""

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from adamas.torch import AdamW, release_gradients
from torch_ranks import (
    EXACT,
    Ours,
    cut,
    drawn,
    learn,
    make,
    module,
    network,
    on_ranks,
    train,
    whole,
)

CODES = (torch.int8, torch.uint8)
States = dict[str, Ours]


def states(net: nn.ParameterDict, opt: Any, *, local: bool) -> States:
    """The state arrays as they are kept, flat: what this rank holds, or put together from all."""

    def taken(value: torch.Tensor) -> torch.Tensor:
        if isinstance(value, DTensor):
            value = value.to_local() if local else value.full_tensor()
        return value.clone().flatten()

    return {name: {k: taken(v) for k, v in opt.state[p].items()} for name, p in net.items()}


def equal(found: States, expected: States, names: list[str]) -> None:
    """The same bits in the same formats."""
    for name in names:
        assert found[name].keys() == expected[name].keys(), name
        for key, value in expected[name].items():
            assert found[name][key].dtype == value.dtype, (name, key)
            assert torch.equal(found[name][key], value), (name, key)


def loaded(mesh: Any, folder: str, state: str) -> tuple[nn.ParameterDict, Any]:
    """Fresh parameters, and an optimizer with the checkpoint's state."""
    net = module(mesh)
    opt = make(net, state)
    values = {"opt": get_optimizer_state_dict(net, opt)}
    dcp.load(values, checkpoint_id=folder)
    set_optimizer_state_dict(net, opt, values["opt"])
    return net, opt


def save(mesh: Any, folder: str, state: str, expected: States) -> None:
    """A checkpoint holds codes and gives every rank its own back; numbers for the other cuts."""
    net = module(mesh)
    opt = make(net, state)
    train(net, opt, range(3), mesh)
    before = states(net, opt, local=True)
    equal(states(net, opt, local=False), expected, EXACT[state])
    dcp.save({"opt": get_optimizer_state_dict(net, opt)}, checkpoint_id=folder)
    written = dcp.FileSystemReader(folder).read_metadata().state_dict_metadata
    formats = {key: getattr(one, "properties", None) for key, one in written.items()}
    for name in ("rows", "few"):
        coded = [formats[f"opt.state.{name}.{state}"] for state in "mv"]
        assert all(one is not None and one.dtype in CODES for one in coded)
        assert not [key for key in formats if key.startswith(f"opt.state.{name}.exp")]
    narrow = formats["opt.state.narrow.exp_avg"]
    assert narrow is not None
    assert narrow.dtype == torch.float32
    again = loaded(mesh, folder, state)
    equal(states(*again, local=True), before, EXACT[state])
    # Codes of other cuts are encoded again, which may turn their last bit.
    numbers = [pair[1].torch_state_dict()["state"] for pair in ((net, opt), again)]
    for entry, other in zip(*(each.values() for each in numbers), strict=True):
        for key in ("exp_avg", "exp_avg_sq"):
            close(*(one[key].to_local() for one in (entry, other)), state)


def close(here: torch.Tensor, there: torch.Tensor, state: str) -> None:
    """Numbers within a step between codes of each other."""
    if here.numel():
        off = (here - there).norm() / here.norm().clamp(min=1e-12)
        assert off < {"int8": 0.01, "int4": 0.15}[state], off


def read(mesh: Any, folder: str, state: str, expected: States) -> None:
    """Another number of ranks has the same codes and scales, put together."""
    net, opt = loaded(mesh, folder, state)
    equal(states(net, opt, local=False), expected, EXACT[state])


def codes(ranks: int, state: str) -> None:
    """Codes and scales themselves move, to the same shards and to half as many."""
    alone = module()
    opt = make(alone, state)
    train(alone, opt, range(3))
    expected = states(alone, opt, local=False)
    with tempfile.TemporaryDirectory() as folder:
        given = {"folder": folder, "state": state, "expected": expected}
        on_ranks(ranks, partial(save, **given))
        on_ranks(ranks // 2, partial(read, **given))


def halves(ranks: int, state: str) -> None:
    """Parameters in bfloat16, sharded: the whole run's bits, rounding at random included."""
    half = torch.bfloat16

    def stepped(mesh: Any = None) -> Ours:
        start = {name: nn.Parameter(cut(drawn(name, 0).to(half), mesh)) for name in EXACT["int8"]}
        net = nn.ParameterDict(start)
        opt = make(net, state)
        for step in range(4):
            for name, p in net.items():
                p.grad = cut((drawn(name, 0) + drawn(name, step + 1)).to(half), mesh)
            opt.step()
        return whole(net)

    expected = stepped()

    def work(mesh: Any) -> None:
        found = stepped(mesh)
        for name in ("rows", "few"):
            assert found[name].dtype == half
            assert torch.equal(found[name], expected[name]), name

    on_ranks(ranks, work)


def narrow_network() -> nn.Module:
    """The network in bfloat16; it takes float32."""
    net = network().bfloat16()
    net.register_forward_pre_hook(lambda _, given: (given[0].bfloat16(),))
    return net


def fsdp(ranks: int, state: str) -> None:
    """FSDP2 with bfloat16 parameters learns what one process learns, as far as they can tell."""
    alone = narrow_network()
    before = whole(alone)
    learn(alone, make(alone, state), slice(None))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        net = fully_shard(narrow_network(), mesh=mesh)
        opt = make(net, state)
        rows = 8 // ranks
        first = rows * dist.get_rank()
        learn(net, opt, slice(first, first + rows))
        for name, value in whole(net).items():
            assert value.dtype == torch.bfloat16
            moved = (expected[name] - before[name]).float().norm()
            off = (value - expected[name]).float().norm() / moved
            assert off < 0.1, (name, off)
        with pytest.raises(ValueError, match="ranks that hold shards"):
            release_gradients(opt)

    on_ranks(ranks, work)


def released(ranks: int, state: str) -> None:
    """DDP sums gradients after hooks have seen them, so that releasing them is refused."""

    def work(mesh: Any) -> None:
        del mesh
        net = DistributedDataParallel(network())
        with pytest.raises(ValueError, match="only after hooks"):
            release_gradients(make(net, state))

    on_ranks(ranks, work)


def zero(ranks: int, state: str) -> None:
    """With each rank the owner of some parameters, as on one process: ZeroRedundancyOptimizer."""
    # It warns of itself when it is imported, and this file is looked through for doctests.
    from torch.distributed.optim import ZeroRedundancyOptimizer

    alone = network()
    learn(alone, torch.optim.AdamW(alone.parameters(), lr=1e-2), slice(None))
    expected = whole(alone)

    def work(mesh: Any) -> None:
        del mesh
        net = DistributedDataParallel(network())
        opt = ZeroRedundancyOptimizer(net.parameters(), AdamW, lr=1e-2, state=state)
        rows = 8 // ranks
        first = rows * dist.get_rank()
        learn(net, opt, slice(first, first + rows))
        for name, value in whole(net.module).items():
            torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)
        opt.consolidate_state_dict(0)
        if dist.get_rank() == 0:
            assert sorted(opt.state_dict()["state"]) == [0, 1, 2, 3]

    on_ranks(ranks, work)


def offload(ranks: int, state: str) -> None:
    """State stays in the memory of its shard, wherever the mesh is, through a new layout."""

    def moving(*given: Any, **named: Any) -> DTensor:
        raise AssertionError("from_local moves a shard to the device of its mesh")

    def work(mesh: Any) -> None:
        net = module(mesh)
        opt = make(net, state)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(DTensor, "from_local", moving)
            train(net, opt, range(2), mesh)
            core = opt._driver.engine
            for k, p in enumerate(core.parameters):
                for key, value in opt.state[p].items():
                    if isinstance(value, DTensor) and value.to_local().numel():
                        name = {v: n for n, v in core.names.torch.items()}.get(key, key)
                        array = core.stepper.store.arrays[k][name]
                        assert value.to_local().data_ptr() == array.ctypes.data, key
            opt.add_param_group({"params": [("late", nn.Parameter(torch.zeros(1)))]})
            before = opt.torch_state_dict()["state"][0]["exp_avg"].to_local().clone()
            opt.param_groups[1]["params"][0].grad = torch.ones(1)
            for p in net.values():
                p.grad = None
            opt.step()
            after = opt.torch_state_dict()["state"][0]["exp_avg"].to_local()
            assert torch.equal(after, before)
            assert not after.numel() or bool(after.any())

    on_ranks(ranks, work)


def flattened(ranks: int, state: str) -> None:
    """A flattened state dict gives every rank its state back, of rows that share blocks too."""
    flat = StateDictOptions(flatten_optimizer_state_dict=True)

    def work(mesh: Any) -> None:
        net, other = module(mesh), module(mesh)
        opt, twin = make(net, state), make(other, state)
        train(net, opt, range(3), mesh)
        saved = get_optimizer_state_dict(net, opt, options=flat)
        set_optimizer_state_dict(other, twin, saved, options=flat)
        pairs = zip(*(one.torch_state_dict()["state"].values() for one in (opt, twin)), strict=True)
        for entry, again in pairs:
            assert entry["step"] == again["step"] == 3
            for key in ("exp_avg", "exp_avg_sq"):
                close(*(one[key].to_local() for one in (entry, again)), state)

    on_ranks(ranks, work)


SCENARIOS: dict[str, Callable[[int, str], None]] = {
    "codes": codes,
    "halves": halves,
    "fsdp-bfloat16": fsdp,
    "released": released,
    "offload": offload,
    "flattened": flattened,
    "zero": zero,
}
