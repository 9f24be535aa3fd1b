"""Formula x storage formats -> the source of one fused kernel. The only file that writes code.

The text is meant to be read: `adamas show adamw` prints it, and it is the file that is compiled.
Whatever stands among a formula's names and is none of them and no word begins with an underscore,
as no name of a formula may; functions of codecs with two, because a state `m` has its `_m_low`. So
a formula may call its numbers what it likes.
"""

import ast
from dataclasses import dataclass

from adamas.codecs import Codec
from adamas.kernel.blocks import Blocks
from adamas.kernel.elements import address
from adamas.kernel.formula import Formula, target
from adamas.kernel.hoist import Hoisted, hoist
from adamas.kernel.layout import Layout, columns

__all__ = ["Layout", "Woven", "weave"]

TILE = 128
AHEAD = 256  # elements between a prefetch and its use: best of 256..2048 measured


@dataclass(frozen=True)
class Woven:
    """A kernel's source, with the sizes its caller has to provide."""

    name: str
    source: str
    hypers: tuple[str, ...]
    scalars: tuple[str, ...]
    constants: int


def weave(formula: Formula, layout: Layout, version: str) -> Woven:
    """Write the kernel of `formula` for arrays in `layout`."""
    parts = hoist(formula)
    stored = ", ".join(
        f"{name} {codec.name}"
        for name, codec in zip(
            ("p", "g", *formula.states),
            (layout.parameter, layout.gradient, *layout.states),
            strict=True,
        )
    )
    head = [
        f'"""{formula.name}: {stored}.',
        "",
        f"Written by adamas {version} from the formula; edits here are lost.",
        '"""',
        "",
        "from builtins import min as _min, range as _range",
        "",
        "from adamas.kernel import job as _j",
        "from adamas.kernel import machine as _m",
        "from adamas.kernel.machine import abs, exp, log, maximum, minimum, sign, sqrt, where",
    ]
    blocks = [head, _prologue(formula, parts)]
    if layout.coded:
        head.insert(-2, "from adamas.kernel.machine import integers as _b")
        writer = Blocks(parts, layout, formula.states)
        addresses = [*_addresses(formula, layout), "_span = _m.load_int64(_slice, _j.SPAN, 0)"]
        blocks += [writer.codecs(), writer.update(addresses, ["_factor = _m.float32(_scale)"])]
    else:
        blocks.append(_update(formula, parts, layout))
    blocks += [_ask(formula, layout), _run(formula)]
    source = "\n\n\n".join("\n".join(block) for block in blocks) + "\n"
    hypers, scalars = tuple(formula.hypers), formula.scalars
    return Woven(formula.name, source, hypers, scalars, len(parts.constants) + 1)


def _prologue(formula: Formula, parts: Hoisted) -> list[str]:
    """Constants of every tensor with a gradient, and the new values of its scalar states."""
    lines = [
        "@_m.compiled",
        "def prologue(_job):",
        "    _hypers = _m.load_int64(_job, _j.HYPERS, 0)",
        "    for _k in _range(_m.load_int64(_job, _j.TENSORS, 0)):",
        "        if _m.load_int64(_m.load_int64(_job, _j.ACTIVE, 0), _k, 0) == 0:",
        "            continue",
        "        t = _m.float64(_m.load_int64(_m.load_int64(_job, _j.STEPS, 0), _k, 0) + 1)",
        "        _group = _m.load_int64(_m.load_int64(_job, _j.GROUPS, 0), _k, 0)",
    ]
    for k, name in enumerate(formula.hypers):
        width = len(formula.hypers)
        lines.append(f"        {name} = _m.load_float64(_hypers, _group * {width} + {k}, 0)")
    for k, name in enumerate(formula.scalars):
        where = f"_m.load_int64(_job, _j.SCALARS, 0), _k * {len(formula.scalars)} + {k}"
        lines.append(f"        {name} = _m.load_float64({where}, 0)")
    lines += ["        " + line for line in _once(formula, parts)]
    for k, name in enumerate(formula.scalars):
        where = f"_m.load_int64(_job, _j.NEXT, 0), _k * {len(formula.scalars)} + {k}"
        value = ast.unparse(parts.next_scalars[name])
        lines.append(f"        _m.store_float64({where}, 0, _m.float64({value}))")
    lines.append("        _row = _m.load_int64(_m.load_int64(_job, _j.CONSTANTS, 0), _k, 0)")
    for k, (name, constant) in enumerate(parts.constants.items()):
        text = ast.unparse(constant)
        note = "" if text == name else f"  # {name}"
        lines.append(f"        _m.store_float64(_row, {k}, 0, _m.float64({text})){note}")
    lines.append(
        f"        _m.store_float64(_row, {len(parts.constants)}, 0, _m.rounding_key(_job, _k))"
    )
    return lines


def _once(formula: Formula, parts: Hoisted) -> list[str]:
    """The prologue's own lines; for rows on their first step, `first` holds whatever `t` is.

    What is kept once per tensor is the tensor's then, too: the run before has made its new value.
    """
    made = {ast.unparse(node): k for k, node in enumerate(parts.next_scalars.values())}
    lines = []
    for statement in parts.prologue:
        lines.append(ast.unparse(statement))
        name = target(statement)
        if parts.first and (name == parts.first or name in made):
            value = "1.0"
            if name in made:
                place = f"_k * {len(formula.scalars)} + {made[name]}"
                value = f"_m.load_float64(_m.load_int64(_job, _j.NEXT, 0), {place}, 0)"
            lines += ["if _m.load_int64(_job, _j.FIRST, 0) != 0:", f"    {name} = {value}"]
    return lines


def _update(formula: Formula, parts: Hoisted, layout: Layout) -> list[str]:
    """One slice: the formula on every element, tile by tile."""
    number = f"_m.{layout.compute}"
    arrays = {"p": layout.parameter, "g": layout.gradient}
    arrays |= dict(zip(formula.states, layout.states, strict=True))
    lines = [
        "@_m.compiled",
        "def update(_slice, _scale, _beyond):",
        "    _m.widest_vectors()",
        *("    " + line for line in (*_factors(layout), *_addresses(formula, layout))),
    ]
    lines.append("    for _repeat in _range(_m.load_int64(_slice, _j.REPEAT, 0)):")
    lines += [
        f"        {name} = {number}(_m.load_float64(_row, {k}, 0))"
        for k, name in enumerate(parts.constants)
    ]
    lines += [
        f"        _row += {8 * (len(parts.constants) + 1)}",
        f"        for _tile in _range(0, _n, {TILE}):",
        f"            if _tile + {AHEAD} < _n + _beyond:",
        f"                for _line in _range(_tile + {AHEAD}, _tile + {AHEAD + TILE}, 16):",
    ]
    fetch = "                    _m.prefetch"
    lines += [f"{fetch}(_{a}_at + {c.size} * _line)" for a, c in arrays.items()]
    lines.append(f"            for _i in _range(_tile, _min(_tile + {TILE}, _n)):")
    lines += _element(parts, layout, arrays)
    return lines


def _addresses(formula: Formula, layout: Layout) -> list[str]:
    """How many elements a slice has, and where its numbers lie."""
    found = [("_g_at", "_j.GRADIENT")]
    arrays = zip(("p", *formula.states), (layout.parameter, *layout.states), strict=True)
    names = [column.name for array, codec in arrays for column in columns(array, codec)]
    found += [(address(name), f"_j.PARAMETER + {k}") for k, name in enumerate(names)]
    return [
        "_n = _m.load_int64(_slice, _j.COUNT, 0)",
        "_row = _m.load_int64(_slice, _j.CONSTANT, 0)",
        *(f"{name} = _m.load_int64(_slice, {word}, 0)" for name, word in found),
    ]


def _element(parts: Hoisted, layout: Layout, arrays: dict[str, Codec]) -> list[str]:
    compute = layout.compute
    lines = [_load(a, codec, k, compute) for k, (a, codec) in enumerate(arrays.items())]
    lines[1] = _scaled(lines[1], layout)
    lines += [ast.unparse(s) for s in parts.body]
    for k, (a, codec) in enumerate(arrays.items()):
        if a in parts.outputs:
            lines.append(_store(a, codec, k, compute, parts.outputs[a]))
        elif layout.zero_grads:
            lines.append(_store(a, codec, k, "", "0.0"))
    return [" " * 16 + line for line in lines]


def _factors(layout: Layout) -> list[str]:
    """What the gradients are multiplied by, in the dtype in which that is done."""
    if layout.compute == "float64" or layout.gradient.size == 8:
        return []
    return ["_lift = _m.float32(_m.lift(_scale))", "_factor = _m.float32(_scale / _lift)"]


def _scaled(load: str, layout: Layout) -> str:
    """The line that loads `g`, with the scaling: before a wide gradient is rounded, not after."""
    name, text = load.split(" = ")
    if layout.compute == "float64":
        return f"{name} = {text} * _scale"
    if layout.gradient.size == 8:
        return f"{name} = _m.float32({text.removeprefix('_m.float32(').removesuffix(')')} * _scale)"
    return f"{name} = {text} * _lift * _factor"


def _load(array: str, codec: Codec, scope: int, compute: str) -> str:
    text = f"_m.load_{codec.name}(_{array}_at, _i, {scope})"
    return f"{array} = {text if codec.name == compute else f'_m.{compute}({text})'}"


def _store(array: str, codec: Codec, scope: int, compute: str, value: str) -> str:
    text = value if codec.name == compute else f"_m.{codec.name}({value})"
    return f"_m.store_{codec.name}(_{array}_at, _i, {scope}, {text})"


def _ask(formula: Formula, layout: Layout) -> list[str]:
    """Ask for the beginning of a slice: rows of an embedding lie anywhere."""
    arrays = zip(("p", *formula.states), (layout.parameter, *layout.states), strict=True)
    bits = [0 if c.block else c.bits for array, codec in arrays for c in columns(array, codec)]
    lines = ["@_m.compiled", "def ask(_slice):"]
    lines.append("    _n = _min(_m.load_int64(_slice, _j.COUNT, 0), _m.BEGINNING)")
    for k, each in enumerate([layout.gradient.bits, *bits]):
        place = f"_m.load_int64(_slice, _j.GRADIENT + {k}, 0)"
        lines.append(f"    _m.ask({place}, _n * {each} >> 3)")
    return lines


def _run(formula: Formula) -> list[str]:
    """The entry: phases in one call, so that a tiny step is a single dispatch."""
    return f"""
def run(_job, _phases):
    if _phases & _j.SURVEY:
        _m.survey(_job)
    if _phases & _j.SETTLE:
        if _m.settle(_job) != _j.DONE:
            return _j.NOT_FINITE
    if _phases & _j.PROLOGUE:
        prologue(_job)
    if _phases & _j.SWEEP:
        _scale = _m.load_float64(_job, _j.SCALE, 0)
        _beyond = _m.beyond(_job, {AHEAD})
        _first = _m.take(_job, _j.SWEPT)
        while _first < _m.load_int64(_job, _j.SLICES, 0):
            _last = _m.share_end(_job, _first)
            _ahead = _m.distance(_job, _m.slice_at(_job, _first))
            for _k in _range(_first, _last):
                if _k + _ahead < _last:
                    ask(_m.slice_at(_job, _k + _ahead))
                _slice = _m.slice_at(_job, _k)
                if _m.load_int64(_slice, _j.GRADIENT, 0) != 0:
                    update(_slice, _scale, _beyond)
            _m.end(_job, _last - _first, {len(formula.scalars)})
            _first = _m.take(_job, _j.SWEPT)
    return _j.DONE
""".strip().splitlines()
