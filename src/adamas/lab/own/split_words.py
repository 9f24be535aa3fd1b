"""How the rows of a table were split, in words, and which columns may speak against it."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from shlex import quote

import numpy as np

from adamas.lab.own.columns import Column, NumberColumn
from adamas.lab.own.dates import EPOCH
from adamas.lab.own.features import Made
from adamas.lab.own.options import TableOptions
from adamas.lab.own.sides import Sides
from adamas.lab.own.splits import HELD, cut
from adamas.lab.own.target import Target
from adamas.lab.problems import Words
from adamas.lab.text import LANGUAGES, Say, words
from adamas.pages.sentences import literal

# Names that people give to what several rows are of.
ID = re.compile(r"(^|[\W_])(id|subject|patient|participant)$|[a-z]I[dD]$", re.IGNORECASE)
# A text that has too many values for an input is an id of groups if each has this many rows.
ROWS_EACH = 2
NAMED = 3


def split_words(
    sides: Sides,
    target: Target,
    columns: Mapping[str, Column],
    made: Mapping[str, Made],
    options: TableOptions,
    unused: Words,
) -> Words:
    """Return which rows are `unused`, how the others were split, and what speaks against it."""
    said = [unused] * any(unused.values())
    said += [*_split(sides, target, columns, options)]
    if sides.way == "rows":
        said += _against(columns, made, target)
    gap = {code: Say(code)("sentence_gap") for code in LANGUAGES}
    return {code: gap[code].join(one[code] for one in said) for code in LANGUAGES}


def _split(
    sides: Sides, target: Target, columns: Mapping[str, Column], options: TableOptions
) -> Iterator[Words]:
    rows = len(target.values)
    if sides.way == "group" and sides.units is not None:
        count = int(sides.units.max()) + 1
        yield words("split.group", column=literal(options.group or ""), count=count)
    elif sides.way == "time" and sides.units is not None and options.time is not None:
        first = cut(sides.units)
        dated = columns[options.time].reading.kind == "date"
        shown = f"{EPOCH + timedelta(days=first):%Y-%m-%d}" if dated else f"{first:g}"
        held = int((sides.units >= first).sum())
        yield words("split.time", column=literal(options.time), first=shown, held=held, rows=rows)
    else:
        yield words("split.classes" if target.classes else "split.rows")
    if sides.repeated:
        key = "split.copies" if sides.way == "rows" else "split.copies_apart"
        yield words(key, count=sides.repeated, rows=rows)
    if sides.common:
        yield words("split.common", count=sides.common)


def _against(
    columns: Mapping[str, Column], made: Mapping[str, Made], target: Target
) -> Iterator[Words]:
    """Yield that rows seem to follow one another, or to belong to the same thing."""
    inputs = {name: columns[name] for name in made}
    timed = [name for name, one in inputs.items() if _in_time(one, made[name])]
    if timed:
        yield _named("split.against_time", timed)
    owners = [name for name, one in inputs.items() if _is_owner(one, target)]
    if owners:
        yield _named("split.against_group", owners)


def _named(key: str, names: list[str]) -> Words:
    shown = {code: Say(code).names([literal(name) for name in names[:NAMED]]) for code in LANGUAGES}
    return words(key, names=shown, first=literal(quote(names[0])))


def _in_time(column: Column, made: Made) -> bool:
    dated = column.reading.kind == "date" or column.reading.role == "ordered"
    return dated and bool(made.inputs)


def _is_owner(column: Column, target: Target) -> bool:
    """Return whether a column seems to say what several rows are of."""
    if ID.search(column.reading.name) is None:
        return False
    values = column.values if isinstance(column, NumberColumn) else column.codes
    used = values[target.rows]
    used = used[~np.isnan(used)] if isinstance(column, NumberColumn) else used[used >= 0]
    different = len(np.unique(used))
    if different < HELD or len(used) < ROWS_EACH * different:
        return False
    return different < len(used)
