"""Rules that reduce on ranks: scenarios beside `torch_ranks`, by which ranks are started."""

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import (
    DTensor,
    Replicate,
    Shard,
    distribute_tensor,
    init_device_mesh,
)

import adamas.torch
from adamas import NonFiniteError
from adamas.rules import (
    adafactor,
    adamh,
    adamw,
    came,
    cautious_adamw,
    lamb,
    lars,
    mars,
    prodigy,
    stable_adamw,
)
from adamas.torch.ranks import Ranks
from adamas.words import mean, minimum, norm, orthogonalize, sqrt
from long_form import LONG
from reduction_rules import mixed
from torch_ranks import on_ranks

# Cuts through blocks, through groups of rows, between both; ranks without a row.
SHAPES = {
    "square": (64, 64), "long": (1000, 48), "narrow": (10, 3), "vector": (257,),
    "cube": (7, 5, 3), "few": (4, 4096), "pair": (2, 70), "even": (256, 20),
}  # fmt: skip
# Rows of a few elements share blocks, and few bits are rounded in those of the shard.
WHOLE_ROWS = ("square", "few", "pair")
States = dict[str, dict[str, torch.Tensor]]


def overall(p, g, m, *, lr=1e-2, beta=0.9, clip=1.0):  # type: ignore[no-untyped-def]
    """Momentum whose update, of all tensors together, has a largest norm."""
    m = beta * m + g
    return p - lr * m * minimum(1.0, clip / norm(m, over="all")), m


def turned(p, g, m, r, *, rows, columns, lr=1e-2, beta=0.9):  # type: ignore[no-untyped-def]
    """A matrix of all rows, wherever they are, between sums before it and behind it."""
    m = beta * m + (1 - beta) * g
    o = orthogonalize(m / (norm(m) + 1e-8))
    r = beta * r + (1 - beta) * mean(o * o, over="row")
    u = o / (sqrt(r) + 1e-8)
    return p - lr * sqrt(rows * columns) / norm(u) * u, m, r


FAMILY = (lamb, adafactor, cautious_adamw, lars, adamh, stable_adamw, came, prodigy, mars)
RULES = {one.__name__: one for one in (*FAMILY, overall, mixed, turned, adamw)}
# One of each structure: sums over a tensor, over rows and columns, over everything.
SOME = (lamb, adafactor, prodigy)
Case = tuple[str, torch.dtype, str]


def cases(state: str) -> list[Case]:
    """The rule, the dtype of parameters, and the format of states where rows are not cut."""
    plain = [(one.__name__, torch.float32, "float32") for one in (FAMILY if LONG else SOME)]
    if LONG:
        plain += ("overall", torch.float32, "float32"), ("turned", torch.float64, "float32")
    return [
        *plain, ("adafactor", torch.float64, "float32"), ("lamb", torch.float32, state),
        ("mixed", torch.float32, state), ("turned", torch.float32, state),
    ]  # fmt: skip


def cut(value: torch.Tensor, mesh: Any, twice: bool = False) -> torch.Tensor:
    """A tensor that every rank has as a DTensor of its rows; as it is without a mesh.

    Of two dimensions the first holds replicas, or cuts too.
    """
    if mesh is None:
        return value
    places = [Shard(0)] if mesh.ndim == 1 else [Shard(0) if twice else Replicate(), Shard(0)]
    made: torch.Tensor = distribute_tensor(value, mesh, places, src_data_rank=None)
    return made


def drawn(name: str, seed: int, dtype: torch.dtype) -> torch.Tensor:
    """Numbers that depend on the name and the seed."""
    made = torch.Generator().manual_seed(1000 * seed + list(SHAPES).index(name))
    return torch.randn(SHAPES[name], generator=made).to(dtype)


class Run:
    """Some steps by the rule of a case, with parameters sharded over a mesh if there is one."""

    def __init__(
        self,
        case: Case,
        mesh: Any = None,
        twice: bool = False,
        sharded: Iterable[str] = SHAPES,
        **more: Any,
    ) -> None:
        name, self.dtype, state = case
        self.cut = partial(cut, mesh=mesh, twice=twice)
        self.net = nn.ParameterDict({n: nn.Parameter(self.cut(self.start(n))) for n in sharded})
        # Every rank has this one whole.
        self.net["whole"] = nn.Parameter(self.start("cube"))
        low = self.net.keys() - {"vector"} if name in ("mixed", "turned") else WHOLE_ROWS
        chosen = {"state": lambda key, array: state if key in low else "float32"}
        made = adamas.torch.optimizer(RULES[name])
        self.opt = made(self.net.named_parameters(), lr=1e-2, seed=5, **chosen, **more)

    def start(self, name: str) -> torch.Tensor:
        """Where a parameter begins."""
        return drawn(name, 0, self.dtype)

    def steps(self, steps: range) -> "Run":
        """Steps with given gradients; one parameter has none in the second."""
        for step in steps:
            self.give(step)
            self.opt.step()
        return self

    def give(self, step: int) -> None:
        """The gradients of a step."""
        for name, p in self.net.items():
            g = drawn("cube" if name == "whole" else name, step + 1, self.dtype)
            p.grad = g if name == "whole" else self.cut(g)
        if step == 1:
            self.net["narrow"].grad = None

    def spoilt(self, step: int, value: float) -> str:
        """A step where the first rank alone has a number of `value`; what is said of it."""
        self.give(step)
        g = self.net["pair"].grad
        mine = g.to_local() if isinstance(g, DTensor) else g
        if not isinstance(g, DTensor) or torch.distributed.get_rank() == 0:
            mine[0, 3] = value
        with pytest.raises(NonFiniteError, match="gradient of 'pair'") as raised:
            self.opt.step()
        return str(raised.value.left)

    def found(self) -> States:
        """Parameters and states, put together."""
        return {
            n: {"p": full(p), **{k: full(v) for k, v in self.opt.state[p].items()}}
            for n, p in self.net.items()
        }


def full(value: torch.Tensor) -> torch.Tensor:
    """All of a tensor."""
    return value.full_tensor() if isinstance(value, DTensor) else value.detach().clone()


def same(found: States, expected: States, case: Any) -> None:
    """The same bits, in arrays of the same names and shapes."""
    for name, entry in expected.items():
        assert found[name].keys() == entry.keys(), (case, name)
        for key, value in entry.items():
            got = found[name][key].reshape(value.shape)
            assert torch.equal(got, value), (case, name, key)


def bits(ranks: int, state: str) -> None:
    """One, two and more ranks have the bits of one process, for rules, dtypes and meshes."""
    every = cases(state)
    expected = [Run(case).steps(range(4)).found() for case in every]

    def work(mesh: Any) -> None:
        for case, known in zip(every, expected, strict=True):
            same(Run(case, mesh).steps(range(4)).found(), known, case)
        if mesh.size() == 4:
            square = init_device_mesh("cpu", (2, 2))
            for twice in (False, True):
                case, known = every[1], expected[1]
                same(Run(case, square, twice).steps(range(4)).found(), known, (case, twice))

    for count in sorted({1, 2, ranks}):
        on_ranks(count, work)


def guard(ranks: int, state: str) -> None:
    """One rank's NaN leaves the whole tensor on all, also where a rank has none of it."""
    tried = [
        ((name, torch.float32, kept), choice)
        for name, kept in (("adafactor", "float32"), ("lamb", "float32"), ("turned", state))
        for choice in ("guard", "raise")
    ] + [(("prodigy", torch.float32, "float32"), "guard")]

    def work(mesh: Any) -> list[Any]:
        made = []
        for case, choice in tried:
            # Of four ranks two have no row of "pair".
            some = ("pair", "few", "long", "narrow")
            run = Run(case, mesh, sharded=some, on_nonfinite=choice).steps(range(2))
            before = run.found()
            left = run.spoilt(2, float("nan"))
            stuck = run.found()
            for key in ("pair",) if left != "0" else run.net:
                same({key: stuck[key]}, {key: before[key]}, (case, choice, key))
            assert left == ("140" if choice == "guard" and case[0] != "prodigy" else "0")
            made.append(run.steps(range(3, 4)).found())
        return made

    expected = work(None)

    def compare(mesh: Any) -> None:
        for case, found, known in zip(tried, work(mesh), expected, strict=True):
            same(found, known, case)

    on_ranks(ranks, compare)


def observed(ranks: int, state: str) -> None:
    """What ranks note of a step is what one process notes, and the step is what it was."""
    case = "adamw", torch.float32, state
    plain = Run(case).steps(range(3)).found()
    alone = Run(case, observe=True).steps(range(3))

    def work(mesh: Any) -> None:
        run = Run(case, mesh, observe=True).steps(range(3))
        same(run.found(), plain, case)
        assert list(run.opt.observed) == list(alone.opt.observed)
        columns = nn.Parameter(distribute_tensor(torch.ones(4, 6), mesh, [Shard(1)]))
        with pytest.raises(ValueError, match=r"observe=True sums over whole tensors"):
            adamas.torch.AdamW([columns], observe=True)

    same(alone.found(), plain, case)
    on_ranks(ranks, work)


def states(run: Run) -> States:
    """States without their parameters."""
    return {n: {k: v for k, v in e.items() if k != "p"} for n, e in run.found().items()}


def checkpoint(ranks: int, state: str) -> None:
    """Saved by all ranks, loaded by half of them, and continued: the uninterrupted run's bits."""
    every = [(name, torch.float32, state) for name in ("adafactor", "lamb")]
    expected = [Run(case).steps(range(4)).found() for case in every]

    def values(run: Run) -> dict[str, Any]:
        parameters = dict(run.net.named_parameters())
        return {"model": parameters, "opt": get_optimizer_state_dict(run.net, run.opt)}

    def save(mesh: Any, folder: str) -> None:
        for k, case in enumerate(every):
            run = Run(case, mesh).steps(range(2))
            dcp.save(values(run), checkpoint_id=f"{folder}/{k}")

    whole = StateDictOptions(full_state_dict=True)

    def resume(mesh: Any, folder: str) -> None:
        for k, case in enumerate(every):
            run, other = Run(case, mesh), Run(case, mesh)
            read = values(run)
            dcp.load(read, checkpoint_id=f"{folder}/{k}")
            set_optimizer_state_dict(run.net, run.opt, read["opt"])
            # A whole state dict, as rank 0 would write it, is cut again where it is read.
            full_state = get_optimizer_state_dict(run.net, run.opt, options=whole)
            set_optimizer_state_dict(other.net, other.opt, full_state, options=whole)
            for one in (run, other):
                same(states(one), states(run), case)
            same(run.steps(range(2, 4)).found(), expected[k], case)

    with tempfile.TemporaryDirectory() as folder:
        on_ranks(ranks, partial(save, folder=folder))
        on_ranks(ranks // 2, partial(resume, folder=folder))


def fsdp(ranks: int, state: str) -> None:
    """FSDP2 trains with it; cuts through rows are refused by name, and so are other devices."""

    def work(mesh: Any) -> None:
        torch.manual_seed(0)
        net = fully_shard(nn.Sequential(nn.Linear(70, 91), nn.Tanh(), nn.Linear(91, 5)), mesh=mesh)
        opt = adamas.torch.optimizer(adafactor)(net.named_parameters(), state=state)
        losses, x, sums = [], torch.randn(8, 70), []
        adding = Ranks.add
        for _ in range(6):
            loss = (net(x) - x[:, :5]).pow(2).mean()
            opt.zero_grad()
            loss.backward()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Ranks, "add", lambda *given: sums.append(adding(*given)))
                opt.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]
        # Rows and columns, then the mean of rows, then the size of the update.
        assert len(sums) == 3 * len(losses)
        entry = opt.state[net[0].weight]
        assert isinstance(entry["r"], DTensor)
        assert entry["r"].shape == (91,)
        assert entry["c"].shape == (70,)
        columns = distribute_tensor(torch.ones(4, 6), mesh, [Shard(1)])
        with pytest.raises(ValueError, match=r"'0.0' is a DTensor with placements .* Shard\(0\)"):
            adamas.torch.optimizer(lamb)([nn.Parameter(columns)])
        opt._driver.anywhere = True
        opt._driver.forget()
        with pytest.raises(ValueError, match=r"'0.weight' is a DTensor .* ranks do together"):
            opt.step()

    on_ranks(ranks, work)


SCENARIOS: dict[str, Callable[[int, str], None]] = {
    "sums": bits,
    "sums-guard": guard,
    "sums-checkpoint": checkpoint,
    "sums-fsdp": fsdp,
    "observed": observed,
}
