"""Rules that sum over tensors, rows and columns: how near their passes come to memory's limit."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from adamas import rules
from adamas.bench.peers import Array, gradients, ones, torch_optimizer, torch_sided
from adamas.bench.timing import Side
from adamas.define import rule
from adamas.kernel.formula import Formula, parse
from adamas.kernel.layout import Layout
from adamas.kernel.traffic import Pass, passes
from adamas.show import layout_of, moved
from benchmarks.passes import Limit, arrays_of
from benchmarks.race import Pair, Race, race
from benchmarks.record import Figure, Plan, Section, compared, size_of
from benchmarks.reducing_rules import adafactor, cautious, lamb
from benchmarks.shared import settle

OURS, LIMIT = "adamas", "memory limit"
LAMB, ADAFACTOR = "pytorch_optimizer Lamb, foreach", "torch Adafactor, foreach"


@dataclass(frozen=True)
class Entry:
    """A rule, the format of its state, and the name of the same rule elsewhere."""

    rule: Callable[..., Any]
    state: str = "float32"
    peer: str = ""
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
    "LAMB": Entry(lamb, peer=LAMB),
    "LAMB int8": Entry(lamb, "int8"),
    "Adafactor": Entry(adafactor, peer=ADAFACTOR),
    "Cautious AdamW": Entry(cautious),
}
# The package of each peer, its class, and the arrays that both keep alike.
PEERS = {
    LAMB: ("pytorch_optimizer", "Lamb", ("m", "v")),
    ADAFACTOR: ("torch.optim", "Adafactor", ()),
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
        "LAMB and Adafactor (optax's forms) and Cautious AdamW with its rescaling, as a "
        "user's own rules in the file `reducing_rules.py`, default settings, float32, with AdamW "
        "beside them. One matrix as near to a square as powers of 2 come, or 300 "
        "vectors of 4,096, of Adafactor matrices of 64 x 64. What "
        "a step moves is read from the kernel's plan: every pass reads the arrays that it needs, "
        f"the last also writes. {' '.join(counted)} Numbers that a row, a column or a block has "
        "one of are not counted. The memory limit goes over the very same arrays in the same "
        "passes, with one operation per 64-bit word. That of small tensors is what the same bytes "
        "take at the rate of the large matrix; what the caches allow, where each tensor goes "
        "through all passes at once, stands beside it: there a root and a division are the limit, "
        "of AdamW too. The other libraries step the same parameters "
        "with the same gradients, LAMB also the same moments; pytorch_optimizer's LAMB corrects no "
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
    """One rule beside its limit, and beside its peer where it is installed."""
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
    if here(entry.peer):
        found[entry.peer] = torch_sided(peer(entry.peer, params, grads, held))
    return found


def here(peer: str) -> bool:
    """Whether a peer is named and its package is installed."""
    return (
        peer in PEERS and find_spec("torch") is not None and find_spec(PEERS[peer][0]) is not None
    )


def peer(name: str, params: list[Array], grads: list[Array], held: list[dict[str, Any]]) -> Any:
    """An optimizer of torch in the same memory, as far as it keeps the same arrays."""
    import torch

    package, kind, kept = PEERS[name]
    values, given = [list(map(torch.from_numpy, each)) for each in (params, grads)]
    make = getattr(import_module(package), kind)
    optimizer = torch_optimizer(values, given, make, foreach=True)
    optimizer.step()
    if kept:
        settle(optimizer, [[torch.from_numpy(state[one]) for one in kept] for state in held])
    return optimizer
