"""The sides of the comparison in few bits: AdamW with every state of adamas, and with every peer's.

One table for the section on time and for the child processes in which memory is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from adamas.bench.peers import (
    FEW_BITS,
    Array,
    Halves,
    adamas_bfloat16_side,
    adamas_side,
    half_ones,
    ones,
    torch_bfloat16_side,
    torch_side,
    upper_halves,
)
from adamas.bench.timing import Side
from benchmarks.shared import Ground
from benchmarks.sides import torch_bfloat16_huge_side

if TYPE_CHECKING:
    import torch

FORMATS = ("float32", "bfloat16", "int8", "int4")
TORCH, OWN = "torch fused", "torch fused, as torch allocates"
TORCH16, OWN16 = "torch fused bf16", "torch fused bf16, as torch allocates"
INT8_16 = "adamas int8, bf16 p and g"
# Bits of the parameter that are kept beside it, and the side that keeps them.
MASTERS: dict[int | None, str] = {
    None: INT8_16,
    **{bits: f"{INT8_16}, master={bits}" for bits in (8, 16)},
}


@dataclass(frozen=True)
class Given:
    """Gradients and parameters of all sides, in float32 and, when first asked for, in bfloat16."""

    wide: Sequence[Array]

    @cached_property
    def narrow(self) -> list[Halves]:
        """The gradients in bfloat16."""
        return upper_halves(self.wide)

    @cached_property
    def params(self) -> list[Array]:
        """The parameters in float32, which every side in float32 steps."""
        return ones(self.wide)

    @cached_property
    def narrow_params(self) -> list[Halves]:
        """Those in bfloat16."""
        return half_ones(self.narrow)

    @cached_property
    def ground(self) -> Ground:
        """The moments in float32 too, for the two sides that keep such."""
        return Ground(self.wide, self.params)

    @property
    def tensors(self) -> "tuple[list[torch.Tensor], list[torch.Tensor]]":
        """Parameters and gradients in float32 for torch, in the same memory."""
        import torch

        return list(map(torch.from_numpy, self.params)), list(map(torch.from_numpy, self.wide))

    @property
    def halves(self) -> "tuple[list[torch.Tensor], list[torch.Tensor]]":
        """The same in bfloat16."""
        import torch

        kind = torch.bfloat16
        params = [torch.from_numpy(p).view(kind) for p in self.narrow_params]
        return params, [torch.from_numpy(g).view(kind) for g in self.narrow]


@dataclass(frozen=True)
class Entry:
    """One side: how it is made, and bytes of one parameter.

    `package` is what must be installed for it.
    """

    make: Callable[[Given], Side]
    width: int = 4
    package: str = "adamas"

    @property
    def here(self) -> bool:
        """Whether its package is installed."""
        return find_spec(self.package) is not None


def _wide(make: Callable[..., Side], **settings: Any) -> Callable[[Given], Side]:
    return lambda given: make(given.wide, params=given.params, **settings)


def _narrow(make: Callable[..., Side], **settings: Any) -> Callable[[Given], Side]:
    return lambda given: make(given.narrow, params=given.narrow_params, **settings)


def _entries() -> dict[str, Entry]:
    found = {
        TORCH: Entry(lambda given: given.ground.torch(fused=True), package="torch"),
        OWN: Entry(lambda given: torch_side(given.wide, fused=True), package="torch"),
        "adamas float32": Entry(lambda given: given.ground.adamas()),
    }
    for state in FORMATS[1:]:
        found[f"adamas {state}"] = Entry(_wide(adamas_side, state=state))
    found[TORCH16] = Entry(_narrow(torch_bfloat16_huge_side), 2, package="torch")
    found[OWN16] = Entry(lambda given: torch_bfloat16_side(given.narrow), 2, package="torch")
    for bits, name in MASTERS.items():
        make = _narrow(adamas_bfloat16_side, state="int8", master=bits)
        found[name] = Entry(make, 2)
    for name, (package, peer) in FEW_BITS.items():
        found[name] = Entry(_wide(peer), package=package)
    return found


ENTRIES = _entries()


def absent(names: Sequence[str]) -> list[str]:
    """A line on each of these sides whose package is not installed."""
    return [
        f"{name} is left out: {ENTRIES[name].package} is not installed"
        for name in names
        if not ENTRIES[name].here
    ]
