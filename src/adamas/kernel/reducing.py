"""Kernels of rules that reduce: the passes before the sweep, and what lies between them.

`gather_k` goes over the elements of a slice and keeps the parts of the sums of level k; `between_k`
adds the parts of a tensor up and computes what it, its rows and its columns have one number of;
`collect_k` tells a tensor's part of the sums over all tensors. `keep` takes new states of rows and
columns over when the step is whole.
"""

import ast
from dataclasses import dataclass, replace

from adamas.codecs import BLOCK
from adamas.kernel.elements import indented
from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target
from adamas.kernel.gather import Gather
from adamas.kernel.layout import Layout
from adamas.kernel.scopes import ALL, COLUMN, ROW, Reduction
from adamas.kernel.stages import LEAVES, NUMBERS, ROWS, Line, Stages, Sum


def finished(word: str, total: str, count: str) -> str:
    """What a reduction is worth, of its sum and of how many."""
    value = f"{total} / {count}" if word in ("mean", "rms") else total
    return f"sqrt({value})" if word in ("norm", "rms") else value


@dataclass
class Reducing:
    """Writes the functions of one kernel that come before its sweep, and after it."""

    formula: Formula
    layout: Layout
    stages: Stages

    def __post_init__(self) -> None:
        self.number = self.layout.compute
        found = self.stages.overall
        self.overall = {target(line.statement): line.number for _, line in found}

    def functions(self) -> list[list[str]]:
        """Every function, in lines."""
        levels = range(1, self.stages.levels + 1)
        made = [self.gather(k) for k in levels if self.stages.at(k)]
        made += [self.collect(k) for k in levels if self.collected(k)]
        made += [self.between(k) for k in (0, *levels) if self.lies_between(k)]
        made += [self.keep()] if self.formula.rows or self.formula.columns else []
        return made

    # Passes over the elements.

    def gather(self, level: int) -> list[str]:
        """The pass that makes the parts of the sums of one level, of one slice."""
        writer = Gather(
            replace(self.stages.sweep, body=self.stages.made[level]),
            self.layout,
            self.formula.states,
            self.stages.rows,
            self.stages.columns,
            self.stages.matrices,
        )
        writer.sums = self.stages.at(level)
        writer.looks = all(not self.stages.at(k) for k in range(1, level))
        return [
            "@_m.compiled",
            f"def gather_{level}(_slice, _place, _scale, _look):",
            *indented(writer.lines()),
        ]

    # Between them.

    def lies_between(self, level: int) -> bool:
        """Whether anything is computed there: before all passes also what sums of states are of."""
        return bool(self.stages.between[level] or (level == 0 and self.kept_rows()))

    def kept_rows(self) -> list[tuple[int, Sum]]:
        """The sums over what each row keeps, with their places: the first level waits for them."""
        every = enumerate(self.stages.sums)
        return [(k, s) for k, s in every if s.parts == ROWS and s.argument in self.formula.rows]

    def of_kept_rows(self) -> list[str]:
        """What each row keeps, put where it is added up."""
        lines = []
        for k, one in self.kept_rows():
            region = f"_m.load_int64(_place, _j.SUMS + {k}, 99)"
            lines += ["for _i in _range(_rows):", f"    _x = {self.row(one.argument)}"]
            new = "_x * _x" if one.squared else "_x"
            lines.append(f"    _m.store_float64({region}, _first + _i, 99, {new})")
        return lines

    def between(self, level: int) -> list[str]:
        """What is computed of the sums of one level, for tensor `_k`."""
        lines = ["@_m.compiled", f"def between_{level}(_job, _k):", *indented(self.known())]
        made = self.stages.between[level]
        for name in self.read(made):
            place = self.stages.constants.index(name)
            lines.append(f"    {name} = _m.load_float64(_row, {place}, 99)")
        if level == 0:
            lines += indented(self.of_kept_rows())
        groups: list[list[Line]] = []
        for line in made:
            alike = groups and line.scope in (ROW, COLUMN) and groups[-1][0].scope == line.scope
            groups[-1].append(line) if alike else groups.append([line])
        folded: set[int] = set()
        for group in groups:
            if group[0].scope == ROW:
                lines += indented(self.of_rows(group))
            elif group[0].scope == COLUMN:
                lines += indented(self.of_columns(group, folded))
            else:
                lines += indented(self.of_tensor(group[0]))
        return lines + indented(self.scalars({target(line.statement) for line in made}))

    def known(self) -> list[str]:
        """How many rows and columns there are, and where a tensor's numbers lie."""
        lines = [
            "_row = _m.load_int64(_m.load_int64(_job, _j.CONSTANTS, 99), _k, 99)",
            "_place = _m.place_at(_job, _k)",
            *(
                f"{name} = _m.load_int64(_place, _j.{word}, 99)"
                for name, word in (
                    ("_rows", "ROWS_HERE"),
                    ("_all_rows", "ROWS"),
                    ("_columns", "COLUMNS"),
                    ("_first", "FIRST_ROW"),
                    ("_row_room", "ROW_ROOM"),
                    ("_column_room", "COLUMN_ROOM"),
                )
            ),
            f"_blocks = (_columns + {BLOCK - 1}) // {BLOCK}",
        ]
        states = (*self.formula.rows, *self.formula.columns)
        for k, name in enumerate(states, len(self.stages.sums)):
            lines.append(f"_{name}_at = _m.load_int64(_place, _j.SUMS + {k}, 99)")
        return lines

    def read(self, made: tuple[Line, ...]) -> list[str]:
        """The constants that these lines read and do not make themselves."""
        read = set().union(*(names(line.statement.value) for line in made))
        return [n for n in self.stages.constants if n in read - {target(x.statement) for x in made}]

    def of_tensor(self, line: Line) -> list[str]:
        """A line of a tensor, or of all tensors."""
        name, lines = target(line.statement), list[str]()
        value = ast.unparse(line.statement.value)
        if line.found:
            lines, value = self.reduced(line, line.found)
        place = self.stages.constants.index(name)
        lines += [f"{name} = {value}", f"_m.store_float64(_row, {place}, 99, {name})"]
        return [*lines, *self.watched(name)]

    def reduced(self, line: Line, found: Reduction) -> tuple[list[str], str]:
        """The lines that find a sum, and what the reduction makes of it."""
        if found.over == ALL:
            place = 2 * self.overall[target(line.statement)]
            lines = ["_every = _m.load_int64(_job, _j.EVERY, 99)"]
            total, count = (f"_m.load_float64(_every, {place + k}, 99)" for k in (0, 1))
            return lines, finished(found.word, total, count)
        total, count, lines = self.total(line, found)
        return lines, finished(found.word, total, count)

    def total(self, line: Line, found: Reduction) -> tuple[str, str, list[str]]:
        """What a tensor adds up to, of how many numbers, and the lines that come before."""
        region = f"_m.load_int64(_place, _j.SUMS + {line.sum}, 99)"
        known = self.stages.sums[line.sum] if line.sum >= 0 else None
        if known and known.parts == LEAVES:
            kind = f"{'squares' if known.squared else 'numbers'}_{self.number}"
            return f"_m.fold_{kind}(_place, {region})", "(_all_rows * _columns)", []
        if known and known.parts == ROWS:
            return f"_m.fold({region}, _all_rows)", "_all_rows", []
        # Every column is here.
        argument = ast.unparse(found.argument)
        power = " * _x" if found.word in ("norm", "rms") else ""
        return (
            "_total",
            "_columns",
            [
                "_total = 0.0",
                "for _i in _range(_columns):",
                f"    _x = {self.column(argument)}",
                f"    _total += _x{power}",
            ],
        )

    def of_rows(self, group: list[Line]) -> list[str]:
        """Lines of every row."""
        body, made = [], {target(line.statement) for line in group}
        for line in group:
            value = ast.unparse(line.statement.value)
            if line.found:
                region = f"_m.load_int64(_place, _j.SUMS + {line.sum}, 99)"
                start = f"{region} + 8 * _blocks * (_first + _i)"
                value = finished(line.found.word, f"_m.fold_few({start}, _blocks)", "_columns")
            name = target(line.statement)
            slot = self.stages.rows.index(name)
            body.append(f"{name} = {value}")
            body.append(f"_m.store_float64(_row_room, {slot} * _rows + _i, 99, {name})")
            body += self.watched(name)
            for k, one in enumerate(self.stages.sums):
                if one.parts == ROWS and one.argument == name:
                    power = f" * {name}" if one.squared else ""
                    region = f"_m.load_int64(_place, _j.SUMS + {k}, 99)"
                    body.append(f"_m.store_float64({region}, _first + _i, 99, {name}{power})")
        return ["for _i in _range(_rows):", *indented([*self.loads(group, made, ROW), *body])]

    def of_columns(self, group: list[Line], folded: set[int]) -> list[str]:
        """Lines of every column."""
        before, body, made = [], [], {target(line.statement) for line in group}
        for line in group:
            value = ast.unparse(line.statement.value)
            if line.found:
                region = f"_m.load_int64(_place, _j.SUMS + {line.sum}, 99)"
                if line.sum not in folded:
                    wide = self.stages.sums[line.sum].squared
                    kind = "float64" if wide else self.number
                    before.append(f"_m.fold_columns_{kind}(_place, {region})")
                    folded.add(line.sum)
                total = f"_m.load_float64({region}, _i, 99)"
                value = finished(line.found.word, total, "_all_rows")
            name = target(line.statement)
            slot = self.stages.columns.index(name)
            body.append(f"{name} = {value}")
            place = f"_column_room, {slot} * _columns + _i, 99"
            body.append(f"_m.store_{self.number}({place}, _m.{self.number}({name}))")
            body += self.watched(name)
        loop = [*self.loads(group, made, COLUMN), *body]
        return [*before, "for _i in _range(_columns):", *indented(loop)]

    def watched(self, name: str) -> list[str]:
        """Leave a tensor as it was for a state that is not finite; try it for what elements read.

        That is what is not finite, or a divisor that is 0; they may read either behind a condition.
        """
        plan, number = self.stages, f"_m.{self.number}({name})"
        outputs, formula, lines = plan.parts.outputs, self.formula, list[str]()
        if name in map(outputs.get, formula.numbers):
            lines += [f"if not _m.finite({name}):", "    _m.note(_place, False)"]
        if name in map(outputs.get, (*formula.rows, *formula.columns)):
            lines += [f"if not _m.finite({number}):", "    _m.note(_place, False)"]
        bodies = [*plan.sweep.body, *(s for body in plan.made for s in body)]
        nodes = [node for s in bodies for node in ast.walk(s.value)]
        products = [node for node in nodes if isinstance(node, ast.BinOp)]
        divisors = [node.right for node in products if isinstance(node.op, ast.Div)]
        zero = f" or {number} == 0" if any(name in names(one) for one in divisors) else ""
        if any(name in names(s.value) for s in bodies):
            lines += [f"if not _m.finite({number}){zero}:", "    _m.note(_place, True)"]
        return lines

    def loads(self, group: list[Line], made: set[str], scope: str) -> list[str]:
        """What lines of rows or of columns read besides each other, of one of them."""
        read = set().union(*(names(line.statement.value) for line in group if not line.found))
        known = self.stages.rows if scope == ROW else self.stages.columns
        states = self.formula.rows if scope == ROW else self.formula.columns
        text = self.row if scope == ROW else self.column
        return [f"{n} = {text(n)}" for n in (*states, *known) if n in read - made]

    def row(self, name: str) -> str:
        """A number of row `_i`, in float64."""
        if name in self.formula.rows:
            return f"_m.float64(_m.load_{self.number}(_{name}_at, _i, 99))"
        return f"_m.load_float64(_row_room, {self.stages.rows.index(name)} * _rows + _i, 99)"

    def column(self, name: str) -> str:
        """A number of column `_i`, in float64."""
        if name in self.formula.columns:
            return f"_m.float64(_m.load_{self.number}(_{name}_at, _i, 99))"
        place = f"_column_room, {self.stages.columns.index(name)} * _columns + _i, 99"
        return f"_m.float64(_m.load_{self.number}({place}))"

    def scalars(self, made: set[str]) -> list[str]:
        """The new values of a tensor's states that were made."""
        lines = []
        for k, name in enumerate(self.formula.scalars):
            value = self.stages.parts.outputs.get(name)
            if value in made:
                at = f"_m.load_int64(_job, _j.NEXT, 99), _k * {self.formula.slots} + {k}"
                lines.append(f"_m.store_float64({at}, 99, {value})")
        return lines

    # Over all tensors, and afterwards.

    def once(self, name: str) -> str:
        """What tensor `_k` has one number of: a state of it, or what was made between passes."""
        if name in self.formula.scalars:
            place = f"_k * {self.formula.slots} + {self.formula.scalars.index(name)}"
            return f"_m.load_float64(_m.load_int64(_job, _j.SCALARS, 99), {place}, 99)"
        return f"_m.load_float64(_row, {self.stages.constants.index(name)}, 99)"

    def collected(self, level: int) -> list[Line]:
        """The lines of one level that reduce over all tensors."""
        made = self.stages.between[level]
        return [line for line in made if line.found and line.found.over == ALL]

    def collect(self, level: int) -> list[str]:
        """What tensor `_k` adds to sums over all tensors."""
        lines = [*self.known(), "_totals = _m.load_int64(_job, _j.TOTALS, 99)"]
        width = 2 * len(self.overall)
        for line in self.collected(level):
            assert line.found
            name, one = ast.unparse(line.found.argument), self.stages.sums[line.sum]
            total, count, before = "_x", "1.0", []
            if one.parts == NUMBERS and name in {*self.stages.constants, *self.formula.scalars}:
                before = [f"_x = {self.once(name)}"]
                total = "_x * _x" if one.squared else "_x"
            else:
                total, count, before = self.total(line, line.found)
            at = f"_k * {width} + {2 * self.overall[target(line.statement)]}"
            lines += [*before, f"_m.store_float64(_totals, {at}, 99, {total})"]
            lines.append(f"_m.store_float64(_totals, {at} + 1, 99, _m.float64({count}))")
        return ["@_m.compiled", f"def collect_{level}(_job, _k):", *indented(lines)]

    def keep(self) -> list[str]:
        """New states of rows and columns become the old ones, of tensors that made a step."""
        lines = ["for _k in _range(_m.load_int64(_job, _j.TENSORS, 99)):"]
        lines += indented(["if _m.stays(_job, _k):", "    continue", *self.known()])
        for each, states, scope in (
            ("_rows", self.formula.rows, ROW),
            ("_columns", self.formula.columns, COLUMN),
        ):
            text = self.row if scope == ROW else self.column
            for name in states:
                new = text(self.stages.parts.outputs[name])
                store = f"_m.store_{self.number}(_{name}_at, _i, 99, _m.{self.number}({new}))"
                lines += [f"    for _i in _range({each}):", f"        {store}"]
        return ["@_m.compiled", "def keep(_job):", *indented(lines)]
