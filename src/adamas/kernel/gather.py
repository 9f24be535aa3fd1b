"""The pass over a slice that makes the parts of the sums of one level, block by block."""

import ast

from adamas.codecs import BLOCK
from adamas.kernel.elements import address, indented
from adamas.kernel.first import names
from adamas.kernel.holding import Holding
from adamas.kernel.stages import COLUMNS, LEAVES, WHOLE, Sum


class Gather(Holding):
    """Writes the lines of a pass over the elements of a slice, block by block.

    `sums` are those it makes, with their places; `looks` says that it is the first to read the
    gradient, and tells whether that is finite.
    """

    sums: list[tuple[int, Sum]]
    looks: bool
    spans = True

    def lines(self) -> list[str]:
        """The whole pass."""
        self.leaves = [(k, one) for k, one in self.sums if one.parts == LEAVES]
        self.across = [(k, one) for k, one in self.sums if one.parts == COLUMNS]
        stored = {one.argument for k, one in self.sums if not self.lies(one)}
        read = set().union(*(names(s.value) for s in self.parts.body)) | stored
        self.scaled = [s for s in self.scaled if s in read]
        self.packed = [s for s in self.packed if s in read]
        element = [
            self.load(name, "_at", "sum", bool(self.scaled))
            for name in self.inputs(frozenset(read))
        ]
        element += self.columns_at("_at", read)
        element += self.draws_at("_at", read)
        draws = self.draw_keys(read)
        if draws:
            place = len(self.parts.constants)
            draws.insert(0, f"_key = _b.int32(_m.load_float64(_row, {place}, 99))")
        element += [ast.unparse(s) for s in self.parts.body]
        element += [line for k, one in self.sums for line in self.kept_part(k, one)]
        loop = self.by_columns if self.across else self.by_rows
        return [
            "_m.widest_vectors()",
            *self.factors(),
            *self.addresses(),
            *self.lent(read),
            *self.constants_of(read),
            *draws,
            *self.rooms_of_parts(),
            *loop(read, self.block_of_parts(element)),
        ]

    def lies(self, one: Sum) -> bool:
        """Whether the numbers of a sum lie in memory as they are added up."""
        codec = self.arrays.get(one.argument)
        plain = codec is not None and one.argument != "g" and codec.name == self.number
        return one.parts == LEAVES and plain

    def constants_of(self, read: set[str]) -> list[str]:
        """The constants that are read."""
        return [
            f"{name} = _m.{self.number}(_m.load_float64(_row, {k}, 99))"
            for k, name in enumerate(self.parts.constants)
            if name in read
        ]

    def by_rows(self, read: set[str], block: list[str]) -> list[str]:
        """Row after row, as they lie."""
        return [
            "_s, _byte, _block = 0, 0, _m.load_int64(_slice, _j.BLOCK, 99)",
            "for _start in _range(0, _n, _span):",
            *indented(["_stop = _min(_start + _span, _n)", *self.row_at(read)]),
            f"    for _at in _range(_start, _stop, {BLOCK}):",
            *indented([f"_count = _min({BLOCK}, _stop - _at)", *block], 2),
            *indented(["_s += 1", "_block += 1", "_byte += (_count + 1) // 2"], 2),
        ]

    def by_columns(self, read: set[str], block: list[str]) -> list[str]:
        """A few rows at once, of one stretch of columns after another."""
        row = [
            "_start = (_line + _r) * _span",
            "_at = _start + _from",
            f"_s = (_line + _r) * _each_row + _from // {BLOCK}",
            "_byte = (_line + _r) * _row_bytes + _from // 2",
            "_block = _first_block + _s",
            *self.row_at(read, "_line + _r"),
            *block,
        ]
        rooms = [(k, self.kind(one)) for k, one in self.across]
        clear = [f"_m.store_{kind}(_few_{k}, _i, 99, 0.0)" for k, kind in rooms]
        add = [
            f"_m.add_few_{kind}(_place, _begin + _line, _part_{k}, _from, _few_{k}, _count)"
            for k, kind in rooms
        ]
        return [
            "_first_block = _m.load_int64(_slice, _j.BLOCK, 99)",
            f"_each_row = (_span + {BLOCK - 1}) // {BLOCK}",
            f"_row_bytes = _span // {BLOCK} * {BLOCK // 2} + (_span % {BLOCK} + 1) // 2",
            "_together = _m.together(_place)",
            "_lines = _n // _span",
            "for _line in _range(0, _lines, _together):",
            "    _many = _min(_together, _lines - _line)",
            f"    for _from in _range(0, _span, {BLOCK}):",
            f"        _count = _min({BLOCK}, _span - _from)",
            "        for _i in _range(_count):",
            *indented(clear, 3),
            "        for _r in _range(_many):",
            *indented(row, 3),
            *indented(add, 2),
        ]

    def kind(self, one: Sum) -> str:
        """The dtype in which a few rows are added up: squares may leave that of the arithmetic."""
        return "float64" if one.squared else self.number

    def rooms_of_parts(self) -> list[str]:
        """Where the parts of each sum lie, and room for what one block adds to it."""
        lines = [
            "_each = _m.load_int64(_place, _j.EACH, 99)",
            "_element = _m.load_int64(_place, _j.FIRST_ELEMENT, 99)",
            "_element += _m.load_int64(_slice, _j.START, 99)",
            # Where all blocks are short, nothing is ever written behind them.
            f"_clean = _span < {BLOCK}",
        ]
        for k, one in self.sums:
            if one.parts == WHOLE:
                lines += self.whole_at(f"_part_{k}", k)
                continue
            lines.append(f"_part_{k} = _m.load_int64(_place, _j.SUMS + {k}, 99)")
            if one.parts == LEAVES:
                lines.append(f"_block_{k} = _b.scratch({BLOCK * self.width})")
            else:
                size = 8 if self.kind(one) == "float64" else 4
                lines.append(f"_few_{k} = _b.scratch({BLOCK * size})")
        if self.leaves:
            lines.append(f"for _i in _range({BLOCK}):")
            lines += [
                f"    _m.store_{self.number}(_block_{k}, _i, 99, 0.0)" for k, _ in self.leaves
            ]
        lines += [f"_{name}_old = _b.scratch({4 * BLOCK})" for name in self.packed]
        if self.scaled:
            lines.append(f"_lost = {'_m.float64' if self.wide else '_m.float32'}(_m.nan)")
        return lines

    def block_of_parts(self, element: list[str]) -> list[str]:
        """One block."""
        lines = []
        if self.scaled:
            lines += [*self.lows("_s"), *self.unpack("_s", "_byte", "_count"), "_b.barrier()"]
        if element:
            lines += ["for _i in _range(_count):", *indented(element)]
        for k, one in self.leaves:
            part = f"{'squares' if one.squared else 'numbers'}_{self.number}"
            room, where = f"_block_{k}", f"_part_{k}, _block, _element + _at, _each"
            if self.lies(one):
                room = f"_m.room_{self.number}({address(one.argument)}, _at, _count, _block_{k})"
            lines.append(f"_sum_{k} = _m.{part}({room}, _count, _clean, {where})")
        return lines + (self.look() if self.looks else [])

    def look(self) -> list[str]:
        """Note whether a block's gradient is not finite, or so large that a step must be tried."""
        return [
            f"if {self.asked('_at', '_count')}:",
            f"    _most = {self.largest('_at', '_count')}",
            f"    if not {self.calm('_most')}:",
            "        _m.note(_place, _m.finite(_most))",
        ]

    def kept_part(self, k: int, one: Sum) -> list[str]:
        """What one element adds to a sum."""
        if self.lies(one):
            return []
        if one.parts == WHOLE:
            place = f"_part_{k}, _at + _i, {self.scope(f'part {k}')}"
            return [f"_m.store_{self.number}({place}, {one.argument})"]
        if one.parts == LEAVES:
            place = f"_block_{k}, _i, {self.scope(f'part {k}')}"
            return [f"_m.store_{self.number}({place}, {one.argument})"]
        kind, place = self.kind(one), f"_few_{k}, _i, {self.scope(f'part {k}')}"
        value = one.argument if kind == self.number else f"_m.{kind}({one.argument})"
        if one.squared:
            value = f"{value} * {value}"
        return [f"_m.store_{kind}({place}, _m.load_{kind}({place}) + {value})"]
