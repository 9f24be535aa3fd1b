"""The loop over the elements: load, formula, store, block by block.

A block whose gradient is not finite, or too large for the rule (see `holding`), is left as it was,
if that is asked for. Where states share
scales each block is gone through twice (see `split`), the second time while the next one is begun,
so that the integer work of one hides behind the divisions of the other: 3 to 7 % of the time
(measured).
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from adamas.codecs import BLOCK
from adamas.kernel.elements import address, called, indented
from adamas.kernel.hoist import Hoisted
from adamas.kernel.holding import ROOM, Holding
from adamas.kernel.layout import LINE, columns
from adamas.kernel.lower import lower
from adamas.kernel.processors import Processor
from adamas.kernel.split import passes
from adamas.kernel.switch import switch


@dataclass
class Blocks(Holding):
    """Writes the lines of one kernel's update, as it suits `processor`.

    `placed` says that the rule reduces: blocks begin anew where those of the sums do.
    """

    processor: Processor = field(kw_only=True)
    placed: bool = field(kw_only=True, default=False)

    @property
    def spans(self) -> bool:
        """Whether blocks begin anew with every row."""
        return self.layout.coded or self.placed

    @property
    def ahead(self) -> int:
        """Elements between a prefetch and its use; 0 for no prefetch."""
        if self.scaled:
            return self.processor.ahead_scaled
        return self.processor.ahead_coded if self.layout.coded else self.processor.ahead

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

    def update(self) -> list[str]:
        """The whole function, in lines; it returns how many elements were left out."""
        count = len(self.parts.constants)
        repeated = [
            f"{name} = _m.{self.number}(_m.load_float64(_row, {k}, 0))"
            for k, name in enumerate(self.parts.constants)
            if not self.placed or name in self.read(self.parts.body)
        ]
        draws = self.draw_keys(self.read(self.parts.body))
        if self.layout.coded or draws:
            repeated.append(f"_key = _b.int32(_m.load_float64(_row, {count}, 0))")
        if self.layout.coded:
            repeated.append("_block = _m.load_int64(_slice, _j.BLOCK, 0)")
        repeated += draws
        repeated.append(f"_row += {8 * (count + 1)}")
        begin, end = [], []
        if self.layout.tally:
            begin = ["_sums = _b.scratch(128)", "_m.clear(_sums)"]
            end = ["_m.store_float64(_slice, _j.SQUARES, 0, _m.total(_sums))"]
        place = "_place, " if self.placed else ""
        lent = self.lent(self.read(self.parts.body))
        return [
            "@_m.compiled",
            f"def update(_slice, {place}_scale, _look, _beyond):",
            *indented(["_b.outline()"] if self.placed else []),
            *indented(["_m.widest_vectors()", *self.factors(), *self.addresses(), *lent]),
            *indented(self.rooms()),
            *indented([f"_aside = _b.scratch({ROOM * len(self.held())})", "_left = 0", *begin]),
            "    for _repeat in _range(_m.load_int64(_slice, _j.REPEAT, 0)):",
            *indented([*repeated, *(self.in_pairs() if self.scaled else self.one_by_one())], 2),
            *indented(["_m.store_int64(_slice, _j.LEFT, 0, _left)", *end, "return _left"]),
        ]

    def rooms(self) -> list[str]:
        """The stack memory of a slice, and a different fraction for every place in a block."""
        kept = [f"_{name}_kept" for name in self.passes.crossing]
        old = [f"_{name}_old" for name in self.packed]
        # One line more: `finish` writes behind a whole block in the second half, too.
        rooms = [(name, 2 * BLOCK * self.width + LINE) for name in kept]
        rooms += [(name, BLOCK * 4) for name in old]
        lines = [f"{name} = _b.scratch({size})" for name, size in rooms]
        if self.scaled:
            lines.append(f"_lost = {'_m.float64' if self.wide else '_m.float32'}(_m.nan)")
        if self.words:
            lines += [
                f"_dither = _b.scratch({4 * BLOCK})",
                f"for _i in _range({BLOCK}):",
                f"    _b.store_int32(_dither, _i, {self.scope('dither')}, "
                "_b.mul(_b.int32(_i), _b.int32(-1640531535)))",
            ]
        return lines

    def one_by_one(self) -> list[str]:
        """Blocks that are not begun before they are finished."""
        if not self.spans:
            return [f"for _at in _range(0, _n, {BLOCK}):", *indented(self.block("_n", []))]
        return [
            "for _start in _range(0, _n, _span):",
            "    _stop = _min(_start + _span, _n)",
            *indented(self.row_at(self.read(self.parts.body))),
            f"    for _at in _range(_start, _stop, {BLOCK}):",
            *indented(self.block("_stop", ["_block += 1"] if self.layout.coded else []), 2),
        ]

    def block(self, stop: str, following: list[str]) -> list[str]:
        """One block before `stop`, and the lines that go on to the one following."""
        looks = [
            f"if {self.doubt('_at', '_count')}:",
            f"    _most = {self.largest('_at', '_count')}",
            "    if not _m.finite(_most):",
            *indented(["_left += _count", *following, "continue"], 2),
            f"    _held = _held or not {self.calm('_most')}",
        ]
        return [
            f"_count = _min({BLOCK}, {stop} - _at)",
            *self.prefetches("_at"),
            *self.tally("_at", "_count"),
            "_held = _look & _j.DRY != 0",
            # A rule that reduces has looked at all gradients in its first pass.
            *([] if self.placed else looks),
            "if _held:",
            *indented(self.hold()),
            *self.settle(),
            *self.elements(),
            "if _held:",
            *indented(self.release()),
            *following,
        ]

    def elements(self) -> list[str]:
        """The elements of a block; two loops where some steps leave states alone."""
        found = None if self.scaled else switch(self.parts, tuple(self.arrays), self.states)
        if not found:
            return ["for _i in _range(_count):", *indented(self.second())]
        return [
            f"if {found.busy}:",
            "    for _i in _range(_count):",
            *indented(self.second(), 2),
            "else:",
            "    for _i in _range(_count):",
            *indented(self.idle(found.idle).second(), 2),
        ]

    def idle(self, parts: Hoisted) -> "Blocks":
        """The same writer for a body that leaves some states alone: it stores only what is new."""
        made = copy(self)
        made.parts = parts
        made.kept_as_it_is = {s for s in self.states if parts.outputs[s] == s}
        found = passes(parts, tuple(self.arrays), self.scaled, self.scaled)
        unread = made.kept_as_it_is - self.read(parts.body)
        made.passes = replace(found, second_reads=found.second_reads - unread)
        return made

    def in_pairs(self) -> list[str]:
        """Blocks that are finished while the next is begun; one that is left out ends the row."""
        row = [
            f"_count = _min({BLOCK}, _stop - _at)",
            *self.begin("_at", "_s", "_byte", "_here", "_count"),
            *self.tally("_at", "_count"),
            *self.bad("_count"),
            f"while not _bad and _at + {2 * BLOCK} <= _stop:",
            *indented(self.whole()),
            f"if _bad and not _m.finite({self.largest('_at', '_count')}):",
            "    _left += _count",
            "else:",
            *indented(["if _bad:", *indented(self.hold())]),
            *indented([*self.settle(), *self.finish("_count")]),
            *indented(["if _bad:", *indented(self.release())]),
            *self.next("_count"),
        ]
        return [
            "_here, _s, _byte = 0, 0, 0",
            "for _start in _range(0, _n, _span):",
            "    _stop = _min(_start + _span, _n)",
            *indented(self.row_at(self.read(self.parts.body))),
            "    _at = _start",
            "    while _at < _stop:",
            *indented(row, 2),
        ]

    def whole(self) -> list[str]:
        """Finish a block while the next is begun."""
        body = self.second() + self.first(f"_at + {BLOCK}", "_there")
        return [
            *self.prefetches("_at"),
            *self.settle(),
            f"_there = {BLOCK} - _here",
            *self.lows("_s + 1"),
            *self.unpack("_s + 1", f"_byte + {BLOCK // 2}", str(BLOCK)),
            "_b.barrier()",
            f"for _i in _range({BLOCK}):",
            *indented(body),
            *self.pack(str(BLOCK)),
            *self.next(str(BLOCK)),
            "_here = _there",
            *self.tally("_at", str(BLOCK)),
            *self.bad(str(BLOCK)),
        ]

    def bad(self, count: str) -> list[str]:
        """Whether the block that was begun must be looked at, and perhaps left as it was."""
        return [
            f"_bad = {self.doubt('_at', count)}",
            "if _bad:",
            f"    _bad = not {self.calm(self.largest('_at', count))}",
            "_bad = _bad or _look & _j.DRY != 0",
        ]

    def begin(self, at: str, scale: str, byte: str, here: str, count: str) -> list[str]:
        """The first pass over a block of `count` elements."""
        lines = self.lows(scale) + self.unpack(scale, byte, count)
        body = indented(self.first(at, here))
        return [*lines, "_b.barrier()", f"for _i in _range({count}):", *body]

    def finish(self, count: str) -> list[str]:
        """The second pass over a block of `count` elements."""
        lines = ["_b.barrier()", f"for _i in _range({count}):", *indented(self.second())]
        # The partner of an odd block's last element: whatever lay here would be stored.
        lines += [
            f"_m.store_{self.number}({self.kept(s)}, _here + {count}, "
            f"{self.scope('pack ' + s)}, {self.number_of('0.0')})"
            for s in self.packed
        ]
        return lines + self.pack(count)

    def next(self, count: str) -> list[str]:
        """Go on to the next block."""
        lines = [f"_at += {count}", "_s += 1", "_block += 1"]
        return lines + ([f"_byte += ({count} + 1) // 2"] if self.packed else [])

    def settle(self) -> list[str]:
        """Scales of the block whose first pass is done, and its random numbers."""
        lines = []
        for name in self.scaled:
            lines.append(f"_{name}_new = {called(self.arrays[name].low)}(_{name}_most)")
            lines.append(f"_b.store_uint8(_{name}_at_scale, _s, 31, _{name}_new)")
        for k in sorted(set(self.words.values())):
            lines.append(f"_word_{k} = _b.mix(_key, _block, {k})")
        return lines

    def prefetches(self, at: str) -> list[str]:
        """Ask for the cache lines of a block some way ahead."""
        if not self.ahead:
            return []
        lines = []
        for c in (c for name, codec in self.arrays.items() for c in columns(name, codec)):
            if c.bits == 4:
                lines.append(f"_m.fetch({address(c.name)} + _byte + {self.ahead // 2}, 1)")
            elif not c.block:
                place = f"{address(c.name)} + {c.bits // 8} * ({at} + {self.ahead})"
                lines.append(f"_m.fetch({place}, {BLOCK * c.bits // 8 // LINE})")
        return [f"if {at} + {self.ahead} < _n + _beyond:", *indented(lines)]
