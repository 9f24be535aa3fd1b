"""The pass over a slice that makes the parts of the sums of one level, block by block."""

import ast

from adamas.codecs import BLOCK
from adamas.kernel.elements import Elements, indented
from adamas.kernel.first import names
from adamas.kernel.stages import COLUMNS, LEAVES, Sum


class Gather(Elements):
    """Writes the lines of a pass over the elements of a slice, block by block.

    `sums` are those it makes, with their places; `looks` says that it is the first to read the
    gradient, and tells whether that is finite.
    """

    sums: list[tuple[int, Sum]]
    looks: bool
    spans = True

    def lines(self) -> list[str]:
        """The whole pass."""
        read = set().union(*(names(s.value) for s in self.parts.body))
        read |= {one.argument for _, one in self.sums}
        inputs = self.inputs(frozenset(read | ({"g"} if self.looks else set())))
        self.scaled = [s for s in self.scaled if s in read]
        self.packed = [s for s in self.packed if s in read]
        constants = [
            f"{name} = _m.{self.number}(_m.load_float64(_row, {k}, 99))"
            for k, name in enumerate(self.parts.constants)
            if name in read
        ]
        first = bool(self.scaled)
        element = [self.load(n, "_at", "sum", first) for n in inputs if n in read]
        element += self.columns_at("_at", read)
        element += [ast.unparse(s) for s in self.parts.body]
        element += [line for k, one in self.sums for line in self.kept_part(k, one)]
        return [
            "_m.widest_vectors()",
            *self.factors(),
            *self.addresses(),
            *self.lent(read),
            *constants,
            *self.rooms_of_parts(),
            "_s, _byte, _block = 0, 0, _m.load_int64(_slice, _j.BLOCK, 99)",
            "for _start in _range(0, _n, _span):",
            *indented(["_stop = _min(_start + _span, _n)", *self.row_at(read), *self.begin_rows()]),
            f"    for _at in _range(_start, _stop, {BLOCK}):",
            *indented(self.block_of_parts(element), 2),
        ]

    def rooms_of_parts(self) -> list[str]:
        """Where the parts of each sum lie, and room for what one block adds to it."""
        lines = ["_each = _m.load_int64(_place, _j.EACH, 99)"]
        lines.append("_element = _m.load_int64(_place, _j.FIRST_ELEMENT, 99)")
        lines.append("_element += _m.load_int64(_slice, _j.START, 99)")
        for k, one in self.sums:
            lines.append(f"_part_{k} = _m.load_int64(_place, _j.SUMS + {k}, 99)")
            if one.parts == LEAVES:
                lines.append(f"_block_{k} = _b.scratch({BLOCK * self.width})")
        lines += [f"_{name}_old = _b.scratch({4 * BLOCK})" for name in self.packed]
        if self.scaled:
            lines.append(f"_lost = {'_m.float64' if self.wide else '_m.float32'}(_m.nan)")
        return lines

    def begin_rows(self) -> list[str]:
        """Where the parts of the sums of columns of one row lie, which the first of them clears."""
        lines = []
        for k, one in self.sums:
            if one.parts == COLUMNS:
                lines += [
                    f"_row_{k} = _part_{k} + 8 * _span * _m.row_of(_place, _own)",
                    "if _m.begins(_place, _own):",
                    "    for _i in _range(_span):",
                    f"        _m.store_float64(_row_{k}, _i, 99, 0.0)",
                ]
        return lines

    def block_of_parts(self, element: list[str]) -> list[str]:
        """One block."""
        lines = [f"_count = _min({BLOCK}, _stop - _at)"]
        if self.scaled:
            lines += [*self.lows("_s"), *self.unpack("_s", "_byte", "_count"), "_b.barrier()"]
        if self.looks:
            lines += [
                f"if {self.asked('_at', '_count')}:",
                f"    if not {self.finite('_at', '_count')}:",
                "        _m.store_float64(_m.load_int64(_place, _j.LOST, 99), 0, 99, 1.0)",
            ]
        lines += ["for _i in _range(_count):", *indented(element)]
        for k, one in self.sums:
            if one.parts == LEAVES:
                part = "squares" if one.squared else "numbers"
                where = f"_part_{k}, _block, _element + _at, _each"
                lines.append(f"_m.{part}_{self.number}(_block_{k}, _count, {where})")
        return [*lines, "_s += 1", "_byte += (_count + 1) // 2", "_block += 1"]

    def kept_part(self, k: int, one: Sum) -> list[str]:
        """What one element adds to a sum."""
        if one.parts == LEAVES:
            place = f"_block_{k}, _i, {self.scope(f'part {k}')}"
            return [f"_m.store_{self.number}({place}, {one.argument})"]
        value, place = f"_m.float64({one.argument})", f"_row_{k}, _at - _start + _i"
        scope = self.scope(f"part {k}")
        if one.squared:
            value = f"{value} * {value}"
        new = f"_m.load_float64({place}, {scope}) + {value}"
        return [f"_m.store_float64({place}, {scope}, {new})"]
