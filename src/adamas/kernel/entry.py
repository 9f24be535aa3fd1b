"""A kernel's entry: all phases in one call, so that a tiny step is a single dispatch."""

from collections.abc import Callable
from typing import Any

from adamas.kernel.elements import indented
from adamas.kernel.formula import Formula
from adamas.kernel.layout import Layout
from adamas.kernel.reducing import Reducing
from adamas.kernel.runtime.job import CALM


def run(formula: Formula, layout: Layout, ahead: int) -> list[str]:
    """The entry: phases in one call, so that a tiny step is a single dispatch."""
    return f"""
def run(_job, _phases):
    if _phases & _j.SURVEY:
        _m.survey(_job, _m.tally_{layout.gradient.name})
    if _phases & _j.SETTLE:
        if _m.settle(_job, {CALM[layout.compute]!r}) != _j.DONE:
            return _j.NOT_FINITE
    if _phases & _j.PROLOGUE:
        prologue(_job)
    if _phases & _j.SWEEP:
        _scale = _m.load_float64(_job, _j.SCALE, 0)
        _look = _m.load_int64(_job, _j.LOOK, 0)
        _beyond = _m.beyond(_job, {ahead})
        _first = _m.take(_job, _j.SWEPT)
        while _first < _m.load_int64(_job, _j.SLICES, 0):
            _left, _last = 0, _m.share_end(_job, _first)
            _ahead = _m.distance(_job, _m.slice_at(_job, _first))
            for _k in _range(_first, _last):
                if _k + _ahead < _last:
                    ask(_m.slice_at(_job, _k + _ahead))
                _slice = _m.slice_at(_job, _k)
                if _m.load_int64(_slice, _j.GRADIENT, 0) != 0:
                    _left += update(_slice, _scale, _look, _beyond)
            _m.end(_job, _last - _first, _left, {len(formula.scalars)})
            _first = _m.take(_job, _j.SWEPT)
        if _m.load_int64(_job, _j.LEFT_OUT, 0) != 0:
            return _j.SOME_LEFT
    return _j.DONE
""".strip().splitlines()


def reducing_run(writer: Reducing, ahead: int) -> list[str]:
    """The same with passes before the sweep; tensors of one slice go through all in their cache."""
    passes = {name: calls(writer, name) for name in ("gather", "collect", "between")}
    start = f"""
@_m.compiled
def attempt(_slice, _place, _scale, _look):
    if _m.unsure(_place, _look):
        if update(_slice, _place, _scale, _j.DRY, _j.NONE_BEYOND) != 0:
            _m.note(_place, False)


def run(_job, _phases):
    if _phases & _j.SURVEY:
        _m.survey(_job, _m.tally_{writer.layout.gradient.name})
    if _phases & _j.SETTLE:
        if _m.settle(_job, {CALM[writer.layout.compute]!r}) != _j.DONE:
            return _j.NOT_FINITE
    if _phases & _j.PROLOGUE:
        prologue(_job)
        for _k in _range(_m.load_int64(_job, _j.TENSORS, 0)):
            if _m.load_int64(_m.load_int64(_job, _j.ACTIVE, 0), _k, 0) != 0:
                _m.begin(_m.place_at(_job, _k))
"""
    reduce = """
    _level = _m.load_int64(_job, _j.LEVEL, 0)
    _scale = _m.load_float64(_job, _j.SCALE, 0)
    _look = _m.load_int64(_job, _j.LOOK, 0)
    if _phases & _j.REDUCE:
        _first = _m.take(_job, _j.SURVEYED)
        while _first < _m.load_int64(_job, _j.SLICES, 0):
            for _at in _range(_first, _m.share_end(_job, _first)):
                _slice = _m.slice_at(_job, _at)
                if not _m.apart(_slice):
                    continue
                _place = _m.place_at(_job, _m.load_int64(_slice, _j.TENSOR, 0))
"""
    between = """
            _first = _m.take(_job, _j.SURVEYED)
    if _phases & (_j.COLLECT | _j.BETWEEN):
        for _k in _range(_m.load_int64(_job, _j.TENSORS, 0)):
            if not _m.waits(_job, _k):
                continue
"""
    sweep = f"""
    if _phases & _j.SWEEP:
        _beyond = _m.beyond(_job, {ahead})
        _first = _m.take(_job, _j.SWEPT)
        while _first < _m.load_int64(_job, _j.SLICES, 0):
            _left, _last = 0, _m.share_end(_job, _first)
            for _at in _range(_first, _last):
                _slice = _m.slice_at(_job, _at)
                if _m.load_int64(_slice, _j.GRADIENT, 0) == 0:
                    continue
                _k = _m.load_int64(_slice, _j.TENSOR, 0)
                _place = _m.place_at(_job, _k)
                if _m.load_int64(_slice, _j.WHOLE, 0) != 0:
"""
    end = f"""
                if _m.lost(_slice, _place, _look):
                    _left += _m.load_int64(_slice, _j.COUNT, 0)
                else:
                    _left += update(_slice, _place, _scale, _look & _j.DRY, _beyond)
            if _m.last(_job, _last - _first, _left):
                _m.close(_job, {writer.formula.slots})
"""
    close = """
            _first = _m.take(_job, _j.SWEPT)
        if _m.load_int64(_job, _j.LEFT_OUT, 0) != 0:
            return _j.SOME_LEFT
    return _j.DONE
"""
    levels = range(1, writer.stages.levels + 1)
    both = passes["gather"], passes["between"]
    trial = "attempt(_slice, _place, _scale, _look)"
    at_once = [*(made[k] for k in levels for made in both if k in made), trial]
    gathers = {**passes["gather"], writer.stages.levels + 1: trial}
    others = [
        line
        for name in ("collect", "between")
        for line in chosen(passes[name], f"_phases & _j.{name.upper()} and _level")
    ]
    keeps = ["keep(_job)"] if writer.formula.rows or writer.formula.columns else []
    return [
        *start.strip().splitlines(),
        *indented(["between_0(_job, _k)"] if writer.lies_between(0) else [], 4),
        *reduce.strip("\n").splitlines(),
        *indented(chosen(gathers, "_level"), 4),
        *between.strip("\n").splitlines(),
        *indented(others, 3),
        *sweep.strip("\n").splitlines(),
        *indented(at_once, 5),
        *end.strip("\n").splitlines(),
        *indented(keeps, 4),
        *close.strip("\n").splitlines(),
    ]


def calls(writer: Reducing, name: str) -> dict[int, str]:
    """The calls of a kernel's own functions of this name, by level."""
    given = "_slice, _place, _scale, _look" if name == "gather" else "_job, _k"
    plan = writer.stages
    made: dict[str, Callable[[int], Any]] = {
        "gather": plan.at,
        "collect": writer.collected,
        "between": plan.between.__getitem__,
    }
    levels = range(1, plan.levels + 1)
    return {k: f"{name}_{k}({given})" for k in levels if made[name](k)}


def chosen(calls: dict[int, str], test: str) -> list[str]:
    """The lines that make the call of one level."""
    return [line for k, call in calls.items() for line in (f"if {test} == {k}:", f"    {call}")]
