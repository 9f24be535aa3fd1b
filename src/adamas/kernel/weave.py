"""Formula x storage formats -> the source of one fused kernel.

The text is meant to be read: `adamas show adamw` prints it, and it is the file that is compiled.
Whatever stands among a formula's names and is none of them and no word begins with an underscore,
as no name of a formula may; functions of codecs with two, because a state `m` has its `_m_low`. So
a formula may call its numbers what it likes. The loop over the elements is written by `blocks`.
"""

import ast
from dataclasses import dataclass

from adamas.kernel.blocks import Blocks
from adamas.kernel.entry import reducing_run, run
from adamas.kernel.formula import Formula, target
from adamas.kernel.hoist import Hoisted
from adamas.kernel.layout import Layout, columns
from adamas.kernel.processors import Processor
from adamas.kernel.reducing import Reducing
from adamas.kernel.stages import Stages, stages

__all__ = ["Layout", "Woven", "weave"]

LIBRARY = frozenset({"atan2", "cos", "sin", "tanh"})
"""Words that a kernel imports only if its formula calls them."""


@dataclass(frozen=True)
class Woven:
    """A kernel's name and source."""

    name: str
    source: str


def weave(formula: Formula, layout: Layout, version: str, processor: Processor) -> Woven:
    """Write the kernel of `formula` for arrays in `layout`."""
    plan = stages(formula)
    parts = plan.sweep
    arrays = zip(
        ("p", "g", *formula.states),
        (layout.parameter, layout.gradient, *layout.states),
        strict=True,
    )
    stored = ", ".join(f"{name} {codec.name}" for name, codec in arrays)
    placed = bool(formula.over)
    if placed:
        kept = {"a row": formula.rows, "a column": formula.columns, "a tensor": formula.scalars}
        more = [f"{name} once {each}" for each, names in kept.items() for name in names]
        stored = ", ".join([stored, *more])
    coarse = plan.rows, plan.columns, plan.matrices
    writer = Blocks(parts, layout, formula.states, *coarse, processor=processor, placed=placed)
    before = Reducing(formula, layout, plan) if placed else None
    blocks = [
        _head(f"{formula.name}: {stored}.", version, formula),
        _prologue(formula, plan),
        *([writer.codecs()] if layout.coded else []),
        *(before.functions() if before else []),
        writer.update(),
        _ask(formula, layout),
        reducing_run(before, writer.ahead) if before else run(formula, layout, writer.ahead),
    ]
    return Woven(formula.name, "\n\n\n".join("\n".join(block) for block in blocks) + "\n")


def _head(what: str, version: str, formula: Formula) -> list[str]:
    calls = [n for s in formula.statements for n in ast.walk(s) if isinstance(n, ast.Call)]
    more = ", ".join(sorted({ast.unparse(call.func) for call in calls} & LIBRARY))
    return [
        f'"""{what}',
        "",
        f"Written by adamas {version} from the formula; edits here are lost.",
        '"""',
        "",
        "from builtins import min as _min, range as _range",
        "",
        "from adamas.kernel.runtime import job as _j",
        "from adamas.kernel.runtime import machine as _m",
        "from adamas.kernel.runtime.machine import integers as _b",
        "from adamas.kernel.runtime.machine import abs, exp, log, sign, sqrt",
        "from adamas.kernel.runtime.machine import maximum, minimum, where",
        *([f"from adamas.kernel.runtime.machine import {more}"] if more else []),
    ]


def _prologue(formula: Formula, plan: Stages) -> list[str]:
    """Constants of every tensor with a gradient, and the new values of its scalar states."""
    parts = plan.parts
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
    for name in sorted(formula.given & {"rows", "columns"}):
        word = f"_m.float64(_m.load_int64(_m.place_at(_job, _k), _j.{name.upper()}, 0))"
        if name == "rows" and formula.orthogonalizes:
            word += " / _m.float64(_m.load_int64(_m.place_at(_job, _k), _j.SPLIT, 0))"
        lines.append(f"        {name} = {word}")
    for k, name in enumerate(formula.scalars):
        where = f"_m.load_int64(_job, _j.SCALARS, 0), _k * {formula.slots} + {k}"
        lines.append(f"        {name} = _m.load_float64({where}, 0)")
    lines += ["        " + line for line in _once(formula, parts)]
    for k, name in enumerate(formula.scalars):
        if name not in parts.next_scalars:
            continue
        where = f"_m.load_int64(_job, _j.NEXT, 0), _k * {formula.slots} + {k}"
        value = ast.unparse(parts.next_scalars[name])
        lines.append(f"        _m.store_float64({where}, 0, _m.float64({value}))")
    lines.append("        _row = _m.load_int64(_m.load_int64(_job, _j.CONSTANTS, 0), _k, 0)")
    for k, (name, constant) in enumerate(parts.constants.items()):
        text = ast.unparse(constant)
        note = "" if text == name else f"  # {name}"
        lines.append(f"        _m.store_float64(_row, {k}, 0, _m.float64({text})){note}")
    lines.append(
        f"        _m.store_float64(_row, {len(plan.constants)}, 0, _m.rounding_key(_job, _k))"
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
                place = f"_k * {formula.slots} + {made[name]}"
                value = f"_m.load_float64(_m.load_int64(_job, _j.NEXT, 0), {place}, 0)"
            lines += ["if _m.load_int64(_job, _j.FIRST, 0) != 0:", f"    {name} = {value}"]
    return lines


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
