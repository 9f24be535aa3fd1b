"""One number on its way from memory to the formula and back: what a kernel's lines say.

A codec's functions are called by name; where a number is plain, it is loaded and stored as it is.
"""

import ast
from dataclasses import dataclass, field

from adamas.codecs import Codec
from adamas.kernel.draws import DRAWS, ELEMENTS, PREFIX, UNIT, drawn
from adamas.kernel.hoist import Hoisted
from adamas.kernel.layout import REST, Layout, columns
from adamas.kernel.scopes import SECOND
from adamas.kernel.split import Passes, carrying, once, passes, reads


def indented(lines: list[str], depth: int = 1) -> list[str]:
    """The lines, so many levels further in."""
    return ["    " * depth + line for line in lines]


@dataclass
class Elements:
    """Writes the lines for one element; `parts` is the rule, `states` the names of its states."""

    parts: Hoisted
    layout: Layout
    states: tuple[str, ...]
    # What each row and each column has one number of, where the rule reduces.
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    # What was made between passes, with its place among the sums.
    matrices: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, Codec] = field(init=False)
    passes: Passes = field(init=False)
    scopes: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        names = ("p", "g", *self.states)
        formats = (self.layout.parameter, self.layout.gradient, *self.layout.states)
        self.arrays = dict(zip(names, formats, strict=True))
        if self.layout.second:
            # Behind all others, as its address is.
            self.arrays[SECOND] = self.layout.second
        self.scaled = [s for s in self.states if self.arrays[s].low]
        if self.scaled:
            self.parts = once(self.parts, tuple(self.arrays))
        self.packed = [s for s in self.scaled if self.arrays[s].bits == 4]
        rounded = [a for a in names if a != "g" and self.arrays[a].encode]
        self.words = {name: k for k, name in enumerate(rounded)}
        self.passes = passes(self.parts, tuple(self.arrays), self.scaled, self.scaled)
        # States that are not written, because nothing of them is new.
        self.kept_as_it_is = set[str]()
        self.number = self.layout.compute
        self.width = 8 if self.number == "float64" else 4

    @property
    def spans(self) -> bool:
        """Whether blocks begin anew with every row."""
        return self.layout.coded

    def scope(self, what: str) -> int:
        """A number for one array in one pass.

        In the loop that works on two blocks at once the passes do not overlap; between loops, where
        one reads what the other wrote, stands a barrier.
        """
        return self.scopes.setdefault(what, len(self.scopes))

    def first(self, at: str, here: str) -> list[str]:
        """One element of the first pass."""
        lines = [
            self.load(name, at, "first", True) for name in self.inputs(self.passes.first_reads)
        ]
        lines += self.columns_at(at, self.read(self.passes.first))
        lines += self.draws_at(at, self.read(self.passes.first))
        lines += [ast.unparse(statement) for statement in self.passes.first]
        for name in self.passes.crossing:
            scope = self.scope(f"keep {name}")
            lines.append(f"_m.store_{self.number}(_{name}_kept, {here} + _i, {scope}, {name})")
        for name in self.scaled:
            value = f"_b.both({self.bits_of(self.parts.outputs[name])}, _b.int32(0x7fffffff))"
            lines.append(f"_{name}_most = _b.larger(_{name}_most, {value})")
        return lines

    def second(self) -> list[str]:
        """One element of the second pass."""
        lines = []
        for name in self.passes.crossing:
            place = f"_{name}_kept, _here + _i, {self.scope(f'kept {name}')}"
            lines.append(f"{name} = _m.load_{self.number}({place})")
        lines += [
            self.load(name, "_at", "second", False)
            for name in self.inputs(self.passes.second_reads)
        ]
        lines += self.columns_at("_at", self.read(self.passes.second))
        lines += self.draws_at("_at", self.read(self.passes.second))
        lines += [ast.unparse(statement) for statement in self.passes.second]
        outputs = self.parts.outputs
        lines += [
            line
            for a in outputs
            if a not in self.packed and a not in self.kept_as_it_is
            for line in self.store(a, outputs[a])
        ]
        if self.layout.zero_grads:
            lines += self.erase()
        return lines

    def read(self, statements: tuple[ast.Assign, ...]) -> set[str]:
        """The names that statements read."""
        return set().union(*(reads(statement.value) for statement in statements))

    def lent(self, read: set[str]) -> list[str]:
        """Where the numbers lie that rows and columns have one of, and which row is the first."""
        lines = []
        if self.rows or self.columns:
            lines.append("_begin = _m.load_int64(_slice, _j.START, 99) // _span")
        if read.intersection(self.rows):
            lines.append("_row_room = _m.load_int64(_place, _j.ROW_ROOM, 99)")
            lines.append("_rows = _m.load_int64(_place, _j.ROWS_HERE, 99)")
        if read.intersection(self.columns):
            lines.append("_column_room = _m.load_int64(_place, _j.COLUMN_ROOM, 99)")
        for k, name in enumerate(self.columns):
            if name in read:
                lines.append(f"_{name}_all = _column_room + {self.width * k} * _span")
        for name, k in self.matrices.items():
            if name in read:
                lines += self.whole_at(f"_{name}_whole", k)
        return lines

    def whole_at(self, name: str, place: int) -> list[str]:
        """Where the elements of this slice lie in a whole matrix of numbers."""
        return [
            f"{name} = _m.load_int64(_place, _j.FIRST_ELEMENT, 99)",
            f"{name} += _m.load_int64(_slice, _j.START, 99)",
            f"{name} = _m.load_int64(_place, _j.SUMS + {place}, 99) + {self.width} * {name}",
        ]

    def row_at(self, read: set[str], line: str = "_start // _span") -> list[str]:
        """What the row that begins at `_start`, number `line` of the slice, has one number of."""
        lines = [f"_own = _begin + {line}"] if read.intersection(self.rows) else []
        for k, name in enumerate(self.rows):
            if name in read:
                value = f"_m.load_float64(_row_room, {k} * _rows + _own, 99)"
                lines.append(f"{name} = {self.number_of(value)}")
        return lines

    def columns_at(self, at: str, read: set[str]) -> list[str]:
        """What the column of an element has one number of, and its numbers of whole matrices."""
        found = [
            f"{name} = _m.load_{self.number}(_{name}_all, {at} - _start + _i, "
            f"{self.scope(f'column {name}')})"
            for name in self.columns
            if name in read
        ]
        return found + [
            f"{name} = _m.load_{self.number}(_{name}_whole, {at} + _i, "
            f"{self.scope(f'whole {name}')})"
            for name in self.matrices
            if name in read
        ]

    def draw_keys(self, read: set[str]) -> list[str]:
        """What the random numbers of a slice at this step are made with."""
        keys = [
            f"_key{name} = _b.mix(_key, {name.removeprefix(PREFIX)}, {DRAWS})"
            for name in drawn(read)
        ]
        return [*keys, "_drawn = _m.load_int64(_slice, _j.START, 99)"] if keys else []

    def draws_at(self, at: str, read: set[str]) -> list[str]:
        """The random numbers of an element."""
        return [
            f"{name} = {self.number_of(f'_b.down({value}, _b.int32(8))')} * {self.number_of(UNIT)}"
            for name in drawn(read)
            for value in (f"_b.mix(_key{name}, _drawn + {at} + _i, {ELEMENTS})",)
        ]

    def load(self, name: str, at: str, phase: str, first: bool) -> str:
        """The line that reads one input."""
        codec, scope = self.arrays[name], self.scope(f"{phase} {name}")
        place = f"_{name}_at, {at} + _i, {scope}"
        if name in self.packed:
            place = f"_{name}_old, _i, {self.scope('old ' + name)}"
            return f"{name} = {self.number_of(f'_m.load_float32({place})')}"
        if not codec.decode:
            half = codec.name == "float16"
            text = f"{'_b' if half else '_m'}.load_{codec.name}({place})"
            given = "float32" if half else codec.name
        else:
            second = f"_{name}_low" if codec.low else "_b.int32(0)"
            if codec.beside:
                rest = self.scope(f"{phase} {name}{REST}")
                second = f"_b.load_{codec.beside}(_{name}_at_rest, {at} + _i, {rest})"
            text = f"_b.number({called(codec.decode)}(_b.load_{codec.dtype}({place}), {second}))"
            given = "float32"
        if name == "g":
            return f"g = {self.multiplied(text, given, '_sound' if first else '_factor')}"
        return f"{name} = {text if given == self.number else self.number_of(text)}"

    def multiplied(self, text: str, given: str, factor: str = "_factor") -> str:
        """The gradient times the step's factor, before it is rounded where it is wide."""
        lift = "" if self.wide else " * _lift"
        if self.number == "float64":
            return f"{text if given == 'float64' else self.number_of(text)} * {factor}"
        product = f"{text}{lift} * {factor}"
        return f"_m.float32({product})" if given == "float64" else product

    @property
    def wide(self) -> bool:
        """Whether the gradient is multiplied in float64."""
        return self.number == "float64" or self.arrays["g"].bits == 64

    def addresses(self) -> list[str]:
        """How many elements a slice has, and where its numbers lie."""
        found = [("_g_at", "_j.GRADIENT")]
        names = [
            column.name
            for array, codec in self.arrays.items()
            if array != "g"
            for column in columns(array, codec)
        ]
        found += [(address(name), f"_j.PARAMETER + {k}") for k, name in enumerate(names)]
        span = ["_span = _m.load_int64(_slice, _j.SPAN, 0)"] if self.spans else []
        return [
            "_n = _m.load_int64(_slice, _j.COUNT, 0)",
            *span,
            "_row = _m.load_int64(_slice, _j.CONSTANT, 0)",
            *(f"{name} = _m.load_int64(_slice, {word}, 0)" for name, word in found),
        ]

    def factors(self) -> list[str]:
        """What the gradients are multiplied by, in the dtype in which that is done."""
        if self.wide:
            return ["_factor = _scale"]
        return ["_lift = _m.float32(_m.lift(_scale))", "_factor = _m.float32(_scale / _lift)"]

    def doubt(self, at: str, count: str) -> str:
        """Whether this block may have to be left as it was: a question that costs little.

        Where new states are being compared anyway, one that is NaN or large with its gradient
        answers it: from 2**30 on.
        """
        told = carrying(self.parts, "g")
        sizes = [f"_{s}_most > 0x4e800000" for s in self.scaled if self.parts.outputs[s] in told]
        asked = f"({' or '.join(sizes)})" if sizes else self.doubtful(at, count)
        return f"_look & _j.GUARD != 0 and {asked}"

    def asked(self, at: str, count: str) -> str:
        """The same of the gradient alone."""
        return f"_look & _j.GUARD != 0 and {self.doubtful(at, count)}"

    def doubtful(self, at: str, count: str) -> str:
        """Whether the gradient may hold what is not finite, or what that is made of."""
        name, zero = self.arrays["g"].name, f"_m.{self.number}(0)"
        return f"_m.doubtful_{name}(_g_at, {at}, {count}, _factor, {zero})"

    def largest(self, at: str, count: str) -> str:
        """The largest gradient of a block times the factor, or NaN.

        Multiplication keeps the order of sizes, so it says of all whether they are finite.
        """
        codec = self.arrays["g"]
        given = "float64" if codec.name == "float64" else "float32"
        return self.multiplied(f"_m.largest_{codec.name}(_g_at, {at}, {count})", given)

    def tally(self, at: str, count: str) -> list[str]:
        """Add the squares of a block's gradients up, if that is asked for."""
        name = self.arrays["g"].name
        return [f"_m.tally_{name}(_g_at, {at}, {count}, _sums)"] if self.layout.tally else []

    def store(self, name: str, value: str) -> list[str]:
        """The lines that write one new value."""
        codec = self.arrays[name]
        place = f"_{name}_at, _at + _i, {self.scope(f'second {name}')}"
        if not codec.encode:
            text = value if codec.name == self.number else f"_m.{codec.name}({value})"
            return [f"_m.store_{codec.name}({place}, {text})"]
        word = (
            f"_b.add(_word_{self.words[name]}, _b.load_int32(_dither, _i, {self.scope('dither')}))"
        )
        top = f"_{name}_new" if codec.low else "_b.int32(0)"
        lines = [f"_bits = {self.bits_of(value)}", f"_random = {word}"]
        code = f"{called(codec.encode)}(_bits, {top}, _random)"
        lines.append(f"_b.store_{codec.dtype}({place}, {code})")
        if codec.rest:
            beside = f"_{name}_at_rest, _at + _i, {self.scope(f'second {name}{REST}')}"
            lines.append(f"_b.store_{codec.beside}({beside}, {called(codec.rest)}(_bits, _random))")
        return lines

    def erase(self) -> list[str]:
        """The line that sets a gradient to zero."""
        codec, scope = self.arrays["g"], self.scope("second g")
        place = f"_g_at, _at + _i, {scope}"
        if codec.bits == 16:
            return [f"_b.store_uint16({place}, _b.int32(0))"]
        return [f"_m.store_{codec.name}({place}, 0.0)"]

    def lows(self, scale: str) -> list[str]:
        """What the codes of a block mean; a NaN in it reaches every element by the gradient."""
        lines = []
        for name in self.scaled:
            lines.append(f"_{name}_low = _b.load_uint8(_{name}_at_scale, {scale}, 31)")
            lines.append(f"_{name}_most = _b.int32(0)")
        lost = " or ".join(f"_{name}_low == 0" for name in self.scaled)
        return [*lines, f"_sound = _m.where({lost}, _lost, _factor)"]

    def unpack(self, scale: str, byte: str, count: str) -> list[str]:
        """Codes of four bits become numbers before the first pass."""
        lines: list[str] = []
        for name in self.packed:
            decode, scope = called(self.arrays[name].decode), self.scope(f"old {name}")
            load = f"_b.load_uint8(_{name}_at, {byte} + _i, {self.scope(f'first {name}')})"
            codes = ("_b.both(_code, _b.int32(15))", "_b.right(_code, _b.int32(4))")
            lines += [f"_half = ({count} + 1) // 2", "_b.barrier()", "for _i in _range(_half):"]
            lines.append(f"    _code = {load}")
            for place, code in zip(("_i", "_half + _i"), codes, strict=True):
                value = f"_b.number({decode}({code}, _{name}_low))"
                lines.append(f"    _m.store_float32(_{name}_old, {place}, {scope}, {value})")
        return lines

    def pack(self, count: str) -> list[str]:
        """New values become codes of four bits after the second pass."""
        lines: list[str] = []
        for name in self.packed:
            encode, scope = called(self.arrays[name].encode), self.scope(f"pack {name}")
            lines += [f"_half = ({count} + 1) // 2", "_b.barrier()", "for _i in _range(_half):"]
            codes = []
            for place in ("_i", "_half + _i"):
                value = f"_m.load_{self.number}({self.kept(name)}, _here + {place}, {scope})"
                load = f"_b.load_int32(_dither, {place}, {self.scope('dither')})"
                word = f"_b.add(_word_{self.words[name]}, {load})"
                codes.append(f"{encode}({self.bits_of(value)}, _{name}_new, {word})")
            place = f"_{name}_at, _byte + _i, {self.scope(f'second {name}')}"
            lines += [
                f"    _low = {codes[0]}",
                f"    _high = {codes[1]}",
                f"    _b.store_uint8({place}, _b.either(_low, _b.left(_high, _b.int32(4))))",
            ]
        return lines

    def inputs(self, names: frozenset[str]) -> list[str]:
        """These names in the order of the arrays."""
        return [name for name in self.arrays if name in names]

    def kept(self, name: str) -> str:
        """The room in which the new value of a state waits."""
        return f"_{self.parts.outputs[name]}_kept"

    def number_of(self, text: object) -> str:
        """An expression in the dtype of the arithmetic."""
        return f"_m.{self.number}({text})"

    def bits_of(self, text: str) -> str:
        """The bits of an expression as a float32."""
        return f"_b.bits({text})" if self.number == "float32" else f"_b.bits(_m.float32({text}))"


def address(column: str) -> str:
    """The name of the variable that holds a column's address."""
    name, _, part = column.partition(".")
    return f"_{name}_at_{part}" if part else f"_{name}_at"


def called(function: object) -> str:
    """The name of a codec's function in a kernel."""
    return f"__{getattr(function, '__name__', '')}"
