"""Blocks of which a step might make what is not finite: put aside before it, and back if it does.

A finite gradient may be too large for a rule: its square is infinite in float32 from 1.9e19 on. New
numbers need no comparison as long as gradients are far from there (`job.CALM`), which the look at
their own finiteness tells without a further instruction.
"""

from adamas.codecs import BLOCK
from adamas.kernel.elements import Elements, address, indented
from adamas.kernel.layout import columns
from adamas.kernel.runtime import job as j
from adamas.kernel.scopes import SECOND

ROOM = 8 * BLOCK


class Holding(Elements):
    """Writes the lines that keep a block as it was, and look at what became of it."""

    def calm(self, most: str) -> str:
        """Whether nothing that is not finite comes of gradients up to a size; never of NaN."""
        return f"abs({most}) <= {j.CALM[self.number]!r}"

    def held(self) -> list[tuple[str, str]]:
        """Where a block lies in each column that is written, and how many bytes it has there."""
        found = []
        for name, codec in self.arrays.items():
            if name == SECOND or (name == "g" and not self.layout.zero_grads):
                continue
            for one in columns(name, codec):
                at, size = address(one.name), one.bits // 8
                if one.block:
                    found.append((f"{at} + _s", "1"))
                elif one.bits == 4:
                    found.append((f"{at} + _byte", "(_count + 1) // 2"))
                else:
                    found.append((f"{at} + {size} * _at", f"{size} * _count"))
        return found

    def hold(self) -> list[str]:
        """Put a block aside."""
        every = enumerate(self.held())
        return [f"_m.copy(_aside + {ROOM * k}, {at}, {size})" for k, (at, size) in every]

    def release(self) -> list[str]:
        """Count a block as left out that is not finite now; put it back then, or in a dry run."""
        every = enumerate(self.held())
        back = [f"_m.copy({at}, _aside + {ROOM * k}, {size})" for k, (at, size) in every]
        return [
            "_b.barrier()",
            "_spoilt = False",
            *(f"_spoilt = _spoilt or {one}" for one in self.spoilt()),
            "if _spoilt:",
            "    _left += _count",
            "if _spoilt or _look & _j.DRY != 0:",
            *indented(back),
            "_b.barrier()",
        ]

    def spoilt(self) -> list[str]:
        """What says that a new number of a block is not finite."""
        tests = [f"_{name}_most > 0x7f7fffff" for name in self.scaled]
        for name, codec in self.arrays.items():
            if name not in ("g", SECOND) and not codec.low:
                form = "bfloat16" if codec.decode else codec.name
                tests.append(f"not _m.finite(_m.largest_{form}({address(name)}, _at, _count))")
        return tests
