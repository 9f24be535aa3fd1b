"""Read a table of text: any usual encoding, delimiter and head, and a reason for what is refused.

The standard library's `csv` splits the lines: what decides here is what to refuse and what to tell
the user about it (line numbers, doubled names, missing fields), which readers of whole data frames
repair in silence. Columns are kept as few long strings, so that a large file costs what it weighs.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from adamas.lab.needs import LabError
from adamas.lab.own.encodings import asked_encoding, encoding_of
from adamas.lab.own.files import Text, checksum, content, opened
from adamas.lab.own.frame import Frame, check_names, check_rows, chosen, split_target
from adamas.lab.own.layout import SNIFFED, Layout, clean, fitted, laid_out, records
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import marks
from adamas.lab.own.packed_texts import Texts
from adamas.lab.own.room import CELL, Room
from adamas.lab.own.telling import tell
from adamas.lab.text import words

# Rows with another number of fields are left out up to this share; more would be another table.
RAGGED = 0.05
CELLS = 1 << 18  # that are Python strings at one time


def read(path: Path, target: str | None, encoding: str | None = None) -> Frame:
    """Read a table of text, compressed or not; `adamas.lab.own.layout` says how it is cut.

    `encoding` overrules the one that is found out. Raises `LabError` for anything that is no such
    table, has fewer than 40 rows, two columns of one name, too many rows with too few or too many
    fields, or no column `target`.
    """
    data, file, notes = content(path), path.name, Notes()
    if encoding is None:
        codec = encoding_of(data, file, notes)
    else:
        codec = asked_encoding(data, file, encoding, notes)
    layout = laid_out(list(islice(_lines(data, codec), SNIFFED)), target, notes)
    if layout is None:
        raise LabError("error.no_text", file=file)
    check_names(layout.names, file)
    hint = words("hint.no_names") if layout.numbered else None
    target = chosen(layout.names, target and clean(target), file, hint)
    # Texts of two bytes a character are fewer bytes as UTF-8, others at most half as many again.
    room = None if isinstance(data, bytes) else Room(file, len(data))
    try:
        columns = _columns(data, codec, layout, file, notes, room)
    except csv.Error as error:
        raise LabError("error.fields", file=file, error=error) from error
    except ValueError as error:
        raise LabError("error.binary", file=file) from error
    features, values = split_target(columns, target, file)
    used = marks(columns.values(), layout.delimiter == ";")
    if room:
        room.more(CELL * len(values) * len(columns))
        room.note(notes, len(data), len(values))
    return Frame(file, checksum(path), features, target, values, used, notes, room)


def _lines(data: Text, codec: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened(data), codec, newline="")


def _rows(data: Text, codec: str, layout: Layout) -> Iterator[list[str]]:
    lines = islice(_lines(data, codec), layout.skipped, None)
    return islice(records(lines, layout.delimiter, layout.escape), layout.passed, None)


def _columns(
    data: Text, codec: str, layout: Layout, file: str, notes: Notes, room: Room | None
) -> dict[str, Texts]:
    """Return the columns; a few rows with another number of fields are left out and noted."""
    rows, width = _rows(data, codec, layout), len(layout.names)
    found = {name: Texts(room) for name in layout.names}
    total = 0
    while block := list(islice(rows, max(CELLS // width, 1))):
        total += len(block)
        tell("reading_rows", file=file, rows=total)
        fit = [row for row in (fitted(row, width) for row in block) if len(row) == width]
        for texts, cells in zip(found.values(), zip(*fit, strict=True), strict=False):
            texts.add(cells)
    kept = len(found[layout.names[0]])
    if not total:
        raise LabError("error.no_rows", file=file)
    if kept < total:
        _refuse_ragged(total - kept, total, _first_ragged(data, codec, layout), file, notes)
    check_rows(kept, file)
    return found


def _refuse_ragged(count: int, total: int, first: dict[str, int], file: str, notes: Notes) -> None:
    if count > RAGGED * total:
        raise LabError("error.widths", file=file, **first, count=count, total=total, most=RAGGED)
    shown = {name: str(number) for name, number in first.items()}
    notes.say("ragged", count=f"{count:,}", rows=f"{total:,}", **shown)


def _first_ragged(data: Text, codec: str, layout: Layout) -> dict[str, int]:
    """Return the line in the file and the fields of the first row that does not fit."""
    width, read_lines = len(layout.names), 0

    def counted() -> Iterator[str]:
        nonlocal read_lines
        for line in _lines(data, codec):
            read_lines += 1
            yield line

    lines = islice(counted(), layout.skipped, None)
    rows = islice(records(lines, layout.delimiter, layout.escape), layout.passed, None)
    row = next(row for row in rows if len(fitted(row, width)) != width)
    return {"fields": len(row), "line": read_lines, "width": width}
