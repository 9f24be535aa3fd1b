"""The loop of a kernel whose numbers are kept in codes: decode, formula, encode, block by block.

Each block is gone through twice (see `split`), the second time while the next one is begun, so that
the integer work of one hides behind the divisions of the other: 3 to 7 % of the time (measured).
"""

from collections.abc import Callable, Sequence
from typing import Any

from adamas.codecs import BLOCK
from adamas.kernel.elements import Elements, address, called
from adamas.kernel.layout import columns
from adamas.kernel.lower import lower

AHEAD = 1024  # elements between a prefetch and its use: best of 256..8192 measured
LINE = 64


class Blocks(Elements):
    """Writes the lines of one kernel's update."""

    def codecs(self) -> list[str]:
        """The codecs' own functions, as this kernel calls them."""
        used = {a: self.arrays[a] for a in self.arrays if self.arrays[a].decode}
        functions: dict[str, Callable[..., Any]] = {}
        for name, codec in used.items():
            texts = (
                (codec.decode,)
                if name == "g"
                else (codec.decode, codec.encode, codec.low, codec.rest)
            )
            functions |= {text.__name__: text for text in texts if text}
        lines: list[str] = []
        for function in functions.values():
            lines += [*lower(function, called(function)), "", ""]
        return lines[:-2]

    def update(self, addresses: Sequence[str], factors: Sequence[str]) -> list[str]:
        """The whole function, in lines."""
        count = len(self.parts.constants)
        lines = [
            "@_m.compiled",
            "def update(_slice, _scale, _beyond):",
            "    _m.widest_vectors()",
            *("    " + line for line in (*factors, *addresses, *self.rooms())),
            "    for _repeat in _range(_m.load_int64(_slice, _j.REPEAT, 0)):",
        ]
        lines += [
            f"        {name} = _m.{self.number}(_m.load_float64(_row, {k}, 0))"
            for k, name in enumerate(self.parts.constants)
        ]
        lines += [
            f"        _key = _b.int32(_m.load_float64(_row, {count}, 0))",
            f"        _row += {8 * (count + 1)}",
            "        _block = _m.load_int64(_slice, _j.BLOCK, 0)",
            "        _here, _s, _byte = 0, 0, 0",
            "        for _start in _range(0, _n, _span):",
            "            _stop = _min(_start + _span, _n)",
            "            _at = _start",
            "            while _at < _stop:",
            f"                _count = _min({BLOCK}, _stop - _at)",
        ]
        whole = self.whole()
        size = 2 * BLOCK if self.scaled else BLOCK
        rest = [
            *self.begin("_at", "_s", "_byte", "_here", "_count"),
            f"while _at + {size} <= _stop:",
        ]
        rest += ["    " + line for line in whole]
        if not self.scaled:
            # Without scales nothing was begun, and the loop above may have ended the row.
            rest.append(f"_count = _min({BLOCK}, _stop - _at)")
        rest += [*self.settle(), *self.finish("_count"), *self.next("_count")]
        return lines + [" " * 16 + line for line in rest]

    def rooms(self) -> list[str]:
        """The stack memory of a slice, and a different fraction for every place in a block."""
        kept = [f"_{name}_kept" for name in self.passes.crossing]
        old = [f"_{name}_old" for name in self.packed]
        # One line more: `finish` writes behind a whole block in the second half, too.
        rooms = [(name, 2 * BLOCK * self.width + LINE) for name in kept]
        rooms += [(name, BLOCK * 4) for name in old]
        lines = [f"{name} = _b.scratch({size})" for name, size in rooms]
        return [
            *lines,
            f"_lost = {'_m.float32' if self.factor() == '_factor' else '_m.float64'}(_m.nan)",
            f"_dither = _b.scratch({4 * BLOCK})",
            f"for _i in _range({BLOCK}):",
            f"    _b.store_int32(_dither, _i, {self.scope('dither')}, "
            "_b.mul(_b.int32(_i), _b.int32(-1640531535)))",
        ]

    def whole(self) -> list[str]:
        """Finish a block while the next is begun."""
        lines = self.prefetches() + self.settle()
        if not self.scaled:
            return lines + self.finish(str(BLOCK)) + self.next(str(BLOCK))
        there = f"{BLOCK} - _here"
        lines.append(f"_there = {there}")
        before = self.lows("_s + 1") + self.unpack("_s + 1", f"_byte + {BLOCK // 2}", str(BLOCK))
        body = self.second() + self.first(f"_at + {BLOCK}", "_there")
        lines += [
            *before,
            "_b.barrier()",
            f"for _i in _range({BLOCK}):",
            *("    " + line for line in body),
        ]
        return lines + self.pack(str(BLOCK)) + self.next(str(BLOCK)) + ["_here = _there"]

    def begin(self, at: str, scale: str, byte: str, here: str, count: str) -> list[str]:
        """The first pass over a block of `count` elements."""
        if not self.scaled:
            return []
        lines = self.lows(scale) + self.unpack(scale, byte, count)
        body = ["    " + line for line in self.first(at, here)]
        return [*lines, "_b.barrier()", f"for _i in _range({count}):", *body]

    def finish(self, count: str) -> list[str]:
        """The second pass over a block of `count` elements."""
        lines = [f"for _i in _range({count}):", *("    " + line for line in self.second())]
        lines.insert(0, "_b.barrier()")
        if self.packed and count == "_count":
            # The partner of an odd block's last element: whatever lay here would be stored.
            lines += [
                f"_m.store_{self.number}({self.kept(s)}, _here + _count, "
                f"{self.scope('pack ' + s)}, {self.number_of('0.0')})"
                for s in self.packed
            ]
        return lines + self.pack(count)

    def next(self, count: str) -> list[str]:
        """Go on to the next block."""
        lines = [f"_at += {count}", "_s += 1", "_block += 1"]
        return lines + ([f"_byte += ({count} + 1) // 2"] if self.packed else [])

    def lows(self, scale: str) -> list[str]:
        """What the codes of a block mean; a NaN in it reaches every element by the gradient."""
        lines = []
        for name in self.scaled:
            lines.append(f"_{name}_low = _b.load_uint8(_{name}_at_scale, {scale}, 31)")
            lines.append(f"_{name}_most = _b.int32(0)")
        lost = " or ".join(f"_{name}_low == 0" for name in self.scaled)
        return [*lines, f"_sound = _m.where({lost}, _lost, {self.factor()})"]

    def settle(self) -> list[str]:
        """Scales of the block whose first pass is done, and its random numbers."""
        lines = []
        for name in self.scaled:
            lines.append(f"_{name}_new = {called(self.arrays[name].low)}(_{name}_most)")
            lines.append(f"_b.store_uint8(_{name}_at_scale, _s, 31, _{name}_new)")
        for k in sorted(set(self.words.values())):
            lines.append(f"_word_{k} = _b.mix(_key, _block, {k})")
        return lines

    def prefetches(self) -> list[str]:
        """Ask for the cache lines of a block some way ahead."""
        lines: list[str] = []
        for name, codec in self.arrays.items():
            for column in columns(name, codec):
                if not column.block and column.bits >= 8:
                    size, at = column.bits // 8, address(column.name)
                    for k in range(0, BLOCK * size, LINE):
                        lines.append(f"_m.prefetch({at} + {size} * (_at + {AHEAD}) + {k})")
                elif column.bits == 4:
                    lines.append(f"_m.prefetch({address(column.name)} + _byte + {AHEAD // 2})")
        return lines
