"""Rules that sum over tensors, rows and columns: how near their passes come to memory's limit."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from adamas import dialects, rules
from adamas.bench.peers import (
    Array,
    gradients,
    jax_side,
    jitted,
    ones,
    torch_optimizer,
    torch_sided,
)
from adamas.bench.timing import Side
from adamas.define import rule
from adamas.kernel.formula import Formula, parse
from adamas.kernel.layout import Layout
from adamas.kernel.traffic import Pass, passes
from adamas.show import layout_of, moved
from benchmarks.field import shell
from benchmarks.passes import Limit, arrays_of
from benchmarks.race import Pair, Race, race
from benchmarks.record import Figure, Plan, Section, compared, size_of
from benchmarks.shared import settle

OURS, LIMIT = "adamas", "memory limit"
LAMBS = ("timm Lamb, foreach", "pytorch_optimizer Lamb, foreach", "optax lamb, jitted, donated")
ADAFACTOR, FACTORED = "torch Adafactor, foreach", "optax adafactor, jitted, donated"
CAUTIOUS = "timm AdamW with caution, foreach"


@dataclass(frozen=True)
class Entry:
    """A rule, the format of its state, and the names of the same rule elsewhere."""

    rule: Callable[..., Any]
    state: str = "float32"
    peers: tuple[str, ...] = ()
    formula: Formula = field(init=False)
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", parse(self.rule))
        object.__setattr__(self, "layout", layout_of(self.formula, "float32", self.state))

    @property
    def many(self) -> list[tuple[int, ...]]:
        """Small tensors: vectors, or matrices of a rule that asks for rows and columns."""
        return [(64, 64) if self.formula.rows else (4096,)] * 300

    @property
    def passes(self) -> list[Pass]:
        """The passes of its kernel."""
        return passes(self.formula, self.layout)


ENTRIES = {
    "AdamW": Entry(rules.adamw),
    "LAMB": Entry(rules.lamb, peers=LAMBS),
    "LAMB int8": Entry(rules.lamb, "int8"),
    "Adafactor": Entry(rules.adafactor, peers=(ADAFACTOR,)),
    "Adafactor of optax": Entry(dialects.adafactor_eps_inside_constant_lr, peers=(FACTORED,)),
    "Cautious AdamW": Entry(rules.cautious_adamw, peers=(CAUTIOUS,)),
}


@dataclass(frozen=True)
class Peer:
    """A class of torch's kind or, without `kept`, a function of optax; `kept` are alike in both."""

    package: str
    name: str
    kept: tuple[str, ...] | None = None
    settings: dict[str, Any] = field(default_factory=dict)


PEERS = {
    LAMBS[0]: Peer("timm.optim", "Lamb", ("m", "v"), {"max_grad_norm": None, "always_adapt": True}),
    LAMBS[1]: Peer("pytorch_optimizer", "Lamb", ("m", "v")),
    LAMBS[2]: Peer("optax", "lamb"),
    ADAFACTOR: Peer("torch.optim", "Adafactor", ()),
    FACTORED: Peer("optax", "adafactor", None, {"min_dim_size_to_factor": 1}),
    CAUTIOUS: Peer("timm.optim", "AdamWLegacy", ("m", "v"), {"caution": True}),
}


def reductions(plan: Plan) -> Section:
    """Every rule on one large matrix and on many small ones."""
    rows = 1 << (plan.size.bit_length() - 1) // 2
    one = [(rows, plan.size // rows)]
    cases = [
        *(raced(f"{k}, {size_of(plan.size)}", x, one, plan.rounds) for k, x in ENTRIES.items()),
        *(raced(f"{k}, 300 x 4,096", x, x.many, plan.rounds) for k, x in ENTRIES.items()),
    ]
    large, small = cases[: len(ENTRIES)], cases[len(ENTRIES) :]
    missing = sorted({f"{name} is left out: not installed." for name in PEERS if not here(name)})
    counted = [f"{name} {moved(one.formula, state=one.state)}." for name, one in ENTRIES.items()]
    return Section(
        "Sums over tensors, rows and columns",
        "LAMB, Adafactor (torch's form, and optax's) and Cautious AdamW, default settings, "
        "float32, with AdamW beside them. One matrix as near to a square as powers of 2 come, or "
        "300 vectors of 4,096, of Adafactor matrices of 64 x 64. What "
        "a step moves is read from the kernel's plan: every pass reads the arrays that it needs, "
        f"the last also writes. {' '.join(counted)} Numbers that a row, a column or a block has "
        "one of are not counted. The memory limit goes over the very same arrays in the same "
        "passes, with one operation per 64-bit word. That of small tensors is what the same bytes "
        "take at the rate of the large matrix; what the caches allow, where each tensor goes "
        "through all passes at once, stands beside it: there a root and a division are the limit, "
        "of AdamW too. The other libraries step the same parameters with the same gradients, those "
        "of torch's kind with two moments also the same moments, and optax arrays of its own; "
        "timm's LAMB clips nothing and measures every tensor, pytorch_optimizer's corrects no "
        f"bias and limits a norm, which moves no more. {' '.join(missing)}".strip(),
        cases,
        [
            *(replace(compared(one, LIMIT, OURS, share(one.title)), unit="") for one in large),
            *(
                Figure(share(one.title), at_rate(one, of))
                for one, of in zip(small, large, strict=True)
            ),
            *(
                replace(
                    compared(one, LIMIT, OURS, f"share of what caches allow, {one.title}"), unit=""
                )
                for one in small
            ),
            *(compared(one, *pair) for one in cases for pair in peers_of(one)),
            *(
                Figure(f"{name}, bytes moved", sum(one.moved for one in entry.passes), "B")
                for name, entry in ENTRIES.items()
            ),
        ],
    )


def share(title: str) -> str:
    """The name of a case's figure that has a bar."""
    return f"share of the memory limit, {title}"


def at_rate(case: Race, other: Race) -> float:
    """The share of the limit that a case reaches, at the rate of another one's limit."""
    return other.median(LIMIT) / other.elements * case.elements / case.median(OURS)


def peers_of(case: Race) -> list[Pair]:
    """The pairs of a case that are not with the limit."""
    return [(OURS, name) for name in case.samples if name not in (OURS, LIMIT)]


def raced(title: str, entry: Entry, shapes: Sequence[tuple[int, ...]], rounds: int) -> Race:
    """One rule beside its limit, and beside its peers where they are installed."""
    grads = gradients(shapes)
    sides = sided(entry, grads)
    pairs = [(LIMIT, OURS), *((OURS, name) for name in sides if name not in (OURS, LIMIT))]
    case = race(title, sides, pairs, rounds, sum(g.size for g in grads))
    del sides
    gc.collect()
    return case


def sided(entry: Entry, grads: list[Array]) -> dict[str, Side]:
    """The sides of a case, all on the same parameters and gradients."""
    params = ones(grads)
    optimizer = rule(entry.rule)(params, state=entry.state)
    optimizer.step(grads)
    held = [optimizer.state[k] for k in range(len(grads))]
    each = zip(params, grads, held, strict=True)
    tensors = [arrays_of(entry.formula, entry.layout, *one) for one in each]
    found = {
        OURS: Side(partial(optimizer.step, grads), lambda: params[0]),
        LIMIT: Limit(tensors, entry.passes).side(),
    }
    found |= {name: peer(name, params, grads, held) for name in entry.peers if here(name)}
    return found


def here(name: str) -> bool:
    """Whether the package of a peer is installed."""
    package = PEERS[name].package.partition(".")[0]
    return all(find_spec(one) for one in (package, "jax" if package == "optax" else "torch"))


def peer(name: str, params: list[Array], grads: list[Array], held: list[dict[str, Any]]) -> Side:
    """A peer's side; one of torch's kind in the same memory, as far as it keeps the same arrays."""
    one = PEERS[name]
    if one.package.startswith("timm"):
        shell("timm")
    make = getattr(import_module(one.package), one.name)
    if one.kept is None:
        transform = make(1e-3, **one.settings)
        return jax_side(transform, jitted(transform), grads)
    torch = import_module("torch")
    values, given = [list(map(torch.from_numpy, each)) for each in (params, grads)]
    optimizer = torch_optimizer(values, given, make, foreach=True, **one.settings)
    optimizer.step()
    if one.kept:
        settle(optimizer, [[torch.from_numpy(state[k]) for k in one.kept] for state in held])
    return torch_sided(optimizer)
